"""What becomes of a publication whose listener fails: the retry policy, and what a listener may raise to steer it."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from bus.errors import BusError, CascadeError, InvalidListenerError

#: Seconds that anything may be put off: ten years, far below what a database's whole numbers hold.
LONGEST_TIME = 10 * 365 * 86_400.0


class Verdict(Enum):
    """What a rule does with a publication."""

    RETRY = "retry"
    DISCARD = "discard"
    DEAD_LETTER = "dead-letter"


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens when the listener raises one of these exceptions, or a subclass of one."""

    verdict: Verdict
    errors: tuple[type[BaseException], ...]

    def __post_init__(self) -> None:
        """Refuse what no exception could ever match."""
        wrong = [found for found in self.errors if not (isinstance(found, type) and issubclass(found, BaseException))]
        if wrong or not self.errors:
            raise InvalidListenerError(
                f"a rule that says {self.verdict.value!r} takes classes of exceptions, one at least, not "
                f"{wrong[0] if wrong else self.errors!r}"
            )


def retry_on(*errors: type[BaseException]) -> Rule:
    """Return the rule that tries again after these exceptions, until the policy's limit."""
    return Rule(Verdict.RETRY, errors)


def discard_on(*errors: type[BaseException]) -> Rule:
    """Return the rule that gives the publication up without a dead letter: it no longer matters."""
    return Rule(Verdict.DISCARD, errors)


def dead_letter_on(*errors: type[BaseException]) -> Rule:
    """Return the rule that makes a dead letter at once: another run would end the same way."""
    return Rule(Verdict.DEAD_LETTER, errors)


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """When a listener pauses itself because most of its runs fail.

    A paused listener's publications wait, unharmed. When the pause is over one of them is run as a probe: if it
    completes the listener resumes, otherwise the pause doubles, up to `longest_pause`.

    Attributes:
        runs: Ended runs of one process that have to lie within the window before anything is judged.
        window: Seconds that are looked back.
        share: The share of failures among those runs from which on the listener is paused.
        pause: Seconds of the first pause.
        longest_pause: Seconds of the longest pause.
    """

    runs: int = 50
    window: float = 60.0
    share: float = 0.5
    pause: float = 30.0
    longest_pause: float = 600.0

    def __post_init__(self) -> None:
        """Refuse what could never work."""
        if self.runs < 1 or not 0 < self.share <= 1 or not (0 < self.window < math.inf and self.pause > 0):
            raise InvalidListenerError(f"{self!r}: runs count from 1, share lies above 0 and up to 1, times above 0")
        if not self.pause <= self.longest_pause <= LONGEST_TIME:
            raise InvalidListenerError(f"{self!r}: the longest pause is at least the first, and at most ten years")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How failures of one module listener are answered.

    A failed run is tried again after a random delay below a bound that doubles with each failure (exponential
    backoff with full jitter), so that what failed together does not come back together. Crashes, runs whose
    process ended in the middle, are counted apart: only those that happened while the publication ran alone.

    Attributes:
        rules: Asked in turn, the first that names the exception decides; without one it is retried. What a listener
            raises on purpose, such as `PermanentFailure` and `RetryAfter`, needs no rule and heeds none.
        max_failures: Failed runs after which the publication is a dead letter.
        max_crashes: Crashed runs, alone in their process, after which it is one.
        first_delay: Seconds that the first retry waits at most.
        longest_delay: Seconds beyond which the bound no longer doubles.
        kill_switch: When the listener pauses itself; None: never.
    """

    rules: tuple[Rule, ...] = ()
    max_failures: int = 20
    max_crashes: int = 3
    first_delay: float = 1.0
    longest_delay: float = 600.0
    kill_switch: KillSwitch | None = KillSwitch()

    def __post_init__(self) -> None:
        """Refuse what could never work."""
        if self.max_failures < 1 or self.max_crashes < 1:
            raise InvalidListenerError(f"{self!r}: limits count from 1; a limit of 1 means no second run")
        if not 0 <= self.first_delay <= self.longest_delay <= LONGEST_TIME:
            raise InvalidListenerError(
                f"{self!r}: delays are seconds, the first is at most the longest, and that at most ten years"
            )
        if not isinstance(self.rules, tuple) or not all(isinstance(rule, Rule) for rule in self.rules):
            raise InvalidListenerError(f"{self!r}: rules is a tuple, such as rules=(discard_on(KeyError),)")

    def verdict_on(self, error: BaseException) -> Verdict:
        """Return what the policy does after this exception, as long as no limit is reached."""
        # What a listener raises to steer the bus outranks rules that name a base class of it.
        if isinstance(error, PermanentFailure | CascadeError):
            return Verdict.DEAD_LETTER
        if isinstance(error, RetryAfter):
            return Verdict.RETRY
        return next((rule.verdict for rule in self.rules if isinstance(error, rule.errors)), Verdict.RETRY)

    def bound_after(self, failures: int) -> float:
        """Return the seconds that the run after so many failures waits at most."""
        return float(min(self.longest_delay, self.first_delay * 2.0 ** min(failures - 1, 60)))

    def delay_after(self, failures: int, source: random.Random) -> int:
        """Return the microseconds until the run after so many failures: anything up to the bound."""
        return source.randint(0, int(self.bound_after(failures) * 1_000_000))


class PermanentFailure(BusError):
    """Raised by a module listener when another run would end the same way: a dead letter at once."""


class RetryAfter(BusError):
    """Raised by a module listener to be run again after a time of its own choice; its transaction rolls back.

    Attributes:
        seconds: From now until the next run.
        counts: Whether this run counts as a failure.
    """

    def __init__(self, seconds: float, counts: bool = False) -> None:
        if not 0 <= seconds <= LONGEST_TIME:
            raise ValueError(f"RetryAfter takes seconds from now on, at most ten years of them, not {seconds!r}")
        self.seconds, self.counts = seconds, counts
        super().__init__(f"run again after {seconds:g} s")


class NotBefore(BusError):
    """Raised by a module listener to be run again at a moment, not earlier; its transaction rolls back.

    The run counts as no failure.

    Attributes:
        moment: When, aware.
    """

    def __init__(self, moment: datetime) -> None:
        if moment.tzinfo is None:
            raise ValueError(f"NotBefore takes a moment with its time zone, not {moment!r}: datetime.now(UTC) + …")
        self.moment = moment
        super().__init__(f"not before {moment.isoformat()}")
