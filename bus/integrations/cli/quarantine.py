"""`flask bus quarantine`: messages that reached a module and were no envelope."""

from __future__ import annotations

import base64
from typing import Any

import click

from bus.inbox.quarantine import Quarantined
from bus.integrations.cli.command import operator_command
from bus.integrations.cli.confirm import confirm, yes_option
from bus.integrations.cli.exits import WrongCallError
from bus.integrations.cli.output import WIDTH, clipped, json_option, moment_data, say, show, show_json, table
from bus.integrations.current import current_operations
from bus.words import count_text, moment_text, one_line

#: Bytes that are shown as text; JSON has all that were kept.
_SHOWN = 1024

#: Digits of a digest that a list shows.
_DIGITS = 12


@operator_command("list")
@json_option
def list_quarantined(as_json: bool) -> None:
    """Show what is kept, the newest first."""
    found = current_operations().quarantined()
    if as_json:
        show_json({"quarantined": [_data(module, entry) for module, entry in found]})
    elif not found:
        say("Nothing is in quarantine.")
    else:
        rows = [_cells(module, entry) for module, entry in found]
        headers = ("DIGEST", "MODULE", "LAST", "TIMES", "BYTES", "PROBLEM")
        show("\n".join(clipped(line, WIDTH) for line in table(headers, rows, ("TIMES", "BYTES"))))


@operator_command("show")
@click.argument("digest_prefix")
@json_option
def show_quarantined(digest_prefix: str, as_json: bool) -> None:
    """Show one message, by the beginning of its digest."""
    module, entry = _the_one(digest_prefix)
    if as_json:
        show_json({**_data(module, entry), "data": base64.b64encode(entry.data).decode()})
        return
    show(f"digest   {entry.digest}")
    show(f"module   {module}")
    show(f"origin   {one_line(entry.origin)}")
    show(f"problem  {one_line(entry.problem)}")
    times = "once" if entry.times == 1 else f"{entry.times} times"
    show(f"came     {times}, first {moment_text(entry.first_at)}, last {moment_text(entry.last_at)}")
    show(f"size     {entry.size:,} bytes, of which {len(entry.data):,} are kept")
    show(f"data     {_escaped(entry.data)}")


@operator_command("drop")
@click.argument("digest_prefix")
@yes_option
def drop_quarantined(digest_prefix: str, yes: bool) -> None:
    """Delete one message, by the beginning of its digest."""
    module, entry = _the_one(digest_prefix)
    told = f"1 message of {count_text(entry.size, 'byte')} in the quarantine of {module} will be deleted."
    confirm(told, is_agreed=yes)
    current_operations().drop_quarantined(module, entry.digest)
    say("Deleted it.")


quarantine = click.Group(
    "quarantine",
    help="Messages that are no events. Bytes that reached a module and were no envelope.",
    commands=[list_quarantined, show_quarantined, drop_quarantined],
)


def _the_one(prefix: str) -> tuple[str, Quarantined]:
    found = [pair for pair in current_operations().quarantined() if pair[1].digest.startswith(prefix.lower())]
    if not found:
        raise WrongCallError(f"nothing in quarantine has a digest that begins {prefix!r}")
    if len(found) > 1:
        lines = [f"  {entry.digest}  {module}" for module, entry in found[:10]]
        raise WrongCallError("\n".join([f"{prefix!r} is the beginning of {count_text(len(found), 'digest')}:", *lines]))
    return found[0]


def _cells(module: str, entry: Quarantined) -> tuple[str, ...]:
    last, problem = moment_text(entry.last_at), one_line(entry.problem)
    return entry.digest[:_DIGITS], module, last, str(entry.times), str(entry.size), problem


def _data(module: str, entry: Quarantined) -> dict[str, Any]:
    return {
        "module": module,
        "digest": entry.digest,
        "first_at": moment_data(entry.first_at),
        "last_at": moment_data(entry.last_at),
        "times": entry.times,
        "origin": entry.origin,
        "problem": entry.problem,
        "size": entry.size,
    }


def _escaped(data: bytes) -> str:
    """Return the beginning of bytes as text that steers no terminal."""
    text = repr(data[:_SHOWN])[2:-1]
    return text if len(data) <= _SHOWN else f"{text}…"
