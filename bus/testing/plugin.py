"""Fixtures for pytest; `pytest_plugins = ["bus.testing.plugin"]` in the outermost conftest.py makes them known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

from bus.errors import MissingExtraError
from bus.module import Module
from bus.testing.alone import ModuleUnderTest, boot_alone
from bus.testing.clock import FakeClock

try:
    import pytest
except ImportError as error:
    raise MissingExtraError("pytest is not installed; pip install 'modular-bus[testing]'") from error


class BootModule(Protocol):
    """What the fixture `boot_module` gives."""

    def __call__(self, module: Module, **options: Any) -> ModuleUnderTest:
        """Boot a module; the options are those of `boot_alone`."""
        ...


@pytest.fixture
def fake_clock() -> FakeClock:
    """Return a clock that stands still until the test moves it."""
    return FakeClock()


@pytest.fixture
def boot_module(tmp_path: Path, fake_clock: FakeClock) -> Iterator[BootModule]:
    """Boot modules alone in the test's own folder and on its `fake_clock`; closed when the test ends."""
    with ExitStack() as booted:

        def boot(module: Module, **options: Any) -> ModuleUnderTest:
            return booted.enter_context(boot_alone(module, tmp_path, **{"clock": fake_clock, **options}))

        yield boot
