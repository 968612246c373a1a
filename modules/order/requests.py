"""What order takes over HTTP, and its limits."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from modules.order.model import Customer, OrderLine

#: One line of visible text.
_TEXT = r"^(?=.*\S)[^\x00-\x1f\x7f]+\Z"

Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=_TEXT)]
PersonName = Annotated[str, Meta(min_length=1, max_length=100, pattern=_TEXT)]
Phone = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[0-9 +()/.-]+\Z")]
Quantity = Annotated[int, Meta(ge=1, le=1000)]


class LineBody(Struct, frozen=True, forbid_unknown_fields=True):
    """So many of one dish."""

    sku: Name
    quantity: Quantity


class CustomerBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to call."""

    name: PersonName
    phone: Phone | None = None


class OrderBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /orders`."""

    restaurant_id: Name
    lines: Annotated[tuple[LineBody, ...], Meta(min_length=1, max_length=100)]
    customer: CustomerBody

    def order_lines(self) -> list[OrderLine]:
        """Return the lines as order knows them."""
        return [OrderLine(line.sku, line.quantity) for line in self.lines]

    def whom(self) -> Customer:
        """Return the customer as order knows one."""
        return Customer(self.customer.name, self.customer.phone)
