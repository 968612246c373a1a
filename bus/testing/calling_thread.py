"""The life of a bus without threads: for a module that is tested alone."""

from __future__ import annotations

from collections.abc import Collection

from bus.bus import EventBus
from bus.envelope import Envelope
from bus.errors import BusError, DrainTimeoutError
from bus.runtime import Runtime
from bus.status import ModuleStatus
from bus.testing.transport import RecordingTransport

#: Envelopes that one claim takes.
CLAIM = 100


class CallingThread:
    """Runs the listeners of one module in the thread that asks: when it delivers, starts or drains.

    A listener's failure is recorded as ever; then it is raised, the same object, unless failures are not to be
    raised. Several failures are raised as one group. An event that this build cannot read is a failure too.

    Attributes:
        operations: What an operator asks of the module.
        raise_failures: Whether failures are raised.
        transport: What was sent and acknowledged.
    """

    def __init__(self, bus: EventBus, name: str, runtime: Runtime, targets: Collection[str]) -> None:
        self.operations = runtime.operations
        self.raise_failures = True
        self.transport = RecordingTransport()
        self._name = name
        self._parts = runtime.hosted[name]
        self._targets = targets
        self._failures: list[BaseException] = []
        self._is_running = False
        self._runtime = runtime
        bus.signals.listener_failed.connect(self._note_failure)
        bus.signals.publication_parked.connect(self._note_parked)
        bus.live_as(self)

    def accept(self, envelope: Envelope, sends: int) -> None:
        """Run the listeners of an event that was sent to the module, and acknowledge it."""
        self._parts.inbox.receive(envelope, sends)
        self.transport.acknowledge(self._name, envelope)

    def run(self, envelope: Envelope, sends: int) -> None:
        """Do the same: this is the thread that runs listeners."""
        self.accept(envelope, sends)

    def quarantine(self, data: bytes, *, origin: str, problem: str) -> None:
        """Keep what came for the module and was no envelope."""
        self._parts.inbox.quarantine(data, origin=origin, problem=problem)

    def start(self) -> bool:
        """Begin to carry; nothing runs before it is asked for. Return whether it did not carry before."""
        has_run, self._is_running = self._is_running, True
        if not has_run:
            self.transport.open({self._name: self}, self._acknowledged, lambda *_: None)
        return not has_run

    def run_due(self) -> None:
        """Run what is due: what the module owes itself, and retries."""
        while self._send_due() or self._run_due():
            pass
        self._raise_failures()

    def drain(self, timeout: float) -> None:
        """Run what is due; time does not pass meanwhile.

        Raises:
            DrainTimeoutError: Something is left that is not due yet: move the clock on.
        """
        self.run_due()
        left = sum(owed.count for owed in self._parts.outbox.owed()) + self._parts.inbox_store.retrying()
        if left:
            raise DrainTimeoutError({self._name: left}, timeout)

    def stop(self, grace: float) -> bool:
        """Carry nothing more. Return whether it carried."""
        has_run, self._is_running = self._is_running, False
        self.transport.close()
        return has_run

    def runs_here(self) -> bool:
        """Say no: there is no thread that would wait for its own end."""
        return False

    def is_ready(self) -> bool:
        """Say yes: there is nothing between the module and its stand-ins."""
        return True

    def where(self) -> str:
        """Say that there is only one process."""
        return "in one process"

    def unserved(self) -> list[str]:
        """Return no modules: what is for others goes to stand-ins."""
        return []

    def status(self) -> list[ModuleStatus]:
        """Return what the module owes and how its listeners fare."""
        return self._runtime.status()

    def _raise_failures(self) -> None:
        failures, self._failures = self._failures, []
        if len(failures) == 1:
            raise failures[0]
        if failures:
            raise BaseExceptionGroup("several listeners failed", failures)

    def _run_due(self) -> bool:
        # Looking first takes up what was paused, resumed or left behind by a crash.
        return self._parts.inbox.has_due() and self._parts.inbox.run_due()

    def _send_due(self) -> bool:
        claimed = [
            (target, found)
            for target in self._parts.outbox.due_targets(self._targets)
            for found in self._parts.outbox.claim(target, CLAIM)
        ]
        for target, found in claimed:
            self.transport.send(target, found.envelope, found.sends)
        return bool(claimed)

    def _acknowledged(self, target: str, _source: str, event_id: str) -> None:
        self._parts.outbox.acknowledge([(target, event_id)])

    def _note_failure(self, _sender: object, error: BaseException, **_which: object) -> None:
        if self.raise_failures:
            self._failures.append(error)

    def _note_parked(self, sender: object, listener_id: str, event_id: str, reason: str, **_rest: object) -> None:
        self._note_failure(sender, BusError(f"listener {listener_id} cannot read event {event_id}: {reason}"))
