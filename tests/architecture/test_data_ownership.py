"""Tables stay with their module: asked of the real metadata, and of planted breaches."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table
from sqlalchemy.orm import registry, relationship

import modules
from bus.verification import RULES, Report, declared_in, verify_tables

DATA_RULES = [rule for rule in RULES if rule.startswith("D")]
OUR_MODULES = [found.name for found in iter_modules(modules.__path__) if found.ispkg]


@pytest.fixture(scope="module")
def real() -> Report:
    declared = {name: declared_in(f"modules.{name}") for name in OUR_MODULES}
    return verify_tables(declared, package="modules")


@pytest.mark.parametrize("rule", DATA_RULES)
def test_our_tables_keep_the_rule(real: Report, rule: str) -> None:
    report = real.of_rule(rule)

    assert report.ok, report.text()


def test_our_three_modules_are_checked() -> None:
    assert {"order", "restaurant", "kitchen"} <= set(OUR_MODULES)


@pytest.mark.parametrize("name", OUR_MODULES)
def test_our_module_declares_all_its_tables_on_the_metadata_it_names(name: str) -> None:
    named = import_module(f"modules.{name}").module.metadata()
    declared = declared_in(f"modules.{name}")

    assert named.tables
    assert {id(one.metadata if isinstance(one, registry) else one) for one in declared} == {id(named)}


# Planted breaches: kitchen owns tickets, and order does what it should not.


@pytest.fixture
def order() -> Iterator[registry]:
    yield from disposed(registry())


@pytest.fixture
def kitchen() -> Iterator[registry]:
    yield from disposed(registry())


def disposed(mapped: registry) -> Iterator[registry]:
    """Hand out a registry and forget its classes: a failed one would fail everybody's mappers."""
    yield mapped
    mapped.dispose(cascade=True)


def table(metadata: MetaData, name: str, *columns: Column[Any]) -> Table:
    return Table(name, metadata, Column("id", Integer, primary_key=True), *columns)


def mapped_class(mapped: registry, path: str, owned: Table, **properties: Any) -> type[Any]:
    """Map a class of a given dotted path, such as `modules.kitchen.Ticket`."""
    module, _, name = path.rpartition(".")
    cls = type(name, (), {"__module__": module})
    mapped.map_imperatively(cls, owned, properties=properties)
    # SQLAlchemy holds mapped classes weakly; elsewhere their module keeps them.
    owned.info["class"] = cls
    return cls


def ticket(kitchen: registry) -> type[Any]:
    return mapped_class(kitchen, "modules.kitchen.Ticket", table(kitchen.metadata, "tickets"))


def breaches(report: Report) -> list[tuple[str, str, str]]:
    assert all(violation.fix for violation in report.violations)
    return [(violation.rule, violation.module, violation.other) for violation in report.violations]


def check(order: registry, kitchen: registry) -> Report:
    return verify_tables({"order": order, "kitchen": [kitchen]}, package="modules")


def test_tables_of_their_own_give_an_empty_report(order: registry, kitchen: registry) -> None:
    ticket(kitchen)
    orders = table(order.metadata, "orders")
    lines = table(order.metadata, "lines", Column("order_id", ForeignKey("orders.id")))
    line = mapped_class(order, "modules.order.model.Line", lines)
    mapped_class(order, "modules.order.model.Order", orders, lines=relationship(line))

    assert check(order, kitchen) == Report()


def test_table_declared_by_two_modules_is_caught() -> None:
    order, kitchen = MetaData(), MetaData()
    table(order, "tickets")
    table(kitchen, "tickets")

    report = verify_tables({"order": order, "kitchen": kitchen})

    assert breaches(report) == [("D1", "kitchen", "order")]
    assert "MetaData of its own" in report.violations[0].fix


def test_metadata_shared_by_two_modules_is_caught() -> None:
    shared = MetaData()
    table(shared, "tickets")

    assert breaches(verify_tables({"order": shared, "kitchen": shared})) == [("D1", "kitchen", "order")]


def test_tables_of_the_bus_are_in_every_module() -> None:
    order, kitchen = MetaData(), MetaData()
    table(order, "bus_outbox")
    table(kitchen, "bus_outbox")

    assert verify_tables({"order": order, "kitchen": kitchen}).ok


def test_class_mapped_to_another_modules_table_is_caught(order: registry, kitchen: registry) -> None:
    mapped_class(order, "modules.order.Ticket", table(kitchen.metadata, "tickets"))

    assert breaches(check(order, kitchen)) == [("D1", "order", "kitchen")]


def test_mapped_class_outside_every_module_is_caught(order: registry, kitchen: registry) -> None:
    mapped_class(kitchen, "shared.models.Ticket", table(kitchen.metadata, "tickets"))

    assert breaches(check(order, kitchen)) == [("D1", "kitchen", "")]


@pytest.mark.parametrize(("target", "other"), [("tickets.id", "kitchen"), ("nobody.id", "")])
def test_foreign_key_by_name_is_caught_unresolved(target: str, other: str) -> None:
    order, kitchen = MetaData(), MetaData()
    table(kitchen, "tickets")
    table(order, "orders", Column("ticket_id", ForeignKey(target)))

    report = verify_tables({"order": order, "kitchen": kitchen})

    assert breaches(report) == [("D2", "order", other)]
    assert f"orders.ticket_id refers to {target}" in report.violations[0].message
    assert "plain column" in report.violations[0].fix


def test_foreign_key_to_a_column_is_caught() -> None:
    order, kitchen = MetaData(), MetaData()
    tickets = table(kitchen, "tickets")
    table(order, "orders", Column("ticket_id", ForeignKey(tickets.c.id)))

    assert breaches(verify_tables({"order": order, "kitchen": kitchen})) == [("D2", "order", "kitchen")]


def test_foreign_keys_are_told_apart_by_schema() -> None:
    order, kitchen = MetaData(schema="order"), MetaData(schema="kitchen")
    for metadata in (order, kitchen):
        table(metadata, "items")
    table(order, "own", Column("item", ForeignKey("items.id")))
    table(order, "foreign", Column("item", ForeignKey("kitchen.items.id")))

    report = verify_tables({"order": order, "kitchen": kitchen})

    assert breaches(report) == [("D2", "order", "kitchen")]
    assert "order.foreign.item" in report.violations[0].message


def test_relationship_to_another_modules_class_is_caught(order: registry, kitchen: registry) -> None:
    target = ticket(kitchen)
    orders = table(order.metadata, "orders", Column("ticket_id", Integer))
    tickets = kitchen.metadata.tables["tickets"]
    joined = relationship(target, primaryjoin=orders.c.ticket_id == tickets.c.id, foreign_keys=[orders.c.ticket_id])
    mapped_class(order, "modules.order.Order", orders, ticket=joined)

    report = check(order, kitchen)

    assert breaches(report) == [("D3", "order", "kitchen")]
    assert "modules.order.Order.ticket relates to modules.kitchen.Ticket" in report.text()
    assert "listening to kitchen" in report.violations[0].fix


def test_relationship_by_name_is_caught(order: registry, kitchen: registry) -> None:
    ticket(kitchen)
    orders = table(order.metadata, "orders")
    mapped_class(order, "modules.order.Order", orders, ticket=relationship("Ticket"))

    assert breaches(check(order, kitchen)) == [("D3", "order", "kitchen")]


def test_secondary_table_of_another_module_is_caught(order: registry, kitchen: registry) -> None:
    orders, lines = table(order.metadata, "orders"), table(order.metadata, "lines")
    between = Table(
        "between",
        kitchen.metadata,
        Column("order_id", ForeignKey(orders.c.id)),
        Column("line_id", ForeignKey(lines.c.id)),
    )
    line = mapped_class(order, "modules.order.Line", lines)
    mapped_class(order, "modules.order.Order", orders, lines=relationship(line, secondary=between))

    found = breaches(check(order, kitchen))

    assert found == [("D2", "kitchen", "order")] * 2 + [("D3", "order", "kitchen")]


def test_inheritance_from_another_modules_class_is_caught(order: registry, kitchen: registry) -> None:
    parent = ticket(kitchen)
    child = type("Rush", (parent,), {"__module__": "modules.order"})
    kitchen.map_imperatively(child, inherits=parent)

    assert breaches(check(order, kitchen)) == [("D3", "order", "kitchen")]


def test_joined_inheritance_over_two_registries_is_caught(order: registry, kitchen: registry) -> None:
    parent = ticket(kitchen)
    tickets = kitchen.metadata.tables["tickets"]
    rushes = Table("rushes", order.metadata, Column("id", ForeignKey(tickets.c.id), primary_key=True))
    child = type("Rush", (parent,), {"__module__": "modules.order"})
    order.map_imperatively(child, rushes, inherits=parent)

    found = breaches(check(order, kitchen))

    assert found == [("D2", "order", "kitchen"), ("D3", "order", "kitchen")]
