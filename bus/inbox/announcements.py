"""Telling the bus's signals how a module's publications fare."""

from __future__ import annotations

import logging
from typing import Any

from blinker import Signal

from bus.inbox.pauses import Pause
from bus.inbox.store import Outcome, Publication
from bus.signals import BusSignals

log = logging.getLogger("bus")


class Announcements:
    """Sends signals once what they tell is committed; a receiver's own failure is logged and goes no further."""

    def __init__(self, signals: BusSignals, sender: object) -> None:
        self._signals = signals
        self._sender = sender

    def completed(self, publication: Publication, took: int) -> None:
        """Say that a listener's effects are committed."""
        if self._signals.listener_completed.receivers:
            self._send(self._signals.listener_completed, publication, took=took)

    def failed(self, publication: Publication, error: BaseException) -> None:
        """Say that a run has failed."""
        self._send(self._signals.listener_failed, publication, error=error)

    def dead(self, publication: Publication, outcome: Outcome) -> None:
        """Say that a publication was given up."""
        self._send(self._signals.publication_dead, publication, reason=str(outcome.reason))

    def parked(self, publication: Publication, outcome: Outcome) -> None:
        """Say that this build cannot read an event."""
        self._send(self._signals.publication_parked, publication, reason=str(outcome.reason))

    def paused(self, pause: Pause) -> None:
        """Say that a listener or a module is paused."""
        self._guarded(self._signals.paused, target=pause.target, pause=pause)

    def resumed(self, target: str) -> None:
        """Say that a listener or a module runs again."""
        self._guarded(self._signals.resumed, target=target)

    def quarantined(self, digest: str, problem: str) -> None:
        """Say that bytes were no envelope."""
        self._guarded(self._signals.quarantined, digest=digest, problem=problem)

    def reached(self, *, is_away: bool) -> None:
        """Say that the broker is away, or answers again."""
        self._guarded(self._signals.broker_away if is_away else self._signals.broker_back)

    def served(self, target: str, *, is_served: bool) -> None:
        """Say that nobody takes in what a module is sent, or that somebody does again."""
        self._guarded(self._signals.served if is_served else self._signals.unserved, target=target)

    def _send(self, signal: Signal, publication: Publication, **details: Any) -> None:
        self._guarded(
            signal,
            listener_id=publication.listener_id,
            event_id=publication.envelope.id,
            envelope=publication.envelope,
            **details,
        )

    def _guarded(self, signal: Signal, **details: Any) -> None:
        try:
            signal.send(self._sender, **details)
        except BaseException:
            # What is announced stands in the database, whatever a receiver makes of the news.
            log.exception("a receiver of the signal %r failed", signal)
