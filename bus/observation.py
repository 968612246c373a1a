"""Looking on while transactional listeners run: for metrics, traces and registers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bus.listener import Phase


@dataclass(frozen=True, slots=True)
class ListenerCall:
    """One call of one transactional listener.

    Attributes:
        listener_id: The id of the listener.
        phase: Its phase, also where it runs at once because there is no transaction.
        event: The event that it is called with.
    """

    listener_id: str
    phase: Phase
    event: object


class ListenerObserver(Protocol):
    """Is told of each call of a transactional listener, in the thread and the phase of the call.

    What it raises itself counts as raised by the listener: before the commit it rolls back, after it it is logged.
    """

    def before_listener(self, call: ListenerCall) -> None:
        """Hear that the listener is about to run."""
        ...

    def after_listener(self, call: ListenerCall, error: BaseException | None) -> None:
        """Hear how it ended: the exception, or None; comes for each `before_listener` that returned."""
        ...


def observed(observers: tuple[ListenerObserver, ...], call: ListenerCall, run: Callable[[object], object]) -> None:
    """Run a listener inside its observers, the first of them outermost."""
    if not observers:
        run(call.event)
        return
    outermost, *inner = observers
    outermost.before_listener(call)
    try:
        observed(tuple(inner), call, run)
    except BaseException as error:
        outermost.after_listener(call, error)
        raise
    outermost.after_listener(call, None)
