"""Imports inside the bus point one way: asked of the real bus, and of planted breaches."""

import pytest

from bus.verification import RULES, Report, verify_layers
from bus.verification.layers import CORE, DURABLE
from tests.architecture.planting import BUS, Tree

LAYER_RULES = [rule for rule in RULES if rule.startswith("L")]


@pytest.fixture(scope="module")
def real() -> Report:
    return verify_layers()


@pytest.mark.parametrize("rule", LAYER_RULES)
def test_our_bus_keeps_the_rule(real: Report, rule: str) -> None:
    report = real.of_rule(rule)

    assert report.ok, report.text()


def test_clean_bus_gives_an_empty_report(tree: Tree) -> None:
    tree.plant(*BUS.items())

    assert tree.layers() == Report()


BREACHES = {
    "a module": ("clock.py", "from $modules.order import module", "L1", "clock", "$modules"),
    "the composition root": ("clock.py", "def f():\n    import $app", "L1", "clock", "$app"),
    "Flask beside the integrations": ("clock.py", "from flask import g", "L4", "clock", "flask"),
    "a container": (
        "clock.py",
        "import dependency_injector.containers",
        "L4",
        "clock",
        "dependency_injector",
    ),
    "grimp": ("verification/layers.py", "import grimp", "L5", "verification.layers", "grimp"),
    "Alembic": ("clock.py", "from alembic import op", "L6", "clock", "alembic"),
    "a transport, deferred": (
        "inbox.py",
        "def f():\n    from $bus.transport import dramatiq",
        "L3",
        "inbox",
        "$bus.transport.dramatiq",
    ),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_breach_in_the_bus_is_caught(tree: Tree, breach: str) -> None:
    file, source, rule, part, other = BREACHES[breach]
    tree.plant(*BUS.items(), (f"$bus/{file}", source))

    report = tree.layers()

    assert tree.found(report) == {(rule, tree.filled(f"$bus.{part}"), tree.filled(other))}
    assert report.violations[0].fix == RULES[rule].fix.format(module="", other=report.violations[0].other)


@pytest.mark.parametrize("target", ["sqlalchemy", "flask", "dramatiq"])
@pytest.mark.parametrize("part", CORE)
def test_core_imports_no_technology(tree: Tree, part: str, target: str) -> None:
    typing_only = f"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import {target}"
    tree.plant(*BUS.items(), (f"$bus/{part}.py", typing_only))

    assert ("L2", tree.filled(f"$bus.{part}"), target) in tree.found(tree.layers())


def test_core_reaches_no_technology_through_another_part(tree: Tree) -> None:
    tree.plant(
        *BUS.items(),
        ("$bus/errors.py", "import $bus.storage"),
        ("$bus/storage.py", "from sqlalchemy import orm"),
    )

    report = tree.layers().of_rule("L2")

    assert {violation.other for violation in report.violations} == {"sqlalchemy"}
    chain = tree.filled("$bus.event -> $bus.errors -> $bus.storage -> sqlalchemy")
    assert any(chain in violation.message for violation in report.violations)


@pytest.mark.parametrize("part", DURABLE)
def test_durable_way_reaches_no_flask(tree: Tree, part: str) -> None:
    tree.plant(*BUS.items(), (f"$bus/{part}.py", "import $bus.integrations.flask"))

    assert tree.found(tree.layers()) == {("L3", tree.filled(f"$bus.{part}"), "flask")}


@pytest.mark.parametrize(("part", "rule"), [("plan", "L2"), ("inbox", "L3")])
def test_part_that_vanished_switches_no_rule_off(tree: Tree, part: str, rule: str) -> None:
    rest = {file: source for file, source in BUS.items() if file != f"$bus/{part}.py"}
    tree.plant(*rest.items())

    assert tree.found(tree.layers()) == {(rule, tree.filled(f"$bus.{part}"), "")}
