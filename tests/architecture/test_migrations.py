"""The revisions of the bus and of every module lead to exactly the tables of the code, on both databases."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bus import Database, Module
from bus.schema.alone import alone
from bus.schema.standing import Kind
from bus.tables import metadata as bus_tables
from modular_app.container import MODULES
from tests.architecture.catalogue import catalogue

ROOT = Path(__file__).parents[2]
REVISIONS = sorted(file.relative_to(ROOT) for file in ROOT.glob("*/**/migrations/versions/r*.py"))

#: The files, or schemas, of the two ways to the same tables.
BY_REVISIONS, BY_THE_CODE = "by_revisions", "by_the_code"

each_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.name))


@pytest.fixture
def upgraded(module: Module, fresh_database_url: str) -> Iterator[Database]:
    database = Database.of(module, fresh_database_url.replace("{module}", BY_REVISIONS))
    database.schema.upgrade()
    yield database
    database.close()


@pytest.fixture
def made(module: Module, fresh_database_url: str) -> Iterator[Database]:
    """Give a database with tables as the code has them, made without any revision."""
    database = Database(module.name, fresh_database_url.replace("{module}", BY_THE_CODE))
    with alone(database.engine, BY_THE_CODE) as connection:
        module.metadata().create_all(connection)
        bus_tables.create_all(connection)
    yield database
    database.close()


@each_module
def test_revisions_lead_to_the_tables_of_the_code(upgraded: Database) -> None:
    standing = upgraded.schema.examine()

    assert (standing.kind, standing.problems) == (Kind.CURRENT, ())


@each_module
def test_revisions_and_the_code_make_one_schema_in_every_detail(upgraded: Database, made: Database) -> None:
    with upgraded.read_engine.connect() as one, made.read_engine.connect() as other:
        by_revisions, by_the_code = catalogue(one), catalogue(other)

    assert set(by_revisions) == {*bus_tables.tables, *upgraded.metadata.tables}
    for table, found in by_revisions.items():
        assert str(found).replace(BY_REVISIONS, BY_THE_CODE) == str(by_the_code[table])


@each_module
def test_every_module_has_revisions(module: Module) -> None:
    folder = module.migrations_folder()

    assert folder is not None
    assert list(folder.glob("r*.py"))


@pytest.mark.parametrize("file", REVISIONS, ids=str)
def test_revision_imports_no_code_that_may_change(file: Path) -> None:
    tree = ast.parse((ROOT / file).read_text())
    plain = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    from_ = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {name.partition(".")[0] for name in plain | from_} <= {"__future__", "alembic", "sqlalchemy"}


@pytest.mark.parametrize("file", REVISIONS, ids=str)
def test_revision_has_no_way_back(file: Path) -> None:
    tree = ast.parse((ROOT / file).read_text())

    assert "downgrade" not in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"])
def test_catalogue_tells_of_what_a_comparison_passes_over(
    request: pytest.FixtureRequest, database_kind: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    if database_kind == "postgresql":
        url = request.getfixturevalue("fresh_postgresql_url").replace("{module}", "x")
    database = Database("x", url)
    database.create_tables()

    with database.engine.begin() as connection:
        before = catalogue(connection)
        connection.execute(text("DROP INDEX ix_bus_inbox_dead"))
        connection.execute(text("CREATE INDEX ix_bus_inbox_dead ON bus_inbox (due_at) WHERE state = 'ended'"))
        after = catalogue(connection)
    database.close()

    assert before != after
