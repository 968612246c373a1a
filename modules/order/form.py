"""The order form of the page: dishes with quantities, whom to call, and what makes it count once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from flask import request

from bus.integrations.http import Problem, read_form
from modules.order.requests import OrderBody

#: What the names of the quantities begin with; the dish follows.
QUANTITY = "quantity."
#: The input that says which rendering of the form it is, and what that looks like.
FORM_ID, FORM_ID_PATTERN = "form_id", r"[0-9a-f-]{16,64}"


def read_order_form() -> OrderBody:
    """Return the form as the order that the HTTP interface would take.

    Raises:
        Problem: 422 with `field` where that would refuse it, or no dish is chosen.
    """
    return read_form(OrderBody, shape=_body_of)


def form_digest() -> str | None:
    """Return the same text for the same form with the same contents, and for no other; None for one without an id."""
    if not re.fullmatch(FORM_ID_PATTERN, request.form.get(FORM_ID, "")):
        return None
    contents = "\0".join(f"{name}\0{value}" for name, value in sorted(request.form.items()))
    return hashlib.sha256(contents.encode()).hexdigest()


def _body_of(filled: Mapping[str, str]) -> dict[str, object]:
    rest = {name: text for name, text in filled.items() if name != FORM_ID}
    wanted = {name.removeprefix(QUANTITY): rest.pop(name) for name in list(rest) if name.startswith(QUANTITY)}
    lines = [{"sku": sku, "quantity": text} for sku, text in wanted.items() if text.strip().strip("0")]
    if not lines:
        raise Problem(422, "Choose a dish first: every quantity is 0.", field=QUANTITY)
    customer = {name: rest.pop(name) for name in ("name", "phone") if name in rest}
    return {**rest, "lines": lines, "customer": customer}
