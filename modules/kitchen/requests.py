"""What kitchen takes over HTTP, and its limits."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from bus.integrations.http import DEFAULT_LIMIT, Limit, Uuid
from modules.kitchen.model import TicketStatus


class TicketsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The query of `GET /kitchen/tickets`."""

    limit: Limit = DEFAULT_LIMIT
    after: Uuid | None = None
    status: TicketStatus | None = None


class CapacityBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How many tickets may be open or cooking at once."""

    max_open_tickets: Annotated[int, Meta(ge=0, le=1_000_000, examples=[100_000])]
