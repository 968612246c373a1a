"""What order takes over HTTP, and its limits."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field
from msgspec.json import encode

from bus.integrations.http import DEFAULT_LIMIT, Limit, Uuid
from bus.integrations.text import VISIBLE_LINE
from modules.order.idempotency import Attempt
from modules.order.model import Customer, OrderLine
from modules.order.status import OrderStatus

RestaurantId = Annotated[str, Meta(max_length=64, pattern=VISIBLE_LINE, examples=["demo"])]
Sku = Annotated[str, Meta(max_length=64, pattern=VISIBLE_LINE, examples=["margherita"])]
PersonName = Annotated[str, Meta(max_length=100, pattern=VISIBLE_LINE, examples=["Ada"])]
Phone = Annotated[str, Meta(max_length=40, pattern=r"^[ +()/.-]*[0-9][0-9 +()/.-]*\Z", examples=["+44 20 5550199"])]
Quantity = Annotated[int, Meta(ge=1, le=1000, examples=[2])]
#: What a client calls one attempt to order; a program would take a fresh UUID.
IdempotencyKey = Annotated[
    str,
    Meta(
        max_length=200,
        pattern=r"^[!-~][ -~]*\Z",
        description="The same key and body give the same order for 24 hours.",
        examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ),
]


class OrdersQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The query of `GET /orders`."""

    limit: Limit = DEFAULT_LIMIT
    after: Uuid | None = None
    status: OrderStatus | None = None


class PlacingHeaders(Struct, frozen=True):
    """The headers that `POST /orders` reads."""

    idempotency_key: IdempotencyKey | None = field(default=None, name="Idempotency-Key")


class LineBody(Struct, frozen=True, forbid_unknown_fields=True):
    """So many of one dish."""

    sku: Sku
    quantity: Quantity


class CustomerBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to call."""

    name: PersonName
    phone: Phone | None = None


class OrderBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /orders`."""

    restaurant_id: RestaurantId
    lines: Annotated[tuple[LineBody, ...], Meta(min_length=1, max_length=100)]
    customer: CustomerBody

    def order_lines(self) -> list[OrderLine]:
        """Return the lines as order knows them."""
        return [OrderLine(line.sku, line.quantity) for line in self.lines]

    def whom(self) -> Customer:
        """Return the customer as order knows one."""
        return Customer(self.customer.name, self.customer.phone)

    def attempt(self, key: str) -> Attempt:
        """Return the attempt of this body under a key; how the JSON was written makes no difference."""
        return Attempt.of(key, encode(self))
