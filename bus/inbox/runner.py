"""The one run path: run a listener in a transaction that completes its publication, or record why it did not."""

from __future__ import annotations

import logging
import time
from collections import deque
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import Enum

from sqlalchemy import Connection
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bus.clock import Clock
from bus.context import Delivery, delivering
from bus.database import Database
from bus.database_errors import DatabaseTrouble, database_trouble
from bus.errors import PayloadError, PublicationHeldError
from bus.failpoint import failpoint
from bus.inbox.announcements import Announcements
from bus.inbox.solitude import Solitude
from bus.inbox.state import PARKED, Reason, State
from bus.inbox.store import InboxStore, Outcome, Publication
from bus.inbox.verdict import Judge, put_off
from bus.inbox.views import Views
from bus.listener import Listener
from bus.transaction import SqlAlchemyUnitOfWork

log = logging.getLogger("bus")

#: Seconds that a run waits at most before it is made again at once, after a conflict in the database.
CONFLICT_PAUSES = (0.01, 0.05, 0.25)


class RunEnd(Enum):
    """How a run ended, as far as it says something about the listener."""

    COMPLETED = "its effects are committed"
    FAILED = "it failed, or its database was busy"
    NOTHING = "it was not run, waits by its own wish, or cannot read the event"


class _NotOursError(Exception):
    """Leaves the run's transaction when the publication turns out to be another's, or done."""


class _UnreadableError(Exception):
    """Leaves the run's transaction when the payload cannot be read as the listener's view."""


@dataclass(slots=True)
class _Run:
    """A run that is on in this process.

    Attributes:
        publication: As it was started.
        is_vouched_for: Whether a start that never ends would be noticed: by who keeps the event, or by the mark.
        connection: The driver's connection while the listener has it.
    """

    publication: Publication
    is_vouched_for: bool
    connection: object = None


@dataclass(frozen=True, slots=True)
class _Failure:
    """What ended a run, and what its own database met, if that is behind it."""

    error: BaseException
    database: DatabaseTrouble | None


class Runner:
    """Runs publications of one module, from any of its workers' threads."""

    def __init__(
        self,
        database: Database,
        store: InboxStore,
        *,
        views: Views,
        clock: Clock,
        judge: Judge,
        solitude: Solitude,
        announcements: Announcements,
    ) -> None:
        self._database = database
        self._store = store
        self._views = views
        self._clock = clock
        self._judge = judge
        self._solitude = solitude
        self._announcements = announcements
        self._running: dict[tuple[str, str], _Run] = {}
        self._late: deque[tuple[Publication, Outcome, BaseException | None]] = deque()

    def run(self, listener: Listener, publication: Publication, *, is_vouched_for: bool = True) -> RunEnd:
        """Run a publication to its end, alone in the process if a run of it has crashed before, else in `beside`.

        Where nothing vouches for a first start, a mark is committed before it, on the same connection.

        Raises:
            PublicationHeldError: Somebody else runs it, and has not ended.
            Exception: The module's database could not record the end; see `settle_late`.
        """
        if not publication.is_suspect:
            return self._run(listener, _Run(publication, is_vouched_for))
        with self._solitude.alone() as is_alone:
            if is_alone:
                # Marked only now: while it waited for this, others ran, and a crash would have been theirs.
                return self._run_alone(listener, publication)
        self.record(publication, put_off(publication, Reason.CRASHED, self._judge.alone_interval()))
        return RunEnd.NOTHING

    def beside(self) -> AbstractContextManager[None]:
        """Return the block in which what is not suspect is marked or claimed, and run.

        Waiting for its beginning takes as long as a run that is alone: no mark may grow old meanwhile.
        """
        return self._solitude.beside()

    def running(self, publication: Publication) -> Publication | None:
        """Return what this process runs of a publication now: its lease may be over, it is no crash."""
        found = self._running.get(_key(publication))
        return None if found is None else found.publication

    def record(self, publication: Publication, outcome: Outcome, error: BaseException | None = None) -> bool:
        """Commit what became of a publication that did not complete, log it, and announce it.

        Raises:
            Exception: The module's database does not take it. Where a mark stands there, `settle_late` will.
        """
        try:
            failpoint("inbox.before_failure")
            is_recorded = self._store.record(publication, outcome)
        except BaseException:
            if publication.starts:
                self._late.append((publication, outcome, error))
            raise
        failpoint("inbox.after_failure")
        self._tell_unless_settled(publication, outcome, error, is_recorded=is_recorded)
        return is_recorded

    def give_back(self) -> None:
        """Roll back what still runs, and make it due at once with nothing said against it, for the process ends.

        On SQLite nobody but the listener's own thread can do that: what it has marked is due when its lease ends.

        Raises:
            Exception: The module's database does not take it.
        """
        for run in list(self._running.values()):
            if not self._database.cut_off(run.connection) or not run.publication.starts:
                continue
            reason = Reason.CRASHED if run.publication.is_suspect else Reason.STOPPED
            self.record(run.publication, put_off(run.publication, reason))

    def is_open(self) -> bool:
        """Say whether the module's database takes writes."""
        return self._database.takes_writes()

    def settle_late(self) -> None:
        """Record what could not be recorded while the database was away, so that no ended run passes for a crash.

        Raises:
            Exception: The module's database still does not take it.
        """
        while late := self._next_late():
            publication, outcome, error = late
            try:
                is_recorded = self._store.record(publication, outcome)
            except Exception as refusal:
                if database_trouble(refusal) is not None:
                    self._late.appendleft(late)
                    raise
                # One that can never be recorded must not keep all others from running: it comes due as a crash.
                log.exception("what became of event %s cannot be recorded", publication.envelope.id)
            else:
                self._tell_unless_settled(publication, outcome, error, is_recorded=is_recorded)

    def _next_late(self) -> tuple[Publication, Outcome, BaseException | None] | None:
        try:
            return self._late.popleft()
        except IndexError:
            return None

    def _run_alone(self, listener: Listener, publication: Publication) -> RunEnd:
        if not self._store.run_alone(publication):
            _log_not_ours(publication)
            return RunEnd.NOTHING
        failpoint("inbox.after_alone")
        return self._run(listener, _Run(publication, is_vouched_for=True))

    def _run(self, listener: Listener, run: _Run) -> RunEnd:
        key = _key(run.publication)
        if run.is_vouched_for:
            self._running.setdefault(key, run)
        try:
            return self._run_to_its_end(listener, run)
        finally:
            if self._running.get(key) is run:
                del self._running[key]

    def _run_to_its_end(self, listener: Listener, run: _Run) -> RunEnd:
        failure = self._attempt(listener, run)
        for pause in CONFLICT_PAUSES:
            if failure is None or failure.database is not DatabaseTrouble.CONFLICT:
                break
            time.sleep(self._judge.random_source.uniform(0, pause))
            failure = self._attempt(listener, run)
        if failure is None:
            failpoint("inbox.after_commit")
            return RunEnd.COMPLETED
        if not run.is_vouched_for:
            # The listener was not called, and there may be no row in which that could be recorded.
            raise failure.error
        return self._ended(listener, run.publication, failure)

    def _ended(self, listener: Listener, publication: Publication, failure: _Failure) -> RunEnd:
        error = failure.error
        if isinstance(error, PublicationHeldError):
            raise error
        if isinstance(error, _NotOursError):
            _log_not_ours(publication)
            return RunEnd.NOTHING
        if isinstance(error, _UnreadableError):
            self.record(publication, self._judge.on_unreadable(publication, error.__cause__ or error), error.__cause__)
            return RunEnd.NOTHING
        if failure.database is not None:
            self.record(publication, self._judge.on_busy_database(publication, error), error)
            return RunEnd.FAILED
        policy = listener.declaration.retry
        outcome = self._judge.on_failure(publication, error, policy, self._clock.microseconds())
        self.record(publication, outcome, error)
        return RunEnd.NOTHING if outcome.reason is Reason.WAITING else RunEnd.FAILED

    def _attempt(self, listener: Listener, run: _Run) -> _Failure | None:
        """Make one run; return what ended it, or None when its effects are committed."""
        began = self._clock.microseconds()
        unit: SqlAlchemyUnitOfWork | None = None
        try:
            with delivering(_delivery(run.publication)), self._database.transaction() as unit:
                self._in_transaction(listener, run, unit, began)
        except BaseException as error:  # noqa: BLE001 - logged where it is recorded
            # The promise of a module listener: its failure stays here, as a row that says what comes next. That goes
            # for SystemExit and cancellations too: nobody above this thread is there to hear them.
            met = database_trouble(unit.database_error) if unit is not None else None
            return _Failure(error, met)
        self._announcements.completed(run.publication, self._clock.microseconds() - began)
        return None

    def _in_transaction(self, listener: Listener, run: _Run, unit: SqlAlchemyUnitOfWork, began: int) -> None:
        failpoint("inbox.before_start")
        connection = _connection_of(unit)
        if not run.is_vouched_for:
            self._mark(connection, run)
        if not self._store.start(connection, run.publication):
            raise _NotOursError
        run.connection = connection.connection.driver_connection
        failpoint("inbox.after_start")
        listener.call(self._read(listener, run.publication))
        failpoint("inbox.before_complete")
        unit.complete_with(lambda connection: self._complete(connection, run, began))

    def _mark(self, connection: Connection, run: _Run) -> None:
        failpoint("inbox.before_mark")
        is_ours = self._store.mark(connection, run.publication)
        failpoint("inbox.after_mark")
        run.is_vouched_for = True
        if not is_ours:
            raise _NotOursError
        run.publication = replace(run.publication, starts=1)
        # Not before: it may have a row, which another thread runs.
        self._running[_key(run.publication)] = run

    def _complete(self, connection: Connection, run: _Run, began: int) -> None:
        # What is all but committed ends by itself.
        run.connection = None
        self._store.complete(connection, run.publication, max(0, self._clock.microseconds() - began))
        failpoint("inbox.before_commit")

    def _read(self, listener: Listener, publication: Publication) -> object:
        try:
            return self._views.reader(listener, publication.envelope.type).read(publication.envelope.data)
        except PayloadError as error:
            raise _UnreadableError from error

    def _tell_unless_settled(
        self, publication: Publication, outcome: Outcome, error: BaseException | None, *, is_recorded: bool
    ) -> None:
        if is_recorded:
            self._tell(publication, outcome, error)
        elif error is not None:
            log.warning(
                "listener %s failed for event %s, which somebody else has settled meanwhile",
                publication.listener_id,
                publication.envelope.id,
                exc_info=error,
            )

    def _tell(self, publication: Publication, outcome: Outcome, error: BaseException | None) -> None:
        _log(publication, outcome, error)
        if error is not None and outcome.is_attempt:
            self._announcements.failed(publication, error)
        if outcome.state is State.DEAD:
            self._announcements.dead(publication, outcome)
        elif outcome.reason in PARKED:
            self._announcements.parked(publication, outcome)


def _key(publication: Publication) -> tuple[str, str]:
    return publication.listener_id, publication.envelope.id


def _connection_of(unit: SqlAlchemyUnitOfWork) -> Connection:
    try:
        return unit.connection
    except PoolTimeoutError as error:
        # The engine's error hook hears of what the driver raises, and not of a pool without a free connection.
        unit.database_failed(error)
        raise


def _delivery(publication: Publication) -> Delivery:
    return Delivery(publication.listener_id, publication.envelope, attempt=max(1, publication.starts))


def _log_not_ours(publication: Publication) -> None:
    listener_id, event_id = publication.listener_id, publication.envelope.id
    if publication.starts:
        # It has lost what its own mark had made its own: it stood still for longer than its lease.
        log.warning(
            "listener %s: the run of event %s that had begun here was taken over meanwhile; nothing of it is kept",
            listener_id,
            event_id,
        )
    else:
        log.debug("listener %s: event %s is done or runs elsewhere", listener_id, event_id)


def _log(publication: Publication, outcome: Outcome, error: BaseException | None) -> None:
    quiet = outcome.trouble is None or outcome.reason is Reason.DISCARDED
    level = logging.DEBUG if quiet else logging.ERROR if outcome.state is State.DEAD else logging.WARNING
    what = "given up" if outcome.state is State.DEAD else f"next run in {outcome.due_in / 1e6:.1f} s"
    log.log(
        level,
        "listener %s, event %s: %s (%s), %s",
        publication.listener_id,
        publication.envelope.id,
        outcome.trouble.text if outcome.trouble is not None else "not run to its end",
        outcome.reason,
        what,
        exc_info=error if not quiet else None,
    )
