from __future__ import annotations

import pytest

from bus.testing import ModuleUnderTest
from bus.testing.plugin import BootModule
from modules.kitchen import module


@pytest.fixture
def kitchen(boot_module: BootModule) -> ModuleUnderTest:
    return boot_module(module)
