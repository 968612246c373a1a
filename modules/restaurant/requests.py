"""What restaurant takes over HTTP, and its limits."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from bus.integrations.http import DEFAULT_LIMIT, Limit, Problem
from bus.integrations.text import VISIBLE_LINE
from modules.restaurant.model import DishDetails, Money

#: What a sku and the id of a restaurant look like.
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"

RestaurantId = Annotated[str, Meta(pattern=rf"^{NAME}\Z", examples=["demo"])]
Sku = Annotated[str, Meta(pattern=rf"^{NAME}\Z", examples=["margherita"])]
DishName = Annotated[str, Meta(max_length=100, pattern=VISIBLE_LINE, examples=["Pizza Margherita"])]
Amount = Annotated[str, Meta(pattern=r"^[0-9]{1,7}(\.[0-9]{1,2})?\Z", examples=["8.50"])]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z", examples=["EUR"])]
Stock = Annotated[int, Meta(ge=0, le=1_000_000_000, examples=[40])]


class RestaurantsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The query of `GET /restaurants`."""

    limit: Limit = DEFAULT_LIMIT
    after: RestaurantId | None = None


class MenuQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The query of `GET /restaurants/<id>/menu`."""

    limit: Limit = DEFAULT_LIMIT
    after: Sku | None = None


class MoneyBody(Struct, frozen=True, forbid_unknown_fields=True):
    """An exact amount, as text, in one currency."""

    amount: Amount
    currency: Currency


class DishBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `PUT /restaurants/<id>/menu/<sku>`."""

    name: DishName
    price: MoneyBody
    stock: Stock
    available: bool

    def details(self) -> DishDetails:
        """Return the dish as restaurant knows it."""
        amount = Decimal(self.price.amount).quantize(Decimal("0.01"))
        return DishDetails(self.name, Money(amount, self.price.currency), self.stock, self.available)


class AvailabilityForm(Struct, frozen=True, forbid_unknown_fields=True):
    """The form of the page that takes a dish off the menu, or puts it back."""

    available: bool


def check_sku(sku: str) -> str:
    """Return the text where it can name a dish.

    Raises:
        Problem: 422 for any other text.
    """
    if not re.fullmatch(NAME, sku):
        raise Problem(422, "a sku is up to 64 letters, digits, dots, dashes and underscores", field="sku")
    return sku
