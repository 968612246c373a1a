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
    "publish exiting",
    "publish swallowing",
    "publish deadly",
    "publish two",
    "publish and roll back",
    "publish and roll back a savepoint",
)
_TROUBLE = ("kill", "repeat order", "repeat kitchen", "hold order", "hold kitchen")
_TIME = ("wait 1", "wait 31", "wait 3600", "set back 3600", "run ahead 300", "run ahead -300")

#: What ends its process twice, the second time with a mark.
_CRASH = ("publish deadly", "work kitchen", "wait 31", "relay order", "work kitchen")

#: What is drawn for a step, as often as it stands here, and for one in the middle of another.
ACTS = (*_WORK, *_WORK, *_WORK, *_WORK, *_PUBLISH, *_TROUBLE, *_TIME)
ACTS_INSIDE = (*_WORK, *_WORK, *_PUBLISH[:1], *_TROUBLE, *_TIME, *("kill",) * (len(ACTS) - 22))

#: What one process has done before: an acknowledgement waits to be written, a retry is due, a send is repeated, or what
#: has crashed waits to run alone. Hardly any schedule would come so far by itself.
_PRELUDES = (
    ("publish well", "work kitchen"),
    ("publish failing", "work kitchen", "wait 3600", "relay kitchen"),
    ("publish well", "kill", "wait 31", "relay order"),
    (*_CRASH, "wait 31", "relay kitchen", "work kitchen", "wait 31", "relay kitchen"),
)
_BEGINNINGS = (*((act,) for act in _PUBLISH), *_PRELUDES)

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

#: Two in three steps are struck, at one of so many places, at one of these passages, by so many of the steps after it.
_PLACES, _PASSAGES, _MOST = 60, (1, 1, 1, 2), (1, 1, 2, 3)

#: What the digits of a number stand for; the number 0 stands for no step.
_RADIXES = (len(ACTS), len(_TAKERS), 3 * _PLACES, len(_PASSAGES), len(_MOST))
_MOST_NUMBERS = prod(_RADIXES)

#: Bytes of a number. Integers would be small most of the time: the same few steps again and again, hardly one struck.
_WIDTH = 3


def schedules(longest: int = 9) -> st.SearchStrategy[Schedule]:
    """Return the strategy; it draws a number's bytes for each step, which costs little and is easily made simpler.

    Always as many: a list that is drawn is short most of the time. What is made simpler loses steps, one for each 0.
    """
    return st.binary(min_size=longest * _WIDTH, max_size=longest * _WIDTH).map(_numbers).map(decoded)


def _numbers(drawn: bytes) -> list[int]:
    chunks = (drawn[start : start + _WIDTH] for start in range(0, len(drawn), _WIDTH))
    return [int.from_bytes(chunk) % (_MOST_NUMBERS + 1) for chunk in chunks]


def decoded(numbers: list[int]) -> Schedule:
    """Return the schedule that numbers stand for."""
    drawn = [_digits(number - 1) for number in reversed(numbers) if number]
    steps = _beginning(*drawn.pop()) if drawn else []
    while drawn:
        steps.append(_next(drawn))
    return Schedule(tuple(steps))


def _beginning(act: int, taker: int, *_rest: int) -> list[Step]:
    return [Step(_TAKERS[taker], each) for each in _BEGINNINGS[act % len(_BEGINNINGS)]]


def certain() -> list[Schedule]:
    """Return schedules in which a process dies at each place that it may pass then, whatever else is drawn."""
    return [
        Schedule((*(Step("A", each) for each in prelude), Step("A", act, Strike(place, 1, (Step("A", "kill"),)))))
        for prelude in _PRELUDES
        for act in ("work kitchen", "relay order")
        for place in PLACES[act.partition(" ")[0]]
    ]


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
    if place < _PLACES or not places:
        return Step(process, act)
    inner = tuple(_next(drawn, process) for _ in range(_MOST[most]) if drawn)
    return Step(process, act, Strike(places[place % len(places)], _PASSAGES[passage], inner))
