from __future__ import annotations

import pytest

from bus.testing import ModuleUnderTest
from bus.testing.plugin import BootModule
from modules.restaurant import module


@pytest.fixture
def restaurant(boot_module: BootModule) -> ModuleUnderTest:
    """The module alone with the demo menu."""
    restaurant = boot_module(module)
    restaurant.container.seed().run()
    return restaurant
