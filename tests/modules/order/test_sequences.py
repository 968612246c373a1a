"""Every sequence of news, with some of it missing and a cancellation anywhere, ends where the story says; twice too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations

from bus.testing import ModuleUnderTest
from modules.order.contract import (
    OrderAccepted,
    OrderReady,
    OrderRejected,
    PreparationStarted,
    TicketOpened,
    TicketRefused,
    Total,
)
from modules.order.model import Customer, Money, Order, OrderLine
from modules.order.status import WAY, OrderConflictError, OrderStatus

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
RANK = {status.value: rank for rank, status in enumerate(WAY)}

ENDS = {"cancel": "cancelled", "reject": "rejected", "refuse": "rejected"}

#: What the other modules can say of one order: it is served, not served, or there is no room for it.
STORIES = (("price", "ticket", "start", "ready"), ("reject",), ("price", "refuse"))


def sequences() -> Iterator[tuple[str, ...]]:
    """Yield each selection of each story in each sequence, with a cancellation at each place and without."""
    for story in STORIES:
        for size in range(len(story) + 1):
            for news in permutations(story, size):
                yield news
                yield from ((*news[:at], "cancel", *news[at:]) for at in range(size + 1))


def stored_sequences() -> list[tuple[str, ...]]:
    """Return those that are worth a database: a cancellation in all of a story, and some that lack something."""
    return [news for news in sequences() if "cancel" in news and len(news) in (2, 3, 5)][::2]


def expected(news: tuple[str, ...]) -> list[str]:
    """Return the history that the story tells."""
    history, heard = ["placed"], set()
    for piece in news:
        heard.add(piece)
        status = {"start": "preparing", "ready": "ready"}.get(piece)
        status = "accepted" if {"price", "ticket"} <= heard and status is None else status
        if piece in ENDS:
            history += [ENDS[piece]] if RANK.get(history[-1], 9) <= 1 else []
        elif status and RANK.get(history[-1], 9) < RANK[status]:
            history.append(status)
    return history


def move(order: Order, piece: str) -> None:
    reactions: dict[str, Callable[[], object]] = {
        "price": lambda: order.note_price(Money(Decimal(9), "EUR"), NOW),
        "ticket": lambda: order.note_ticket(NOW),
        "start": lambda: order.advance(OrderStatus.PREPARING, NOW),
        "ready": lambda: order.advance(OrderStatus.READY, NOW),
        "cancel": lambda: order.cancel(NOW),
    }
    with suppress(OrderConflictError):
        reactions.get(piece, lambda: order.reject(piece, NOW))()


def tell(order: ModuleUnderTest, order_id: str, piece: str) -> None:
    restaurant, kitchen = order.container.restaurant_news(), order.container.kitchen_news()
    reactions: dict[str, Callable[[], object]] = {
        "price": lambda: restaurant.price_order(OrderAccepted(order_id, Total(Decimal(9), "EUR"))),
        "reject": lambda: restaurant.reject_order(OrderRejected(order_id, "out_of_stock")),
        "ticket": lambda: kitchen.note_ticket(TicketOpened(order_id)),
        "refuse": lambda: kitchen.reject_without_ticket(TicketRefused(order_id, "kitchen_full")),
        "start": lambda: kitchen.follow_preparation(PreparationStarted(order_id)),
        "ready": lambda: kitchen.call_customer(OrderReady(order_id)),
        "cancel": lambda: order.container.customer_orders().cancel(order_id),
    }
    with suppress(OrderConflictError):
        reactions[piece]()


def shown(order: ModuleUnderTest, order_id: str) -> list[object]:
    history = order.container.reader().one(order_id)["history"]
    assert isinstance(history, list)
    return [step["status"] for step in history]


def test_every_sequence_of_news_ends_where_the_story_says() -> None:
    for news in sequences():
        order = Order("o-1", "demo", [OrderLine("ramen", 2)], customer=Customer("Ada"), at=NOW)

        for piece in news:
            for _ in range(2):
                move(order, piece)

        assert [step.status.value for step in order.history] == expected(news), news


def test_every_cancellation_is_stored_and_shown_as_the_story_says(order: ModuleUnderTest) -> None:
    for news in stored_sequences():
        order_id = order.container.customer_orders().place("demo", [OrderLine("ramen", 2)], Customer("Ada")).order_id

        for piece in news:
            tell(order, order_id, piece)

        assert shown(order, order_id) == expected(news), news


def test_news_that_comes_again_after_the_end_changes_nothing(order: ModuleUnderTest) -> None:
    for news in list(permutations(STORIES[0]))[::5]:
        order_id = order.container.customer_orders().place("demo", [OrderLine("ramen", 2)], Customer("Ada")).order_id
        for piece in news:
            tell(order, order_id, piece)
        order.container.customer_orders().collect(order_id)
        before = order.container.reader().one(order_id)

        for piece in reversed((*news, "reject", "refuse", "cancel")):
            tell(order, order_id, piece)

        assert order.container.reader().one(order_id) == before, news
