"""A transport between processes, on a broker that Dramatiq speaks to: a queue and an actor for each module."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

from dramatiq import Actor, Broker, Worker

from bus.envelope import Envelope
from bus.errors import BrokerAwayError, BusError, EnvelopeError, StoppedError
from bus.transport.base import Acknowledge, Fail, Receiver
from bus.transport.dramatiq.brokers import Connection, connection_to, is_private, shown
from bus.transport.dramatiq.deliveries import is_first_delivery
from bus.transport.dramatiq.hold import Hold
from bus.transport.dramatiq.keeping import GivenBackError, keep
from bus.transport.dramatiq.messages import Acknowledgements, Delivery, StrangeError, delivery, read
from bus.transport.dramatiq.quiet import quieten
from bus.transport.dramatiq.sender import Outgoing, Sender
from bus.transport.dramatiq.signing import Signer, StaleError
from bus.wire import read_envelope

log = logging.getLogger("bus")

T = TypeVar("T")

#: What a broker may have delivered before counts as a later send at least: its start is marked before it runs.
MARKED = 2

#: Seconds that the last acknowledgements have, and the last messages before them.
LAST_WORDS = 1.0

#: Milliseconds that the last deliveries have, and those that can tell their end to no broker.
LAST_DELIVERIES, NOBODY_HEARS = 60_000, 1_000

#: Milliseconds between two looks into a queue on Redis, and into one of acknowledgements; RabbitMQ tells by itself.
LOOK, LOOK_FOR_ACKS = 20, 50

#: Messages with acknowledgements that a process has in hand: each is done in no time.
ACKS_AT_ONCE = 16


class DramatiqTransport:
    """Sends envelopes to the queues of their modules, and takes in those of the modules that this process works for.

    A queue `APPLICATION.MODULE` holds the module's envelopes, and `APPLICATION.MODULE.acks` the acknowledgements of
    what it has published, which have a thread of their own. A message is acknowledged to the broker when every listener
    has a row, so a worker that dies leaves it to others. Nothing connects before `open`.

    Attributes:
        broker: The broker of this process, for the command that runs the actors.
    """

    is_local = False

    def __init__(
        self, url: str, *, application: str = "bus", threads: int = 0, signing_keys: Sequence[str] = ()
    ) -> None:
        """Name the broker.

        Args:
            url: Such as `dramatiq+amqp://guest:guest@localhost` or `dramatiq+redis://localhost/1`.
            application: What the names of its queues begin with.
            threads: Take envelopes in with so many threads of this process; with none it only publishes, unless
                Dramatiq's own command runs it, see `worked_by`. With the stub broker there is always one.
            signing_keys: Secrets of which the first signs what is sent, and each is believed; none, or at most two.

        Raises:
            BusError: The URL names no broker that there is, or one on another machine without TLS, and there is no
                signing key; or a key is none.
            MissingExtraError: Its driver is not installed.
        """
        self._url, self._application = url, application
        self._threads = threads or int(url.startswith("dramatiq+stub"))
        self._signer = Signer(signing_keys)
        self._connection = connection_to(url, application)
        if not (self._signer.signs or is_private(url)):
            raise BusError(
                f"whoever is on the way to {shown(url)} could forge events: set BUS_SIGNING_KEYS to a secret that all "
                "processes share (openssl rand -hex 32), or take amqps:// or rediss://"
            )
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._outer: Worker | None = None
        self._receivers: Mapping[str, Receiver] = {}
        self._acknowledged: Acknowledge | None = None
        self._failed: Fail | None = None
        self._sender: Sender | None = None
        self._workers: list[Worker] = []
        self._hearing: Broker | None = None
        self._ending: threading.Thread | None = None
        self._hold = Hold()
        self._is_open = False

    @property
    def broker(self) -> Broker:
        """The broker of this process."""
        return self._connection.broker

    @property
    def delivers_here(self) -> bool:
        """Whether envelopes are taken in by this process."""
        return self._outer is not None or self._threads > 0

    @property
    def unsent(self) -> int:
        """Envelopes that were taken, and that the broker has not."""
        sender = self._sender
        return 0 if sender is None else sender.unsent

    def worked_by(self, worker: Worker) -> None:
        """Hear which worker of Dramatiq's command runs the actors of this process; before `open`."""
        self._outer = worker

    def queue_of(self, module: str) -> str:
        """Return the name of a module's queue, and of its actor."""
        return f"{self._application}.{module}"

    def acks_of(self, module: str) -> str:
        """Return the name of the queue of the acknowledgements of what a module has published, and of its actor."""
        return f"{self.queue_of(module)}.acks"

    def open(self, receivers: Mapping[str, Receiver], acknowledged: Acknowledge, failed: Fail) -> None:
        """Begin to carry."""
        self.end()
        self._receivers, self._acknowledged, self._failed = receivers, acknowledged, failed
        self._is_open, self._hold = True, Hold()
        served = [self.queue_of(module) for module in receivers] if self.delivers_here else []
        self._sender = Sender(
            self._connection, shown(self._url), acks_of=self.acks_of, signer=self._signer, served=served
        )
        self._sender.start()
        if self.delivers_here:
            self._work_for(receivers)

    def send(self, target: str, envelope: Envelope, sends: int) -> None:
        """Queue the envelope for the thread that sends.

        Raises:
            StoppedError: The transport is closed.
            BrokerAwayError: The broker does not answer.
        """
        sender = self._sender
        if sender is None or not self._is_open:
            raise StoppedError("the transport is closed")
        message = delivery(self.queue_of(target), envelope, sends, self._signer)
        sender.put(Outgoing(message, self._failing(target, envelope.source, envelope.id)))

    def acknowledge(self, target: str, envelope: Envelope) -> None:
        """Send the acknowledgement to the publisher's queue, with others."""
        if (sender := self._sender) is not None:
            sender.acknowledge(envelope.source, target, envelope.id)
        self.leave(target, envelope)

    def leave(self, target: str, envelope: Envelope) -> None:
        """Let the broker's message go: the event stays with its publisher."""
        self._hold.let_go(target, envelope.id)

    def give_back(self, target: str, envelope: Envelope) -> None:
        """Put the message into the module's queue once more.

        The one that is held is let go with `end`: until then it keeps this process from being given another.
        """
        if (sender := self._sender) is not None:
            message = delivery(self.queue_of(target), envelope, MARKED, self._signer)
            with suppress(BrokerAwayError):
                sender.put(Outgoing(message, _nothing))

    def is_ready(self) -> bool:
        """Say whether the broker answered when it was last asked, wait a little for the first answer of all.

        Where nothing is open, it is asked now.
        """
        sender = self._sender
        if sender is None or not self._is_open:
            return self._asked(_answers) is True
        return sender.has_answered()

    def where(self) -> str:
        """Say which broker it is, and how many processes of the application are connected."""
        sender = self._sender
        count = 0 if sender is None else sender.processes
        if not count:
            return self._connection.kind
        return f"{self._connection.kind}, {count} {'process' if count == 1 else 'processes'}"

    def workers(self, module: str) -> int | None:
        """Ask the broker how many processes take from the module's queue."""
        return self._asked(lambda connection: connection.workers(self.queue_of(module)))

    def close(self) -> None:
        """Take nothing new in."""
        if not self._is_open:
            return
        self._is_open = False
        if self._workers:
            # They wait for what they have in hand, of which the modules' workers go on with some.
            stopping = self._workers, self._hold
            self._ending = threading.Thread(target=self._stop_working, args=stopping, daemon=True)
            self._ending.start()

    def end(self) -> None:
        """Send what there is to send, if the broker takes it within a second, and connect no more."""
        sender = self._sender
        if sender is None or self._is_open:
            return
        ending, self._ending, self._workers = self._ending, None, []
        if self._outer is not None:
            for thread in self._outer.workers:
                # What is let go now must not make room for more.
                thread.stop()
            _forget_running(self._outer, self._hold)
        # What still waits goes on, and is acknowledged to the broker; what it is for has a copy, or is owed.
        self._hold.let_all_go()
        if ending is not None:
            ending.join(LAST_WORDS)
        sender.end(LAST_WORDS)
        self._sender = None
        if ending is not None:
            self._leave_brokers(is_in_use=ending.is_alive())

    def renew(self) -> None:
        """Begin anew in a forked child, with signs of life and connections of its own."""
        self._connection = connection_to(self._url, self._application)
        self._begin_anew()

    def _leave_brokers(self, *, is_in_use: bool) -> None:
        """Close what this transport has opened, and take another broker, since each keeps its workers."""
        is_ours = self._outer is None
        for broker in (self._hearing, self.broker if is_ours else None):
            if broker is not None and not is_in_use:
                self._quietly(broker.close)
        if is_ours:
            self._connection = connection_to(self._url, self._application)

    def _stop_working(self, workers: list[Worker], hold: Hold) -> None:
        sender = self._sender
        is_heard = sender is None or not sender.is_away
        threads = [thread for worker in workers for thread in worker.workers]
        for thread in threads:
            thread.stop()
        while any(thread.is_alive() for thread in threads) and not hold.is_over.wait(LOOK / 1000):
            pass
        for worker in workers:
            _forget_running(worker, hold)
            self._quietly(partial(worker.stop, LAST_DELIVERIES if is_heard else NOBODY_HEARS))

    def _quietly(self, step: Callable[[], object]) -> None:
        try:
            step()
        except Exception:
            # A broker that is away has no connections to close, and what it holds it gives to others.
            log.debug("the connections to %s could not be closed", shown(self._url), exc_info=True)

    def _asked(self, ask: Callable[[Connection], T]) -> T | None:
        """Return the answer to a question of this thread, on a connection of its own; None where there is none."""
        connection = connection_to(self._url, self._application)
        try:
            return ask(connection)
        except Exception:
            log.debug("the broker at %s does not answer", shown(self._url), exc_info=True)
            return None
        finally:
            self._quietly(connection.reset)

    def _work_for(self, modules: Collection[str]) -> None:
        """Take in what comes for modules; their envelopes only where nobody else in this process does."""
        queues, acks = [self.queue_of(module) for module in modules], [self.acks_of(module) for module in modules]
        self._hearing = self._connection.another()
        for module in modules:
            self._declare(self.broker, module, self.queue_of(module))
            self._declare(self._hearing, module, self.acks_of(module))
        # Envelopes may wait in every thread that they have: what says that others have arrived must not wait for them.
        hearing = Worker(self._hearing, queues=set(acks), worker_timeout=LOOK_FOR_ACKS, worker_threads=1)
        hearing.queue_prefetch = ACKS_AT_ONCE
        self._workers = [hearing]
        if self._threads:
            worker = Worker(self.broker, queues=set(queues), worker_timeout=LOOK, worker_threads=self._threads)
            self._workers.append(worker)
        for worker in self._workers:
            worker.start()

    def _declare(self, broker: Broker, module: str, queue: str) -> None:
        quieten(queue)
        if queue not in broker.actors:
            receiving, options = self._receiving(module, queue), {"throws": GivenBackError}
            Actor(receiving, broker=broker, actor_name=queue, queue_name=queue, priority=0, options=options)
        # Nothing of ours is sent for later, so nobody need look for it.
        broker.delay_queues.clear()

    def _receiving(self, module: str, queue: str) -> Callable[..., None]:
        def receive(*arguments: object) -> None:
            try:
                said = read(queue, arguments, self._signer)
                envelope = _envelope_of(said)
                if isinstance(said, Delivery) and queue == self.acks_of(module):
                    raise StrangeError(said.data, "an envelope among acknowledgements")
            except StrangeError as error:
                keep(self._receivers[module], error, f"the queue {queue}", self._hold.is_over)
            except StaleError as error:
                log.warning("a message for %s is let go, and sent again if it is still owed: %s", module, error)
            else:
                self._take_in(module, said, envelope)

        return receive

    def _take_in(self, module: str, said: Delivery | Acknowledgements, envelope: Envelope | None) -> None:
        try:
            if isinstance(said, Acknowledgements):
                self._take_back(module, said)
            elif envelope is not None:
                self._deliver(module, envelope, said.sends)
        except Exception:
            # Nobody above would hear of it; what is owed stands in the publisher's outbox.
            log.exception("a message for %s could not be taken in", module)

    def _deliver(self, module: str, envelope: Envelope, sends: int) -> None:
        """Run an envelope in the module's turn, and wait until it has ended wherever it was queued."""
        ended = self._hold.take(module, envelope.id)
        counted = sends if is_first_delivery() else max(MARKED, sends)
        try:
            self._hold.run(lambda: self._receivers[module].run(envelope, counted))
        except StoppedError:
            self.give_back(module, envelope)
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


def _forget_running(worker: Worker, hold: Hold) -> None:
    """Have Dramatiq not wait for a listener whose grace is over: it would go on taking messages meanwhile."""
    worker.workers = [thread for thread in worker.workers if not hold.is_running(thread)]


def _nothing() -> None: ...


def _answers(connection: Connection) -> bool:
    connection.probe()
    return True


def _envelope_of(said: Delivery | Acknowledgements) -> Envelope | None:
    if isinstance(said, Acknowledgements):
        return None
    try:
        return read_envelope(said.data)
    except EnvelopeError as error:
        raise StrangeError(said.data, str(error)) from None
