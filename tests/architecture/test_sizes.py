import ast
from pathlib import Path
from textwrap import dedent, indent

import pytest

from tests.architecture import sizes

ROOT = Path(__file__).parents[2]
FILES = sizes.python_files(ROOT)

each_file = pytest.mark.parametrize("file", FILES, ids=str)


@each_file
def test_file_is_no_longer_than_its_package_allows(file: Path) -> None:
    assert sizes.file_breaches(file, read(file)) == []


@each_file
def test_file_is_named_for_a_concept(file: Path) -> None:
    assert sizes.name_breaches(file) == []


@each_file
def test_functions_have_at_most_thirty_code_lines(file: Path) -> None:
    assert sizes.function_breaches(file, read(file)) == []


@each_file
def test_blocks_lie_at_most_three_deep(file: Path) -> None:
    assert sizes.nesting_breaches(file, read(file)) == []


def read(file: Path) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


# Each rule is seen to fail on planted source, and to let pass what lies on its limit.


def test_files_are_found_in_every_package_and_at_the_root(tmp_path: Path) -> None:
    for name in ("wsgi.py", "bus/event.py", "modules/order/web.py", "docs/conf.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    found = [file.as_posix() for file in sizes.python_files(tmp_path)]

    assert found == ["bus/event.py", "modules/order/web.py", "wsgi.py"]


@pytest.mark.parametrize(
    ("path", "limit"),
    [("bus/event.py", 400), ("modules/order/web.py", 150), ("modular_app/app.py", 150)],
)
def test_file_over_the_limit_is_a_breach(path: str, limit: int) -> None:
    file = Path(path)

    assert sizes.file_breaches(file, "x = 1\n" * limit) == []
    assert sizes.file_breaches(file, "x = 1\n" * (limit + 1)) == [f"{file}: {limit + 1} lines, allowed are {limit}"]


@pytest.mark.parametrize(
    "path",
    ["bus/utils.py", "bus/http_helpers.py", "bus/outbox_part2.py", "modules/helpers/x.py"],
)
def test_file_name_without_a_concept_is_a_breach(path: str) -> None:
    assert len(sizes.name_breaches(Path(path))) == 1


@pytest.mark.parametrize("path", ["bus/transport/base.py", "tests/bus/test_uuid7.py"])
def test_file_name_with_a_concept_passes(path: str) -> None:
    assert sizes.name_breaches(Path(path)) == []


def test_function_over_thirty_code_lines_is_a_breach() -> None:
    file = Path("bus/event.py")

    assert sizes.function_breaches(file, function_of(30 * "x = 1\n")) == []
    assert sizes.function_breaches(file, function_of(31 * "x = 1\n")) == [
        f"{file}:1 planted: 31 code lines, allowed are 30"
    ]


def test_revision_of_a_schema_may_list_what_it_does() -> None:
    revision = Path("modules/order/migrations/versions/r0001_first_tables.py")

    assert sizes.function_breaches(revision, function_of(31 * "x = 1\n")) == []


def test_blank_lines_comments_and_docstrings_are_no_code_lines() -> None:
    body = '"""Say\n\nmuch."""\n' + 30 * "# why\n\nx = 1\n"

    assert sizes.function_breaches(Path("bus/event.py"), function_of(body)) == []


def test_method_over_thirty_code_lines_is_a_breach() -> None:
    source = "class Planted:\n" + indent(function_of(31 * "x = 1\n"), "    ")

    assert len(sizes.function_breaches(Path("bus/event.py"), source)) == 1


def test_fourth_block_inside_another_is_a_breach() -> None:
    body = """\
        for a in x:
            while a:
                with b:
                    if c:
                        d()
    """

    breaches = sizes.nesting_breaches(Path("bus/event.py"), function_of(dedent(body)))

    assert breaches == [f"{Path('bus/event.py')}:1 planted: 4 blocks deep, allowed are 3"]


@pytest.mark.parametrize(
    "block",
    [
        "if a:\n    pass\nelse:\n    if x: pass",
        "if a:\n    pass\nelif b:\n    if x: pass",
        "for a in b:\n    pass\nelse:\n    if x: pass",
        "while a:\n    if x: pass",
        "with a:\n    if x: pass",
        "try:\n    pass\nexcept E:\n    if x: pass",
        "try:\n    pass\nexcept* E:\n    if x: pass",
        "try:\n    pass\nfinally:\n    if x: pass",
        "match a:\n    case 1:\n        if x: pass",
        "async def f():\n    async for a in b:\n        async with c: pass",
    ],
)
def test_every_kind_of_block_deepens_by_one(block: str) -> None:
    first = ast.parse(block).body[0]
    statements = first.body if isinstance(first, ast.AsyncFunctionDef) else [first]

    assert sizes.deepest(statements) == 2


def test_elif_does_not_deepen() -> None:
    body = "if a: pass\n" + 5 * "elif b: pass\n" + "else:\n    for c in d: pass\n"

    assert sizes.nesting_breaches(Path("bus/event.py"), function_of(body)) == []


def test_nested_function_starts_anew() -> None:
    inside = function_of("if a:\n    if b:\n        if c: pass\n")

    source = function_of("if d:\n" + indent(inside, "    "))

    assert sizes.nesting_breaches(Path("bus/event.py"), source) == []


def function_of(body: str) -> str:
    return "def planted():\n" + indent(body, "    ")
