"""What a transport promises."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from bus.envelope import Envelope
from bus.errors import BusError
from bus.testing.contracts.samples import sample
from bus.transport.base import Transport


class Station:
    """The process at both ends of a transport: its modules receive and acknowledge, and it hears of acknowledgements.

    Attributes:
        arrived: What each module has received, with the number of sends, in order.
        acknowledged: What has come back: the module, the event's publisher, and its id.
        kept: What each module has received that was no envelope.
        busy: The modules whose listeners do not come to an end: what reaches them is not acknowledged.
    """

    def __init__(self, transport: Transport, *modules: str, kept: list[bytes] | None = None) -> None:
        """Open the transport for modules; `kept` is where what is no envelope goes, for all of them, from the start."""
        self.arrived: dict[str, list[tuple[Envelope, int]]] = {name: [] for name in modules}
        self.acknowledged: list[tuple[str, str, str]] = []
        self.kept: dict[str, list[bytes]] = {name: [] if kept is None else kept for name in modules}
        self.busy: set[str] = set()
        self.transport = transport
        self._changed = threading.Condition()
        transport.open({name: _Receiver(self, name) for name in modules}, self._hear, lambda *_: None)

    def note(self, module: str, envelope: Envelope, sends: int) -> None:
        """Take an envelope in, and acknowledge it as a module's workers do, unless they are busy."""
        with self._changed:
            self.arrived[module].append((envelope, sends))
            self._changed.notify_all()
        if module not in self.busy:
            self.transport.acknowledge(module, envelope)

    def has_arrived(self, module: str, count: int, within: float) -> bool:
        """Wait until so many different envelopes have reached a module."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.firsts(module)) >= count, within)

    def has_heard(self, count: int, within: float) -> bool:
        """Wait until so many different envelopes are known to be acknowledged."""
        with self._changed:
            return self._changed.wait_for(
                lambda: len({event_id for *_, event_id in self.acknowledged}) >= count, within
            )

    def firsts(self, module: str) -> list[Envelope]:
        """Return the envelopes that have reached a module in the order of their first arrival."""
        return list({envelope.id: envelope for envelope, _ in self.arrived[module]}.values())

    def _hear(self, module: str, source: str, event_id: str) -> None:
        with self._changed:
            self.acknowledged.append((module, source, event_id))
            self._changed.notify_all()


class _Receiver:
    def __init__(self, station: Station, module: str) -> None:
        self._station = station
        self._module = module

    def accept(self, envelope: Envelope, sends: int) -> None:
        self._station.note(self._module, envelope, sends)

    def run(self, envelope: Envelope, sends: int) -> None:
        self.accept(envelope, sends)

    def quarantine(self, data: bytes, *, origin: str, problem: str) -> None:
        self._station.kept[self._module].append(data)


class TransportContract:
    """Certifies a `bus.transport.base.Transport`; a subclass provides the fixture `transport`, not opened yet.

    A transport may lose, repeat and reorder, and the bus lives with that. These are promises for good days: nothing
    breaks, and what is sent arrives.

    Attributes:
        budget: Seconds within which an envelope has to arrive.
        quiet: Seconds after which an envelope that has not arrived counts as not carried.
    """

    budget = 10.0
    quiet = 0.2

    @pytest.fixture
    def transport(self) -> Transport:
        """Return the transport."""
        raise NotImplementedError("the subclass provides the fixture `transport`")

    @pytest.fixture
    def station(self, transport: Transport) -> Iterator[Station]:
        """Open the transport between three modules, and close it in the end."""
        yield Station(transport, "order", "kitchen", "bill")
        transport.close()
        transport.end()

    def test_envelope_arrives_as_it_was_sent(self, station: Station) -> None:
        """Every field of it, and the bytes of its payload."""
        station.transport.send("kitchen", sample(1), 1)
        station.transport.send("kitchen", sample(2), 1)

        assert station.has_arrived("kitchen", 2, self.budget)
        assert station.firsts("kitchen") == [sample(1), sample(2)]

    def test_number_of_sends_arrives_with_the_envelope(self, station: Station) -> None:
        """The inbox marks a start before it runs what was sent before."""
        station.transport.send("kitchen", sample(1), 3)

        assert station.has_arrived("kitchen", 1, self.budget)
        assert station.arrived["kitchen"][0] == (sample(1), 3)

    def test_envelope_reaches_no_other_module(self, station: Station) -> None:
        """Each module has a way of its own."""
        station.transport.send("bill", sample(1), 1)

        assert station.has_arrived("bill", 1, self.budget)
        assert (station.firsts("kitchen"), station.firsts("order")) == ([], [])

    def test_envelope_reaches_its_own_publisher_where_that_is_the_target(self, station: Station) -> None:
        """A module may listen to its own events."""
        station.transport.send("order", sample(1), 1)

        assert station.has_arrived("order", 1, self.budget)

    def test_envelopes_of_one_thread_arrive_in_the_order_of_the_sends(self, station: Station) -> None:
        """The order of their first arrival; a repetition may come at any time."""
        for number in range(100):
            station.transport.send("kitchen", sample(number), 1)

        assert station.has_arrived("kitchen", 100, self.budget)
        assert station.firsts("kitchen") == [sample(number) for number in range(100)]

    def test_envelopes_of_many_threads_arrive(self, station: Station) -> None:
        """Publishers' threads and relays send at the same time."""
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda number: station.transport.send("kitchen", sample(number), 1), range(200)))

        assert station.has_arrived("kitchen", 200, self.budget)

    def test_acknowledgement_comes_back_with_target_publisher_and_id(self, station: Station) -> None:
        """So the publisher's outbox knows what it owes no longer."""
        station.transport.send("kitchen", sample(1), 1)

        assert station.has_heard(1, self.budget)
        assert station.acknowledged[0] == ("kitchen", sample(1).source, sample(1).id)

    def test_every_acknowledgement_comes_back(self, station: Station) -> None:
        """One that is lost costs another send."""
        for number in range(100):
            station.transport.send("kitchen", sample(number), 1)

        assert station.has_heard(100, self.budget)

    def test_acknowledgement_comes_back_to_a_module_that_is_busy_with_what_was_sent_to_it(
        self, station: Station
    ) -> None:
        """Otherwise a slow listener would hold up what its module has published for all others."""
        station.busy.add("order")
        for number in range(50):
            station.transport.send("order", sample(number), 1)
        assert station.has_arrived("order", 1, self.budget)

        station.transport.acknowledge("kitchen", sample(50))

        assert station.has_heard(1, self.budget)

    def test_open_transport_is_ready(self, station: Station) -> None:
        """Health checks ask."""
        assert station.transport.is_ready()

    def test_open_transport_tells_where_envelopes_travel_and_who_takes_them_in(self, station: Station) -> None:
        """An operator asks: of what no module has told, there is nobody."""
        deadline = time.monotonic() + self.budget
        while not station.transport.workers("kitchen") and time.monotonic() < deadline:
            threading.Event().wait(0.01)

        assert station.transport.where()
        assert station.transport.workers("kitchen") == 1

    def test_nothing_is_carried_after_the_close(self, station: Station) -> None:
        """It may be refused, or stay where it is."""
        station.transport.close()
        with suppress(Exception):
            station.transport.send("kitchen", sample(1), 1)

        assert not station.has_arrived("kitchen", 1, self.quiet)

    def test_acknowledgement_after_the_close_does_no_harm(self, station: Station) -> None:
        """A listener that was running at the close ends after it."""
        station.transport.close()

        station.transport.acknowledge("kitchen", sample(1))

    def test_closing_twice_does_no_harm(self, station: Station) -> None:
        """A stop may be repeated."""
        station.transport.close()

        station.transport.close()

    def test_transport_that_is_opened_again_carries_to_the_new_receivers(self, station: Station) -> None:
        """A bus starts again after a stop."""
        station.transport.close()
        successor = Station(station.transport, "order", "kitchen")

        station.transport.send("kitchen", sample(1), 1)

        assert successor.has_arrived("kitchen", 1, self.budget)
        assert successor.has_heard(1, self.budget)
        assert station.firsts("kitchen") == []

    def test_local_transport_refuses_an_envelope_for_which_nobody_is_there(self, station: Station) -> None:
        """Otherwise it would look sent."""
        if not station.transport.is_local:
            pytest.skip("this transport reaches other processes too")

        with pytest.raises(BusError):
            station.transport.send("cellar", sample(1), 1)
