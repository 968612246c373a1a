"""Exceptions in a form that every database can store."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

from bus.inbox.store import Trouble

#: Characters of an error that are kept with a publication, of its place, and of a traceback in its history.
MAX_ERROR, MAX_PLACE, MAX_TRACEBACK = 2000, 300, 16_000

#: Code that is not the listener's own: the bus itself, and what is installed.
_BUS = f"{Path(__file__).parents[1]}{os.sep}"
_FOREIGN = ("site-packages", "dist-packages")


def trouble_of(error: BaseException) -> Trouble:
    """Return an exception as it is kept: bounded, and without characters that a database refuses."""
    return Trouble(type(error).__name__[:200], described(error), _place_of(error), _traceback_of(error))


def described(error: BaseException) -> str:
    """Return an exception in one line: its type and text."""
    try:
        text = f"{type(error).__name__}: {error}"
    except BaseException:  # noqa: BLE001 - an error that cannot say what it is has a name all the same
        text = type(error).__name__
    return _storable(text[:MAX_ERROR])


def _place_of(error: BaseException) -> str | None:
    """Return the innermost line of the listener's own code that the exception passed, else the innermost of all."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not _is_foreign(frame.filename)]
    if not frames:
        return None
    last = (own or frames)[-1]
    return _storable(f"{Path(last.filename).name}:{last.lineno} in {last.name}"[:MAX_PLACE])


def _is_foreign(filename: str) -> bool:
    return filename.startswith(_BUS) or any(part in filename for part in _FOREIGN) or filename.startswith("<")


def _traceback_of(error: BaseException) -> str | None:
    try:
        lines = "".join(traceback.format_exception(error))
    except BaseException:  # noqa: BLE001 - an error may fail while it is printed
        return None
    # The end says what happened; of a long one the middle is left out.
    half = MAX_TRACEBACK // 2
    shown = lines if len(lines) <= MAX_TRACEBACK else f"{lines[:half]}\n…\n{lines[-half:]}"
    return _storable(shown)


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")
