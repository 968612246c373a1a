from __future__ import annotations

from tests.modules.kitchen.conftest import Kitchen


def test_every_provider_resolves(kitchen: Kitchen) -> None:
    resolved = {name: provider() for name, provider in kitchen.container.providers.items()}

    assert None not in resolved.values()
