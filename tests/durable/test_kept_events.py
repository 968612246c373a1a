"""An inbox keeps of an event what the listener reads that it keeps it for; what cannot be read is kept whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bus import Envelope
from bus.inbox.rows import read_envelope
from bus.inbox.state import Reason
from bus.inbox.store import NO_LISTENER, Publication
from bus.testing import FakeClock
from tests.durable.faults import failing_listener
from tests.durable.shop import Shop, placed

WHOLE = b'{"order_id":7,"note":"ring twice"}'
CUT = b'{"order_id":7}'


def noted() -> Envelope:
    return replace(placed(7), data=WHOLE)


def kept(shop: Shop) -> list[bytes]:
    return [read_envelope(row.envelope).data for row in shop.publications()]


@pytest.mark.parametrize("sends", [1, 2])
def test_failing_publication_keeps_what_its_listener_reads(shop: Shop, sends: int) -> None:
    shop.listen(failing_listener(shop, failures=1))

    shop.inbox().receive(noted(), sends)

    assert kept(shop) == [CUT]


def test_run_of_what_was_kept_is_the_run_of_the_whole(shop: Shop, clock: FakeClock) -> None:
    shop.listen(failing_listener(shop, failures=1))
    inbox = shop.inbox()
    inbox.receive(noted(), 1)

    clock.advance(seconds=2)
    inbox.run_due()

    assert shop.tickets() == [7]


@pytest.mark.parametrize("sends", [1, 2])
def test_event_that_the_view_cannot_read_is_kept_whole(shop: Shop, sends: int) -> None:
    shop.open_tickets()
    unreadable = b'{"order_id":"seven","note":"ring twice"}'

    shop.inbox().receive(replace(noted(), data=unreadable), sends)

    [row] = shop.publications()
    assert (row.reason, kept(shop)) == (Reason.UNDECODABLE, [unreadable])


def test_event_of_a_version_that_nobody_here_knows_is_kept_whole(shop: Shop) -> None:
    shop.open_tickets()

    shop.inbox().receive(replace(noted(), version=2), 1)

    [row] = shop.publications()
    assert (row.listener, row.reason, kept(shop)) == ("*", Reason.NEWER_VERSION, [WHOLE])


def test_parked_event_is_cut_when_there_is_a_listener_for_it(shop: Shop) -> None:
    shop.open_tickets()

    shop.inbox_store.unpark(Publication(NO_LISTENER, noted()), ["kitchen.open_ticket"])

    assert kept(shop) == [CUT]
