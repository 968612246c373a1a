from __future__ import annotations

from modules.order.container import OrderContainer
from tests.modules.order.conftest import OrderAlone


def test_every_provider_resolves(order: OrderAlone) -> None:
    resolved = {name: provider() for name, provider in order.container.providers.items()}

    assert None not in resolved.values()


def test_each_container_has_a_blueprint_of_its_own(order: OrderAlone) -> None:
    one = order.container
    given = {"database": one.database(), "bus": one.bus(), "clock": one.clock(), "ids": one.ids()}
    other = OrderContainer(**given)

    assert one.blueprint() is one.blueprint()
    assert one.blueprint() is not other.blueprint()
