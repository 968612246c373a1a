"""What ends late: a process that takes its time to roll back what still runs when its grace is over."""

from __future__ import annotations

import threading

import pytest

from bus.inbox.inbox import Inbox

#: Seconds that it takes: others have looked more than once, and it still has its last writes before it.
LATE = 0.3


@pytest.fixture
def late_rollback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have whatever outlives its grace be rolled back late."""
    give_back, never = Inbox.give_back, threading.Event()

    def give_back_late(inbox: Inbox) -> None:
        never.wait(LATE)
        give_back(inbox)

    monkeypatch.setattr(Inbox, "give_back", give_back_late)
