from __future__ import annotations

from bus.testing import ModuleUnderTest
from modules.order.container import OrderContainer


def test_every_provider_resolves(order: ModuleUnderTest) -> None:
    resolved = {name: provider() for name, provider in order.container.providers.items()}

    assert None not in resolved.values()


def test_each_container_has_a_blueprint_of_its_own(order: ModuleUnderTest) -> None:
    one = order.container
    given = {"database": one.database(), "bus": one.bus(), "clock": one.clock(), "ids": one.ids()}
    other = OrderContainer(**given)

    assert one.blueprint() is one.blueprint()
    assert one.blueprint() is not other.blueprint()
