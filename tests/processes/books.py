"""What the databases say after everything: nothing lost, nothing twice, nothing that nobody wanted, nothing stuck."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from sqlalchemy import text

from bus import Database

#: What is on the shelf when the demo menu is new.
STOCK = 1_000_000

#: The modules of the application.
MODULES = ("order", "restaurant", "kitchen")


class Books:
    """The databases of the application, asked with SQL."""

    def __init__(self, url: str) -> None:
        self._url = url

    def is_settled(self) -> bool:
        """Say whether nothing is owed or runs again."""
        open_rows = ("bus_outbox", "bus_inbox WHERE state = 'retrying'")
        return not any(self._count(module, rows) for module in MODULES for rows in open_rows)

    def owed_to(self, target: str) -> list[tuple[int, int]]:
        """Return when each of the events that a module is owed is due, and how often it was sent."""
        question = f"SELECT due_at, sends FROM bus_outbox WHERE target = '{target}'"
        return [row for module in MODULES for row in self._rows(module, question)]

    def cooked(self) -> list[str]:
        """Return the order of each ticket."""
        return [order_id for (order_id,) in self._rows("kitchen", "SELECT order_id FROM tickets")]

    def publications(self, module: str, listener: str) -> list[tuple[str, str | None, int]]:
        """Return the state of each of a listener's publications, its reason, and how often it has crashed."""
        return self._rows(module, f"SELECT state, reason, crashes FROM bus_inbox WHERE listener = '{listener}'")

    def require_exact(self, answered: Mapping[str, int]) -> None:
        """Fail where anything is wrong."""
        assert {what: count for what, count in self.wrongs(answered).items() if count} == {}

    def wrongs(self, answered: Mapping[str, int]) -> dict[str, int]:
        """Count what is wrong, by what it is, beside what customers were told; orders taken unanswered count too."""
        placed = self._pairs("order", "SELECT order_id, quantity FROM order_lines")
        accepted = self._pairs("order", "SELECT order_id, 1 FROM orders WHERE status = 'accepted'")
        tickets = Counter(self.cooked())
        [(stock,)] = self._rows("restaurant", "SELECT stock FROM dishes WHERE sku = 'margherita'")
        ids = [id for module in MODULES for (id,) in self._rows(module, "SELECT id FROM bus_event")]
        return {
            "answered orders that are not there, or another's": len(answered.items() - placed.items()),
            "orders that were not accepted": len(placed.keys() - accepted.keys()),
            "orders without a ticket": len(placed.keys() - tickets.keys()),
            "second tickets for an order": tickets.total() - len(tickets),
            "dishes that the stock has too many or too few": abs(STOCK - int(stock) - sum(placed.values())),
            "ids that two events have": len(ids) - len(set(ids)),
            "publications that did not complete": sum(
                self._count(module, "bus_inbox WHERE state <> 'completed'") for module in MODULES
            ),
        }

    def _pairs(self, module: str, question: str) -> dict[str, int]:
        return dict(self._rows(module, question))

    def _count(self, module: str, what: str) -> int:
        [(found,)] = self._rows(module, f"SELECT count(*) FROM {what}")
        return int(found)

    def _rows(self, module: str, question: str) -> list[Any]:
        with self._database(module) as database, database.read() as session:
            return [tuple(row) for row in session.execute(text(question))]

    @contextmanager
    def _database(self, module: str) -> Iterator[Database]:
        with closing(Database(module, self._url.replace("{module}", module))) as database:
            yield database
