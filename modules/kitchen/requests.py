"""What kitchen takes over HTTP, and its limits."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class CapacityBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `PUT /kitchen/capacity`, and the form of the page."""

    max_open_tickets: Annotated[int, Meta(ge=0, le=1_000_000)]
