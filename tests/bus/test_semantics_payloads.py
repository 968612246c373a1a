"""B09: payloads are written and read back even inside one process, so that a switch of transport brings no surprise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bus import Database, EventBus, Module, PayloadError, assemble, event, event_view, listener, module_listener


@event("basket.filled")
@dataclass
class Filled:
    items: list[str] = field(default_factory=list)
    prices: tuple[int, ...] = ()
    extra: Any = None
    count: int = 0


@event_view("basket.filled")
@dataclass
class FilledBasket:
    items: list[str]
    prices: tuple[int, ...]
    extra: Any
    count: float


class Basket:
    """One module that hears its own event through a view."""

    def __init__(self, folder: Path) -> None:
        self.database = Database("basket", f"sqlite:///{folder}/basket.db")
        listening = Database("shelf", f"sqlite:///{folder}/shelf.db")
        self.databases = {"basket": self.database, "shelf": listening}
        for database in self.databases.values():
            database.create_tables()
        modules = [Module("basket", contract=[Filled]), Module("shelf", contract=[FilledBasket])]
        self.bus: EventBus = assemble(modules, self.databases)
        self.heard: list[FilledBasket] = []
        self.bus.module("shelf").subscribe(self.hear)

    @module_listener("shelf.hear")
    def hear(self, event: FilledBasket) -> None:
        self.heard.append(event)

    def publish(self, event: Filled) -> None:
        with self.database.transaction():
            self.bus.publish(event)


@pytest.fixture
def basket(tmp_path: Path) -> Iterator[Basket]:
    basket = Basket(tmp_path)
    yield basket
    basket.bus.close()
    for database in basket.databases.values():
        database.close()


def test_b09_module_listener_gets_a_copy_that_it_shares_with_nobody(basket: Basket) -> None:
    items = ["ramen"]
    basket.publish(Filled(items))
    basket.bus.drain()

    [heard] = basket.heard
    assert heard.items == ["ramen"]
    assert heard.items is not items


def test_b09_payload_is_what_it_was_when_it_was_published(basket: Basket) -> None:
    items = ["ramen"]
    with basket.database.transaction():
        basket.bus.publish(Filled(items))
        items.append("soup")
    items.append("tea")
    basket.bus.drain()

    assert basket.heard[0].items == ["ramen"]


def test_b09_what_a_plain_listener_changes_is_not_what_a_module_listener_hears(basket: Basket) -> None:
    @listener
    def spoil(event: Filled) -> None:
        event.items.clear()

    basket.bus.module("basket").subscribe(spoil)
    basket.publish(Filled(["ramen"]))
    basket.bus.drain()

    assert basket.heard[0].items == ["ramen"]


def test_b09_plain_listener_gets_the_publishers_own_object(basket: Basket) -> None:
    heard: list[Filled] = []

    @listener
    def hear(event: Filled) -> None:
        heard.append(event)

    basket.bus.module("basket").subscribe(hear)
    event = Filled(["ramen"])
    basket.publish(event)

    assert heard[0] is event


def test_b09_each_field_has_the_form_that_the_view_declares(basket: Basket) -> None:
    basket.publish(Filled(("ramen",), [1, 2], extra=(1, (2, 3)), count=7))  # type: ignore[arg-type]  # the wrong forms
    basket.bus.drain()

    [heard] = basket.heard
    assert heard == FilledBasket(["ramen"], (1, 2), [1, [2, 3]], 7.0)
    assert isinstance(heard.count, float)


def test_b09_value_of_a_free_field_arrives_as_json_has_it(basket: Basket) -> None:
    basket.publish(Filled(extra=datetime(2026, 1, 1)))  # noqa: DTZ001 - the zone is not the point
    basket.bus.drain()

    assert basket.heard[0].extra == "2026-01-01T00:00:00"


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"extra": object()}, r"\$\.extra"),
        ({"extra": 1j}, r"\$\.extra"),
        ({"items": [object()]}, r"\$\.items"),
        ({"items": [1]}, r"\$\.items\[0\]"),
        ({"prices": ("1",)}, r"\$\.prices"),
        ({"count": "7"}, r"\$\.count"),
        ({"count": 1.5}, r"\$\.count"),
    ],
)
def test_b09_value_that_does_not_survive_is_refused_at_publish_with_its_field(
    basket: Basket, wrong: dict[str, Any], names: str
) -> None:
    with pytest.raises(PayloadError, match=rf"'basket.filled' cannot be written as JSON.*{names}"):
        basket.publish(Filled(**wrong))


def test_b09_refused_event_reaches_nobody(basket: Basket) -> None:
    heard: list[Filled] = []

    @listener
    def hear(event: Filled) -> None:
        heard.append(event)

    basket.bus.module("basket").subscribe(hear)

    with pytest.raises(PayloadError):
        basket.publish(Filled(count="7"))  # type: ignore[arg-type]  # the mistake under test
    basket.bus.drain()

    assert heard == []
    assert basket.heard == []
