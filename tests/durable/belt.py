"""The relay and the recorder of a shop, driven by hand and without a thread."""

from __future__ import annotations

from bus import Envelope
from bus.outbox.flow import LIMIT, Flow
from bus.outbox.recorder import OutboxRecorder
from bus.outbox.relay import Relay
from tests.durable.shop import Shop


class Belt:
    """A relay driven by hand, with a recorder on the same flow; what they send stays here."""

    def __init__(self, shop: Shop, *, limit: int = LIMIT) -> None:
        self.sent: list[tuple[str, Envelope, int]] = []
        self.flow = Flow(limit)
        self.flow.open()
        self.relay = Relay(shop.outboxes, list(shop.databases), self.flow, self.send)
        self.wakes = 0
        shop.bus.record_with(
            OutboxRecorder(
                shop.outboxes,
                shop.bus.subscribers_of,
                flow=self.flow,
                clock=shop.clock,
                send=self.relay.send_fresh,
                wake=self.wake,
                announce=lambda envelope: None,
            )
        )

    def send(self, target: str, envelope: Envelope, sends: int) -> None:
        self.sent.append((target, envelope, sends))

    def wake(self) -> None:
        self.wakes += 1

    def keys(self, target: str = "kitchen") -> list[str | None]:
        """The keys of what was sent to a module, in the order of the sends."""
        return [envelope.subject for found, envelope, _ in self.sent if found == target]

    def acknowledge(self, count: int) -> None:
        """Acknowledge the first envelopes that were sent, and write that."""
        for target, envelope, _ in self.sent[:count]:
            self.relay.acknowledged(target, envelope)
        self.relay.acknowledge()
