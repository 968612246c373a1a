"""One order for each idempotency key, however often it is sent."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from bus import Clock, Database, transactional
from modules.order.model import Customer, Order, OrderLine
from modules.order.services import CustomerOrders, find_order
from modules.order.tables import idempotency_keys

#: For how long the same key gives the same order.
REMEMBERED = timedelta(hours=24)
#: Keys that one order forgets, so that none is held up for long; it adds one, so they cannot pile up.
BATCH = 100


class KeyReusedError(Exception):
    """Raised when a key that has given an order comes with another body."""

    def __init__(self) -> None:
        super().__init__("this key has placed another order; take a fresh key for each order")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to order, as it may be kept: neither the key nor the body can be read from it.

    Attributes:
        digest: Stands for the key.
        fingerprint: Stands for the body. The key goes into it, so that nobody who reads the table can try out
            which customer it was.
    """

    digest: str
    fingerprint: str

    @classmethod
    def of(cls, key: str, body: bytes) -> Attempt:
        """Return the attempt that a client calls `key`, with its body in a form that equal bodies share."""
        secret = key.encode()
        return cls(hashlib.sha256(secret).hexdigest(), hmac.new(secret, body, "sha256").hexdigest())


class OrdersOnce:
    """Places orders, one for each key."""

    def __init__(self, database: Database, orders: CustomerOrders, clock: Clock) -> None:
        self.database = database
        self._orders = orders
        self._clock = clock

    @transactional
    def place(self, attempt: Attempt, restaurant_id: str, lines: Iterable[OrderLine], customer: Customer) -> Order:
        """Take the order, or return the one that this attempt has placed before.

        The key is kept in the transaction of the order: either both are there or neither. It is the primary key of
        its table, so of two transactions that run side by side at most one can place an order.

        Raises:
            KeyReusedError: The key has placed another order within the last 24 hours.
        """
        now = self._clock.now()
        self._forget(attempt, now)
        known = self._find(attempt)
        if known is not None:
            return self._shown(known)
        try:
            with self.database.savepoint():
                order = self._orders.place(restaurant_id, lines, customer)
                self._remember(attempt, order, now)
        except IntegrityError:
            # Where rows are locked and not the file, another transaction may have placed the order meanwhile.
            known = self._find(attempt)
            if known is None:
                raise
            return self._shown(known)
        return order

    def _shown(self, order_id: str) -> Order:
        order = find_order(self.database, order_id)
        # It is shown when the session is gone.
        self.database.session.refresh(order, ["lines"])
        return order

    def _remember(self, attempt: Attempt, order: Order, now: datetime) -> None:
        adding = insert(idempotency_keys).values(
            digest=attempt.digest,
            fingerprint=attempt.fingerprint,
            order_id=order.order_id,
            forgotten_at=now + REMEMBERED,
        )
        self.database.session.execute(adding)

    def _find(self, attempt: Attempt) -> str | None:
        query = select(idempotency_keys).where(idempotency_keys.c.digest == attempt.digest)
        found = self.database.session.execute(query).one_or_none()
        if found is None:
            return None
        if found.fingerprint != attempt.fingerprint:
            raise KeyReusedError
        return str(found.order_id)

    def _forget(self, attempt: Attempt, now: datetime) -> None:
        """Forget this attempt's key if it is old enough, and some others that are."""
        keys = idempotency_keys.c
        oldest = select(keys.digest).where(keys.forgotten_at <= now).order_by(keys.forgotten_at).limit(BATCH)
        is_due = keys.digest.in_(oldest) | ((keys.digest == attempt.digest) & (keys.forgotten_at <= now))
        self.database.session.execute(delete(idempotency_keys).where(is_due))
