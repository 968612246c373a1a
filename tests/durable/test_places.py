"""Places among a module's workers."""

from __future__ import annotations

import threading

from bus.inbox.places import Places
from tests.durable.faults import until


class Waiting:
    """A thread that asks for a place, and notes when it has one."""

    def __init__(self, places: Places, name: str, served: list[str]) -> None:
        self.has_place: bool | None = None

        def ask() -> None:
            self.has_place = places.take()
            if self.has_place:
                served.append(name)

        self.thread = threading.Thread(target=ask)
        self.thread.start()


def test_place_goes_to_who_has_waited_longest_and_not_to_who_comes_when_it_is_left() -> None:
    places, served = Places(1), list[str]()
    places.take()
    first = Waiting(places, "first", served)
    until(lambda: len(places._line) == 1)
    second = Waiting(places, "second", served)
    until(lambda: len(places._line) == 2)

    places.leave()
    latest = Waiting(places, "latest", served)
    for waiting in (first, second, latest):
        waiting.thread.join(10)
        places.leave()

    assert served == ["first", "second", "latest"]


def test_place_that_nobody_waits_for_is_free() -> None:
    places = Places(2)

    assert [places.take(), places.take()] == [True, True]
    places.leave()
    assert places.take()


def test_who_waits_when_they_are_closed_goes_without() -> None:
    places, served = Places(1), list[str]()
    places.take()
    waiting = Waiting(places, "waiting", served)
    until(lambda: len(places._line) == 1)

    places.close()
    waiting.thread.join(10)

    assert (waiting.has_place, places.take(), served) == (False, False, [])
