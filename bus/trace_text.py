"""A traced story as a tree that reads from top to bottom: when, who, what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from bus.inbox.dead_letters import PublicationRecord
from bus.inbox.state import Reason, State
from bus.trace import Story, TracedEvent, TracedModule, TracedPublication
from bus.words import count_text, duration_text, moment_text, one_line

#: Columns of the time before each line.
_MARGIN = 12


#: What a publication of each reason waits for.
_WAITING: Mapping[Reason, str] = {
    Reason.RUNNING: "is running, or its process has crashed with it",
    Reason.RUNNING_ALONE: "is running alone, after {troubles}",
    Reason.FAILED: "is retrying after {troubles}, runs {next}",
    Reason.CRASHED: "is retrying after {troubles}, runs {next}",
    Reason.WAITING: "asked to be run later, runs {next}",
    Reason.BUSY: "waits for the database of {module}, runs {next}",
    Reason.STOPPED: "was cut short by the end of its process, runs {next}",
    Reason.PAUSED: "was paused, runs {next}",
    Reason.UNKNOWN_EVENT: "waits for a build that knows this event",
    Reason.NEWER_VERSION: "waits for a build that knows this version of the event",
    Reason.UNDECODABLE: "waits for a build that can read the payload",
    Reason.REDELIVERED: "was redelivered, runs {next}",
}

#: Why a publication of each reason was given up.
_DEATHS: Mapping[Reason, str] = {
    Reason.FAILED: "it failed too often, {troubles}",
    Reason.CRASHED: "its process crashed with it, {troubles}",
    Reason.PERMANENT: "another run would end the same way",
    Reason.TOO_OLD: "its event came too late to know whether it had run before",
}


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the tree: when, what, more about it, and what followed."""

    at: int | None
    text: str
    more: tuple[str, ...] = ()
    below: tuple[_Line, ...] = ()


def story_text(story: Story) -> str:
    """Return a story as lines to read; equal stories give equal text.

    The first column tells when, counted from the first event: an event's publication, the beginning of a run, the
    moment of giving up.
    """
    events, publications = list(story.events()), list(story.publications())
    about = f"{count_text(len(events), 'event')}, {count_text(len(publications), 'publication')}"
    lines = [f"Story {story.correlation_id}: {about}, begun {moment_text(story.began_at)}", ""]
    for root in story.roots:
        lines += _drawn(_event_line(root, story, None), story.began_at)
    return "\n".join([*lines, "", *_ending(story)])


def _ending(story: Story) -> list[str]:
    publications = list(story.publications())
    dead = sum(_is_dead(found.record) for found in publications)
    waiting = sum(found.record.state is State.RETRYING for found in publications)
    owed = len(story.owed())
    parts = [count_text(dead, "dead letter")] if dead else []
    parts += [f"{count_text(waiting, 'publication')} waiting to run"] if waiting else []
    parts += [f"{count_text(owed, 'acknowledgement')} outstanding"] if owed else []
    if story.is_over:
        ends = [event.time for event in story.events()] + [found.record.due_at for found in publications]
        end = max(ends, default=story.began_at)
        parts.insert(0, f"Over after {duration_text(end - story.began_at)}")
    else:
        parts.insert(0, "Not over")
    return [", ".join(parts) + "."]


def _is_dead(record: PublicationRecord) -> bool:
    return record.state is State.DEAD and record.reason is not Reason.DISCARDED


def _event_line(event: TracedEvent, story: Story, cause: TracedEvent | None) -> _Line:
    key = f" {one_line(event.key)}" if event.key is not None and (cause is None or cause.key != event.key) else ""
    text = f"{event.name}{key}, published by {event.module}"
    if cause is None and event.causation_id is not None:
        text += f"; its cause {event.causation_id} is not known here"
    below = [line for module in event.modules for line in _module_lines(module, event, story)]
    return _Line(event.time, text if below else f"{text}; nobody listens", (), tuple(below))


def _module_lines(module: TracedModule, event: TracedEvent, story: Story) -> Iterator[_Line]:
    for publication in module.publications:
        below = tuple(_event_line(effect, story, event) for effect in publication.effects)
        yield _Line(_time(publication), *_told(publication, story.at), below)
    if module.owed:
        age = duration_text(max(0, story.at - event.time))
        yield _Line(None, f"… {module.module} has not acknowledged it yet, {age} after it was published")
    below = tuple(_event_line(effect, story, event) for effect in module.effects)
    if below and (module.publications or module.module == event.module):
        yield _Line(None, f"{module.module} published because of it", (), below)
    elif below:
        yield _Line(None, f"{module.module} has heard it, and no longer remembers how that went", (), below)


def _time(found: TracedPublication) -> int | None:
    record = found.record
    if record.state is State.RETRYING:
        return None
    return record.due_at - (record.took or 0)


def _told(found: TracedPublication, now: int) -> tuple[str, tuple[str, ...]]:
    """Return what became of a publication as a sentence, and the lines that say more."""
    record = found.record
    match record.state:
        case State.COMPLETED:
            return f"✓ {record.listener_id} {_completed(found)}", ()
        case State.DEAD if record.reason is Reason.DISCARDED:
            return f"⊘ {record.listener_id} was discarded{_after_troubles(record)}", _error(record)
        case State.DEAD:
            return f"✗ {record.listener_id} is dead: {_cause_of_death(record)}", (*_error(record), _event(record))
        case State.RETRYING:
            text = f"… {_who_waits(found)} {_waits(found, now)}"
            return text, _error(record) if record.failures or record.crashes else ()
        case _:
            assert_never(record.state)


def _completed(found: TracedPublication) -> str:
    took = "is completed" if found.record.took is None else f"completed in {duration_text(found.record.took)}"
    waited = "" if found.waited is None else f", after waiting {duration_text(found.waited)}"
    return took + waited + _after_troubles(found.record, " and ")


def _after_troubles(record: PublicationRecord, joint: str = " after ") -> str:
    troubles = _troubles(record)
    return f"{joint}{troubles}" if troubles else ""


def _troubles(record: PublicationRecord) -> str:
    parts = [count_text(record.failures, "failure")] if record.failures else []
    parts += [f"{record.crashes} crash{'es' if record.crashes > 1 else ''}"] if record.crashes else []
    return " and ".join(parts)


def _cause_of_death(record: PublicationRecord) -> str:
    told = _DEATHS.get(record.reason or Reason.FAILED, "{reason}")
    return told.format(troubles=_troubles(record), reason=record.reason)


def _error(record: PublicationRecord) -> tuple[str, ...]:
    place = f" ({one_line(record.place)})" if record.place else ""
    return (f"{one_line(record.error)}{place}",) if record.error else ()


def _event(record: PublicationRecord) -> str:
    return f"event {record.event_id}"


def _who_waits(found: TracedPublication) -> str:
    return f"some listener of {found.record.module}" if found.record.listener_id == "*" else found.record.listener_id


def _waits(found: TracedPublication, now: int) -> str:
    """Say what a publication that is not settled waits for."""
    record = found.record
    if not found.known and record.listener_id != "*":
        return "is an orphan: this build has no such listener"
    if found.pause is not None:
        until = "until it is resumed" if found.pause.until is None else f"until {moment_text(found.pause.until)}"
        return f"is paused by {found.pause.who} {until}: {one_line(found.pause.reason)}"
    told = _WAITING.get(record.reason or Reason.REDELIVERED, "runs {next}")
    return told.format(next=_in(record.due_at - now), troubles=_troubles(record) or "trouble", module=record.module)


def _in(microseconds: int) -> str:
    return f"in {duration_text(microseconds)}" if microseconds > 0 else "as soon as a worker is free"


def _drawn(root: _Line, began_at: int) -> list[str]:
    return [_row(root.at, root.text, began_at), *_branches(root.below, "", began_at)]


def _branches(lines: Sequence[_Line], indent: str, began_at: int) -> Iterable[str]:
    for number, line in enumerate(lines, 1):
        is_last = number == len(lines)
        branch, further = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
        yield _row(line.at, indent + branch + line.text, began_at)
        below = "│  " if line.below else "   "
        for more in line.more:
            yield _row(None, indent + further + below + more, began_at)
        yield from _branches(line.below, indent + further, began_at)


def _row(at: int | None, text: str, began_at: int) -> str:
    time = "" if at is None else _offset(at - began_at)
    return f"{time:>{_MARGIN}}  {text}"


def _offset(microseconds: int) -> str:
    return f"{'-' if microseconds < 0 else '+'}{duration_text(abs(microseconds))}"
