"""Schedules: who takes which step, and what happens in the middle of it. As text, and as Hypothesis draws them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

from hypothesis import strategies as st

from bus.failpoint import FAILPOINTS

#: The simulated processes.
PROCESSES = "ABC"

#: What a process may do, and what may happen to it.
_WORK = ("work order", "work kitchen", "work kitchen", "relay order", "relay kitchen")
_PUBLISH = (
    "publish well",
    "publish failing",
    "publish swallowing",
    "publish deadly",
    "publish two",
    "publish and roll back",
    "publish and roll back a savepoint",
)
_TROUBLE = ("kill", "repeat order", "repeat kitchen", "hold order", "hold kitchen")
_TIME = ("wait 1", "wait 31", "wait 3600", "set back 3600", "run ahead 300", "run ahead -300")

#: What is drawn for a step, as often as it stands here, and for one in the middle of another.
ACTS = (*_WORK, *_WORK, *_WORK, *_WORK, *_PUBLISH, *_TROUBLE, *_TIME)
ACTS_INSIDE = (*_WORK, *_WORK, *_PUBLISH[:1], *_TROUBLE, *_TIME, *("kill",) * (len(ACTS) - 22))

#: By whom it is taken; in the middle of another step half of the time by the same process.
_TAKERS = "AAABBC"
_SAME = 3


@dataclass(frozen=True, slots=True)
class Strike:
    """What happens in the middle of a step.

    Attributes:
        at: The failpoint.
        passage: At which passage of it in that step, counted from 1.
        steps: What is done there, before the step goes on; where that kills its process, it does not.
    """

    at: str
    passage: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What one process does next.

    Attributes:
        process: Its letter.
        act: What it does, or what happens to it.
        strike: What happens in the middle of it, if anything.
    """

    process: str
    act: str
    strike: Strike | None = None


@dataclass(frozen=True)
class Schedule:
    """The steps of all processes, in their order."""

    steps: tuple[Step, ...]

    @property
    def processes(self) -> list[str]:
        """The letters of the processes that take part."""
        return sorted({letter for step in self.steps for letter in _letters(step)})

    def __repr__(self) -> str:
        return "\n" + "\n".join(_lines(self.steps))


def parsed(text: str) -> Schedule:
    """Return the schedule that `repr` has written; what happens inside a step is indented below it."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return Schedule(tuple(_steps(lines, "")))


def _letters(step: Step) -> set[str]:
    inner = step.strike.steps if step.strike else ()
    return {step.process}.union(*map(_letters, inner))


def _lines(steps: Sequence[Step], indent: str = "") -> Iterator[str]:
    for step in steps:
        strike = step.strike
        yield f"{indent}{step.process}: {step.act}" + (f" @ {strike.at} {strike.passage}" if strike else "")
        if strike:
            yield from _lines(strike.steps, indent + "    ")


def _steps(lines: list[str], indent: str) -> Iterator[Step]:
    while lines and _indent(lines[0]) == indent:
        said, _, place = lines.pop(0).strip().partition(" @ ")
        process, _, act = said.partition(": ")
        inner = tuple(_steps(lines, _indent(lines[0]))) if lines and len(_indent(lines[0])) > len(indent) else ()
        at, _, passage = place.partition(" ")
        yield Step(process, act, Strike(at, int(passage), inner) if at else None)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


#: The failpoints that a step may pass, by the first word of its act.
_IN_A_TRANSACTION = ("publish.recorded", "outbox.before_write", "outbox.after_write", "transaction.before_commit")
_AFTER_IT = ("transaction.after_commit", "relay.before_hand_over")
PLACES = {
    "publish": (*_IN_A_TRANSACTION, *_AFTER_IT),
    "work": (*(name for name in FAILPOINTS if name.startswith("inbox.")), *_IN_A_TRANSACTION, *_AFTER_IT),
    "relay": (*(name for name in FAILPOINTS if name.startswith("relay.")), "transport.before_send"),
}

#: One in three steps is struck, at one of so many places, at one of these passages, by so many of the steps after it.
_PLACES, _PASSAGES, _MOST = 60, (1, 1, 1, 2), (1, 1, 2, 3)

#: What the digits of a number stand for; the number 0 stands for no step.
_RADIXES = (len(ACTS), len(_TAKERS), 3 * _PLACES, len(_PASSAGES), len(_MOST))
_MOST_NUMBERS = prod(_RADIXES)


def schedules(shortest: int = 4, longest: int = 16) -> st.SearchStrategy[Schedule]:
    """Return the strategy; it draws one number for each step, which costs little and is easily made simpler."""
    return st.lists(st.integers(0, _MOST_NUMBERS), min_size=shortest, max_size=longest).map(decoded)


def decoded(numbers: list[int]) -> Schedule:
    """Return the schedule that numbers stand for."""
    drawn = [_digits(number - 1) for number in reversed(numbers) if number]
    steps = []
    while drawn:
        steps.append(_next(drawn))
    return Schedule(tuple(steps))


def _digits(number: int) -> list[int]:
    digits = []
    for radix in _RADIXES:
        number, digit = divmod(number, radix)
        digits.append(digit)
    return digits


def _next(drawn: list[list[int]], outer: str | None = None) -> Step:
    """Take the next step, and those that happen in its middle."""
    act_number, taker, place, passage, most = drawn.pop()
    act = (ACTS if outer is None else ACTS_INSIDE)[act_number]
    process = outer if outer is not None and taker < _SAME else _TAKERS[taker]
    places = PLACES.get(act.partition(" ")[0], ())
    if place < 2 * _PLACES or not places:
        return Step(process, act)
    inner = tuple(_next(drawn, process) for _ in range(_MOST[most]) if drawn)
    return Step(process, act, Strike(places[place % len(places)], _PASSAGES[passage], inner))
