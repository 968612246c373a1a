"""Dramatiq's broker without a server, for tests."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from dramatiq import Message
from dramatiq.brokers.stub import StubBroker

from bus.transport.dramatiq.deliveries import middleware


class StubConnection:
    """A broker that nothing can happen to."""

    kind = "a stub"

    def __init__(self) -> None:
        self.broker = StubBroker(middleware=middleware())
        self.broker.emit_after("process_boot")

    def another(self) -> StubBroker:
        """Return one that has the same queues."""
        found = StubBroker(middleware=middleware())
        found.queues = self.broker.queues
        return found

    def probe(self) -> None:
        """Do nothing."""

    def send(self, messages: Sequence[Message[Any]]) -> None:
        """Put them into their queues."""
        for message in messages:
            self.broker.enqueue(message)

    def keep_alive(self, served: Collection[str]) -> int:
        """Count this process."""
        return 1

    def workers(self, queue: str) -> int:
        """Count this process."""
        return 1

    def reset(self) -> None:
        """Do nothing."""
