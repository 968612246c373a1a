"""Reads from the databases what a run has left in them; keeps no connection open, so that its process may fork."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from typing import Any

from sqlalchemy import text

from tests.chaos.accounting import Holdings
from tests.chaos.chain import TABLES, databases
from tests.chaos.waiting import Ended, Times

#: What stands for each step of an order's way: the module, and the question for the numbers.
STEPS = {
    "orders": ("order", "SELECT number FROM orders"),
    "events of orders": ("order", "SELECT CAST(key AS integer) FROM bus_event"),
    "tickets": ("kitchen", "SELECT number FROM tickets"),
    "events of tickets": ("kitchen", "SELECT CAST(key AS integer) FROM bus_event"),
    "invoices": ("bill", "SELECT number FROM invoices"),
    "notes of tickets": ("bill", "SELECT number FROM notes"),
}

_OWED = "SELECT target, event_id, sends FROM bus_outbox"
_OPEN = "SELECT listener, event_id, state, reason FROM bus_inbox WHERE state NOT IN ('completed', 'dead')"
_DEAD = "SELECT listener, event_id, reason, error FROM bus_inbox WHERE state = 'dead'"
_EVENTS = "SELECT id, CAST(key AS integer), time FROM bus_event"
_DONE = "SELECT event_id, due_at, listener, starts, failures, crashes FROM bus_inbox WHERE state = 'completed'"


def create_tables(url: str) -> None:
    """Create the tables of every module."""
    for database in databases(url).values():
        with closing(database):
            database.create_tables()


def is_settled(url: str) -> bool:
    """Say whether nothing is owed or to be run in any module."""
    return not any(_rows(url, module, f"{question} LIMIT 1") for module in TABLES for question in (_OWED, _OPEN))


def holdings(url: str) -> Holdings:
    """Return what the databases hold."""
    return Holdings(
        {step: Counter(number for (number,) in _rows(url, *asked)) for step, asked in STEPS.items()},
        stuck=[f"owed: {row}" for row in _every(url, _OWED)] + [f"open: {row}" for row in _every(url, _OPEN)],
        dead=[f"dead: {row}" for row in _every(url, _DEAD)],
    )


def times(url: str) -> Times:
    """Return when each order was placed, and when each of its listeners ended."""
    placed = {number: at for _, number, at in _rows(url, "order", _EVENTS)}
    number_of = {
        event_id: number for module in ("order", "kitchen") for event_id, number, _ in _rows(url, module, _EVENTS)
    }
    ended = [
        Ended(number_of[event_id], at, f"{listener}, {starts} starts, {failures} failures, {crashes} crashes")
        for event_id, at, listener, starts, failures, crashes in _every(url, _DONE)
    ]
    return Times(placed, ended)


def _every(url: str, question: str) -> list[Any]:
    return [row for module in TABLES for row in _rows(url, module, question)]


def _rows(url: str, module: str, question: str) -> list[Any]:
    with closing(databases(url)[module]) as database, database.read() as session:
        return [tuple(row) for row in session.execute(text(question))]
