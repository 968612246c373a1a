"""How a module's listeners fare, put together from its inbox and its pauses."""

from __future__ import annotations

from collections.abc import Iterable

from bus.inbox.pauses import Pause
from bus.inbox.store import NO_LISTENER, ListenerCounts
from bus.status import ListenerStatus, PausedStatus


def listener_statuses(
    module: str, known: Iterable[str], counts: Iterable[ListenerCounts], pauses: Iterable[Pause], now: int
) -> tuple[ListenerStatus, ...]:
    """Return the state of each listener that this build has, or that the inbox still knows, sorted by id.

    Args:
        module: The module's name: a pause of it is one of each listener.
        known: The listeners of this build.
        counts: What the inbox holds.
        pauses: What is paused.
        now: Microseconds since the epoch.
    """
    ids = set(known)
    counted = {found.listener_id: found for found in counts}
    paused = {pause.target: pause for pause in pauses}
    return tuple(
        _status(id, counted.get(id), paused.get(module) or paused.get(id), is_known=id in ids, now=now)
        for id in sorted({*ids, *counted})
    )


def paused_status(pause: Pause, now: int) -> PausedStatus:
    """Return a pause as an operator sees it."""
    left = None if pause.until is None else max(0.0, (pause.until - now) / 1e6)
    return PausedStatus(pause.target, str(pause.kind), pause.who, pause.reason, left)


def _status(id: str, found: ListenerCounts | None, pause: Pause | None, *, is_known: bool, now: int) -> ListenerStatus:
    counts = found or ListenerCounts(id, 0, 0, 0, 0, 0, None, None)
    return ListenerStatus(
        id=id,
        completed=counts.completed,
        open=counts.open,
        retrying=counts.retrying,
        parked=counts.parked,
        dead=counts.dead,
        oldest_seconds=None if counts.oldest is None else (now - counts.oldest) / 1e6,
        last_error=counts.last_error,
        paused=None if pause is None else paused_status(pause, now),
        known=is_known or id == NO_LISTENER,
    )
