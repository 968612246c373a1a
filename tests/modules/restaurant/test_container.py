from __future__ import annotations

from bus.testing import ModuleUnderTest


def test_every_provider_resolves(restaurant: ModuleUnderTest) -> None:
    resolved = {name: provider() for name, provider in restaurant.container.providers.items()}

    assert None not in resolved.values()
