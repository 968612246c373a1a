"""Mistakes that show where a process ends, forks, or shares a database with others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, literal

from bus.clock import Clock
from bus.database import Database
from bus.dialects import PostgresqlDialect
from bus.envelope import Envelope
from bus.inbox import sqlalchemy as inbox_store
from bus.inbox.dead_letters import DeadLetterStore
from bus.inbox.retention import SKEW, Forgetter
from bus.inbox.runner import Runner
from bus.inbox.store import Publication
from bus.inbox.verdict import Judge
from bus.inbox.workers import Workers
from bus.listener import Listener
from bus.outbox import sqlalchemy as outbox_store
from bus.retry import RetryPolicy
from tests.faults.putting import put


def acknowledge_before_the_commit() -> None:
    run_fresh = Workers._run_fresh

    def acknowledge_and_run(self: Workers, envelope: Envelope, sends: int) -> None:
        self._finished(self.inbox.module, envelope, True)
        run_fresh(self, envelope, sends)

    put(Workers, "_run_fresh", acknowledge_and_run)


def claim_what_others_hold() -> None:
    def held_too(_self: PostgresqlDialect, rows: Select[Any]) -> Select[Any]:
        return rows.with_for_update()

    put(PostgresqlDialect, "unheld", held_too)


def go_by_the_clock_of_the_process() -> None:
    def present(_database: Database, clock: Clock) -> ColumnElement[int]:
        return bindparam("present", callable_=clock.microseconds, type_=BigInteger)

    put(inbox_store, "present", present)
    put(outbox_store, "present", present)


def fork_as_if_nothing_were_open() -> None:
    for step in ("before_fork", "after_fork_in_parent", "after_fork_in_child"):
        put(Database, step, lambda _self: None)


def forget_before_the_last_send() -> None:
    make = Forgetter.__init__

    def make_forgetful(self: Forgetter, store: DeadLetterStore, clock: Clock, _retention: timedelta) -> None:
        make(self, store, clock, timedelta(microseconds=outbox_store.FIRST_INTERVAL) - SKEW)

    put(Forgetter, "__init__", make_forgetful)


def take_a_cancelled_listener_for_completed() -> None:
    run = Runner._in_transaction

    def run_and_swallow(self: Runner, listener: Listener, *rest: Any) -> None:
        def call(payload: object) -> object:
            try:
                return listener.call(payload)
            except (SystemExit, KeyboardInterrupt, asyncio.CancelledError):
                return None

        run(self, replace(listener, call=call), *rest)

    put(Runner, "_in_transaction", run_and_swallow)


def blame_whatever_ran() -> None:
    on_crash = Judge.on_crash

    def on_any_crash(self: Judge, publication: Publication, policy: RetryPolicy) -> Any:
        return on_crash(self, replace(publication, is_suspect=True), policy)

    put(Judge, "on_crash", on_any_crash)


def send_again_at_a_fixed_interval() -> None:
    interval: Callable[[], ColumnElement[int]] = lambda: literal(outbox_store.FIRST_INTERVAL, BigInteger)  # noqa: E731
    put(outbox_store, "_interval", interval)
