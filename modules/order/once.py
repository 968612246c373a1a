"""Forms that were sent before: a form that comes twice, from an impatient finger or a reload, is one order."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, insert, select

from bus import Clock, Database, transactional
from modules.order.requests import OrderBody
from modules.order.services import CustomerOrders
from modules.order.tables import sent_forms

#: For how long a form that comes again is known.
MEMORY = timedelta(hours=24)


class FormOrders:
    """Places the orders of the page's form, each once."""

    def __init__(self, database: Database, orders: CustomerOrders, clock: Clock) -> None:
        self.database = database
        self._orders = orders
        self._clock = clock

    @transactional
    def place(self, body: OrderBody, digest: str | None) -> str:
        """Place the order, unless the same form has placed one already; return the order's id.

        Both stand in one transaction, so whatever happens to the process there is one order for one form.

        Args:
            body: The order.
            digest: What tells this form from every other, or None where nothing does.
        """
        session, now = self.database.session, self._clock.now()
        if digest is not None:
            session.execute(delete(sent_forms).where(sent_forms.c.at < now - MEMORY))
            known: str | None = session.scalar(select(sent_forms.c.order_id).where(sent_forms.c.digest == digest))
            if known is not None:
                return known
        order_id = self._orders.place(body.restaurant_id, body.order_lines(), body.whom()).order_id
        if digest is not None:
            session.execute(insert(sent_forms).values(digest=digest, order_id=order_id, at=now))
        return order_id
