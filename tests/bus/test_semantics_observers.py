"""T15: observers of transactional listeners."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from bus import Database, EventBus, ListenerCall, ListenerObserver, Phase, listener, transactional_listener
from tests.bus.shop import add, written


@dataclass(frozen=True)
class StockChanged:
    sku: str = "ramen"


FAILURE = ValueError("no dough")


class Noting:
    """Notes what it is told, under its name; may fail on its own account."""

    def __init__(self, notes: list[Any], name: str = "observer", *, fails: str = "") -> None:
        self._notes, self._name, self._fails = notes, name, fails

    def before_listener(self, call: ListenerCall) -> None:
        self._note("before", call)

    def after_listener(self, call: ListenerCall, error: BaseException | None) -> None:
        self._note("after", call, error)

    def _note(self, moment: str, call: ListenerCall, error: BaseException | None = None) -> None:
        self._notes.append((self._name, moment, call.listener_id, call.phase, error))
        if self._fails == moment and call.listener_id == "stock.react":
            raise KeyError(self._name)


def listening(phase: Phase, run: Callable[[StockChanged], object], *, fallback: bool = False) -> Callable[..., object]:
    @transactional_listener(phase=phase, id="stock.react", fallback_execution=fallback)
    def react(event: StockChanged) -> None:
        run(event)

    return react


def refuse(_event: StockChanged) -> None:
    raise FAILURE


def publish(bus: EventBus, database: Database, phase: Phase) -> None:
    """Publish in a transaction that ends so that the phase comes about."""
    try:
        with database.transaction():
            bus.publish(StockChanged())
            if phase is Phase.AFTER_ROLLBACK:
                raise KeyError
    except (KeyError, ValueError):
        pass


@pytest.mark.parametrize("phase", Phase)
def test_t15_observer_is_told_before_and_after_in_every_phase(bus: EventBus, database: Database, phase: Phase) -> None:
    notes: list[object] = []
    bus.subscribe(listening(phase, lambda _event: notes.append("runs")))
    bus.observe(Noting(notes))

    publish(bus, database, phase)

    assert notes == [
        ("observer", "before", "stock.react", phase, None),
        "runs",
        ("observer", "after", "stock.react", phase, None),
    ]


@pytest.mark.parametrize("phase", Phase)
def test_t15_observer_is_told_the_exception(bus: EventBus, database: Database, phase: Phase) -> None:
    notes: list[object] = []
    bus.subscribe(listening(phase, refuse))
    bus.observe(Noting(notes))

    publish(bus, database, phase)

    assert notes[-1] == ("observer", "after", "stock.react", phase, FAILURE)


@pytest.mark.parametrize("phase", Phase)
def test_t15_fallback_is_observed_too(bus: EventBus, phase: Phase) -> None:
    notes: list[object] = []
    bus.subscribe(listening(phase, lambda _event: notes.append("runs"), fallback=True))
    bus.observe(Noting(notes))

    bus.publish(StockChanged())

    assert notes[1:] == ["runs", ("observer", "after", "stock.react", phase, None)]


def test_t15_call_carries_the_event(bus: EventBus, database: Database) -> None:
    calls: list[ListenerCall] = []

    class Keeping(Noting):
        def before_listener(self, call: ListenerCall) -> None:
            calls.append(call)

    observer: ListenerObserver = Keeping([])
    bus.observe(observer)
    bus.subscribe(listening(Phase.AFTER_COMMIT, lambda _event: None))

    publish(bus, database, Phase.AFTER_COMMIT)

    assert calls == [ListenerCall("stock.react", Phase.AFTER_COMMIT, StockChanged())]


def test_t15_observers_nest_the_first_one_outermost(bus: EventBus, database: Database) -> None:
    notes: list[Any] = []
    bus.subscribe(listening(Phase.AFTER_COMMIT, refuse))
    for name in ("first", "second", "third"):
        bus.observe(Noting(notes, name))

    publish(bus, database, Phase.AFTER_COMMIT)

    assert [note[:2] for note in notes] == [
        *((name, "before") for name in ("first", "second", "third")),
        *((name, "after") for name in ("third", "second", "first")),
    ]
    assert {note[4] for note in notes[3:]} == {FAILURE}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_t15_observer_that_fails_before_the_commit_rolls_back(bus: EventBus, database: Database, moment: str) -> None:
    bus.subscribe(listening(Phase.BEFORE_COMMIT, lambda _event: None))
    bus.observe(Noting([], "clumsy", fails=moment))

    with pytest.raises(KeyError, match="clumsy"), database.transaction():
        add(database, "1")
        bus.publish(StockChanged())

    assert written(database) == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_t15_observer_that_fails_after_the_commit_is_logged_and_the_others_run(
    bus: EventBus, database: Database, caplog: pytest.LogCaptureFixture, moment: str
) -> None:
    heard: list[str] = []

    @transactional_listener
    def last(event: StockChanged) -> None:
        heard.append("last")

    bus.subscribe(listening(Phase.AFTER_COMMIT, lambda _event: None))
    bus.subscribe(last)
    bus.observe(Noting([], "clumsy", fails=moment))

    with caplog.at_level(logging.ERROR, "bus"), database.transaction():
        add(database, "1")
        bus.publish(StockChanged())

    assert "KeyError: 'clumsy'" in caplog.text
    assert written(database) == ["1"]
    assert heard == ["last"]


def test_t15_outer_observer_hears_of_the_inner_ones_failure(bus: EventBus, database: Database) -> None:
    notes: list[Any] = []
    bus.subscribe(listening(Phase.AFTER_COMMIT, lambda _event: None))
    bus.observe(Noting(notes, "outer"))
    bus.observe(Noting([], "clumsy", fails="before"))

    publish(bus, database, Phase.AFTER_COMMIT)

    assert isinstance(notes[-1][4], KeyError)


def test_t15_listener_that_is_passed_over_is_not_observed(bus: EventBus, database: Database) -> None:
    notes: list[object] = []

    @transactional_listener(condition=lambda _event: False)
    def never(event: StockChanged) -> None: ...

    bus.subscribe(never)
    bus.observe(Noting(notes))

    publish(bus, database, Phase.AFTER_COMMIT)

    assert notes == []


def test_t15_plain_listeners_are_not_observed(bus: EventBus) -> None:
    notes: list[object] = []

    @listener
    def hear(event: StockChanged) -> None: ...

    bus.subscribe(hear)
    bus.observe(Noting(notes))

    bus.publish(StockChanged())

    assert notes == []


def test_t15_observer_that_joins_late_hears_what_has_not_run_yet(bus: EventBus, database: Database) -> None:
    notes: list[object] = []
    bus.subscribe(listening(Phase.AFTER_COMMIT, lambda _event: None))

    with database.transaction():
        bus.publish(StockChanged())
        bus.observe(Noting(notes))

    assert len(notes) == 2
