"""A module: a vertical slice with its own database, named by its parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from bus.errors import BusError
from bus.event import event_type_of, viewed_name_of


@dataclass(frozen=True, slots=True)
class Module:
    """Names the parts of a module. A name is imported only when its part is asked for.

    A process imports `contract` of every module, for that is how a publisher knows who subscribes; the other
    parts only of the modules that it hosts.

    Attributes:
        name: Lower case, without dots: `kitchen`.
        package: The package that the names below are relative to.
        contract: The events that it publishes and its views of others: a submodule, or the classes.
        tables: Its tables: `submodule:attribute`, or the MetaData.
        container: Its wiring: `submodule:attribute`, or the class.
        listeners: Submodules with decorated functions, beside the classes in the container.
        migrations: The subpackage with the revisions of its tables, in `versions/`; it need not be there.
    """

    name: str
    package: str = ""
    contract: str | Iterable[type] = "contract"
    tables: Any = None
    container: Any = None
    listeners: tuple[str, ...] = ()
    migrations: str = "migrations"

    def contract_classes(self) -> list[type]:
        """Return the events and views of the contract, in the order of their definition."""
        found = self.contract if not isinstance(self.contract, str) else vars(self._import(self.contract)).values()
        classes = dict.fromkeys(cls for cls in found if isinstance(cls, type))
        return [cls for cls in classes if event_type_of(cls) is not None or viewed_name_of(cls) is not None]

    def metadata(self) -> Any:
        """Return the MetaData of its tables, or None where it has none."""
        return self._load(self.tables)

    def load_container(self) -> Any:
        """Return its container class, or None where it has none."""
        return self._load(self.container)

    def listener_functions(self) -> list[object]:
        """Return the decorated functions of its listener submodules, in the order of their definition."""
        found = (value for name in self.listeners for value in vars(self._import(name)).values())
        return [value for value in found if callable(value) and hasattr(value, "__bus_listener__")]

    def migrations_folder(self) -> Path | None:
        """Return where the revisions of its tables lie, or would; None for a module without a package."""
        if not self.package:
            return None
        return Path(import_module(self.package).__path__[0], *self.migrations.split("."), "versions")

    def _load(self, part: Any) -> Any:
        if not isinstance(part, str):
            return part
        submodule, colon, attribute = part.partition(":")
        if not colon:
            raise BusError(f"module {self.name!r}: {part!r} names no attribute; write 'submodule:attribute'")
        loaded = self._import(submodule)
        if not hasattr(loaded, attribute):
            raise BusError(f"module {self.name!r}: {loaded.__name__} has no {attribute!r}")
        return getattr(loaded, attribute)

    def _import(self, submodule: str) -> Any:
        return import_module(f"{self.package}.{submodule}" if self.package else submodule)
