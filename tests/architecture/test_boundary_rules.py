"""The finer points of C1 to C7: breaches beside the twenty ways, and what is no breach."""

import pytest

from bus.verification import UnreadablePackageError, verify
from tests.architecture.planting import APPLICATION, Tree

REACH = "$modules/order/reach.py"
IMPORTLIB = "import importlib as il\n"

BREACHES = {
    "the package as a value": ("import $modules\nprint(vars($modules))", "C3", "*"),
    "a star import of the package": ("from .. import *", "C3", "*"),
    "getattr on the package": ("import $modules\ngetattr($modules, 'kitchen')", "C3", "kitchen"),
    "a path behind an own import": (
        "import $modules.order.services\n$modules.kitchen.models",
        "C3",
        "kitchen",
    ),
    "a path behind a loaded package": (
        IMPORTLIB + "p = il.import_module('$modules')\np.kitchen",
        "C3",
        "kitchen",
    ),
    "an annotation in a string": ("def f(t: '$modules.kitchen.models.Ticket'): ...", "C4", "kitchen"),
    "a file path": ("open('$modules/kitchen/models.py')", "C4", "kitchen"),
    "code that imports from the package": ("exec('from $modules import kitchen')", "C4", "kitchen"),
    "relative code": ("exec('from ..kitchen import models')", "C4", "kitchen"),
    "code in bytes": ("exec(b'import $modules.kitchen')", "C4", "kitchen"),
    "a name": (IMPORTLIB + "def f(n):\n    il.import_module(n)", "C5", "*"),
    "a sum": (IMPORTLIB + "il.import_module('mod' + 'ules.kitchen')", "C5", "*"),
    "a relative name": (IMPORTLIB + "il.import_module('..kitchen', __package__)", "C5", "*"),
    "a relative level": ("__import__('kitchen', globals(), {}, (), 2)", "C5", "*"),
    "an importer handed on": (IMPORTLIB + "list(map(il.import_module, []))", "C5", "*"),
    "exec of a name": ("def f(code):\n    exec(code)", "C5", "*"),
    "a computed sys.modules key": ("import sys\ndef f(n):\n    return sys.modules[n]", "C5", "*"),
    "a file loaded as a module": ("import runpy\nrunpy.run_path('x.py')", "C5", "*"),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_breach_in_order_is_caught(tree: Tree, breach: str) -> None:
    source, rule, other = BREACHES[breach]
    tree.plant(*APPLICATION.items(), (REACH, source))

    assert tree.found(tree.report()) == {(rule, "order", other)}


INNOCENT = {
    "importing oneself": "from . import services\nimport $modules.order.contract as c\nc.x",
    "a path to oneself": "import $modules.order.services\n$modules.order.services.place()",
    "a string with one's own path": "LOGGER = '$modules.order.reach'",
    "a docstring": "def f():\n    '''Like $modules.kitchen.models.'''",
    "an event's name": "NAME = 'kitchen.order_ready'",
    "a literal dynamic import": "import importlib\nimportlib.import_module('json')",
    "this module itself": "import sys\nsys.modules[__name__]",
    "a method called like a builtin": "import re\nre.compile('x' + 'y')\nf = lambda s: s.exec(s)",
    "a variable called like the package": "def f($modules):\n    return $modules.kitchen",
}


@pytest.mark.parametrize("innocent", INNOCENT)
def test_what_concerns_order_alone_is_no_breach(tree: Tree, innocent: str) -> None:
    tree.plant(*APPLICATION.items(), (REACH, INNOCENT[innocent]))

    report = tree.report()

    assert report.ok, report.text()


def test_direct_import_and_chain_to_the_same_module_are_both_reported(tree: Tree) -> None:
    bridge = ("$shared/__init__.py", "import $app.app")
    tree.plant(*APPLICATION.items(), bridge, (REACH, "import $shared\nimport $modules.kitchen"))

    found = tree.found(tree.report())

    assert found == {
        ("C1", "order", "kitchen"),
        ("C2", "order", "kitchen"),
        ("C2", "order", "restaurant"),
    }


def test_chain_through_a_third_module_is_reported_link_by_link(tree: Tree) -> None:
    tree.plant(
        *APPLICATION.items(),
        (REACH, "import $modules.kitchen"),
        ("$modules/kitchen/models.py", "import $shared"),
        ("$shared/__init__.py", "import $app.app"),
    )

    found = tree.found(tree.report())

    assert {("C1", "order", "kitchen"), ("C2", "kitchen", "restaurant")} <= found
    assert ("C2", "order", "restaurant") not in found


def test_single_file_beside_the_packages_is_not_trusted(tree: Tree) -> None:
    tree.plant(*APPLICATION.items(), ("$shared.py", ""), (REACH, "import $shared"))

    assert tree.found(tree.report()) == {("C6", "order", "")}


@pytest.mark.parametrize("file", ["$modules/order/some.part.py", "$modules/order/a-b/part.py"])
def test_file_that_cannot_be_imported_is_not_trusted(tree: Tree, file: str) -> None:
    tree.plant(*APPLICATION.items(), (file, ""))

    assert tree.found(tree.report()) == {("C6", "order", "")}


def test_package_without_modules_is_a_breach(tree: Tree) -> None:
    tree.plant(("$modules/__init__.py", ""), ("$app/__init__.py", ""))

    assert tree.found(tree.report()) == {("C6", "*", "")}


@pytest.mark.parametrize(
    "source",
    [
        "from $modules.order import services",
        "import $modules.order.services",
        "import $modules.order\n$modules.order.services",
        "from $modules import order as o\no.services.place()",
        "x = '$modules.order.services:place'",
    ],
)
def test_composition_root_may_name_no_part_of_a_module(tree: Tree, source: str) -> None:
    tree.plant(*APPLICATION.items(), ("$app/cli.py", source))

    report = tree.report()

    assert tree.found(report) == {("C7", tree.filled("$app.cli"), "order")}
    assert "`module` object" in report.violations[0].fix


@pytest.mark.parametrize(
    ("source", "other"),
    [
        ("from $modules.order import module", "order"),
        ("from $modules import *", "*"),
        ("import $modules", "*"),
        ("x = '$modules.order'", "order"),
    ],
)
def test_script_may_name_no_module(tree: Tree, source: str, other: str) -> None:
    tree.plant(*APPLICATION.items(), ("$shared/script.py", source))

    found = tree.found(tree.report(tree.names["shared"]))

    assert found == {("C7", tree.filled("$shared.script"), other)}


def test_importer_that_is_allowed_may_import_a_module(tree: Tree) -> None:
    script = ("$shared/script.py", "from $modules.order import module")
    tree.plant(*APPLICATION.items(), script)
    names = tree.names

    report = verify(names["modules"], names["app"], importers=(names["shared"],))

    assert report.ok, report.text()


@pytest.mark.parametrize("part", ["__init__", "contract"])
@pytest.mark.parametrize(
    ("source", "other"),
    [("import sqlalchemy", "sqlalchemy"), ("from . import services", "$modules.order.services")],
)
def test_face_of_a_module_loads_nothing_but_the_bus(tree: Tree, part: str, source: str, other: str) -> None:
    tree.plant(*APPLICATION.items(), (f"$modules/order/{part}.py", source))

    assert tree.found(tree.report()) == {("C7.face", "order", tree.filled(other))}


def test_modules_below_another_package_are_checked_as_well(tree: Tree) -> None:
    nested = [(f"$shared/{file}", text.replace("$modules", "$shared.$modules")) for file, text in APPLICATION.items()]
    reach = ("$shared/$modules/order/reach.py", "import $shared\n$shared.$modules.kitchen.models")
    tree.plant(*nested, ("$shared/__init__.py", ""), reach)

    report = verify(tree.filled("$shared.$modules"), tree.filled("$shared.$app"))

    assert tree.found(report) == {("C3", "order", "kitchen")}


def test_unknown_package_is_an_error_that_names_it() -> None:
    with pytest.raises(UnreadablePackageError, match="'no_such_package'"):
        verify("no_such_package", None)
