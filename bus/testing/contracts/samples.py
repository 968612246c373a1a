"""What the contracts send, store and receive."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bus.database import Database
from bus.envelope import Envelope
from bus.testing.clock import FakeClock


def sample(number: int, *, source: str = "order") -> Envelope:
    """Return an envelope; two of different numbers differ in every field that tells events apart."""
    return Envelope(
        id=f"{number:08x}-0000-7000-8000-000000000000",
        source=source,
        type=f"{source}.placed",
        version=2,
        subject=f"key {number}",
        time=1_767_225_600_000_000 + number,
        correlationid=f"story {number}",
        causationid=f"cause {number}" if number % 2 else None,
        traceparent=f"00-{number:032x}-{number:016x}-01" if number % 2 else None,
        data=f'{{"number":{number},"name":"Åsa \U0001f600"}}'.encode(),
    )


class StoreFixtures:
    """What the contracts of stores need beside the store; a subclass may replace each of them."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        """Return the clock by which the store tells the time."""
        return FakeClock()

    @pytest.fixture
    def database(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
        """Return a database with the bus's tables and nothing in them; an SQLite file unless it is replaced.

        Each block of its `write()` is a transaction on a connection of its own.
        """
        database = Database("order", f"sqlite:///{tmp_path_factory.mktemp('store')}/order.db")
        database.create_tables()
        yield database
        database.close()
