"""Bytes that are no envelope: on the wire, and in an inbox that somebody has damaged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from bus import EnvelopeError
from bus.inbox.quarantine import MAX_KEPT
from bus.operations import operations_of
from bus.tables import bus_inbox
from bus.testing import FakeClock
from bus.wire import MAX_BYTES, read_envelope, write_envelope
from tests.durable.faults import failing_listener
from tests.durable.shop import Shop, placed

ENVELOPE = write_envelope(placed(7))

NO_ENVELOPES = {
    "garbage": b"\x80\x04garbage",
    "nothing": b"",
    "truncated": ENVELOPE[:-9],
    "another object": b'{"actor":"resize","args":[]}',
    "a mistyped attribute": ENVELOPE.replace(b'"version":1', b'"version":"1"'),
    "an attribute too many": ENVELOPE[:-1] + b',"admin":true}',
    "another CloudEvents": ENVELOPE.replace(b'"specversion":"1.0"', b'"specversion":"0.3"'),
    "too large": ENVELOPE[:-1] + b" " * MAX_BYTES + b"}",
}


def test_envelope_is_read_as_it_was_written() -> None:
    assert read_envelope(ENVELOPE) == placed(7)


@pytest.mark.parametrize("data", NO_ENVELOPES.values(), ids=NO_ENVELOPES)
def test_bytes_that_are_no_envelope_go_into_quarantine_and_stop_nothing(shop: Shop, data: bytes) -> None:
    shop.open_tickets()
    inbox = shop.inbox()

    received = [inbox.receive_bytes(each, 1, origin="a test") for each in (data, ENVELOPE)]

    [(module, kept)] = operations_of(shop.bus).quarantined()
    assert received == [None, placed(7)]
    assert shop.tickets() == [7]
    assert (module, kept.origin, kept.size, kept.data) == ("kitchen", "a test", len(data), data[:MAX_KEPT])


@given(st.binary(max_size=300))
def test_no_bytes_whatever_raise_anything_else(data: bytes) -> None:
    with pytest.raises(EnvelopeError):
        read_envelope(data)


def test_same_bytes_are_kept_once_and_counted(shop: Shop, clock: FakeClock) -> None:
    inbox = shop.inbox()

    for _ in range(3):
        inbox.receive_bytes(b"garbage", 1, origin="a test")
        clock.advance(seconds=1)

    [(_, kept)] = operations_of(shop.bus).quarantined()
    assert (kept.times, kept.last_at - kept.first_at) == (3, 2_000_000)


def test_inbox_row_that_holds_no_envelope_is_given_up_and_its_bytes_are_kept(shop: Shop, clock: FakeClock) -> None:
    shop.listen(failing_listener(shop, failures=2))
    inbox = shop.inbox()
    inbox.receive(placed(1), 1)
    clock.advance(seconds=1)
    inbox.receive(placed(2), 1)
    with shop.kitchen.write() as connection:
        connection.execute(update(bus_inbox).where(bus_inbox.c.event_id == "event-1").values(envelope=b"\xc1damaged"))

    clock.advance(seconds=10)
    inbox.run_due()

    damaged, intact = sorted(shop.publications(), key=lambda row: str(row.event_id))
    [(_, kept)] = operations_of(shop.bus).quarantined()
    assert (damaged.state, damaged.reason, intact.state) == ("dead", "no_envelope", "completed")
    assert kept.data == b"\xc1damaged"


def test_quarantined_bytes_degrade_the_module(shop: Shop) -> None:
    shop.inbox().receive_bytes(b"garbage", 1, origin="a test")

    kitchen = next(found for found in shop.bus.life.status() if found.module == "kitchen")

    assert (kitchen.quarantined, kitchen.is_degraded) == (1, True)
