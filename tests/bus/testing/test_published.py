"""Recording what is published and committed."""

from __future__ import annotations

import re

import pytest

from bus.testing import published_events
from tests.durable.shop import OrderCancelled, OrderPlaced, Shop, TicketOpened, WantedDish


def test_committed_events_are_recorded_in_order_as_their_own_classes(shop: Shop) -> None:
    with published_events(shop.bus) as events:
        shop.place(2, 1)
        shop.open_ticket(2)

    assert list(events) == [OrderPlaced(2), OrderPlaced(1), TicketOpened(2)]
    assert events.names == ["order.placed", "order.placed", "kitchen.ticket_opened"]
    assert (len(events), events[-1], events[:1]) == (3, TicketOpened(2), [OrderPlaced(2)])


def test_rolled_back_event_is_never_recorded(shop: Shop) -> None:
    with published_events(shop.bus) as events:
        with pytest.raises(ValueError, match="no"), shop.order.transaction():
            shop.bus.publish(OrderPlaced(1))
            raise ValueError("no")

    assert list(events) == []
    assert events.told() == "nothing was published"


def test_what_is_published_before_and_after_the_block_is_not_recorded(shop: Shop) -> None:
    shop.place(1)
    with published_events(shop.bus) as events:
        shop.place(2)
    shop.place(3)

    assert events.of(OrderPlaced) == [OrderPlaced(2)]


def test_effect_stands_after_its_cause_whichever_was_announced_first(shop: Shop) -> None:
    with published_events(shop.bus) as events:
        shop.place(1)
        shop.place(2)
    first, second = events.envelopes

    with published_events(shop.bus) as late:
        shop.bus.signals.published.send(shop.bus, envelope=second)
        shop.bus.signals.published.send(shop.bus, envelope=first)

    assert list(late) == [OrderPlaced(1), OrderPlaced(2)]


def test_events_are_read_as_a_view_of_them_too(shop: Shop) -> None:
    with published_events(shop.bus) as events:
        shop.place(7)

    assert events.of(WantedDish) == [WantedDish(7)]


def test_the_one_event_that_matches_is_returned(shop: Shop) -> None:
    with published_events(shop.bus) as events:
        shop.place(1, 2)

    assert events.one(OrderPlaced, matching=lambda event: event.order_id == 2) == OrderPlaced(2)


@pytest.mark.parametrize("cls", [OrderPlaced, OrderCancelled])
def test_anything_but_one_is_an_error_that_lists_what_there_was(shop: Shop, cls: type) -> None:
    with published_events(shop.bus) as events:
        shop.place(1, 2)

    wanted = r"expected one order\.\w+, not [02]; published:\n  order.placed: OrderPlaced\(order_id=1, note=''\)\n"
    with pytest.raises(AssertionError, match=wanted):
        events.one(cls)


def test_class_that_is_no_published_event_is_refused(shop: Shop) -> None:
    with published_events(shop.bus) as events, pytest.raises(TypeError, match=re.escape("str is no published event")):
        events.of(str)
