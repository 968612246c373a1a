"""How much the kitchen takes on at once."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError

from bus import Database, ModuleBus, transactional
from modules.kitchen.events import CapacitySet
from modules.kitchen.model import CAPACITY_ID, Capacity


class Room:
    """How much the kitchen takes on at once."""

    def __init__(self, database: Database, bus: ModuleBus) -> None:
        self.database = database
        self._bus = bus

    @transactional
    def resize(self, max_open_tickets: int) -> None:
        """Set how many tickets may be open or cooking at once; those that are stay."""
        find_capacity(self.database).max_open_tickets = max_open_tickets
        self._bus.publish(CapacitySet(max_open_tickets))


def find_capacity(database: Database) -> Capacity:
    """Return the kitchen's capacity, locked for the running transaction."""
    return _locked(database) or _first(database)


def _first(database: Database) -> Capacity:
    capacity = Capacity()
    try:
        with database.savepoint():
            database.session.add(capacity)
            database.session.flush()
    except IntegrityError:
        # Where rows are locked and not the file, another transaction may have been the first one.
        found = _locked(database)
        if found is None:
            raise
        return found
    return capacity


def _locked(database: Database) -> Capacity | None:
    return database.session.get(Capacity, CAPACITY_ID, with_for_update=True)
