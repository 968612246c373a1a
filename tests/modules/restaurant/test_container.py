from __future__ import annotations

from tests.modules.restaurant.conftest import RestaurantAlone


def test_every_provider_resolves(restaurant: RestaurantAlone) -> None:
    resolved = {name: provider() for name, provider in restaurant.container.providers.items()}

    assert None not in resolved.values()
