"""The relays and the recorder of a shop, driven by hand and without a thread."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from bus import Envelope
from bus.outbox.flow import LIMIT, Flow
from bus.outbox.recorder import Carrier, OutboxRecorder
from bus.outbox.relay import Relay
from bus.transport.base import Acknowledge, Fail, Receiver
from tests.durable.shop import Shop


class Relays:
    """The relays of every module of a shop, as one."""

    def __init__(self, relays: Mapping[str, Relay]) -> None:
        self.of = relays

    def sweep(self) -> None:
        """Sweep for each module; a database that is away stops no other, as in the threads of the runtime."""
        for relay in self.of.values():
            with suppress(SQLAlchemyError):
                relay.sweep()

    def turn(self) -> None:
        """Sweep for those alone who have waited for a place."""
        for relay in self.of.values():
            relay.turn()

    def acknowledge(self) -> None:
        """Write what each module's outbox takes."""
        for relay in self.of.values():
            with suppress(SQLAlchemyError):
                relay.acknowledge()

    def acknowledged(self, target: str, envelope: Envelope) -> None:
        self.of[envelope.source].acknowledged(target, envelope.id)

    def send_fresh(self, target: str, envelope: Envelope) -> None:
        self.of[envelope.source].send_fresh(target, envelope)

    @property
    def unwritten(self) -> int:
        return sum(relay.unwritten for relay in self.of.values())


class Tray:
    """A transport on which everything stays; for some modules it may take nothing."""

    delivers_here = True

    def __init__(self, *, is_local: bool = True) -> None:
        self.is_local = is_local
        self.refused: set[str] = set()
        self.tries: list[str] = []
        self.sent: list[tuple[str, Envelope, int]] = []

    def open(self, receivers: Mapping[str, Receiver], acknowledged: Acknowledge, failed: Fail) -> None: ...

    def send(self, target: str, envelope: Envelope, sends: int) -> None:
        self.tries.append(target)
        if target in self.refused:
            raise ConnectionError(f"{target} is away")
        self.sent.append((target, envelope, sends))

    def acknowledge(self, target: str, envelope: Envelope) -> None: ...

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

    def close(self) -> None: ...

    def end(self) -> None:
        """Do nothing: nothing is on its way."""

    def renew(self) -> None: ...


class Belt:
    """Relays driven by hand, with a recorder on the same flow; what they send stays here."""

    def __init__(self, shop: Shop, *, limit: int = LIMIT, tray: Tray | None = None) -> None:
        tray = tray or Tray()
        self.sent = tray.sent
        self.flow = Flow(limit)
        self.flow.open()
        targets = list(shop.databases)
        self.relay = Relays(
            {name: Relay(name, store, targets, flow=self.flow, transport=tray) for name, store in shop.outboxes.items()}
        )
        self.wakes = 0
        shop.bus.record_with(
            OutboxRecorder(
                shop.outboxes,
                shop.bus.subscribers_of,
                flow=self.flow,
                carrier=Carrier(self.relay.send_fresh, self.wake, lambda _envelope: None, self.give_back),
            )
        )

    def wake(self, source: str) -> None:
        self.wakes += 1

    def give_back(self, source: str, target: str, event_ids: list[str]) -> None:
        self.relay.of[source].release(target, event_ids)

    def keys(self, target: str = "kitchen") -> list[str | None]:
        """The keys of what was sent to a module, in the order of the sends."""
        return [envelope.subject for found, envelope, _ in self.sent if found == target]

    def settle(self) -> None:
        """Sweep until fresh envelopes are no longer held behind older ones."""
        for _ in range(3):
            self.relay.sweep()

    def deliver_all(self) -> None:
        """Sweep and acknowledge until nothing is on its way any more."""
        for _ in range(20):
            self.settle()
            self.acknowledge(len(self.sent))

    def acknowledge(self, count: int) -> None:
        """Acknowledge the first envelopes that were sent, and write that."""
        for target, envelope, _ in self.sent[:count]:
            self.relay.acknowledged(target, envelope)
        self.relay.acknowledge()


def drained(shop: Shop) -> list[str]:
    """Send what is owed until nothing is due, acknowledging as it goes; return the ids of what was sent."""
    belt, taken = Belt(shop), 0
    relay = belt.relay.of["order"]
    while True:
        relay.sweep()
        sent, taken = belt.sent[taken:], len(belt.sent)
        if not sent:
            return [envelope.id for _, envelope, _ in belt.sent]
        for target, envelope, _ in sent:
            relay.acknowledged(target, envelope.id)
        relay.acknowledge()
