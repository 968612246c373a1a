"""D1 and D3 for mapped classes: where they are defined, what they inherit and relate to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import FromClause, MetaData, Table
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapper, registry

from bus.verification.report import Violation
from bus.verification.rules import RULES

_Mapper = Mapper[Any]


def check_mappers(
    registries: Mapping[str, list[registry]],
    metadata: Mapping[str, list[MetaData]],
    *,
    package: str | None,
) -> Iterator[Violation]:
    """Check that mapped classes live with their tables (D1) and lead to no other module's (D3)."""
    ownership = _Ownership(registries, metadata, package)
    for module, declared in registries.items():
        for one in declared:
            mappers = sorted(one.mappers, key=_name)
            for mapper in mappers:
                yield from _inheritance(ownership, mapper) or _home(ownership, mapper)
            yield from _relationships(ownership, module, one, mappers)


@dataclass(frozen=True, slots=True)
class _Ownership:
    registries: Mapping[str, list[registry]]
    metadata: Mapping[str, list[MetaData]]
    package: str | None

    def of_code(self, mapper: _Mapper) -> str:
        """Return whose code defines a mapped class; by its registry where no package is known."""
        if self.package is None:
            return self.of_registry(mapper)
        parts = f"{mapper.class_.__module__}.".removeprefix(f"{self.package}.").split(".")
        return parts[0] if parts[0] in self.registries else ""

    def of_registry(self, mapper: _Mapper) -> str:
        """Return whose registry a class is mapped in."""
        return next((owner for owner, ones in self.registries.items() if mapper.registry in ones), "")

    def of_table(self, table: FromClause) -> str:
        """Return whose metadata holds a table."""
        metadata = table.metadata if isinstance(table, Table) else None
        return next(
            (owner for owner, ones in self.metadata.items() if any(one is metadata for one in ones)),
            "",
        )

    def of_mapper(self, mapper: _Mapper) -> str:
        """Return who owns a mapped class: whose code it is, or else whose table."""
        return self.of_code(mapper) or self.of_registry(mapper) or self.of_table(mapper.local_table)


def _inheritance(ownership: _Ownership, mapper: _Mapper) -> list[Violation]:
    module = ownership.of_mapper(mapper)
    if mapper.inherits is None or ownership.of_mapper(mapper.inherits) == module:
        return []
    message = f"{_name(mapper)} inherits {_name(mapper.inherits)}"
    return [RULES["D3"].violation(module, ownership.of_mapper(mapper.inherits), message)]


def _home(ownership: _Ownership, mapper: _Mapper) -> list[Violation]:
    home, owners = ownership.of_code(mapper), [ownership.of_table(table) for table in mapper.tables]
    strangers = sorted(owner for owner in owners if owner != home)
    if not strangers:
        return []
    who, whose = home or "no module", strangers[0] or "no module"
    message = f"{_name(mapper)} of {who} is mapped to a table of {whose}"
    return [RULES["D1"].violation(home or strangers[0], strangers[0] if home else "", message)]


def _relationships(ownership: _Ownership, module: str, one: registry, mappers: list[_Mapper]) -> Iterator[Violation]:
    try:
        one.configure(cascade=True)
    except SQLAlchemyError as error:
        yield RULES["D3"].violation(module, _owner_named_in(str(error), ownership, module), f"not mappable: {error}")
        return
    for mapper in mappers:
        yield from _related(ownership, mapper)


def _related(ownership: _Ownership, mapper: _Mapper) -> Iterator[Violation]:
    module = ownership.of_mapper(mapper)
    # What is inherited is the parent's to report.
    own = [relation for relation in mapper.relationships if relation.parent is mapper]
    for relation in own:
        target = ownership.of_mapper(relation.mapper)
        if target != module:
            message = f"{_name(mapper)}.{relation.key} relates to {_name(relation.mapper)}"
            yield RULES["D3"].violation(module, target, message)
        between = relation.secondary
        if between is not None and ownership.of_table(between) != module:
            message = f"{_name(mapper)}.{relation.key} goes through the table {between}"
            yield RULES["D3"].violation(module, ownership.of_table(between), message)


def _owner_named_in(error: str, ownership: _Ownership, module: str) -> str:
    words = set(re.findall(r"\w+", error))
    for owner, registries in ownership.registries.items():
        names = {mapper.class_.__name__ for one in registries for mapper in one.mappers}
        if owner != module and names & words:
            return owner
    return ""


def _name(mapper: _Mapper) -> str:
    return f"{mapper.class_.__module__}.{mapper.class_.__qualname__}"
