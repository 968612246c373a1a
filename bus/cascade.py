"""How deep the events here are nested, and the end of those that go on causing one another."""

from __future__ import annotations

import threading

from bus.errors import CascadeError
from bus.event import published_name

#: Events that may stand in one chain of causes, published ones and others, nested or delivered: real chains have a
#: handful, and a loop is stopped before it fills the stack, or a database.
MAX_DEPTH = 32

#: A link of a chain: the class of an event that is being published, or the name of one that was delivered here.
Link = type | str


class _ThisThread(threading.local):
    """Holds the events that are being published in this thread, with those that led here, oldest first.

    A list for each thread and not a context variable: this is on the way of every publish.
    """

    def __init__(self) -> None:
        self.chain: list[Link] = []


this_thread = _ThisThread()


def too_deep(chain: tuple[Link, ...]) -> CascadeError:
    """Return the error for a chain that ends with the event that is one too many."""
    return CascadeError(tuple(map(_name, chain)), MAX_DEPTH)


def _name(link: Link) -> str:
    return link if isinstance(link, str) else published_name(link) or link.__qualname__
