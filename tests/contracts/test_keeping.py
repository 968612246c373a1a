"""What is no envelope, and a module whose database does not take it: the bytes are kept all the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bus.errors import BusError
from bus.testing.contracts.samples import sample
from bus.testing.contracts.transport import Station
from bus.transport.dramatiq.transport import DramatiqTransport
from tests.contracts.queue import Queue
from tests.durable.faults import until
from tests.threads import join_bus_threads

POISON = b"\x00\xff\xfe"


class Reluctant(list[bytes]):
    """What a module has kept; its database is away the first few times."""

    def __init__(self, refusals: int) -> None:
        super().__init__()
        self.refusals = refusals
        self.asked = 0

    def append(self, data: bytes) -> None:
        self.asked += 1
        if self.asked <= self.refusals:
            raise BusError("the database is away")
        super().append(data)


@contextmanager
def kitchen(url: str, application: str, kept: Reluctant) -> Iterator[Queue]:
    """Work for the kitchen, which has its queue and keeps what it can, for the length of a block."""
    transport = DramatiqTransport(url, application=application, threads=1)
    station = Station(transport, "order", "kitchen", kept=kept)
    transport.send("kitchen", sample(0), 1)
    assert station.has_heard(1, 10)
    try:
        yield Queue(transport.broker, transport.queue_of("kitchen"))
    finally:
        transport.close()
        transport.end()
        join_bus_threads(10.0)


def test_scenario_34_bytes_are_kept_though_the_database_did_not_take_them_at_first(
    broker_url: str, application: str
) -> None:
    kept = Reluctant(refusals=1)
    with kitchen(broker_url, application, kept) as queue:
        queue.put(POISON)

        until(lambda: kept)
        until(lambda: queue.count() == 0)

    assert kept == [POISON]


def test_scenario_34_bytes_that_a_process_cannot_keep_before_it_ends_are_kept_by_the_next_one(
    broker_url: str, application: str
) -> None:
    refusing, kept = Reluctant(refusals=1000), Reluctant(refusals=0)
    with kitchen(broker_url, application, refusing) as queue:
        queue.put(POISON)
        until(lambda: refusing.asked)

    with kitchen(broker_url, application, kept):
        until(lambda: kept)

    assert kept == [POISON]
