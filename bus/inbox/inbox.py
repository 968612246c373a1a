"""The one run path: mark, run, complete, for every delivery to a module's listeners."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import replace

from blinker import Signal
from sqlalchemy import Connection

from bus.context import Delivery, delivering
from bus.database import Database
from bus.envelope import Envelope
from bus.event import published_name
from bus.failpoint import failpoint
from bus.inbox.backoff import delay_after
from bus.inbox.store import InboxStore, Publication
from bus.listener import Listener
from bus.serialization import PayloadReader

log = logging.getLogger("bus")


class _NotOursError(Exception):
    """Leaves the run's transaction when the publication turns out to be another's, or done."""


class Inbox:
    """What reaches one module: each of its listeners runs once for each event, in a transaction of its own."""

    def __init__(
        self,
        module: str,
        database: Database,
        store: InboxStore,
        *,
        listeners: Callable[[str | None], tuple[Listener, ...]],
        announce_failure: Callable[[Publication, BaseException], None],
        random_source: random.Random,
    ) -> None:
        self.module = module
        self._database = database
        self._store = store
        self._listeners = listeners
        self._announce_failure = announce_failure
        self._random = random_source
        self._readers: dict[type, PayloadReader] = {}

    def receive(self, envelope: Envelope, sends: int) -> None:
        """Run every listener of the event that has no row yet; when it returns, each of them has one.

        A first send in this process is vouched for by the outbox row. Before any later one a mark is
        committed, so that a start that never ends is noticed.

        Raises:
            Exception: The module's database could not record the outcome; the event stays with its publisher.
        """
        unrecorded: list[Exception] = []
        for listener in self._listeners(envelope.type):
            try:
                self._receive_for(listener, Publication(listener.id, envelope, starts=0, failures=0), sends)
            except Exception as error:  # noqa: BLE001 - raised below, when the other listeners have had their run
                unrecorded.append(error)
        if unrecorded:
            raise unrecorded[0]

    def run_due(self) -> bool:
        """Claim one publication that is due and run it; False when none is due."""
        known = {listener.id: listener for listener in self._listeners(None)}
        publication = self._store.claim(known)
        if publication is None:
            return False
        self._run(known[publication.listener_id], publication)
        return True

    def has_due(self) -> bool:
        """Say whether `run_due` would find something; takes no lock."""
        return self._store.has_due([listener.id for listener in self._listeners(None)])

    def _receive_for(self, listener: Listener, publication: Publication, sends: int) -> None:
        if sends == 1:
            self._run(listener, publication)
        elif self._mark(publication):
            self._run(listener, replace(publication, starts=1))

    def _mark(self, publication: Publication) -> bool:
        failpoint("inbox.before_mark")
        is_ours = self._store.mark(publication)
        failpoint("inbox.after_mark")
        return is_ours

    def _run(self, listener: Listener, publication: Publication) -> None:
        try:
            self._run_in_transaction(listener, publication)
        except _NotOursError:
            log.debug(
                "listener %s: event %s is done or runs elsewhere",
                listener.id,
                publication.envelope.id,
            )
        except BaseException as error:  # noqa: BLE001 - logged where it is recorded
            # The promise of a module listener: its failure stays here, as a row that is tried again. That goes for
            # SystemExit and cancellations too: nobody above this thread is there to hear them.
            self._record_failure(publication, error)
        else:
            failpoint("inbox.after_commit")

    def _run_in_transaction(self, listener: Listener, publication: Publication) -> None:
        delivery = Delivery(listener.id, publication.envelope, attempt=max(1, publication.starts))
        failpoint("inbox.before_start")
        with delivering(delivery), self._database.transaction() as unit:
            if not self._store.start(unit.session.connection(), publication):
                raise _NotOursError
            failpoint("inbox.after_start")
            listener.call(self._reader(listener, publication.envelope.type).read(publication.envelope.data))
            failpoint("inbox.before_complete")
            unit.complete_with(lambda connection: self._complete(connection, publication))

    def _complete(self, connection: Connection, publication: Publication) -> None:
        self._store.complete(connection, publication)
        failpoint("inbox.before_commit")

    def _record_failure(self, publication: Publication, error: BaseException) -> None:
        failpoint("inbox.before_failure")
        delay = delay_after(publication.failures + 1, self._random)
        is_recorded = self._store.fail(publication, described(error), delay)
        failpoint("inbox.after_failure")
        log.warning(
            "listener %s failed for event %s: %s%s",
            publication.listener_id,
            publication.envelope.id,
            type(error).__name__,
            f"; next run in {delay / 1e6:.1f} s" if is_recorded else "; somebody else has settled it meanwhile",
            exc_info=error,
        )
        self._announce_failure(publication, error)

    def _reader(self, listener: Listener, event_name: str) -> PayloadReader:
        cls = next(found for found in listener.types if published_name(found) == event_name)
        reader = self._readers.get(cls)
        if reader is None:
            reader = self._readers[cls] = PayloadReader(event_name, cls)
        return reader


#: Characters of an error that are kept with a publication.
MAX_ERROR = 2000


def described(error: BaseException) -> str:
    """Return an error in a form that every database can store: its type and text, bounded, without odd characters."""
    try:
        text = f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - an error that cannot say what it is has a name all the same
        text = type(error).__name__
    return text[:MAX_ERROR].encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def failure_announcer(signal: Signal, sender: object) -> Callable[[Publication, BaseException], None]:
    """Return what announces a failure on a signal; a receiver's own failure is logged and goes no further."""

    def announce(publication: Publication, error: BaseException) -> None:
        try:
            signal.send(
                sender,
                listener_id=publication.listener_id,
                event_id=publication.envelope.id,
                error=error,
            )
        except BaseException:
            # The failure is recorded, whatever a receiver makes of the news.
            log.exception("a receiver of the signal listener_failed failed")

    return announce
