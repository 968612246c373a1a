"""Modules interact only through the bus: asked of the real tree, and of one planted breach each."""

import pytest

from bus.verification import RULES, Report, verify
from tests.architecture.planting import APPLICATION, Tree

REACH = "$modules/order/reach.py"
KITCHEN = ("order", "kitchen")
SOURCE_RULES = [rule for rule in RULES if rule.startswith("C")]


@pytest.fixture(scope="module")
def real() -> Report:
    return verify("modules", "modular_app")


@pytest.mark.parametrize("rule", SOURCE_RULES)
def test_our_modules_keep_the_rule(real: Report, rule: str) -> None:
    report = real.of_rule(rule)

    assert report.ok, report.text()


# The twenty ways for order to reach kitchen: what is planted, and the rules that see it.
WAYS = {
    "a plain import": ("from $modules.kitchen.models import Ticket", ["C1"]),
    "an import in a function": (
        "def f():\n    from $modules.kitchen.models import Ticket",
        ["C1"],
    ),
    "a relative import": ("from ..kitchen.models import Ticket", ["C1"]),
    "a star import": ("from $modules.kitchen.models import *", ["C1"]),
    "an import in a try": (
        "try:\n    import $modules.kitchen.models\nexcept ImportError:\n    pass",
        ["C1"],
    ),
    "an import for typing": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from $modules.kitchen.models import Ticket",
        ["C1"],
    ),
    "an import for typing, qualified": (
        "import typing as t\nif t.TYPE_CHECKING:\n    from $modules.kitchen.models import Ticket",
        ["C1"],
    ),
    "an alias": ("import $modules.kitchen.models as km\nkm.Ticket()", ["C1"]),
    "the parent package": ("from $modules import kitchen\nkitchen.models.Ticket()", ["C1"]),
    "an attribute path": ("import $modules\n$modules.kitchen.models.Ticket()", ["C3"]),
    "an attribute path through names": (
        "import $modules as them\nm = them\ndef f():\n    k = m.kitchen\n    return k",
        ["C3"],
    ),
    "import_module": (
        "from importlib import import_module\nimport_module('$modules.kitchen.models')",
        ["C4"],
    ),
    "__import__": ("__import__('$modules.kitchen.models')", ["C4"]),
    "import_string": (
        "from werkzeug.utils import import_string\nimport_string('$modules.kitchen.models:Ticket')",
        ["C4"],
    ),
    "pkgutil.resolve_name": (
        "import pkgutil\npkgutil.resolve_name('$modules.kitchen.models:Ticket')",
        ["C4"],
    ),
    "sys.modules": ("import sys\nsys.modules['$modules.kitchen.models']", ["C4"]),
    "exec": ("exec('from $modules.kitchen.models import Ticket')", ["C4"]),
}


@pytest.mark.parametrize("way", WAYS)
def test_way_from_order_to_kitchen_is_caught(tree: Tree, way: str) -> None:
    source, rules = WAYS[way]
    tree.plant(*APPLICATION.items(), (REACH, source))

    report = tree.report()

    assert tree.found(report) == {(rule, *KITCHEN) for rule in rules}
    assert all("@event_view" in violation.fix for violation in report.violations)
    assert {violation.file for violation in report.violations} == {tree.filled(REACH)}


def test_way_through_a_shared_helper_is_caught(tree: Tree) -> None:
    bridge = ("$shared/bridge.py", "from $modules.kitchen import module")
    tree.plant(*APPLICATION.items(), bridge, (REACH, "from $shared.bridge import module"))

    report = tree.report()

    assert ("C2", *KITCHEN) in tree.found(report)
    chain = "$modules.order.reach -> $shared.bridge -> $modules.kitchen"
    assert tree.filled(chain) in report.of_rule("C2").violations[0].message
    assert "shared code" in report.of_rule("C2").violations[0].fix


def test_way_in_a_folder_without_init_is_caught(tree: Tree) -> None:
    hidden = ("$modules/order/hidden/reach.py", "from $modules.kitchen.models import Ticket")
    tree.plant(*APPLICATION.items(), hidden)

    report = tree.report()

    assert tree.found(report) == {("C6", "order", "")}
    assert "__init__.py" in report.violations[0].fix


def test_way_through_an_f_string_is_caught(tree: Tree) -> None:
    source = "from importlib import import_module as load\ndef f(n):\n    load(f'$modules.{n}')"
    tree.plant(*APPLICATION.items(), (REACH, source))

    report = tree.report()

    assert tree.found(report) == {("C4", "order", "*"), ("C5", "order", "*")}
    assert "plain import" in report.of_rule("C5").violations[0].fix


def test_clean_tree_gives_an_empty_report(tree: Tree) -> None:
    tree.plant(*APPLICATION.items())

    assert tree.report() == Report()
