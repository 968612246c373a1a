"""The thread that sends: one connection to the broker for each process, and nobody waits for it."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from dramatiq import Message

from bus.errors import BrokerAwayError
from bus.transport.dramatiq.backoff import Backoff
from bus.transport.dramatiq.brokers import Connection
from bus.transport.dramatiq.messages import acknowledgements
from bus.transport.dramatiq.signing import Signer

log = logging.getLogger("bus")

#: Messages that the broker is asked for at once to have taken: each is waited for, and most of that is its way.
AT_ONCE = 100

#: Seconds from one such question to the next while messages come fast: what a question costs is shared by many then.
PACE = 0.01

#: Acknowledgements that one message takes, and seconds for which they are gathered.
BATCH, GATHER = 500, 0.05

#: Seconds between two signs of life.
ALIVE = 5.0

#: Seconds that somebody who wants to know whether the broker answers waits for its first answer.
FIRST_ANSWER = 1.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message, and what is done where it cannot be sent."""

    message: Message[Any]
    fail: Callable[[], None]


class Sender:
    """Sends what it is given, in that order; made stopped, and runs once. `put` and `acknowledge` are thread-safe."""

    def __init__(
        self,
        connection: Connection,
        name: str,
        *,
        acks_of: Callable[[str], str],
        signer: Signer,
        served: Collection[str],
        backoff: Backoff | None = None,
    ) -> None:
        self._connection = connection
        self._name = name
        self._acks_of = acks_of
        self._signer = signer
        self._served = served
        self._ready = threading.Condition()
        self._outgoing: deque[Outgoing] = deque()
        self._owed: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self._is_ending = False
        self._sending = 0
        #: Why nothing is taken, while the broker is not asked.
        self._why_away: str | None = None
        self._backoff = backoff or Backoff()
        self._has_failed_in_sending = False
        self._is_known = threading.Event()
        self._alive_at = self._gather_until = self._send_at = 0.0
        self._processes = 0
        self._thread = threading.Thread(target=self._run, name="bus-sender", daemon=True)

    @property
    def is_away(self) -> bool:
        """Whether the broker did not do what it was last asked for."""
        return self._backoff.has_begun

    def has_answered(self) -> bool:
        """Say whether the broker did what it was last asked for; wait a little for the first time that it is asked."""
        return self._is_known.wait(FIRST_ANSWER) and not self.is_away

    @property
    def unsent(self) -> int:
        """Messages that were taken, and that the broker has not."""
        with self._ready:
            return len(self._outgoing) + self._sending

    @property
    def processes(self) -> int:
        """How many processes of the application were connected when it last gave a sign of life."""
        return 0 if self.is_away else self._processes

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, outgoing: Outgoing) -> None:
        """Have a message sent.

        Raises:
            BrokerAwayError: The broker does not answer.
        """
        with self._ready:
            if self._why_away is not None:
                raise BrokerAwayError(f"the broker at {self._name} does not answer: {self._why_away}")
            self._outgoing.append(outgoing)
            # The thread waits for the first, and then for so many; to wake for each would send each by itself.
            if len(self._outgoing) in (1, AT_ONCE):
                self._ready.notify()

    def acknowledge(self, source: str, target: str, event_id: str) -> None:
        """Have an acknowledgement sent with others; one that is lost costs another delivery."""
        with self._ready:
            if not self._owed:
                self._gather_until = time.monotonic() + GATHER
                self._ready.notify()
            # The others come with the first: to wake for each would send each by itself.
            self._owed[source, target].append(event_id)

    def end(self, timeout: float) -> None:
        """Send what there is, if the broker takes it, and end; wait for that at most `timeout` seconds."""
        with self._ready:
            self._is_ending = True
            self._ready.notify()
        self._thread.join(timeout)

    def _run(self) -> None:
        self._connect()
        while not (self._is_ending and not self._outgoing and not self._owed):
            if self._why_away is not None:
                if self._is_ending or self._has_waited_to_end():
                    break
                self._connect()
            else:
                self._step()
        self._give_up()
        self._quietly(self._connection.reset)

    def _step(self) -> None:
        batch = self._next()
        if batch:
            self._send(batch)
        if time.monotonic() >= self._alive_at and self._guarded(self._keep_alive):
            self._note_answer()
        self._send_acknowledgements()

    def _next(self) -> list[Outgoing]:
        """Return the next messages; none when only acknowledgements or a sign of life are to be sent."""
        with self._ready:
            self._sending = 0
            if not self._outgoing and not self._is_ending:
                until = min(self._alive_at, self._gather_until) if self._owed else self._alive_at
                self._ready.wait(max(0.0, until - time.monotonic()))
            if self._outgoing:
                self._ready.wait_for(self._is_full, max(0.0, self._send_at - time.monotonic()))
            batch = [self._outgoing.popleft() for _ in range(min(AT_ONCE, len(self._outgoing)))]
            self._sending = len(batch)
            return batch

    def _is_full(self) -> bool:
        return self._is_ending or len(self._outgoing) >= AT_ONCE

    def _send(self, batch: list[Outgoing]) -> None:
        """Have the broker take messages; where it does not say of all that it has, all of them have failed."""
        self._send_at = time.monotonic() + PACE
        if not self._have_sent([outgoing.message for outgoing in batch]):
            for outgoing in batch:
                outgoing.fail()

    def _send_acknowledgements(self) -> None:
        with self._ready:
            if time.monotonic() < self._gather_until and not self._is_ending:
                return
            owed, self._owed = self._owed, defaultdict(list)
        for (source, target), event_ids in owed.items():
            queue = self._acks_of(source)
            for start in range(0, len(event_ids), BATCH):
                message = acknowledgements(queue, target, event_ids[start : start + BATCH], self._signer)
                if not self._have_sent([message]):
                    return

    def _have_sent(self, messages: list[Message[Any]]) -> bool:
        is_sent = self._guarded(lambda: self._connection.send(messages))
        self._has_failed_in_sending = not is_sent
        if is_sent:
            self._note_answer()
        return is_sent

    def _keep_alive(self) -> None:
        self._processes = self._connection.keep_alive(self._served)
        self._alive_at = time.monotonic() + ALIVE

    def _connect(self) -> None:
        """Ask the broker whether it is there; who takes signs of life may yet take no messages."""
        if self._guarded(self._greet):
            with self._ready:
                self._why_away = None
            if not self._has_failed_in_sending:
                self._note_answer()
        self._is_known.set()

    def _greet(self) -> None:
        self._connection.probe()
        self._keep_alive()

    def _note_answer(self) -> None:
        """Note that the broker does what it is asked for."""
        if self._backoff.has_begun:
            log.warning("the broker at %s answers again", self._name)
            self._backoff.reset()
        self._has_failed_in_sending = False

    def _guarded(self, step: Callable[[], object]) -> bool:
        """Take a step; where it fails, note that the broker is away, and return False."""
        try:
            step()
        except Exception as error:  # noqa: BLE001 - told as an outage
            # Whatever a driver raises here: what was to be sent stands in the outbox, and the thread goes on.
            if not self._backoff.has_begun:
                log.error("the broker at %s is away: %s", self._name, _told(error))
            self._quietly(self._connection.reset)
            self._go_away(_told(error))
            return False
        return True

    def _go_away(self, why: str) -> None:
        with self._ready:
            self._why_away = why
            self._backoff.lengthen()
        self._give_up()

    def _give_up(self) -> None:
        with self._ready:
            given_up, self._outgoing = self._outgoing, deque()
            self._owed.clear()
        for outgoing in given_up:
            outgoing.fail()

    def _has_waited_to_end(self) -> bool:
        """Wait until the broker is to be asked again; True where the thread is to end instead."""
        until = time.monotonic() + self._backoff.wait()
        with self._ready:
            while not self._is_ending and (left := until - time.monotonic()) > 0:
                self._ready.wait(left)
            return self._is_ending

    @staticmethod
    def _quietly(step: Callable[[], object]) -> None:
        try:
            step()
        except Exception:
            log.debug("a connection to the broker could not be closed", exc_info=True)


def _told(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
