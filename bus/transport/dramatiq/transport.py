"""A transport between processes, on a broker that Dramatiq speaks to: a queue and an actor for each module."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping

from dramatiq import Actor, Broker, Worker

from bus.envelope import Envelope
from bus.errors import EnvelopeError, StoppedError
from bus.transport.base import Acknowledge, Fail, Receiver
from bus.transport.dramatiq.brokers import Connected, connected, shown
from bus.transport.dramatiq.messages import Acknowledgements, Delivery, delivery, read
from bus.transport.dramatiq.sender import Outgoing, Sender
from bus.wire import read_envelope

log = logging.getLogger("bus")

#: A delivery that comes over a broker counts as a later send at least: its start is marked before it runs.
MARKED = 2

#: Seconds that the last acknowledgements have.
LAST_WORDS = 2.0

#: Milliseconds that the last deliveries have, and those that can tell their end to no broker.
LAST_DELIVERIES, NOBODY_HEARS = 60_000, 1_000

#: Milliseconds between two looks into a queue on Redis; RabbitMQ tells by itself.
LOOK = 20


class DramatiqTransport:
    """Sends envelopes to the queues of their modules, and takes in those of the modules that this process works for.

    A queue `APPLICATION.MODULE` holds the module's envelopes, and the acknowledgements of what it has published. A
    message is acknowledged to the broker when every listener has a row, so a worker that dies leaves it to others.
    Nothing connects before `open`.

    Attributes:
        broker: The broker of this process, for the command that runs the actors.
    """

    is_local = False

    def __init__(self, url: str, *, application: str = "bus", threads: int = 0) -> None:
        """Name the broker.

        Args:
            url: Such as `dramatiq+amqp://guest:guest@localhost` or `dramatiq+redis://localhost/1`.
            application: What the names of its queues begin with.
            threads: Take envelopes in with so many threads of this process; with none it only publishes, unless
                Dramatiq's own command runs it, see `worked_by_command`. With the stub broker there is always one.

        Raises:
            BusError: The URL names no broker that there is.
            MissingExtraError: Its driver is not installed.
        """
        self._url, self._application = url, application
        self._threads = threads or int(url.startswith("dramatiq+stub"))
        self._is_worked_by_command = False
        self._connected = connected(url)
        self._receivers: Mapping[str, Receiver] = {}
        self._acknowledged: Acknowledge | None = None
        self._failed: Fail | None = None
        self._sender: Sender | None = None
        self._worker: Worker | None = None
        self._lock = threading.Lock()
        self._waiting: defaultdict[tuple[str, str], list[threading.Event]] = defaultdict(list)
        self._is_open = False

    @property
    def broker(self) -> Broker:
        """The broker of this process."""
        return self._connected.broker

    @property
    def delivers_here(self) -> bool:
        """Whether envelopes are taken in by this process."""
        return self._is_worked_by_command or self._threads > 0

    @property
    def unsent(self) -> int:
        """Envelopes that were taken, and that the broker has not."""
        return 0 if self._sender is None else self._sender.unsent

    def worked_by_command(self) -> None:
        """Hear that Dramatiq's command runs the actors of this process; before `open`."""
        self._is_worked_by_command = True

    def queue_of(self, module: str) -> str:
        """Return the name of a module's queue, and of its actor."""
        return f"{self._application}.{module}"

    def open(self, receivers: Mapping[str, Receiver], acknowledged: Acknowledge, failed: Fail) -> None:
        """Begin to carry."""
        self._receivers, self._acknowledged, self._failed = receivers, acknowledged, failed
        self._is_open = True
        self._sender = Sender(self._connected, shown(self._url), self.queue_of)
        self._sender.start()
        if self.delivers_here:
            for module in receivers:
                self._declare(module)
        if self._threads:
            queues = {self.queue_of(module) for module in receivers}
            self._worker = Worker(self.broker, queues=queues, worker_timeout=LOOK, worker_threads=self._threads)
            self._worker.start()

    def send(self, target: str, envelope: Envelope, sends: int) -> None:
        """Queue the envelope for the thread that sends.

        Raises:
            StoppedError: The transport is closed.
            BrokerAwayError: The broker does not answer.
        """
        if self._sender is None or not self._is_open:
            raise StoppedError("the transport is closed")
        message = delivery(self.queue_of(target), envelope, sends)
        self._sender.put(Outgoing(message, self._failing(target, envelope.source, envelope.id)))

    def acknowledge(self, target: str, envelope: Envelope) -> None:
        """Send the acknowledgement to the publisher's queue, with others."""
        if self._sender is not None:
            self._sender.acknowledge(envelope.source, target, envelope.id)
        self.leave(target, envelope)

    def leave(self, target: str, envelope: Envelope) -> None:
        """Let the broker's message go: the event stays with its publisher."""
        with self._lock:
            waiting = self._waiting.pop((target, envelope.id), [])
        for ended in waiting:
            ended.set()

    def is_ready(self) -> bool:
        """Say whether the broker answered when it was last asked."""
        return self._sender is None or not self._sender.is_away

    def close(self) -> None:
        """Take nothing new in, and send nothing but the acknowledgements of what still runs."""
        if not self._is_open:
            return
        self._is_open = False
        threading.Thread(target=self._end, args=(self._sender, self._worker, self._connected), daemon=True).start()
        self._worker = None
        if self._threads:
            # A broker keeps the workers that it once had, and would tell them of new queues.
            self._connected = connected(self._url)

    def _end(self, sender: Sender | None, worker: Worker | None, used: Connected) -> None:
        if worker is not None:
            is_heard = sender is None or not sender.is_away
            self._quietly(lambda: worker.stop(LAST_DELIVERIES if is_heard else NOBODY_HEARS))
        if sender is not None:
            sender.end(LAST_WORDS)
        if worker is not None:
            self._quietly(used.broker.close)

    def _quietly(self, step: Callable[[], object]) -> None:
        try:
            step()
        except Exception:
            # A broker that is away has no connections to close, and what it holds it gives to others.
            log.debug("the connections to %s could not be closed", shown(self._url), exc_info=True)

    def _declare(self, module: str) -> None:
        queue = self.queue_of(module)
        if queue not in self.broker.actors:
            receiving = self._receiving(module)
            Actor(receiving, broker=self.broker, actor_name=queue, queue_name=queue, priority=0, options={})

    def _receiving(self, module: str) -> Callable[..., None]:
        def receive(*arguments: object, **_named: object) -> None:
            try:
                self._receive(module, arguments)
            except Exception:
                # Nobody above would hear of it; what is owed stands in the publisher's outbox.
                log.exception("a message for %s could not be taken in", module)

        return receive

    def _receive(self, module: str, arguments: tuple[object, ...]) -> None:
        origin = f"the queue {self.queue_of(module)}"
        try:
            said = read(arguments)
        except EnvelopeError as error:
            self._receivers[module].quarantine(repr(arguments).encode(), origin=origin, problem=str(error))
            return
        if isinstance(said, Acknowledgements):
            self._take_back(module, said)
            return
        try:
            envelope = read_envelope(said.data)
        except EnvelopeError as error:
            self._receivers[module].quarantine(said.data, origin=origin, problem=str(error))
            return
        self._deliver(module, envelope, said)

    def _deliver(self, module: str, envelope: Envelope, said: Delivery) -> None:
        """Give an envelope to the module's workers, and wait until they have ended with it."""
        ended = threading.Event()
        with self._lock:
            self._waiting[module, envelope.id].append(ended)
        try:
            self._receivers[module].accept(envelope, max(MARKED, said.sends))
        except BaseException:
            self.leave(module, envelope)
            raise
        ended.wait()

    def _take_back(self, module: str, said: Acknowledgements) -> None:
        if self._acknowledged is not None:
            for event_id in said.event_ids:
                self._acknowledged(said.target, module, event_id)

    def _failing(self, target: str, source: str, event_id: str) -> Callable[[], None]:
        def fail() -> None:
            if self._failed is not None:
                self._failed(target, source, event_id)

        return fail
