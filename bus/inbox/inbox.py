"""What reaches one module: each of its listeners runs once for each event, in a transaction of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from bus.clock import Clock
from bus.envelope import Envelope
from bus.errors import EnvelopeError, PublicationHeldError
from bus.inbox.announcements import Announcements
from bus.inbox.pausing import Pausing
from bus.inbox.quarantine import QuarantineStore
from bus.inbox.runner import RunEnd, Runner
from bus.inbox.state import Reason
from bus.inbox.store import NO_LISTENER, InboxStore, Publication
from bus.inbox.verdict import Judge, put_off, too_old
from bus.listener import Listener
from bus.wire import read_envelope

log = logging.getLogger("bus")

#: Crashed runs that one look takes note of.
_CRASHES_AT_ONCE = 100

#: Seconds within which a process that lives records the failure of a run that it has rolled back.
_SECOND_LOOK = 0.1


@dataclass(frozen=True, slots=True)
class Hearing:
    """What one build of a module hears.

    Attributes:
        listeners: The module's listeners of an event, or of all where None is asked for.
        versions: The latest version of each event that it has a view of, or publishes.
    """

    listeners: Callable[[str | None], tuple[Listener, ...]]
    versions: Mapping[str, int]


class Inbox:
    """The inbox of one hosted module; its methods are called by the module's workers, from any of their threads."""

    def __init__(
        self,
        module: str,
        store: InboxStore,
        runner: Runner,
        *,
        judge: Judge,
        hearing: Hearing,
        pausing: Pausing,
        quarantine: QuarantineStore,
        announcements: Announcements,
        clock: Clock,
        retention: timedelta,
    ) -> None:
        self.module = module
        self.pausing = pausing
        self._store = store
        self._runner = runner
        self._judge = judge
        self._hearing = hearing
        self._quarantine = quarantine
        self._announcements = announcements
        self._clock = clock
        self._retention = retention
        self._longest_age = retention // timedelta(microseconds=1)
        self._is_look_due = False

    def receive(self, envelope: Envelope, sends: int) -> None:
        """Run every listener of the event that has no row yet; when it returns, each of them has one, committed.

        A listener that runs elsewhere is left, and the others have their run. The first send is vouched for by
        whoever keeps it until this returns, the outbox or the broker. Before any later one a mark is committed, so that
        a start that never ends is noticed. What this build cannot read is parked.

        Raises:
            PublicationHeldError: A listener runs elsewhere and has not ended: the event stays with its publisher.
            Exception: The module's database could not record the outcome; the event stays with its publisher.
        """
        self._runner.settle_late()
        unreadable = self._unreadable(envelope)
        if unreadable is not None:
            publication = Publication(NO_LISTENER, envelope)
            self._runner.record(publication, self._judge.parked(publication, unreadable))
            return
        unrecorded: list[Exception] = []
        for listener in self._hearing.listeners(envelope.type):
            try:
                with self._runner.beside():
                    self._receive_for(listener, Publication(listener.id, envelope), sends)
            except Exception as error:  # noqa: BLE001 - raised below, when the other listeners have had their run
                unrecorded.append(error)
        if unrecorded:
            # What went wrong is told before what only takes its time.
            raise min(unrecorded, key=lambda error: isinstance(error, PublicationHeldError))

    def receive_bytes(self, data: bytes, sends: int, *, origin: str) -> Envelope | None:
        """Receive an envelope as bytes; return it, or None where they are none and went into quarantine.

        Raises:
            Exception: As `receive`; or the database did not take what goes into quarantine.
        """
        try:
            envelope = read_envelope(data)
        except EnvelopeError as error:
            self.quarantine(data, origin=origin, problem=str(error))
            return None
        self.receive(envelope, sends)
        return envelope

    def quarantine(self, data: bytes, *, origin: str, problem: str) -> None:
        """Keep bytes that came for the module and are no envelope, and say so.

        Raises:
            Exception: The module's database does not take them.
        """
        digest = self._quarantine.add(data, origin=origin, problem=problem)
        log.error("%d bytes from %s are no envelope: %s; kept as %s", len(data), origin, problem, digest[:12])
        self._announcements.quarantined(digest, problem)

    def run_due(self) -> bool:
        """Claim one publication that is due and run it, or see to what else is due; False when nothing is."""
        self._runner.settle_late()
        known = {listener.id: listener for listener in self._hearing.listeners(None)}
        if self._is_look_due and self._see_to_the_rest(known):
            return True
        return self._run_one(self.pausing.running(known), known) or self._see_to_the_rest(known)

    def has_due(self) -> bool:
        """Say whether `run_due` would find something; takes no lock. Takes up what was paused and resumed."""
        self.pausing.refresh()
        self._is_look_due = True
        ids = [listener.id for listener in self._hearing.listeners(None)]
        awake = [*self.pausing.running(ids), *self.pausing.to_be_probed(ids)]
        return self._store.has_due(awake, self._hearing.versions)

    def give_back(self) -> None:
        """Let somebody else take at once what still runs here, when the process ends; see `Runner.give_back`."""
        self._runner.give_back()

    def is_open(self) -> bool:
        """Say whether the module's database takes writes."""
        return self._runner.is_open()

    def _unreadable(self, envelope: Envelope) -> Reason | None:
        version = self._hearing.versions.get(envelope.type)
        if version is None:
            return Reason.UNKNOWN_EVENT
        return Reason.NEWER_VERSION if envelope.version > version else None

    def _receive_for(self, listener: Listener, publication: Publication, sends: int) -> None:
        running = self._runner.running(publication)
        if running is not None:
            if running.starts:
                # It has a row, which a crash would leave behind.
                return
            raise PublicationHeldError(f"this process runs {listener.id!r} for that event already")
        if self._is_too_old(publication.envelope):
            self._runner.record(publication, too_old(self._retention))
            return
        is_probe = self.pausing.pause_of(listener.id) is not None
        if is_probe and not self.pausing.take_probe(listener.id):
            self._runner.record(publication, put_off(publication, Reason.PAUSED))
        else:
            self._run(listener, publication, is_probe=is_probe, is_vouched_for=sends == 1)

    def _is_too_old(self, envelope: Envelope) -> bool:
        return self._clock.microseconds() - envelope.time > self._longest_age

    def _run_one(self, listener_ids: Collection[str], known: dict[str, Listener], *, is_probe: bool = False) -> bool:
        """Claim one publication of these listeners and run it; False when none is due."""
        with self._runner.beside():
            publication = self._store.claim(listener_ids)
            if publication is None:
                return False
            listener = known[publication.listener_id]
            if not publication.is_suspect:
                self._run_claimed(listener, publication, is_probe=is_probe)
                return True
        self._run_claimed(listener, publication, is_probe=is_probe)
        return True

    def _run_claimed(self, listener: Listener, publication: Publication, *, is_probe: bool) -> None:
        unreadable = self._unreadable(publication.envelope)
        if unreadable is None:
            self._run(listener, publication, is_probe=is_probe)
        else:
            # Another build has recorded it, which knows more than this one.
            self._runner.record(publication, self._judge.parked(publication, unreadable))

    def _run(
        self, listener: Listener, publication: Publication, *, is_probe: bool, is_vouched_for: bool = True
    ) -> None:
        policy = listener.declaration.retry
        end = self._runner.run(listener, publication, is_vouched_for=is_vouched_for)
        if end is RunEnd.NOTHING:
            return
        ended = self.pausing.probe_ended if is_probe else self.pausing.run_ended
        ended(listener.id, has_failed=end is RunEnd.FAILED, switch=policy.kill_switch)

    def _see_to_the_rest(self, known: dict[str, Listener]) -> bool:
        """See to crashed runs, parked events and listeners that stopped themselves; True when there was anything."""
        self._is_look_due = False
        # Each of them has its turn, whatever the others found.
        return any([self._note_crashes(known), self._take_up_parked(), self._probe(known)])

    def _note_crashes(self, known: dict[str, Listener]) -> bool:
        """Settle what was started and has not ended; True when there was any."""
        noted = [
            self._runner.record(found, self._judge.on_crash(found, known[found.listener_id].declaration.retry))
            for found in self._crashed(known)
        ]
        return any(noted)

    def _crashed(self, known: Collection[str]) -> list[Publication]:
        """Return the runs whose lease is over, and that have not ended when looked at again a little later.

        A run that has failed is rolled back before its failure is recorded: between the two it looks like a crash.
        """
        suspected = self._overdue(known)
        if not suspected or not self._runner.is_open():
            return []
        time.sleep(_SECOND_LOOK)
        return [found for found in self._overdue(known) if found in suspected]

    def _overdue(self, known: Collection[str]) -> list[Publication]:
        found = self._store.crashed(list(known), _CRASHES_AT_ONCE)
        return [each for each in found if self._runner.running(each) is None]

    def _take_up_parked(self) -> bool:
        """Hand an event that was parked for want of a view to the listeners that have one now."""
        parked = self._store.claim_parked(self._hearing.versions, self._judge.parked_interval())
        if parked is None:
            return False
        self._store.unpark(parked, [listener.id for listener in self._hearing.listeners(parked.envelope.type)])
        log.info("event %s, which was parked, is run by %s now", parked.envelope.id, self.module)
        return True

    def _probe(self, known: dict[str, Listener]) -> bool:
        """Run one publication of a listener that has stopped itself and may be tried again."""
        for listener_id in self.pausing.to_be_probed(known):
            is_ours = self._store.has_due([listener_id], ()) and self.pausing.take_probe(listener_id)
            if is_ours and self._run_one([listener_id], known, is_probe=True):
                return True
        return False
