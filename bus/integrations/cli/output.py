"""How commands show data, on stdout, and talk, on stderr."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any

import click

from bus.clock import to_datetime

#: Columns that text is made to fit where it can.
WIDTH = 100

json_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON."
)


def show(text: str) -> None:
    """Print data; without colours where nobody sees them."""
    click.echo(text)


def say(text: str) -> None:
    """Print talk: counts, confirmations, hints."""
    click.echo(text, err=True)


def show_json(data: object) -> None:
    """Print a document to be read by a program."""
    show(json.dumps(data, indent=2))


def show_json_line(data: object) -> None:
    """Print one of many documents, each in a line of its own, at once."""
    show(json.dumps(data))


def moment_data(microseconds: int | None) -> str | None:
    """Return a stored moment as JSON has it: ISO 8601 with microseconds."""
    return None if microseconds is None else to_datetime(microseconds).isoformat(timespec="microseconds")


def clipped(text: str, width: int) -> str:
    """Return text that is at most so wide; what was cut off shows as `…`."""
    return text if len(text) <= width else text[: max(1, width - 1)] + "…"


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str] = ()) -> list[str]:
    """Return aligned lines, the headers first; the columns named in `right` are flush right."""
    widths = [max(len(cell) for cell in column) for column in zip(headers, *rows, strict=True)]
    lines = []
    for row in [headers, *rows]:
        cells = [
            cell.rjust(width) if header in right else cell.ljust(width)
            for header, cell, width in zip(headers, row, widths, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return lines
