"""A page's console blocks as a transcript: commands, their output, and what happens in between."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

#: `<!-- do: a customer orders -->` between blocks, and blocks of commands with their output.
_PARTS = re.compile(r"<!-- do: (?P<what>.*?) -->|```console\n(?P<block>.*?)```", re.DOTALL)
_COMMAND = re.compile(r"^\$ (?P<command>.*)\n(?P<output>(?:(?!\$ ).*\n)*)", re.MULTILINE)

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_DURATION = re.compile(r"<?\d+(?:\.\d+)? (?:ms|s|min|h|d)(?: \d+ (?:s|min|h))?")


@dataclass(frozen=True, slots=True)
class Happening:
    """What happens between two commands."""

    what: str


@dataclass(frozen=True, slots=True)
class Call:
    """A command, and what the page says that it prints."""

    command: str
    output: str


def read_transcript(page: str) -> Iterator[Happening | Call]:
    """Return what a page does, in its order."""
    for part in _PARTS.finditer(page):
        if part["what"]:
            yield Happening(part["what"])
        else:
            yield from (Call(found["command"], found["output"]) for found in _COMMAND.finditer(part["block"]))


def comparable(output: str) -> str:
    """Return output without what differs from run to run: ids, moments, durations, and the width of columns."""
    text = _DURATION.sub("TIME", _TIME.sub("MOMENT", _UUID.sub("ID", output)))
    # A slow machine may have let the time of the next run go by.
    text = re.sub(r"in TIME|TIME ago", "WHEN", re.sub(r"\.py:\d+", ".py:LINE", text))
    return re.sub(r"(?m)^ +\+TIME", "+TIME", re.sub(r"(?m)(?<=\S) {2,}", "  ", text))


def ids_in(output: str) -> list[str]:
    """Return the ids in an output, in the order of their appearance."""
    return _UUID.findall(output)
