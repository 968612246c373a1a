"""`flask bus db`: the tables of the modules' databases, and the revisions that lead to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from bus.database import Database
from bus.integrations.cli.command import operator_command
from bus.integrations.cli.exits import FINE, PROBLEMS, WrongCallError
from bus.integrations.cli.output import json_option, say, show, show_json
from bus.integrations.current import current_operations
from bus.schema.schema import Schema, Upgrade
from bus.schema.standing import Kind, Standing, complaint

modules_argument: Callable[[Callable[..., Any]], Callable[..., Any]] = click.argument(
    "names", metavar="[MODULE]...", nargs=-1
)


@operator_command("upgrade")
@modules_argument
@click.pass_context
def upgrade(context: click.Context, names: Sequence[str]) -> None:
    """Give databases the tables of this code. Each is changed as a whole, or not at all."""
    code = FINE
    for database in _databases(names):
        schema = database.schema
        done = schema.upgrade()
        say(f"{database.name}: {_done(done)}")
        told = complaint(schema.revisions, done.after)
        if told:
            say(f"problem: {told}")
            code = PROBLEMS
    context.exit(code)


@operator_command("check")
@modules_argument
@json_option
@click.pass_context
def check(context: click.Context, names: Sequence[str], as_json: bool) -> None:
    """Compare databases with this code, column by column. Exit 1 where one differs; nothing is written."""
    schemas = [database.schema for database in _databases(names)]
    found = [(schema, schema.examine()) for schema in schemas]
    is_well = all(standing.kind is Kind.CURRENT for _, standing in found)
    if as_json:
        show_json({"ok": is_well, "modules": [_data(schema, standing) for schema, standing in found]})
    else:
        show("\n".join(_line(schema, standing) for schema, standing in found))
    context.exit(FINE if is_well else PROBLEMS)


@operator_command("sql")
@modules_argument
@click.option(
    "--for-empty",
    "dialect",
    type=click.Choice(["sqlite", "postgresql"]),
    help="For an empty database of this kind; none is asked.",
)
def sql(names: Sequence[str], dialect: str | None) -> None:
    """Print the SQL of an upgrade. For somebody who runs it by hand; nothing is written."""
    for database in _databases(names):
        schema = database.schema
        statements = schema.sql() if dialect is None else schema.sql_from_nothing(dialect)
        if statements:
            show(f"-- {database.name}\n\n{statements}")
        else:
            say(f"{database.name}: nothing to do")


@operator_command("revision")
@click.argument("name", metavar="MODULE")
@click.option("-m", "--message", required=True, help="What it does, in a few words.")
def revision(name: str, message: str) -> None:
    """Write a module's next revision. It leads from its database to the tables of its code."""
    (database,) = _databases([name])
    file = database.schema.write_revision(message)
    show(str(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file))
    say("Read it: a column that was renamed looks like one that went and one that came.")


def _databases(names: Sequence[str]) -> list[Database]:
    modules = current_operations().modules
    for name in names:
        if name not in modules:
            raise WrongCallError(f"this process hosts no module {name!r}; it hosts {', '.join(sorted(modules))}")
    return [parts.database for name, parts in sorted(modules.items()) if not names or name in names]


def _done(done: Upgrade) -> str:
    before = done.before
    noted = [f"noted {revision}, whose tables were there" for revision in before.adopted]
    ran = [f"ran {', '.join(before.pending)}"] if before.pending else []
    made = [f"made the tables of {line.name}, which have no revisions" for line in before.unmade]
    return "; ".join([*noted, *ran, *made]) or f"nothing to do, it is at {_noted(done.after)}"


def _line(schema: Schema, standing: Standing) -> str:
    told = complaint(schema.revisions, standing)
    return f"problem  {schema.name}: {told}" if told else f"ok       {schema.name}: {_noted(standing)}"


def _noted(standing: Standing) -> str:
    return ", ".join(sorted(standing.noted, reverse=True))


def _data(schema: Schema, standing: Standing) -> dict[str, Any]:
    return {
        "module": schema.name,
        "standing": standing.kind.value,
        "revisions": standing.noted,
        "pending": standing.pending,
        "problems": standing.problems,
    }


db = click.Group(
    "db",
    help="Look after the tables: upgrade them, compare them with the code, write revisions.",
    commands=[upgrade, check, sql, revision],
)
