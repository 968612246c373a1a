"""The unit of work: one transaction on a module's database, joined by everything that runs inside it."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from sqlalchemy import Connection, Engine, RootTransaction
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from bus.errors import NoTransactionError, RollbackOnlyError, TransactionControlError
from bus.failpoint import failpoint
from bus.prepared import Request
from bus.unit_of_work import Participant, enter, leave
from bus.unit_session import UnitSession

log = logging.getLogger("bus")


@dataclass(frozen=True, slots=True)
class _Savepoint:
    """Where a unit was when a savepoint was set: how far each participant, and whether a block had failed."""

    marks: dict[object, int]
    failure: BaseException | None
    database_error: BaseException | None


class Outcome(Enum):
    """How a unit's transaction ended."""

    COMMITTED = "committed"
    ROLLED_BACK = "rolled back"
    UNKNOWN = "the reply to COMMIT was lost, and nobody can say"


class _State(Enum):
    """Where in its life a unit is."""

    RUNNING = "running"
    ENDING = "ending"
    ENDED = "ended"


class SqlAlchemyUnitOfWork:
    """One transaction on one database, in one thread.

    Attributes:
        owner: The database.
        name: The name of its module.
        database_error: The last error of its own database that no savepoint has undone, or None.
    """

    def __init__(self, owner: object, name: str, engine: Engine) -> None:
        self.owner = owner
        self.name = name
        self.database_error: BaseException | None = None
        self._engine = engine
        self._session: UnitSession | None = None
        self._savepoints: dict[object, _Savepoint] = {}
        self._participants: dict[object, Participant] = {}
        self._completion: Callable[[Connection], None] | None = None
        self._last: list[Request] = []
        self._connection: Connection | None = None
        self._transaction: RootTransaction | None = None
        self._failure: BaseException | None = None
        self._outcome = Outcome.ROLLED_BACK
        self._commit_error: BaseException | None = None
        self._state = _State.RUNNING
        self._thread = (os.getpid(), threading.get_ident())

    @property
    def is_running_here(self) -> bool:
        """Whether it has not ended, and this is the thread that began it."""
        return self._state is not _State.ENDED and self._thread == (os.getpid(), threading.get_ident())

    @property
    def session(self) -> UnitSession:
        """The session that everything in the unit shares; there is none before it is asked for."""
        if self._session is None:
            self._session = UnitSession(self)
            if self._connection is not None:
                self._session.connection()
        return self._session

    @property
    def connection(self) -> Connection:
        """The connection, for Core; what the session still holds back is not written before a statement.

        The transaction begins with it.
        """
        # The session begins a savepoint no sooner than somebody asks for its connection.
        return self.joined_connection() if self._session is None else self._session.connection()

    def joined_connection(self) -> Connection:
        """Return the connection as the session joins it: it begins no savepoint that the session has set."""
        if self._connection is None:
            connection = self._engine.connect()
            try:
                self._transaction = connection.begin()
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def transaction_ended(self) -> None:
        """Hear that the session's transaction has ended; it is a failure unless the unit itself ends it."""
        if self._state is _State.RUNNING:
            self.fail(self._ended_from_inside())

    def participant(self, key: object, make: Callable[[], Participant]) -> Participant:
        """Return what takes part in the unit's end under this key, made at the first call."""
        found = self._participants.get(key)
        if found is None:
            found = self._participants[key] = make()
        return found

    def complete_with(self, completion: Callable[[Connection], None]) -> None:
        """Run this as the last statement before COMMIT; an exception rolls back."""
        self._completion = completion

    def write_last(self, request: Request) -> None:
        """Have a statement go to the server with the COMMIT; what it raises, the commit raises."""
        self._last.append(request)

    def fail(self, error: BaseException) -> None:
        """Remember that a block inside the unit failed: the whole can no longer commit."""
        self._failure = self._failure or error

    def database_failed(self, error: BaseException) -> None:
        """Hear of an error of the unit's own database: it fails the unit."""
        self.database_error = error
        self.fail(error)

    def keep(self, savepoint: object) -> None:
        """Remember where the unit is, under a savepoint that is about to be set."""
        # A session that came only in the savepoint would take that for the whole.
        _ = self.session
        marks = {key: found.mark() for key, found in self._participants.items()}
        self._savepoints[savepoint] = _Savepoint(marks, self._failure, self.database_error)

    def rewind(self, savepoint: object) -> None:
        """Go back to where the unit was at a savepoint: events and failures since then are forgotten."""
        state = self._savepoints.pop(savepoint, None)
        if state is not None:
            self._failure, self.database_error = state.failure, state.database_error
            for key, participant in self._participants.items():
                participant.rewind(state.marks.get(key, 0))

    def commit(self) -> None:
        """Run the phases before the commit, write what the participants have, and commit.

        Raises:
            RollbackOnlyError: A block that had joined the unit has failed before.
        """
        if not self.is_running_here:
            raise TransactionControlError(f"the unit of work of {self.name!r} belongs to another process or thread")
        self._require_unfailed()
        self._flush()
        while any([participant.before_commit() for participant in self._participants_in_turn()]):
            self._flush()
        self._require_unfailed()
        for participant in self._participants_in_turn():
            participant.write()
        if self._completion is not None:
            self._completion(self.connection)
        failpoint("transaction.before_commit")
        self._require_unfailed()
        self._state = _State.ENDING
        self._commit()
        failpoint("transaction.after_commit")

    def end(self) -> None:
        """Give the connection back, find out how it ended, and tell the participants."""
        self._state = _State.ENDING
        try:
            self._close()
        finally:
            self._state = _State.ENDED
            if self._outcome is Outcome.UNKNOWN:
                self._outcome = self._looked_up()
            self._tell(list(self._participants.values()))

    def is_settled_by(self, error: BaseException) -> bool:
        """Say whether the error was only the lost reply to a COMMIT that has come about, and is no failure then."""
        return error is self._commit_error and self._outcome is Outcome.COMMITTED

    def _flush(self) -> None:
        if self._session is not None:
            self._session.flush()

    def _commit(self) -> None:
        self._outcome = Outcome.UNKNOWN
        try:
            if self._session is not None:
                # Where it has taken part, the transaction is committed by it.
                Session.commit(self._session)
            if self._transaction is not None and self._transaction.is_active:
                self._transaction.commit()
        except BaseException as error:
            self._commit_error = error
            raise
        self._outcome = Outcome.COMMITTED

    def _looked_up(self) -> Outcome:
        """Return how a commit ended that raised: what a participant finds in the database, else what the error says."""
        answers = {participant.was_committed() for participant in self._participants_in_turn()} - {None}
        if answers:
            return Outcome.COMMITTED if answers == {True} else Outcome.ROLLED_BACK
        is_answer = isinstance(self._commit_error, DBAPIError) and not self._commit_error.connection_invalidated
        return Outcome.ROLLED_BACK if is_answer else Outcome.UNKNOWN

    def connection_commits(self, connection: Connection) -> None:
        """Send what is to go with the COMMIT, and that with it; the driver finds nothing left to commit then.

        Raises:
            TransactionControlError: Something inside the unit would commit its transaction.
        """
        if self._state is _State.RUNNING:
            raise TransactionControlError(
                f"a commit inside the unit of work of {self.name!r}: it commits by itself when its outermost block ends"
            )
        last, self._last = self._last, []
        if last:
            self._commit_with(connection, last)

    def _commit_with(self, connection: Connection, last: list[Request]) -> None:
        # It needs the driver of a database that this unit may not be on.
        from bus.pipeline import in_one_round_trip

        try:
            in_one_round_trip(connection, last, commit=True)
        except Exception as error:
            if not (isinstance(error, DBAPIError) and error.connection_invalidated):
                # The server has answered, and has not come to the COMMIT.
                self._outcome = Outcome.ROLLED_BACK
            raise

    def _close(self) -> None:
        if self._thread[0] != os.getpid():
            # A forked child has left the block of its parent: the connection is the parent's to use.
            return
        try:
            if self._session is not None:
                Session.close(self._session)
            if self._connection is not None:
                self._connection.close()
        except BaseException:
            if self._session is not None:
                Session.invalidate(self._session)
            if self._connection is not None and not self._connection.closed:
                self._connection.invalidate()
                self._connection.close()
            raise

    def _tell(self, participants: list[Participant]) -> None:
        if not participants:
            return
        first, *others = participants
        try:
            _react(first, self._outcome)
        finally:
            # Each is told, also where the thread is ended in the middle of another.
            self._tell(others)

    def _ended_from_inside(self) -> TransactionControlError:
        return TransactionControlError(
            f"the transaction of the unit of work of {self.name!r} was ended from inside; it ends by itself"
        )

    def _require_unfailed(self) -> None:
        if self._failure is not None:
            raise RollbackOnlyError(
                f"the unit of work of {self.name!r} cannot commit: something inside it failed with "
                f"{type(self._failure).__name__}, and somebody swallowed that; let it through, or run that part in "
                "a savepoint"
            ) from self._failure
        if self._transaction is not None and not self._transaction.is_active:
            raise self._ended_from_inside()

    def _participants_in_turn(self) -> Iterator[Participant]:
        """Yield the participants, also those that join while an earlier one has its turn."""
        turn = 0
        while turn < len(self._participants):
            yield list(self._participants.values())[turn]
            turn += 1


def _react(participant: Participant, outcome: Outcome) -> None:
    match outcome:
        case Outcome.COMMITTED:
            participant.after_commit()
        case Outcome.ROLLED_BACK:
            participant.after_rollback()
        case Outcome.UNKNOWN:
            participant.after_unknown()
        case _:
            assert_never(outcome)


class _Block(AbstractContextManager[SqlAlchemyUnitOfWork]):
    """A block that runs in a unit of work."""

    def __init__(self, unit: SqlAlchemyUnitOfWork) -> None:
        self._unit = unit

    def __enter__(self) -> SqlAlchemyUnitOfWork:
        enter(self._unit)
        return self._unit


class NewUnit(_Block):
    """Runs a block as a unit of work of its own: commits at its end, rolls back when an exception leaves it."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        unit = self._unit
        try:
            if error is None:
                unit.commit()
        except BaseException as failure:
            self._end()
            if not (isinstance(failure, Exception) and unit.is_settled_by(failure)):
                raise
            log.warning("the reply to a COMMIT of %s was lost; the commit was found to have come about", unit.name)
        else:
            self._end()

    def _end(self) -> None:
        try:
            leave(self._unit)
        finally:
            self._unit.end()


class JoinedUnit(_Block):
    """Runs a block inside a unit of work that is running; an exception that leaves it fails the whole."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        leave(self._unit)
        if error is not None:
            self._unit.fail(error)


def no_unit(name: str) -> NoTransactionError:
    """Return the error for a session that is asked for outside any unit of work."""
    return NoTransactionError(
        f"no unit of work of {name!r} is running here; open one with `with database.transaction():` or a "
        "@transactional method, or use `with database.read():` to only read. What runs after a commit needs one of "
        "its own"
    )
