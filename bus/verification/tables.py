"""D1, D2, D3: tables, foreign keys and mapped classes stay with the module that owns them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from sqlalchemy import ForeignKey, MetaData, Table
from sqlalchemy.orm import registry

from bus.verification.declared import Declared
from bus.verification.mappers import check_mappers
from bus.verification.report import Report, Violation
from bus.verification.rules import RULES

#: Tables of the bus itself, which every module's database has its own of.
BUS_PREFIX = "bus_"


def verify_tables(owners: Mapping[str, Declared | Iterable[Declared]], package: str | None = None) -> Report:
    """Check that each table has one owner and that nothing leads from there to another's.

    Foreign keys are read by name, so that they may be unresolved; no database is needed. Mapped
    classes (D3) are seen where their registry is given: the check configures it, as the first
    query would.

    Example:
        verify_tables({"order": Order.registry, "kitchen": kitchen_metadata}).ok

    Args:
        owners: What each module declares its tables on, by module name.
        package: The package that holds the modules; mapped classes must then be defined in
            their owner's.
    """
    declared = {owner: [given] if isinstance(given, Declared) else list(given) for owner, given in owners.items()}
    metadata = {owner: _metadata_of(given) for owner, given in declared.items()}
    registries = {owner: [one for one in given if isinstance(one, registry)] for owner, given in declared.items()}
    return Report.of(
        _shared_tables(metadata),
        _foreign_keys(metadata),
        check_mappers(registries, metadata, package=package),
    )


def _metadata_of(given: list[Declared]) -> list[MetaData]:
    found = [one.metadata if isinstance(one, registry) else one for one in given]
    return list({id(one): one for one in found}.values())


def _shared_tables(metadata: Mapping[str, list[MetaData]]) -> Iterator[Violation]:
    for name, owners in sorted(_owners_by_table(metadata).items()):
        for module, other in pairwise(owners):
            yield RULES["D1"].violation(module, other, f"table {name} is declared by {' and '.join(owners)}")


def _foreign_keys(metadata: Mapping[str, list[MetaData]]) -> Iterator[Violation]:
    owners = _owners_by_table(metadata)
    for module, table in _tables(metadata):
        for key in table.foreign_keys:
            target = _target_table(key, table)
            if module not in owners.get(target, []):
                other = owners.get(target, [""])[0]
                whose = f"owned by {other or 'no module'}"
                message = f"{table.fullname}.{key.parent.name} refers to {key.target_fullname}, {whose}"
                yield RULES["D2"].violation(module, other, message)


def _owners_by_table(metadata: Mapping[str, list[MetaData]]) -> dict[str, list[str]]:
    owners: dict[str, set[str]] = defaultdict(set)
    for module, table in _tables(metadata):
        owners[table.fullname].add(module)
    return {name: sorted(modules) for name, modules in owners.items()}


def _tables(metadata: Mapping[str, list[MetaData]]) -> Iterator[tuple[str, Table]]:
    for module, declared in metadata.items():
        tables = (table for one in declared for table in one.tables.values())
        yield from ((module, table) for table in tables if not table.name.startswith(BUS_PREFIX))


def _target_table(key: ForeignKey, table: Table) -> str:
    target = key.target_fullname.rpartition(".")[0]
    schema = table.metadata.schema
    return f"{schema}.{target}" if schema and "." not in target else target
