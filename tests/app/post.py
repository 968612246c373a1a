"""A transport that holds everything back until a test delivers it: races over HTTP, decided by the test."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress

from bus import DrainTimeoutError, Envelope, EventBus
from bus.transport.base import Acknowledge, Fail, Receiver


class Post:
    """Holds envelopes; what it delivers goes through the inbox, and is waited for."""

    is_local = True
    delivers_here = True

    def __init__(self) -> None:
        self.held: list[tuple[str, Envelope]] = []
        self.delivered: list[tuple[str, Envelope]] = []
        self._receivers: Mapping[str, Receiver] = {}
        self._acknowledged: Acknowledge | None = None
        self._changed = threading.Condition()
        self._answers = 0

    def open(self, receivers: Mapping[str, Receiver], acknowledged: Acknowledge, failed: Fail) -> None:
        self._receivers, self._acknowledged = receivers, acknowledged

    def send(self, target: str, envelope: Envelope, sends: int) -> None:
        with self._changed:
            self.held.append((target, envelope))
            self._changed.notify_all()

    def acknowledge(self, target: str, envelope: Envelope) -> None:
        if self._acknowledged is not None:
            self._acknowledged(target, envelope.source, envelope.id)
        with self._changed:
            self._answers += 1
            self._changed.notify_all()

    def leave(self, target: str, envelope: Envelope) -> None: ...

    def give_back(self, target: str, envelope: Envelope) -> None:
        """Do nothing: there is no other process."""

    def is_ready(self) -> bool:
        return True

    def where(self) -> str:
        """Say that there is only one process."""
        return "in one process"

    def workers(self, module: str) -> int | None:
        """Count this process."""
        return 1

    def close(self) -> None:
        self._receivers = {}

    def end(self) -> None:
        """Do nothing: nothing is on its way."""

    def renew(self) -> None: ...

    def deliver(self, target: str, *names: str) -> None:
        """Deliver held events of these names to a module, one after the other; what they cause is held."""
        for name in names:
            found = self._next(target, name)
            self.delivered.append(found)
            self._carry(*found, sends=1)

    def deliver_all(self, bus: EventBus) -> None:
        """Deliver what is held, and what that causes, the latest first, until nobody owes anything."""
        while True:
            while self.held:
                target, envelope = self.held[-1]
                self.deliver(target, envelope.type)
            with suppress(DrainTimeoutError):
                bus.drain(0.1)
                return

    def repeat_all(self) -> None:
        """Deliver everything again that was delivered, the latest first."""
        for target, envelope in reversed(list(self.delivered)):
            self._carry(target, envelope, sends=2)

    def _next(self, target: str, name: str) -> tuple[str, Envelope]:
        """Take a held event; a relay that was sweeping may hand it over a moment after its commit."""

        def places() -> list[int]:
            return [at for at, (to, found) in enumerate(self.held) if (to, found.type) == (target, name)]

        with self._changed:
            assert self._changed.wait_for(places, timeout=20), (target, name)
            return self.held.pop(places()[0])

    def _carry(self, target: str, envelope: Envelope, *, sends: int) -> None:
        with self._changed:
            expected = self._answers + 1
        self._receivers[target].accept(envelope, sends)
        with self._changed:
            assert self._changed.wait_for(lambda: self._answers >= expected, timeout=20)
