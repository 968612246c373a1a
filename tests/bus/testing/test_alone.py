"""A module that runs alone, without threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bus import (
    BusError,
    DrainTimeoutError,
    Module,
    RetryPolicy,
    StoppedError,
    current_delivery,
    event,
    event_view,
    module_listener,
    operations_of,
)
from bus.inbox.dead_letters import PublicationQuery
from bus.inbox.state import Reason, State
from bus.testing import ModuleUnderTest, boot_alone


@event_view("order.placed")
@dataclass(frozen=True)
class NewOrder:
    order_id: str
    note: str = ""


@event_view("order.withdrawn")
@dataclass(frozen=True)
class Withdrawn:
    order_id: str


@event("kitchen.ticket_opened")
@dataclass(frozen=True)
class TicketOpened:
    order_id: str


KITCHEN = Module("kitchen", contract=[NewOrder, Withdrawn, TicketOpened])


@pytest.fixture
def kitchen(tmp_path: Path) -> Iterator[ModuleUnderTest]:
    with boot_alone(KITCHEN, tmp_path) as kitchen:
        yield kitchen


def opening(kitchen: ModuleUnderTest) -> Callable[[NewOrder], None]:
    @module_listener("kitchen.open_ticket")
    def open_ticket(new: NewOrder) -> None:
        kitchen.own.publish(TicketOpened(new.order_id))

    return open_ticket


@module_listener("kitchen.refuse")
def refuse(new: NewOrder) -> None:
    raise ValueError(f"no room for {new.order_id}")


def test_module_hears_an_instance_of_its_view_and_what_it_publishes_is_there_at_once(kitchen: ModuleUnderTest) -> None:
    kitchen.own.subscribe(opening(kitchen))

    kitchen.hear(NewOrder("17"))

    assert kitchen.published == [TicketOpened("17")]
    assert kitchen.events.one(TicketOpened).order_id == "17"


def test_module_hears_an_event_by_name_and_fields(kitchen: ModuleUnderTest) -> None:
    kitchen.own.subscribe(opening(kitchen))

    heard = kitchen.hear("order.placed", order_id="17")

    assert kitchen.published == [TicketOpened("17")]
    assert (heard.source, heard.type, heard.data) == ("order", "order.placed", b'{"order_id":"17","note":""}')


def test_listener_runs_in_the_calling_thread_as_a_delivery_of_the_event(kitchen: ModuleUnderTest) -> None:
    seen: list[object] = []

    @module_listener("kitchen.look")
    def look(new: NewOrder) -> None:
        seen.append((threading.current_thread(), getattr(current_delivery(), "event_id", None)))

    kitchen.own.subscribe(look)
    heard = kitchen.hear(NewOrder("17"))

    assert seen == [(threading.current_thread(), heard.id)]
    assert kitchen.transport.acknowledged == [("kitchen", heard)]


def test_same_envelope_delivered_again_runs_nothing(kitchen: ModuleUnderTest) -> None:
    kitchen.own.subscribe(opening(kitchen))

    kitchen.deliver(kitchen.hear(NewOrder("17")))

    assert kitchen.published == [TicketOpened("17")]


def test_failure_of_a_listener_reaches_the_test_with_its_traceback(kitchen: ModuleUnderTest) -> None:
    kitchen.own.subscribe(refuse)

    with pytest.raises(ValueError, match="no room for 17") as raised:
        kitchen.hear(NewOrder("17"))

    assert raised.traceback[-1].name == "refuse"
    assert kitchen.published == []


def test_sibling_of_a_failing_listener_has_run_when_the_failure_is_raised(kitchen: ModuleUnderTest) -> None:
    kitchen.own.subscribe(refuse)
    kitchen.own.subscribe(opening(kitchen))

    with pytest.raises(ValueError, match="no room for 17"):
        kitchen.hear(NewOrder("17"))

    assert kitchen.published == [TicketOpened("17")]


def test_several_failures_are_raised_as_one_group(kitchen: ModuleUnderTest) -> None:
    @module_listener("kitchen.refuse_too")
    def refuse_too(new: NewOrder) -> None:
        raise KeyError(new.order_id)

    kitchen.own.subscribe(refuse)
    kitchen.own.subscribe(refuse_too)

    with pytest.raises(ExceptionGroup) as raised:
        kitchen.hear(NewOrder("17"))

    assert {type(error) for error in raised.value.exceptions} == {ValueError, KeyError}


def test_retry_runs_when_the_clock_has_moved(tmp_path: Path) -> None:
    runs: list[str] = []

    @module_listener("kitchen.stumble")
    def stumble(new: NewOrder) -> None:
        runs.append(new.order_id)
        if len(runs) == 1:
            raise ValueError("once")

    with boot_alone(KITCHEN, tmp_path, raise_failures=False) as kitchen:
        kitchen.own.subscribe(stumble)
        kitchen.hear(NewOrder("17"))
        kitchen.clock.advance(minutes=1)
        kitchen.run_due()

    assert runs == ["17", "17"]


def test_publications_tell_how_each_listener_fared(tmp_path: Path) -> None:
    with boot_alone(KITCHEN, tmp_path, raise_failures=False) as kitchen:
        kitchen.own.subscribe(refuse)
        kitchen.own.subscribe(opening(kitchen))
        kitchen.hear(NewOrder("17"))

        opened, refused = kitchen.publications

    assert (opened.listener_id, opened.state, opened.event_name) == ("kitchen.open_ticket", State.COMPLETED, None)
    assert (refused.listener_id, refused.state, refused.reason) == ("kitchen.refuse", State.RETRYING, Reason.FAILED)
    assert refused.error == "ValueError: no room for 17"


def test_dead_letter_is_redelivered_by_an_operator(tmp_path: Path) -> None:
    is_full = True

    @module_listener("kitchen.stop", retry=RetryPolicy(max_failures=1))
    def stop(new: NewOrder) -> None:
        if is_full:
            raise ValueError("full")

    with boot_alone(KITCHEN, tmp_path, raise_failures=False) as kitchen:
        kitchen.own.subscribe(stop)
        kitchen.hear(NewOrder("17"))
        states = [found.state for found in kitchen.publications]
        is_full = False
        operations_of(kitchen.bus).redeliver(PublicationQuery(), who="Ada")
        kitchen.run_due()

        assert (states, [found.state for found in kitchen.publications]) == ([State.DEAD], [State.COMPLETED])


def test_event_that_this_build_cannot_read_is_a_failure(kitchen: ModuleUnderTest) -> None:
    kitchen.own.subscribe(opening(kitchen))
    newer = replace(kitchen.envelope(NewOrder("17")), version=2)

    with pytest.raises(BusError, match=r"cannot read event .*: newer_version"):
        kitchen.deliver(newer)


def test_what_the_module_publishes_for_itself_is_heard_before_hear_returns(kitchen: ModuleUnderTest) -> None:
    heard: list[str] = []

    @module_listener("kitchen.note_ticket")
    def note_ticket(opened: TicketOpened) -> None:
        heard.append(opened.order_id)

    kitchen.own.subscribe(opening(kitchen))
    kitchen.own.subscribe(note_ticket)
    kitchen.hear(NewOrder("17"))

    assert heard == ["17"]
    assert [target for target, _ in kitchen.transport.sent] == ["kitchen"]
    assert kitchen.bus.life.status()[0].owed == ()


def test_rolled_back_events_are_not_among_the_published(kitchen: ModuleUnderTest) -> None:
    with pytest.raises(ValueError, match="no"), kitchen.database.transaction():
        kitchen.own.publish(TicketOpened("17"))
        raise ValueError("no")

    assert kitchen.published == []


def test_drain_says_what_is_not_due_yet(tmp_path: Path) -> None:
    with boot_alone(KITCHEN, tmp_path, raise_failures=False) as kitchen:
        kitchen.own.subscribe(refuse)
        kitchen.hear(NewOrder("17"))

        with pytest.raises(DrainTimeoutError, match="kitchen"):
            kitchen.bus.drain()


@pytest.mark.parametrize("event", ["order.eaten", TicketOpened("17"), "no name"])
def test_event_that_the_module_does_not_view_is_refused(kitchen: ModuleUnderTest, event: object) -> None:
    with pytest.raises(BusError, match=r"module 'kitchen' has no view of '.*'; it views order.placed, order.withdrawn"):
        kitchen.hear(event)


def test_event_without_listener_is_refused(kitchen: ModuleUnderTest) -> None:
    with pytest.raises(BusError, match=r"module 'kitchen' has no module listener for 'order.withdrawn'"):
        kitchen.hear(Withdrawn("17"))


def test_hearing_inside_a_unit_of_work_is_refused(kitchen: ModuleUnderTest) -> None:
    kitchen.own.subscribe(opening(kitchen))

    with kitchen.database.transaction(), pytest.raises(BusError, match="after the block"):
        kitchen.hear(NewOrder("17"))


def test_closed_module_hears_nothing_more(kitchen: ModuleUnderTest) -> None:
    kitchen.own.subscribe(opening(kitchen))
    kitchen.close()

    with pytest.raises(StoppedError, match="nobody here receives for module 'kitchen'"):
        kitchen.hear(NewOrder("17"))


def test_module_that_is_booted_again_in_its_folder_finds_what_it_has_heard(tmp_path: Path) -> None:
    with boot_alone(KITCHEN, tmp_path) as before:
        before.own.subscribe(opening(before))
        heard = before.hear(NewOrder("17"))

    with boot_alone(KITCHEN, tmp_path) as after:
        after.own.subscribe(opening(after))
        after.deliver(heard)

    assert (before.published, after.published) == ([TicketOpened("17")], [])
