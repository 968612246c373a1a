"""The tools that tests of modules use, themselves under test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from bus import Database, Envelope, Module, assemble, event, event_view, module_listener
from bus.serialization import write_payload
from bus.testing import RecordingTransport, stand_ins


@event_view("order.placed")
@dataclass(frozen=True, slots=True)
class NewOrder:
    order_id: str


@event_view("stock.counted")
class Counted(msgspec.Struct, frozen=True):
    sku: str


@event("kitchen.ticket_opened")
@dataclass(frozen=True)
class TicketOpened:
    order_id: str


KITCHEN = Module("kitchen", contract=[NewOrder, Counted, TicketOpened])


def test_stand_ins_publish_what_the_module_hears() -> None:
    found = [(module.name, [cls.__name__ for cls in module.contract_classes()]) for module in stand_ins(KITCHEN)]

    assert found == [("order", ["PublishedNewOrder"]), ("stock", ["PublishedCounted"])]


def test_stand_in_of_an_event_is_written_as_its_view_reads_it() -> None:
    (placed,) = stand_ins(KITCHEN)[0].contract_classes()

    assert write_payload("order.placed", placed("17")) == b'{"order_id":"17"}'


def test_stand_in_of_an_event_with_two_views_has_the_fields_of_both() -> None:
    @event_view("order.placed")
    @dataclass(frozen=True)
    class Table:
        table: int

    [order] = stand_ins(Module("kitchen", contract=[NewOrder, Table]))
    [placed] = order.contract_classes()

    assert write_payload("order.placed", placed(order_id="17", table=4)) == b'{"order_id":"17","table":4}'


def test_module_starts_alone_with_stand_ins_and_what_it_says_is_recorded(tmp_path: Path) -> None:
    database, transport = Database("kitchen", f"sqlite:///{tmp_path}/kitchen.db"), RecordingTransport()
    database.create_tables()
    bus = assemble([KITCHEN, *stand_ins(KITCHEN)], {"kitchen": database}, transport=transport)

    @module_listener("kitchen.note")
    def note(new: NewOrder) -> None: ...

    bus.module("kitchen").subscribe(note)
    with database.transaction():
        bus.module("kitchen").publish(TicketOpened("17"))
    bus.drain()
    bus.stop()
    database.close()

    assert transport.sent == []
    assert bus.explain("order.placed").listeners[0].id == "kitchen.note"


def test_recording_transport_delivers_what_another_process_would_have_sent(tmp_path: Path) -> None:
    database, transport = Database("kitchen", f"sqlite:///{tmp_path}/kitchen.db"), RecordingTransport()
    database.create_tables()
    bus = assemble([KITCHEN, *stand_ins(KITCHEN)], {"kitchen": database}, transport=transport)
    heard: list[str] = []

    @module_listener("kitchen.note")
    def note(new: NewOrder) -> None:
        heard.append(new.order_id)

    bus.module("kitchen").subscribe(note)
    placed = Envelope(
        "1", "order", "order.placed", 1, None, bus.clock.microseconds(), "1", None, None, b'{"order_id":"17"}'
    )
    bus.start()
    transport.deliver("kitchen", placed)
    bus.drain()
    bus.stop()
    database.close()

    assert heard == ["17"]
    assert transport.acknowledged == [("kitchen", placed)]
