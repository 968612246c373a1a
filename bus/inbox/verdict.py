"""What becomes of a publication whose run did not complete."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

from bus.clock import to_microseconds
from bus.inbox.state import Reason, State
from bus.inbox.store import Outcome, Publication, Trouble
from bus.inbox.trouble import trouble_of
from bus.retry import NotBefore, RetryAfter, RetryPolicy, Verdict

#: Microseconds after which a parked publication is looked at again, at most; half of it at least.
PARKED_INTERVAL = 60_000_000

#: Microseconds that a conflict in the database, or its absence, waits at most.
BUSY_INTERVAL = 1_000_000

#: Microseconds that a run waits at most which has to be alone, and could not be.
ALONE_INTERVAL = 2_000_000


@dataclass(frozen=True, slots=True)
class Judge:
    """Decides by a listener's policy; makes no query and keeps nothing."""

    random_source: random.Random

    def on_failure(self, publication: Publication, error: BaseException, policy: RetryPolicy, now: int) -> Outcome:
        """Return what a failed run leads to."""
        if isinstance(error, NotBefore):
            return self._waiting(publication, max(0, to_microseconds(error.moment) - now))
        if isinstance(error, RetryAfter) and not error.counts:
            return self._waiting(publication, int(error.seconds * 1_000_000))
        trouble, failed = trouble_of(error), publication.failures + 1
        match policy.verdict_on(error):
            case Verdict.DISCARD:
                return self._dead(publication, Reason.DISCARDED, failed, trouble)
            case Verdict.DEAD_LETTER:
                return self._dead(publication, Reason.PERMANENT, failed, trouble)
            case Verdict.RETRY if failed >= policy.max_failures:
                return self._dead(publication, Reason.FAILED, failed, trouble)
            case Verdict.RETRY:
                due_in = self._delay(error, policy, failed)
                return Outcome(State.RETRYING, Reason.FAILED, due_in, failed, publication.crashes, trouble)
            case unknown:
                assert_never(unknown)

    def on_crash(self, publication: Publication, policy: RetryPolicy) -> Outcome:
        """Return what a run leads to that never ended; it counts only where it was alone in its process."""
        crashes = publication.crashes + publication.is_suspect
        text = "the process ended in the middle of the run" + (", which was alone" if publication.is_suspect else "")
        trouble = Trouble("Crash", text, None, None)
        if crashes >= policy.max_crashes:
            return Outcome(State.DEAD, Reason.CRASHED, 0, publication.failures, crashes, trouble)
        due_in = policy.delay_after(max(1, crashes), self.random_source)
        return Outcome(State.RETRYING, Reason.CRASHED, due_in, publication.failures, crashes, trouble)

    def alone_interval(self) -> int:
        """Return for how many microseconds a run is put off that could not be made alone."""
        return self.random_source.randint(0, ALONE_INTERVAL)

    def on_busy_database(self, publication: Publication, error: BaseException) -> Outcome:
        """Return what a conflict in the database leads to, or its absence; nothing is counted."""
        due_in = self.random_source.randint(0, BUSY_INTERVAL)
        return self._uncounted(publication, Reason.BUSY, due_in, trouble_of(error))

    def on_unreadable(self, publication: Publication, error: BaseException) -> Outcome:
        """Return what a payload leads to that this build cannot read; nothing is counted."""
        return self.parked(publication, Reason.UNDECODABLE, trouble_of(error))

    def parked(self, publication: Publication, reason: Reason, trouble: Trouble | None = None) -> Outcome:
        """Return that a publication waits for a build which can read it."""
        return self._uncounted(publication, reason, self.parked_interval(), trouble)

    def parked_interval(self) -> int:
        """Return for how many microseconds something parked is put off."""
        return self.random_source.randint(PARKED_INTERVAL // 2, PARKED_INTERVAL)

    def _delay(self, error: BaseException, policy: RetryPolicy, failures: int) -> int:
        if isinstance(error, RetryAfter):
            return int(error.seconds * 1_000_000)
        return policy.delay_after(failures, self.random_source)

    def _waiting(self, publication: Publication, due_in: int) -> Outcome:
        return self._uncounted(publication, Reason.WAITING, due_in, None)

    def _uncounted(self, publication: Publication, reason: Reason, due_in: int, trouble: Trouble | None) -> Outcome:
        return Outcome(State.RETRYING, reason, due_in, publication.failures, publication.crashes, trouble)

    def _dead(self, publication: Publication, reason: Reason, failures: int, trouble: Trouble) -> Outcome:
        return Outcome(State.DEAD, reason, 0, failures, publication.crashes, trouble)


def put_off(publication: Publication, reason: Reason, due_in: int = 0) -> Outcome:
    """Return that a publication is not run now, with nothing said against it."""
    return Outcome(State.RETRYING, reason, due_in, publication.failures, publication.crashes)


def too_old(retention: timedelta) -> Outcome:
    """Return that an event came too late to be told from one that was done and forgotten."""
    text = f"first sent longer ago than completed publications are remembered ({retention}); it may have run already"
    return Outcome(State.DEAD, Reason.TOO_OLD, 0, 0, 0, Trouble("TooOld", text, None, None))
