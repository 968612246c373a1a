"""An order reaches the same end in whatever sequence the news of it arrives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations

import pytest

from modules.order.model import Customer, Money, Order, OrderLine
from modules.order.status import WAY, OrderConflictError, OrderStatus

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
TOTAL = Money(Decimal("12.50"), "EUR")

News = Callable[[Order], None]


def priced(order: Order) -> None:
    order.note_price(TOTAL, NOW)


def ticketed(order: Order) -> None:
    order.note_ticket(NOW)


def started(order: Order) -> None:
    order.advance(OrderStatus.PREPARING, NOW)


def ready(order: Order) -> None:
    order.advance(OrderStatus.READY, NOW)


def rejected(order: Order) -> None:
    order.reject("out_of_stock", NOW)


def new_order() -> Order:
    return Order("o-1", "demo", [OrderLine("ramen", 2)], customer=Customer("Ada"), at=NOW)


def after(*news: News) -> Order:
    order = new_order()
    for piece in news:
        piece(order)
    return order


def statuses(order: Order) -> list[OrderStatus]:
    return [step.status for step in order.history]


def test_new_order_is_placed_and_says_when() -> None:
    order = new_order()

    assert [(step.status, step.at) for step in order.history] == [(OrderStatus.PLACED, NOW)]


@pytest.mark.parametrize("news", list(permutations([priced, ticketed, started, ready])))
def test_every_sequence_of_good_news_ends_ready_with_a_total(news: tuple[News, ...]) -> None:
    order = after(*news)

    assert (order.status, order.total) == (OrderStatus.READY, TOTAL)


@pytest.mark.parametrize("news", list(permutations([priced, ticketed, started, ready])))
def test_history_never_goes_back(news: tuple[News, ...]) -> None:
    ranks = [WAY.index(status) for status in statuses(after(*news))]

    assert ranks == sorted(set(ranks))


@pytest.mark.parametrize("news", list(permutations([priced, ticketed])))
def test_order_is_accepted_once_restaurant_and_kitchen_have_agreed(news: tuple[News, ...]) -> None:
    first, second = news
    order = after(first)
    assert order.status is OrderStatus.PLACED

    second(order)

    assert statuses(order) == [OrderStatus.PLACED, OrderStatus.ACCEPTED]


@pytest.mark.parametrize("news", list(permutations([priced, ticketed, started, ready, rejected])))
def test_cancelled_order_stays_cancelled_whatever_comes(news: tuple[News, ...]) -> None:
    order = new_order()
    order.cancel(NOW)

    for piece in news:
        piece(order)

    assert statuses(order) == [OrderStatus.PLACED, OrderStatus.CANCELLED]
    assert order.reason is None


@pytest.mark.parametrize("news", list(permutations([priced, rejected])))
def test_order_that_the_kitchen_refuses_is_rejected_whoever_is_first(
    news: tuple[News, ...],
) -> None:
    order = after(*news)

    assert (order.status, order.reason) == (OrderStatus.REJECTED, "out_of_stock")


@pytest.mark.parametrize("news", [(), (priced,), (ticketed,), (priced, ticketed)])
def test_order_can_be_cancelled_until_preparation_starts(news: tuple[News, ...]) -> None:
    order = after(*news)

    order.cancel(NOW)

    assert order.status is OrderStatus.CANCELLED


@pytest.mark.parametrize("news", [(started,), (ready,), (rejected,)])
def test_order_cannot_be_cancelled_later(news: tuple[News, ...]) -> None:
    order = after(*news)
    before = order.status

    with pytest.raises(OrderConflictError, match=f"is {before}: it cannot be cancelled"):
        order.cancel(NOW)

    assert order.status is before


def test_ready_order_is_completed_when_it_is_collected() -> None:
    order = after(priced, ticketed, started, ready)

    order.collect(NOW)

    assert statuses(order) == list(WAY)


@pytest.mark.parametrize("news", [(), (priced, ticketed), (started,), (rejected,)])
def test_order_that_is_not_ready_cannot_be_collected(news: tuple[News, ...]) -> None:
    order = after(*news)

    with pytest.raises(OrderConflictError) as caught:
        order.collect(NOW)

    assert caught.value.current is order.status


def test_completed_order_takes_a_late_price_and_stays_completed() -> None:
    order = after(started, ready)
    order.collect(NOW)

    priced(order)
    ticketed(order)

    assert (order.status, order.total) == (OrderStatus.COMPLETED, TOTAL)
