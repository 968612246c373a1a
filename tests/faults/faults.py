"""Faults that other outboxes and inboxes have, each switched on by itself: do our tests notice?

A fault puts one deliberate mistake into the running code. It is applied in a process of its own, in which the tests
that should catch it are run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, delete, update
from sqlalchemy.exc import OperationalError

from bus.inbox.runner import Runner
from bus.inbox.sqlalchemy import SqlAlchemyInboxStore
from bus.inbox.store import Outcome, Publication
from bus.sqlite import WriterQueue
from bus.tables import bus_inbox
from bus.transaction import SqlAlchemyUnitOfWork
from tests.faults import processes
from tests.faults.layers import layer_of
from tests.faults.putting import put


@dataclass(frozen=True, slots=True)
class Fault:
    """A deliberate mistake.

    Attributes:
        means: What is wrong with the code then.
        apply: Puts it into this process, for good.
        caught_by: The tests that have to fail, as pytest names them, each with its parameters.
        raising: The errors, besides those of an assertion, that it is noticed by.
    """

    means: str
    apply: Callable[[], None]
    caught_by: tuple[str, ...]
    raising: tuple[type[Exception], ...] = ()

    @property
    def layers(self) -> list[str]:
        """The layers that catch it, sorted."""
        return sorted(set(map(layer_of, self.caught_by)))


def complete_in_a_second_transaction() -> None:
    attempt = Runner._attempt

    def leave_uncompleted(_self: Runner, connection: Connection, run: Any, _began: int) -> None:
        publication = run.publication
        mine = (bus_inbox.c.listener == publication.listener_id, bus_inbox.c.event_id == publication.envelope.id)
        # As if it had not begun, or with the mark of its beginning: what ends here now is delivered again.
        as_before = update(bus_inbox).values(state="retrying") if publication.starts else delete(bus_inbox)
        connection.execute(as_before.where(*mine))

    def complete_after(self: Runner, listener: Any, run: Any) -> Any:
        failure = attempt(self, listener, run)
        if failure is None:
            with self._database.write() as connection:
                if self._store.start(connection, run.publication):
                    self._store.complete(connection, run.publication, 0)
        return failure

    put(Runner, "_complete", leave_uncompleted)
    put(Runner, "_attempt", complete_after)


def start_without_looking() -> None:
    mark, start = SqlAlchemyInboxStore.mark, SqlAlchemyInboxStore.start

    def forget(connection: Connection, publication: Publication) -> None:
        mine = (bus_inbox.c.listener == publication.listener_id, bus_inbox.c.event_id == publication.envelope.id)
        connection.execute(delete(bus_inbox).where(*mine))

    def mark_anyway(self: SqlAlchemyInboxStore, connection: Connection, publication: Publication) -> bool:
        forget(connection, publication)
        return mark(self, connection, publication)

    def start_anyway(self: SqlAlchemyInboxStore, connection: Connection, publication: Publication) -> bool:
        forget(connection, publication)
        return start(self, connection, replace(publication, starts=0))

    put(SqlAlchemyInboxStore, "mark", mark_anyway)
    put(SqlAlchemyInboxStore, "start", start_anyway)


def record_failures_without_a_fence() -> None:
    record = SqlAlchemyInboxStore.record

    def record_anyway(self: SqlAlchemyInboxStore, publication: Publication, outcome: Outcome) -> bool:
        mine = (bus_inbox.c.listener == publication.listener_id, bus_inbox.c.event_id == publication.envelope.id)
        with self._database.write() as connection:
            connection.execute(delete(bus_inbox).where(*mine))
        return record(self, replace(publication, starts=0), outcome)

    put(SqlAlchemyInboxStore, "record", record_anyway)


def count_attempts_at_the_end() -> None:
    start = SqlAlchemyInboxStore.start

    def start_unmarked(self: SqlAlchemyInboxStore, connection: Connection, publication: Publication) -> bool:
        return start(self, connection, replace(publication, starts=0))

    put(SqlAlchemyInboxStore, "mark", lambda _self, _connection, _publication: True)
    put(SqlAlchemyInboxStore, "start", start_unmarked)


def run_listeners_in_after_commit() -> None:
    commit = SqlAlchemyUnitOfWork._commit

    def tell_at_once(self: SqlAlchemyUnitOfWork) -> None:
        commit(self)
        for participant in self._participants.values():
            participant.after_commit()
        self._participants.clear()

    put(SqlAlchemyUnitOfWork, "_commit", tell_at_once)


def begin_deferred() -> None:
    put(WriterQueue, "enter", lambda _self, connection: connection.exec_driver_sql("BEGIN"))


def forget_savepoints() -> None:
    put(SqlAlchemyUnitOfWork, "rewind", lambda _self, _savepoint: None)


def take_a_swallowed_error_for_success() -> None:
    put(SqlAlchemyUnitOfWork, "database_failed", lambda _self, _error: None)
    put(SqlAlchemyUnitOfWork, "fail", lambda _self, _error: None)


def _on_both(test: str) -> tuple[str, str]:
    return f"{test}[sqlite]", f"{test}[postgresql]"


_INBOX, _MARKS = "tests/durable/test_inbox.py", "tests/durable/test_marks.py"
_STORES = "tests/contracts/test_stores.py"
_INBOX_STORE, _OUTBOX_STORE = f"{_STORES}::TestSqlAlchemyInboxStore", f"{_STORES}::TestSqlAlchemyOutboxStore"
_DATABASES = "tests/contracts/test_databases.py"
_CHAOS = "tests/chaos/test_chaos.py"
_DATABASE = "tests/durable/test_database.py"
_SCHEDULES, _MACHINES = "tests/simulation/test_schedules.py", "tests/simulation/test_machines.py"
_ANY_SCHEDULE = f"{_SCHEDULES}::test_everything_is_accounted_for_after_any_schedule"
_FOUND_ONCE = f"{_SCHEDULES}::test_what_was_found_once_is_found_no_more"
_ANY_INBOX = f"{_MACHINES}::test_inbox_keeps_what_a_plain_model_of_it_would[sqlite]"
_ANY_OUTBOX = f"{_MACHINES}::test_outbox_keeps_what_a_plain_model_of_it_would[sqlite]"
_KILL = "tests/durable/test_crashes.py::test_scenario_09_kill_9_at_a_failpoint_loses_nothing_and_repeats_no_effect"
_CRASH_LOOP = "test_scenario_21_listener_that_kills_its_process_is_a_dead_letter_and_its_neighbours_complete"
_IN_A_LOOP = f"tests/durable/test_crashes.py::{_CRASH_LOOP}[sqlite]"
_HELD = "a_row_that_somebody_else_holds_and_does_not_wait[postgresql]"
_SERVER = "is_told_by_the_server_and_not_by_a_process_whose_clock_is_ahead[postgresql]"
_COMMIT, _UNITS = "tests/bus/test_semantics_commit.py", "tests/bus/test_semantics_units_of_work.py"

FAULTS = {
    "completion in a second transaction": Fault(
        "a crash between the two commits runs the listener again",
        complete_in_a_second_transaction,
        (
            *_on_both(f"{_INBOX}::test_completing_statement_is_the_last_before_the_commit"),
            f"{_FOUND_ONCE}[killed-right-after-the-commit-of-a-run]",
            f"{_CHAOS}::test_scenario_03_what_was_committed_right_before_a_kill_9_is_delivered_by_others[sqlite]",
        ),
    ),
    "no inbox check": Fault(
        "whatever is delivered twice has its effects twice",
        start_without_looking,
        (
            *_on_both(f"{_INBOX_STORE}::test_publication_is_marked_once"),
            _ANY_SCHEDULE,
            _ANY_INBOX,
            f"{_KILL}[sqlite-inbox.after_commit]",
            f"{_KILL}[postgresql-inbox.after_commit]",
        ),
    ),
    "unfenced failure record": Fault(
        "a failure that comes late undoes what somebody else has completed",
        record_failures_without_a_fence,
        (
            *_on_both(f"{_INBOX_STORE}::test_late_failure_does_not_undo_what_was_completed_meanwhile"),
            *_on_both(f"{_INBOX_STORE}::test_late_failure_does_not_disturb_a_run_that_was_taken_over"),
            _ANY_SCHEDULE,
            _ANY_INBOX,
        ),
    ),
    "attempts counted at the end": Fault(
        "a listener that kills its process is tried for ever",
        count_attempts_at_the_end,
        (
            *_on_both(f"{_MARKS}::test_later_send_commits_a_mark_before_the_listener_runs"),
            *_on_both(f"{_MARKS}::test_start_that_never_ended_is_a_crash_after_its_lease"),
            _ANY_SCHEDULE,
            _ANY_INBOX,
            _IN_A_LOOP,
        ),
        # There is no row of what has begun.
        raising=(KeyError, ValueError),
    ),
    "listeners in after_commit": Fault(
        "listeners run while the connection is still checked out, and cannot use the database",
        run_listeners_in_after_commit,
        (
            *_on_both(f"{_DATABASES}::test_connection_is_back_in_its_pool_before_anybody_hears_of_the_commit"),
            *_on_both(f"{_COMMIT}::test_t11_published_event_after_commit_is_recorded_in_a_unit_of_its_own"),
            *_on_both(f"{_COMMIT}::test_t14_session_of_the_finished_unit_is_gone_in_an_after_commit_listener"),
        ),
    ),
    "deferred BEGIN on SQLite": Fault(
        "what reads first and writes later overwrites what was committed in between",
        begin_deferred,
        (
            f"{_INBOX_STORE}::test_no_two_of_many_threads_claim_the_same_publication[sqlite]",
            f"{_DATABASE}::test_unit_of_work_holds_the_write_lock_from_its_first_statement_on",
            f"{_DATABASE}::test_concurrent_read_modify_write_loses_nothing",
        ),
        raising=(OperationalError,),
    ),
    "no savepoint bookkeeping": Fault(
        "events of a part that was rolled back are delivered",
        forget_savepoints,
        (
            *_on_both(f"{_UNITS}::test_t13_events_of_a_rolled_back_savepoint_are_dropped_with_it"),
            *_on_both(f"{_UNITS}::test_t13_published_events_of_a_rolled_back_savepoint_are_not_recorded"),
            _ANY_SCHEDULE,
        ),
    ),
    "swallowed error counted as success": Fault(
        "a listener that caught an error of the database counts as done, and its effects are gone",
        take_a_swallowed_error_for_success,
        (
            f"{_INBOX}::test_scenario_07_listener_that_swallows_an_error_of_a_statement_has_failed[sqlite]",
            _ANY_SCHEDULE,
        ),
    ),
    "acknowledgement before the commit": Fault(
        "what is acknowledged and then not recorded is lost",
        processes.acknowledge_before_the_commit,
        (
            *_on_both("tests/durable/test_outage.py::test_stop_during_an_outage_gives_back_what_waits"),
            f"{_FOUND_ONCE}[acknowledgement-written-in-the-middle-of-the-run]",
        ),
    ),
    "claim without SKIP LOCKED": Fault(
        "relays and workers wait for one another, and take what another has taken",
        processes.claim_what_others_hold,
        (
            f"{_OUTBOX_STORE}::test_claim_leaves_{_HELD}",
            f"{_INBOX_STORE}::test_claim_leaves_{_HELD}",
        ),
    ),
    "clock of the process": Fault(
        "a process whose clock is ahead takes what others still work on",
        processes.go_by_the_clock_of_the_process,
        (
            f"{_OUTBOX_STORE}::test_what_is_due_{_SERVER}",
            f"{_INBOX_STORE}::test_crash_{_SERVER}",
        ),
    ),
    "no fork guard": Fault(
        "a child uses its parent's connections, and reads another's rows",
        processes.fork_as_if_nothing_were_open,
        _on_both(f"{_DATABASES}::test_forked_child_is_never_given_a_connection_of_its_parent"),
    ),
    "retention below the window": Fault(
        "an event that is sent after its publication was forgotten runs its listeners again",
        processes.forget_before_the_last_send,
        (
            *_on_both(
                "tests/durable/test_retention.py"
                "::test_forgotten_publication_is_never_run_again_however_late_its_event_comes"
            ),
            _ANY_SCHEDULE,
        ),
    ),
    "cancelled listener counted as completed": Fault(
        "what a listener had not done when it was told to end is never done",
        processes.take_a_cancelled_listener_for_completed,
        (
            f"{_INBOX}::test_scenario_15_cancelled_listener_is_never_completed[sqlite-SystemExit]",
            f"{_INBOX}::test_scenario_15_cancelled_listener_is_never_completed[postgresql-SystemExit]",
            _ANY_SCHEDULE,
        ),
    ),
    "crash blamed on innocents": Fault(
        "what ran beside a listener that kills its process is given up with it",
        processes.blame_whatever_ran,
        (
            *_on_both(
                "tests/durable/test_crash_limits.py"
                "::test_scenario_21_innocents_that_ran_beside_a_crash_complete_and_none_is_blamed"
            ),
            _ANY_SCHEDULE,
            _IN_A_LOOP,
        ),
    ),
    "resend without doubling": Fault(
        "a module that is away is sent the same thousand for ever",
        processes.send_again_at_a_fixed_interval,
        (
            *_on_both(f"{_OUTBOX_STORE}::test_interval_until_the_next_send_doubles_with_each_send"),
            _ANY_OUTBOX,
        ),
    ),
}
