"""What an operator sees of an event: everything but what is personal, or not known to this build."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from bus import Envelope, InvalidEventError, event
from bus.event import Catalogue, event_type_of
from bus.masking import MASK, Masking


@event("order.placed", key="order_id", personal=("name", "phone"))
@dataclass(frozen=True)
class OrderPlaced:
    order_id: str
    name: str
    phone: str | None = None


@event("customer.registered", key="name", personal=["name"])
class CustomerRegistered(msgspec.Struct, rename="camel"):
    name: str
    number_of_orders: int


@pytest.fixture
def masking() -> Masking:
    catalogue = Catalogue()
    catalogue.add("order", [OrderPlaced, CustomerRegistered])
    return Masking(catalogue)


def envelope(name: str, data: bytes) -> Envelope:
    return Envelope("id", "order", name, 1, None, 0, "id", None, None, data)


def test_event_says_which_of_its_fields_are_personal() -> None:
    declared = event_type_of(OrderPlaced)

    assert declared is not None
    assert declared.personal == ("name", "phone")


def test_one_personal_field_may_stand_alone() -> None:
    @event("customer.left", personal="name")
    @dataclass
    class CustomerLeft:
        name: str

    declared = event_type_of(CustomerLeft)
    assert declared is not None
    assert declared.personal == ("name",)


def test_personal_field_that_the_class_does_not_have_is_refused() -> None:
    with pytest.raises(InvalidEventError, match=r"'order.placed': personal 'nmae' is no field of \S*Customer"):

        @event("order.placed", personal=("nmae",))
        @dataclass
        class Customer:
            name: str


@pytest.mark.parametrize(
    ("name", "data", "shown"),
    [
        (
            "order.placed",
            b'{"order_id":"7","name":"Ada","phone":null}',
            {"order_id": "7", "name": MASK, "phone": MASK},
        ),
        ("order.placed", b'{"order_id":"7","surname":"Lovelace"}', {"order_id": "7", "surname": MASK}),
        ("customer.registered", b'{"name":"Ada","numberOfOrders":3}', {"name": MASK, "numberOfOrders": 3}),
        ("order.forgotten", b'{"order_id":"7"}', MASK),
        ("order.placed", b"[1]", MASK),
        ("order.placed", b"\xff{", MASK),
    ],
    ids=["personal", "unknown field", "renamed field", "unknown event", "no object", "no JSON"],
)
def test_payload_shows_only_what_is_known_and_not_personal(
    masking: Masking, name: str, data: bytes, shown: Any
) -> None:
    assert masking.payload(envelope(name, data)) == shown


@pytest.mark.parametrize(
    ("name", "key", "shown"),
    [
        ("order.placed", "7", "7"),
        ("order.placed", None, None),
        ("customer.registered", "Ada", MASK),
        ("order.forgotten", "7", MASK),
        (None, "7", MASK),
    ],
)
def test_key_is_masked_where_it_is_or_may_be_personal(
    masking: Masking, name: str | None, key: str | None, shown: str | None
) -> None:
    assert masking.key(name, key) == shown
