from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest

from bus import DuplicateNameError, InvalidEventError, event, event_view
from bus.event import Catalogue, event_type_of, viewed_name_of
from tests.bus.shop import OrderPlaced, PlacedOrder, TicketOpened


@dataclass(frozen=True)
class Address:
    city: str


@dataclass(frozen=True)
class Delivered:
    order_id: str
    address: Address


@dataclass(frozen=True)
class SpecialOrderPlaced(OrderPlaced):
    pass


@event("order.placed")
@dataclass(frozen=True)
class OtherOrderPlaced:
    order_id: str


@pytest.fixture
def catalogue() -> Catalogue:
    catalogue = Catalogue()
    catalogue.add("order", [OrderPlaced])
    catalogue.add("kitchen", [PlacedOrder, TicketOpened])
    return catalogue


@pytest.mark.parametrize("name", ["order.placed", "order.line_added", "order.line.added2"])
@pytest.mark.parametrize("declare", [event, event_view])
def test_name_of_lower_case_words_parted_by_dots_is_taken(declare: Any, name: str) -> None:
    cls = declare(name)(dataclass(type("Sample", (), {})))

    assert name in (viewed_name_of(cls), getattr(event_type_of(cls), "name", None))


@pytest.mark.parametrize(
    "name",
    [
        "placed",
        "Order.placed",
        "order.Placed",
        "order..placed",
        ".placed",
        "order.",
        "order placed",
        "order.1",
        "a.b\n",
    ],
)
@pytest.mark.parametrize("declare", [event, event_view])
def test_malformed_name_is_refused_with_an_example(declare: Any, name: str) -> None:
    with pytest.raises(InvalidEventError, match=rf"^{re.escape(repr(name))} is no event name: .* 'order.placed'$"):
        declare(name)


def test_event_knows_its_name_version_and_key() -> None:
    cls: type = event("order.delivered", version=3, key="order_id")(type("Copy", (Delivered,), {}))

    declared = event_type_of(cls)

    assert declared is not None
    assert (declared.name, declared.version, declared.key) == ("order.delivered", 3, "order_id")


@pytest.mark.parametrize("version", [0, -1])
def test_versions_count_from_one(version: int) -> None:
    with pytest.raises(InvalidEventError, match=f"versions count from 1, not {version}"):
        event("order.delivered", version=version)


def test_key_that_is_no_field_is_refused_with_the_fields() -> None:
    with pytest.raises(InvalidEventError, match=r"key 'id' is no field of Delivered.*order_id.*address"):
        event("order.delivered", key="id")(Delivered)


def test_field_of_a_field_is_no_key() -> None:
    with pytest.raises(InvalidEventError, match="no field of Delivered"):
        event("order.delivered", key="address.city")(Delivered)


def test_subclass_of_a_published_event_is_not_published_by_itself() -> None:
    assert event_type_of(SpecialOrderPlaced) is None


def test_view_is_no_event_and_knows_the_name_of_the_one_it_reads() -> None:
    assert viewed_name_of(PlacedOrder) == "order.placed"
    assert event_type_of(PlacedOrder) is None


def test_catalogue_knows_owner_and_class_of_each_event(catalogue: Catalogue) -> None:
    found = catalogue.event("order.placed")

    assert found is not None
    assert (found.cls, found.module) == (OrderPlaced, "order")
    assert catalogue.published(OrderPlaced) is found
    assert [found.type.name for found in catalogue.events()] == ["kitchen.ticket_opened", "order.placed"]


def test_catalogue_knows_the_views_and_whose_they_are(catalogue: Catalogue) -> None:
    (view,) = catalogue.views("order.placed")

    assert (view.cls, view.module) == (PlacedOrder, "kitchen")
    assert catalogue.owner_of(PlacedOrder) == "kitchen"
    assert catalogue.views("kitchen.ticket_opened") == []


def test_event_name_declared_by_two_classes_is_refused_with_both_places(catalogue: Catalogue) -> None:
    with pytest.raises(DuplicateNameError) as refused:
        catalogue.add("restaurant", [OtherOrderPlaced])

    message = str(refused.value)
    assert all(name in message for name in ("'order.placed'", "'order'", "'restaurant'"))
    assert all(f"{cls.__module__}.{cls.__qualname__}" in message for cls in (OrderPlaced, OtherOrderPlaced))


def test_one_class_in_the_contracts_of_two_modules_is_refused(catalogue: Catalogue) -> None:
    with pytest.raises(DuplicateNameError, match=r"order\.placed"):
        catalogue.add("restaurant", [OrderPlaced])


def test_same_contract_entered_twice_is_no_duplicate(catalogue: Catalogue) -> None:
    catalogue.add("order", [OrderPlaced])

    assert catalogue.owner_of(OrderPlaced) == "order"


def test_catalogue_passes_over_other_classes(catalogue: Catalogue) -> None:
    catalogue.add("order", [Address, SpecialOrderPlaced])

    assert catalogue.owner_of(Address) is None
    assert catalogue.published(SpecialOrderPlaced) is None


def test_class_with_the_name_of_another_ones_event_is_not_published(catalogue: Catalogue) -> None:
    assert catalogue.published(OtherOrderPlaced) is None
