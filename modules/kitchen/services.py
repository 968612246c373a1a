"""What the kitchen does with orders and tickets; a transaction each."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select

from bus import Clock, Database, IdSource, ModuleBus, transactional
from modules.kitchen.contract import OrderReady, PreparationStarted, TicketOpened, TicketRefused
from modules.kitchen.events import Portion, TicketMoved, TicketPutUp
from modules.kitchen.model import KITCHEN_FULL, WORKING, Ticket, TicketLine
from modules.kitchen.room import find_capacity
from modules.kitchen.tables import tickets


class TicketNotFoundError(Exception):
    """Raised when no ticket has that id.

    Attributes:
        ticket_id: The id.
    """

    def __init__(self, ticket_id: str) -> None:
        self.ticket_id = ticket_id
        super().__init__(f"there is no ticket {ticket_id}")


class TicketDesk:
    """Opens tickets for orders, and voids those of cancelled ones."""

    def __init__(self, database: Database, bus: ModuleBus, clock: Clock, ids: IdSource) -> None:
        self.database = database
        self._bus = bus
        self._clock = clock
        self._ids = ids

    @transactional
    def open(self, order_id: str, lines: Iterable[TicketLine]) -> None:
        """Open the order's ticket where there is room, or refuse it; once for each order.

        An order that was cancelled first, or refused before, is left alone.
        """
        # The lock on the capacity comes first, so that two orders never share the last place.
        capacity = find_capacity(self.database)
        if self._find(order_id) is not None:
            return
        if capacity.has_room(self._working()):
            self._put_up(order_id, lines)
        else:
            self._keep_out(order_id)
            self._bus.publish(TicketRefused(order_id, KITCHEN_FULL))

    @transactional
    def void(self, order_id: str) -> None:
        """Stop work on the order, and never open a ticket for it from now on."""
        ticket = self._find(order_id)
        if ticket is None:
            self._keep_out(order_id)
        elif ticket.status in WORKING:
            ticket.void()
            self._bus.publish(TicketMoved(ticket.ticket_id, ticket.status))

    def _put_up(self, order_id: str, lines: Iterable[TicketLine]) -> None:
        now = self._clock.now()
        ticket = Ticket(self._ids.new(), order_id, lines, now)
        self.database.session.add(ticket)
        portions = tuple(Portion(line.name, line.quantity) for line in ticket.lines)
        self._bus.publish(TicketPutUp(ticket.ticket_id, order_id, portions, now))
        self._bus.publish(TicketOpened(order_id, ticket.ticket_id))

    def _keep_out(self, order_id: str) -> None:
        self.database.session.add(Ticket(self._ids.new(), order_id, [], opened_at=None))

    def _find(self, order_id: str) -> Ticket | None:
        query = select(Ticket).where(tickets.c.order_id == order_id)
        return self.database.session.scalars(query.with_for_update()).one_or_none()

    def _working(self) -> int:
        query = select(func.count()).select_from(tickets).where(tickets.c.status.in_(WORKING))
        return self.database.session.scalars(query).one()


class Stove:
    """What cooks do with tickets."""

    def __init__(self, database: Database, bus: ModuleBus) -> None:
        self.database = database
        self._bus = bus

    @transactional
    def start(self, ticket_id: str) -> Ticket:
        """Begin to cook a ticket.

        Raises:
            TicketNotFoundError: No ticket has that id.
            TicketConflictError: It is not open.
        """
        ticket = self._find(ticket_id)
        ticket.start()
        self._bus.publish(TicketMoved(ticket_id, ticket.status))
        self._bus.publish(PreparationStarted(ticket.order_id, ticket_id))
        return ticket

    @transactional
    def finish(self, ticket_id: str) -> Ticket:
        """Put a cooked order on the counter.

        Raises:
            TicketNotFoundError: No ticket has that id.
            TicketConflictError: It is not cooking.
        """
        ticket = self._find(ticket_id)
        ticket.finish()
        self._bus.publish(TicketMoved(ticket_id, ticket.status))
        self._bus.publish(OrderReady(ticket.order_id, ticket_id))
        return ticket

    def _find(self, ticket_id: str) -> Ticket:
        ticket = self.database.session.get(Ticket, ticket_id, with_for_update=True)
        if ticket is None or ticket.opened_at is None:
            raise TicketNotFoundError(ticket_id)
        return ticket
