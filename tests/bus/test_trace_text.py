"""How a story reads, line by line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bus.inbox.dead_letters import PublicationRecord
from bus.inbox.pauses import Pause, PauseKind
from bus.inbox.state import Reason, State
from bus.trace import Story, TracedEvent, TracedModule, TracedPublication
from bus.trace_text import story_text

#: When the story begins, and when it is looked at: two seconds later.
START = 1_767_225_600_000_000
NOW = START + 2_000_000

DONE = PublicationRecord(
    module="kitchen",
    listener_id="kitchen.open_ticket",
    event_id="event-1",
    state=State.COMPLETED,
    reason=None,
    starts=1,
    failures=0,
    crashes=0,
    due_at=START + 7_000,
    took=4_000,
    event_name=None,
    key=None,
    error_type=None,
    error=None,
    place=None,
)
TROUBLED = replace(
    DONE,
    state=State.RETRYING,
    reason=Reason.FAILED,
    failures=2,
    due_at=NOW + 3_000_000,
    took=None,
    error="ValueError: no dough",
    place="listeners.py:9 in open_ticket",
)


def publication(record: PublicationRecord, *effects: TracedEvent, **changes: object) -> TracedPublication:
    waited = 3_000 if record.state is State.COMPLETED else None
    return replace(TracedPublication(record, waited, None, True, effects), **changes)  # type: ignore[arg-type]


def heard(*publications: TracedPublication, owed: bool = False, effects: tuple[TracedEvent, ...] = ()) -> TracedModule:
    return TracedModule("kitchen", owed, publications, effects)


def placed(*modules: TracedModule, **changes: object) -> TracedEvent:
    event = TracedEvent("event-1", "order.placed", 1, "order", "7", START, None, modules)
    return replace(event, **changes)  # type: ignore[arg-type]


def opened(key: str = "7") -> TracedEvent:
    return TracedEvent("event-2", "kitchen.ticket_opened", 1, "kitchen", key, START + 6_000, "event-1", ())


def told(*roots: TracedEvent) -> list[str]:
    """Return the lines between the head and the end."""
    return story_text(Story("story", NOW, roots)).splitlines()[2:-2]


def sentence(record: PublicationRecord, **changes: object) -> str:
    """Return what is told of a publication."""
    return told(placed(heard(publication(record, **changes))))[1].split("└─ ")[1]


def test_story_reads_from_cause_to_effect() -> None:
    root = placed(heard(publication(DONE, opened("8"))))

    assert story_text(Story("story", NOW, (root,))).splitlines() == [
        "Story story: 2 events, 1 publication, begun 2026-01-01T00:00:00Z",
        "",
        "       +0 ms  order.placed 7, published by order",
        "       +3 ms  └─ ✓ kitchen.open_ticket completed in 4 ms, after waiting 3 ms",
        "       +6 ms     └─ kitchen.ticket_opened 8, published by kitchen; nobody listens",
        "",
        "Over after 7 ms.",
    ]


def test_key_that_stays_the_same_is_told_once() -> None:
    lines = told(placed(heard(publication(DONE, opened("7")))))

    assert lines[2].endswith("└─ kitchen.ticket_opened, published by kitchen; nobody listens")


def test_branches_of_siblings_are_drawn_through() -> None:
    other = replace(DONE, listener_id="kitchen.count", due_at=START + 8_000)

    lines = told(placed(heard(publication(TROUBLED), publication(other))))

    assert [line[14:] for line in lines[1:]] == [
        "├─ … kitchen.open_ticket is retrying after 2 failures, runs in 3 s",
        "│     ValueError: no dough (listeners.py:9 in open_ticket)",
        "└─ ✓ kitchen.count completed in 4 ms, after waiting 3 ms",
    ]


def test_dead_letter_names_its_error_and_its_event() -> None:
    dead = replace(TROUBLED, state=State.DEAD, due_at=START + 50_000)

    lines = told(placed(heard(publication(dead))))

    assert lines[1:] == [
        "      +50 ms  └─ ✗ kitchen.open_ticket is dead: it failed too often, 2 failures",
        "                    ValueError: no dough (listeners.py:9 in open_ticket)",
        "                    event event-1",
    ]


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason not in (Reason.PERMANENT, Reason.TOO_OLD)])
def test_each_reason_to_wait_is_told_in_words(reason: Reason) -> None:
    text = sentence(replace(TROUBLED, reason=reason))

    assert text.startswith("… kitchen.open_ticket ")
    assert "{" not in text


@pytest.mark.parametrize("reason", [Reason.FAILED, Reason.CRASHED, Reason.PERMANENT, Reason.TOO_OLD])
def test_each_cause_of_death_is_told_in_words(reason: Reason) -> None:
    text = sentence(replace(TROUBLED, state=State.DEAD, reason=reason, crashes=1))

    assert text.startswith("✗ kitchen.open_ticket is dead: ")
    assert " " in text.partition("dead: ")[2]


def test_discarded_publication_is_no_dead_letter() -> None:
    root = placed(heard(publication(replace(TROUBLED, state=State.DEAD, reason=Reason.DISCARDED))))

    text = story_text(Story("story", NOW, (root,)))

    assert "⊘ kitchen.open_ticket was discarded after 2 failures" in text
    assert text.endswith("Over after 5 s.")


def test_pause_says_who_until_when_and_why() -> None:
    pause = Pause("kitchen", PauseKind.OPERATOR, "oven is cold", "ada", START, START + 60_000_000)

    text = sentence(replace(TROUBLED, reason=Reason.PAUSED), pause=pause)

    assert text == "… kitchen.open_ticket is paused by ada until 2026-01-01T00:01:00Z: oven is cold"


def test_orphan_says_that_this_build_lacks_the_listener() -> None:
    assert sentence(TROUBLED, known=False) == "… kitchen.open_ticket is an orphan: this build has no such listener"


def test_module_that_has_not_acknowledged_is_told() -> None:
    lines = told(placed(heard(owed=True)))

    assert lines[1].endswith("└─ … kitchen has not acknowledged it yet, 2 s after it was published")


def test_effects_whose_listener_is_not_known_stand_below_their_module() -> None:
    two = (publication(DONE), publication(replace(DONE, listener_id="kitchen.count")))

    lines = told(placed(heard(*two, effects=(opened(),))))

    assert lines[3].endswith("└─ kitchen published because of it")
    assert lines[4].endswith("   └─ kitchen.ticket_opened, published by kitchen; nobody listens")


def test_module_that_has_forgotten_is_told() -> None:
    lines = told(placed(heard(effects=(opened(),))))

    assert lines[1].endswith("└─ kitchen has heard it, and no longer remembers how that went")


def test_cause_that_nobody_here_knows_is_told() -> None:
    assert told(placed(causation_id="event-0"))[0].endswith("; its cause event-0 is not known here; nobody listens")


def test_end_counts_what_is_dead_what_waits_and_what_is_owed() -> None:
    dead = replace(TROUBLED, state=State.DEAD)

    text = story_text(Story("story", NOW, (placed(heard(publication(dead), publication(TROUBLED), owed=True)),)))

    assert text.endswith("Not over, 1 dead letter, 1 publication waiting to run, 1 acknowledgement outstanding.")


def test_story_of_which_nothing_is_known_has_no_lines() -> None:
    assert told() == []


def test_error_of_several_lines_stays_in_its_line() -> None:
    lines = told(placed(heard(publication(replace(TROUBLED, error="a\nb\x1b[0m", place=None)))))

    assert lines[2].strip() == "a b [0m"
