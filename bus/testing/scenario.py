"""Stimulate, wait for what follows, verify: tests of what several modules do together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from bus.bus import EventBus
from bus.envelope import Envelope
from bus.errors import DrainTimeoutError
from bus.event import published_name
from bus.testing.published import PublishedEvents

T = TypeVar("T")
R = TypeVar("R")

#: Seconds after which a condition is looked at again though nothing was announced.
RECHECK = 0.05


class Scenario:
    """Asks a bus for what follows from an action, over any transport.

    Nothing here sleeps: the bus's signals say when to look again. A budget is real time, also where the bus has a
    `FakeClock`; that one stands still meanwhile, so a retry comes only when the test moves it.
    """

    def __init__(self, bus: EventBus, budget: float = 5.0) -> None:
        self._bus = bus
        self._budget = budget

    def stimulate(self, action: Callable[[], R]) -> Stimulated[R]:
        """Start the bus if need be, take an action in this thread, and return what to ask for then.

        Raises:
            Exception: Whatever the action raises.
        """
        self._bus.start()
        meanwhile = Meanwhile(self._bus)
        return Stimulated(self._bus, meanwhile, self._budget, action())


class Stimulated(Generic[R]):
    """What follows from an action; every question waits at most for the budget.

    Attributes:
        result: What the action returned.
        events: What was published and committed since it began.
    """

    def __init__(self, bus: EventBus, meanwhile: Meanwhile, budget: float, result: R) -> None:
        self.result = result
        self.events = meanwhile.events
        self._bus = bus
        self._meanwhile = meanwhile
        self._budget = budget

    def wait_for(self, cls: type[T], *, matching: Callable[[T], object] | None = None) -> T:
        """Wait until an event of a class is published and committed, and return the first that matches.

        Args:
            cls: A published event, or a view, as which it is then read.
            matching: What has to be true of it.

        Raises:
            AssertionError: It did not come; the message tells what did, what failed and what is owed.
            TypeError: The class is neither a published event nor a view of one.
        """

        def first() -> list[T]:
            return [event for event in self.events.of(cls) if matching is None or matching(event)][:1]

        return self._until(first, f"no {published_name(cls)}{'' if matching is None else ' that matches'} came")[0]

    def wait_until(self, state: Callable[[], T], wanted: str) -> T:
        """Wait until a state is there, and return it.

        Args:
            state: Asked again and again, in this thread, until it returns something true.
            wanted: The state in words, such as "the ticket is open".

        Raises:
            AssertionError: It did not come about; the message tells what did, what failed and what is owed.
            Exception: Whatever `state` raises.
        """
        return self._until(state, f"not so: {wanted}")

    def verify(self, check: Callable[[PublishedEvents], object]) -> None:
        """Wait until nothing is owed any more, then have everything checked that was published.

        So a test can say what did not happen. The check asserts, or returns False.

        Raises:
            AssertionError: Something is still owed, or the check is not content.
        """
        try:
            self._bus.drain(self._budget)
        except DrainTimeoutError:
            raise self._disappointed("not settled") from self._meanwhile.first_error()
        if check(self.events) is False:
            raise self._disappointed("the check is not content") from self._meanwhile.first_error()

    def _until(self, look: Callable[[], T], what_is_missing: str) -> T:
        deadline = time.monotonic() + self._budget
        while True:
            self._meanwhile.news.clear()
            if found := look():
                return found
            if time.monotonic() >= deadline:
                raise self._disappointed(what_is_missing) from self._meanwhile.first_error()
            with suppress(DrainTimeoutError):
                self._bus.drain(RECHECK)
            self._meanwhile.news.wait(RECHECK)

    def _disappointed(self, what_is_missing: str) -> AssertionError:
        told = [f"{what_is_missing} within {self._budget:g} s", self.events.told()]
        told += [f"failed: {failure}" for failure in self._meanwhile.failures]
        for module in self._bus.life.status():
            told += [f"still owed: {owed.count} from {module.module} to {owed.target}" for owed in module.owed]
            for found in module.listeners:
                states = {"open": found.open, "parked": found.parked, "dead": found.dead}
                told += [f"{state}: {count} of {found.id}" for state, count in states.items() if count]
        return AssertionError("\n".join(told))


class Meanwhile:
    """What a bus has announced since this was made.

    Attributes:
        events: What was published and committed.
        failures: The failures of module listeners, in words.
        news: Set whenever something is announced.
    """

    def __init__(self, bus: EventBus) -> None:
        self.events = PublishedEvents(bus.catalogue)
        self.failures: list[str] = []
        self.news = threading.Event()
        self._errors: list[BaseException] = []
        # Held weakly: it hears as long as somebody can still ask it.
        bus.signals.published.connect(self._note_event)
        bus.signals.listener_failed.connect(self._note_failure)
        bus.signals.listener_completed.connect(self._note_completion)

    def first_error(self) -> BaseException | None:
        """Return what the first failed listener has raised, with its traceback."""
        return self._errors[0] if self._errors else None

    def _note_event(self, sender: object, envelope: Envelope) -> None:
        self.events.note(sender, envelope)
        self.news.set()

    def _note_failure(self, _sender: object, listener_id: str, error: BaseException, **which: object) -> None:
        self.failures.append(f"{listener_id} for event {which['event_id']}: {type(error).__name__}: {error}")
        self._errors.append(error)
        self.news.set()

    def _note_completion(self, _sender: object, **_which: object) -> None:
        self.news.set()
