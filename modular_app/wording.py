"""What the bus has recorded, in words for whoever looks at the page."""

from __future__ import annotations

import inspect

from bus.event import Catalogue
from bus.inbox.dead_letters import PublicationRecord
from bus.inbox.state import Reason, State


def words_of(record: PublicationRecord, now: int) -> str:
    """Return how a listener fared with an event; `now` is in microseconds since the epoch."""
    if record.state is State.COMPLETED:
        return f"done in {(record.took or 0) / 1000:.0f} ms"
    if record.state is State.DEAD:
        return f"given up: {record.error or record.reason}"
    if record.reason is not Reason.FAILED:
        return "waits: paused" if record.reason is Reason.PAUSED else "is about to run"
    seconds = max(0.0, (record.due_at - now) / 1e6)
    times = "once" if record.failures == 1 else f"{record.failures} times"
    soon = f"in {seconds:.0f} s" if seconds >= 0.5 else "now"
    return f"failed {times} ({record.error}), runs again {soon}"


def sentence_of(catalogue: Catalogue, name: str) -> str:
    """Return the first sentence that the publisher's contract says of an event, or its name."""
    published = catalogue.event(name)
    told = inspect.getdoc(published.cls) if published else None
    return told.partition("\n")[0] if told else name
