"""Whatever people do, and in whatever sequence and however often news arrives: the modules come to agree."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from modular_app.app import create_app
from tests.app.letters import Letter, Letters
from tests.app.plain import PlainCounter

SKUS = ("ramen", "espresso")
STOCK, CAPACITY = 5, 2

#: What one step does, and a number that says to which order or letter. What is named more often is done more often.
ACTIONS = "place place deliver deliver deliver deliver latest latest repeat cancel start start finish finish collect"
STEPS = st.lists(
    st.tuples(st.sampled_from([*ACTIONS.split(), "switch", "restock", "resize"]), st.integers(0, 11)),
    min_size=8,
    max_size=45,
)

#: What the restaurant holds for an order of each status, and what has become of its ticket, when all is delivered.
AGREED: dict[str, tuple[bool, set[str | None]]] = {
    "accepted": (True, {"open"}),
    "preparing": (True, {"cooking"}),
    "ready": (True, {"done"}),
    "completed": (True, {"done"}),
    "rejected": (False, {None}),
    # What was cooked when the cancellation came, is cooked.
    "cancelled": (False, {None, "void", "done"}),
}


class Both:
    """The application and the plain story, taken through the same steps."""

    def __init__(self, letters: Letters) -> None:
        self.real = letters
        self.plain = PlainCounter(dict.fromkeys(SKUS, STOCK), CAPACITY)
        self.owned = dict.fromkeys(SKUS, STOCK)
        for sku in SKUS:
            letters.set_stock(sku, STOCK)
        letters.resize(CAPACITY)

    def step(self, action: str, number: int) -> None:
        if action == "place":
            self.place(SKUS[number % 2], 1 + number % 3)
        elif action in ("cancel", "start", "finish", "collect"):
            self.command(action, number)
        elif action in ("deliver", "latest", "repeat"):
            self.post(action, number)
        else:
            self.arrange(action, number)
        self.compare()

    def place(self, sku: str, quantity: int) -> None:
        order_id = self.real.place(sku, quantity)
        self.plain.add(order_id, sku, quantity)

    def command(self, action: str, number: int) -> None:
        if self.plain.orders:
            order_id = list(self.plain.orders)[-1 - number % len(self.plain.orders)]
            assert getattr(self.real, action)(order_id) is getattr(self.plain, action)(order_id)

    def post(self, action: str, number: int) -> None:
        letters = self.real.delivered if action == "repeat" else self.real.waiting
        if letters:
            self.deliver(letters[-1] if action == "latest" else letters[number % len(letters)])

    def deliver(self, letter: Letter) -> None:
        reason = json.loads(letter.envelope.data).get("reason")
        self.real.deliver(letter)
        self.plain.hear(letter.target, letter.name, letter.order_id, reason)

    def arrange(self, action: str, number: int) -> None:
        if action == "switch":
            self.plain.is_open = not self.plain.is_open
            self.real.set_open(self.plain.is_open)
        elif action == "resize":
            self.plain.capacity = number % 3
            self.real.resize(number % 3)
        else:
            sku, stock = SKUS[number % 2], number // 2
            self.real.set_stock(sku, stock)
            self.plain.stock[sku] = stock
            self.owned[sku] = stock + self.plain.held(sku)

    def compare(self) -> None:
        plain, real = self.plain, self.real
        assert real.orders() == {id: (one.status, one.reason, one.history) for id, one in plain.orders.items()}
        assert real.tickets() == plain.tickets()
        assert real.stock(*SKUS) == plain.stock

    def settle(self) -> None:
        while self.real.waiting:
            self.deliver(self.real.waiting[-1])
        self.compare()
        for letter in list(self.real.delivered):
            self.deliver(letter)
        assert not self.real.waiting
        self.compare()


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    """Make the databases of a first start once; each example begins with a copy."""
    with tempfile.TemporaryDirectory() as folder:
        with application(Path(folder)):
            pass
        yield Path(folder)


@contextmanager
def application(folder: Path) -> Iterator[Letters]:
    app = create_app({"TESTING": True, "DATABASE_URL": f"sqlite:///{folder}/{{module}}.db"})
    yield Letters(app)
    for database in app.extensions["modular-app"].databases.values():
        database.close()


@contextmanager
def both(template: Path) -> Iterator[Both]:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(template, Path(folder) / "databases"))
        with application(copy) as letters:
            yield Both(letters)


def check_agreement(both: Both) -> None:
    tickets, held = both.real.tickets(), both.real.held()
    for order_id, (status, *_) in both.real.orders().items():
        is_held, possible = AGREED[str(status)]
        assert (order_id in held) is is_held, (order_id, status)
        assert tickets.get(order_id) in possible, (order_id, status)


def check_stock(both: Both) -> None:
    held = both.real.held()
    for sku, left in both.real.stock(*SKUS).items():
        assert left >= 0
        assert left + sum(lines.get(sku, 0) for lines in held.values()) == both.owned[sku]


def check_read_models(both: Both) -> None:
    real = both.real
    shown = (real.order.reader().newest(1000), real.kitchen.reader().oldest(1000), real.stock(*SKUS))

    real.order.followed_orders().rebuild()
    real.kitchen.board().rebuild()
    real.restaurant.menu_cards().rebuild()

    assert (real.order.reader().newest(1000), real.kitchen.reader().oldest(1000), real.stock(*SKUS)) == shown


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    # Each step is a transaction: making a failing sequence shorter would take minutes.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_modules_agree_whatever_is_done_and_however_news_arrives(template: Path, steps: list[tuple[str, int]]) -> None:
    with both(template) as counter:
        for action, number in steps:
            counter.step(action, number)
            check_stock(counter)

        counter.settle()

        check_agreement(counter)
        check_stock(counter)
        check_read_models(counter)
