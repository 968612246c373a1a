"""Total-queue accounting: what was tried and acknowledged, beside what the databases hold in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.chaos.journal import Attempt, Journal

#: Examples of each kind of violation that are told.
EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the databases hold when nothing moves any more.

    Attributes:
        rows: For each step of an order's way how many rows there are of each number.
        stuck: What is still owed or to be run.
        dead: The dead letters; no listener kills its process or fails for good, so all of them are innocent.
    """

    rows: Mapping[str, Mapping[int, int]]
    stuck: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Violation:
    """How often a promise was broken, and the first examples."""

    count: int
    examples: list[str]


@dataclass(frozen=True, slots=True)
class Accounts:
    """What the accounting finds.

    Attributes:
        recovered: Orders that are there with all that follows, although nobody was told that they were placed.
        effects: Rows of each step.
        violations: Every kind of violation; what did not happen has a count of 0.
    """

    recovered: int
    effects: Mapping[str, int]
    violations: Mapping[str, Violation]


def account(journal: Journal, holdings: Holdings) -> Accounts:
    """Compare what was tried with what is there."""
    known, unknown = _parted(journal)
    tried = {number for attempt in journal.attempts for number in attempt.numbers}
    whole = [attempt for attempt in unknown if not _missing(attempt, holdings)]
    found: dict[str, Iterator[str]] = {
        "lost": _lost(known, holdings),
        "duplicate effects": _duplicates(holdings),
        "phantom": _phantoms(tried, holdings),
        "half a transaction": _halves(unknown, holdings),
        "stuck": iter(holdings.stuck),
        "innocents dead": iter(holdings.dead),
    }
    return Accounts(
        recovered=sum(len(attempt.numbers) for attempt in whole),
        effects={step: sum(counts.values()) for step, counts in holdings.rows.items()},
        violations={kind: _told(examples) for kind, examples in found.items()},
    )


def told(examples: list[str]) -> Violation:
    """Return a violation with the first of its examples."""
    return Violation(len(examples), examples[:EXAMPLES])


def _told(examples: Iterator[str]) -> Violation:
    return told(list(examples))


def _parted(journal: Journal) -> tuple[list[Attempt], list[Attempt]]:
    """Return what is known to be committed, and what may be or not."""
    wanted = [attempt for attempt in journal.attempts if attempt.numbers]
    is_known: Callable[[Attempt], bool] = lambda attempt: attempt.is_acknowledged  # noqa: E731
    return list(filter(is_known, wanted)), [attempt for attempt in wanted if not attempt.is_acknowledged]


def _lost(known: list[Attempt], holdings: Holdings) -> Iterator[str]:
    for attempt in known:
        for number, step in _missing(attempt, holdings):
            yield f"order {number}: acknowledged, and missing in {step}"


def _halves(unknown: list[Attempt], holdings: Holdings) -> Iterator[str]:
    for attempt in unknown:
        missing = _missing(attempt, holdings)
        if 0 < len(missing) < len(attempt.numbers) * len(holdings.rows):
            number, step = missing[0]
            yield f"orders {attempt.numbers[0]} to {attempt.numbers[-1]}: there in part, {number} is missing in {step}"


def _duplicates(holdings: Holdings) -> Iterator[str]:
    for step, counts in holdings.rows.items():
        for number, count in counts.items():
            for surplus in range(2, count + 1):
                yield f"order {number}: row {surplus} in {step}"


def _phantoms(tried: set[int], holdings: Holdings) -> Iterator[str]:
    for step, counts in holdings.rows.items():
        for number in counts.keys() - tried:
            yield f"order {number}: rolled back or never placed, and there in {step}"


def _missing(attempt: Attempt, holdings: Holdings) -> list[tuple[int, str]]:
    return [
        (number, step) for number in attempt.numbers for step, counts in holdings.rows.items() if number not in counts
    ]
