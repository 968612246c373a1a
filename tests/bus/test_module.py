"""A module that names its parts: what is imported, and what is subscribed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bus import BusError, Database, Module, assemble

CONTRACT = """
from dataclasses import dataclass
from bus import event

@event("pantry.jar_emptied")
@dataclass(frozen=True)
class JarEmptied:
    jar: str
"""

LISTENERS = """
from bus import listener, module_listener
from pantry.contract import JarEmptied

heard = []

@listener
def note(event: JarEmptied) -> None:
    heard.append("at once")

@module_listener("pantry.refill")
def refill(event: JarEmptied) -> None:
    heard.append("after the commit")

def no_listener(event: JarEmptied) -> None: ...
"""


@pytest.fixture
def pantry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Module]:
    """Return a module whose package lies in a folder of the test."""
    package = tmp_path / "pantry"
    package.mkdir()
    for name, text in (("__init__", ""), ("contract", CONTRACT), ("listeners", LISTENERS)):
        (package / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Module("pantry", package="pantry", listeners=("listeners",), tables="contract:nothing")
    for name in [name for name in sys.modules if name.partition(".")[0] == "pantry"]:
        del sys.modules[name]


def test_functions_in_the_listener_submodules_of_a_hosted_module_are_called(pantry: Module, tmp_path: Path) -> None:
    database = Database("pantry", f"sqlite:///{tmp_path}/pantry.db")
    database.create_tables()
    bus = assemble([pantry], {"pantry": database})
    contract, listeners = sys.modules["pantry.contract"], sys.modules["pantry.listeners"]

    with database.transaction():
        bus.module("pantry").publish(contract.JarEmptied("flour"))
    bus.drain()
    bus.stop()
    database.close()

    assert listeners.heard == ["at once", "after the commit"]


def test_of_a_module_that_is_not_hosted_only_the_contract_is_imported(pantry: Module) -> None:
    assemble([pantry], {})

    assert sorted(name for name in sys.modules if name.startswith("pantry")) == ["pantry", "pantry.contract"]


def test_part_that_is_not_there_is_named(pantry: Module) -> None:
    with pytest.raises(BusError, match=r"module 'pantry': pantry\.contract has no 'nothing'"):
        pantry.metadata()


def test_part_without_an_attribute_is_refused_with_the_form() -> None:
    with pytest.raises(BusError, match="write 'submodule:attribute'"):
        Module("pantry", package="pantry", tables="tables").metadata()
