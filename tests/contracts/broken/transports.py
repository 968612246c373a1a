from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import pytest

from bus import Envelope, StoppedError
from bus.testing.contracts import TransportContract
from bus.transport.base import Acknowledge, Fail, Receiver, Transport
from bus.transport.inprocess import InProcessTransport


class Dropping(InProcessTransport):
    """Loses every seventh."""

    count = 0

    def send(self, target: str, envelope: Envelope, sends: int) -> None:
        self.count += 1
        if self.count % 7:
            super().send(target, envelope, sends)


class Reordering(InProcessTransport):
    """Sends every other one after the next."""

    held: tuple[str, Envelope, int] | None = None

    def send(self, target: str, envelope: Envelope, sends: int) -> None:
        if envelope.id.startswith("00000032"):
            self.held = target, envelope, sends
            return
        super().send(target, envelope, sends)
        if self.held:
            held, self.held = self.held, None
            super().send(*held)


class Altering(InProcessTransport):
    """Knows nothing of traces."""

    def send(self, target: str, envelope: Envelope, sends: int) -> None:
        super().send(target, replace(envelope, traceparent=None), sends)


class Uncounting(InProcessTransport):
    def send(self, target: str, envelope: Envelope, sends: int) -> None:
        super().send(target, envelope, 1)


class Broadcasting(InProcessTransport):
    def send(self, target: str, envelope: Envelope, sends: int) -> None:
        super().send(target, envelope, sends)
        for other in {"order", "kitchen", "bill"} - {target}:
            with suppress(StoppedError):
                super().send(other, envelope, sends)


class Swallowing(InProcessTransport):
    """Takes what it cannot carry."""

    def send(self, target: str, envelope: Envelope, sends: int) -> None:
        with suppress(StoppedError):
            super().send(target, envelope, sends)


class Deaf(InProcessTransport):
    """Carries no acknowledgement."""

    def acknowledge(self, target: str, envelope: Envelope) -> None: ...


class Mistaken(InProcessTransport):
    """Says that the publisher has acknowledged."""

    def acknowledge(self, target: str, envelope: Envelope) -> None:
        super().acknowledge(envelope.source, envelope)


class HardOfHearing(InProcessTransport):
    """Carries the first acknowledgement alone."""

    count = 0

    def acknowledge(self, target: str, envelope: Envelope) -> None:
        self.count += 1
        if self.count == 1:
            super().acknowledge(target, envelope)


class Unready(InProcessTransport):
    def is_ready(self) -> bool:
        return False


class Unstaffed(InProcessTransport):
    """Knows nobody who works for a module."""

    def workers(self, module: str) -> int | None:
        return 0


class Unstoppable(InProcessTransport):
    def close(self) -> None: ...


class Mortal(InProcessTransport):
    """Cannot be opened again, nor closed twice, and raises at what comes after its end."""

    is_closed = False

    def open(self, receivers: Mapping[str, Receiver], acknowledged: Acknowledge, failed: Fail) -> None:
        if not self.is_closed:
            super().open(receivers, acknowledged, failed)

    def acknowledge(self, target: str, envelope: Envelope) -> None:
        if self.is_closed:
            raise StoppedError("closed")
        super().acknowledge(target, envelope)

    def close(self) -> None:
        if self.is_closed:
            raise StoppedError("closed already")
        self.is_closed = True
        super().close()


class TestDropping(TransportContract):
    budget = 0.2
    breaks = ("test_envelopes_of_one_thread_arrive_in_the_order_of_the_sends", "test_envelopes_of_many_threads_arrive")

    @pytest.fixture
    def transport(self) -> Transport:
        return Dropping()


class TestReordering(TransportContract):
    breaks = ("test_envelopes_of_one_thread_arrive_in_the_order_of_the_sends",)

    @pytest.fixture
    def transport(self) -> Transport:
        return Reordering()


class TestAltering(TransportContract):
    breaks = ("test_envelope_arrives_as_it_was_sent",)

    @pytest.fixture
    def transport(self) -> Transport:
        return Altering()


class TestUncounting(TransportContract):
    breaks = ("test_number_of_sends_arrives_with_the_envelope",)

    @pytest.fixture
    def transport(self) -> Transport:
        return Uncounting()


class TestBroadcasting(TransportContract):
    breaks = ("test_envelope_reaches_no_other_module",)

    @pytest.fixture
    def transport(self) -> Transport:
        return Broadcasting()


class TestSwallowing(TransportContract):
    breaks = ("test_local_transport_refuses_an_envelope_for_which_nobody_is_there",)

    @pytest.fixture
    def transport(self) -> Transport:
        return Swallowing()


class TestDeaf(TransportContract):
    budget = 0.2
    breaks = ("test_acknowledgement_comes_back_with_target_publisher_and_id", "test_every_acknowledgement_comes_back")

    @pytest.fixture
    def transport(self) -> Transport:
        return Deaf()


class TestMistaken(TransportContract):
    breaks = ("test_acknowledgement_comes_back_with_target_publisher_and_id",)

    @pytest.fixture
    def transport(self) -> Transport:
        return Mistaken()


class TestHardOfHearing(TransportContract):
    budget = 0.2
    breaks = ("test_every_acknowledgement_comes_back",)

    @pytest.fixture
    def transport(self) -> Transport:
        return HardOfHearing()


class TestUnready(TransportContract):
    breaks = ("test_open_transport_is_ready",)

    @pytest.fixture
    def transport(self) -> Transport:
        return Unready()


class TestUnstaffed(TransportContract):
    breaks = ("test_open_transport_tells_where_envelopes_travel_and_who_takes_them_in",)
    budget = 0.1

    @pytest.fixture
    def transport(self) -> Transport:
        return Unstaffed()


class TestUnstoppable(TransportContract):
    breaks = ("test_nothing_is_carried_after_the_close",)

    @pytest.fixture
    def transport(self) -> Transport:
        return Unstoppable()


class TestMortal(TransportContract):
    budget = 0.2
    breaks = (
        "test_closing_twice_does_no_harm",
        "test_acknowledgement_after_the_close_does_no_harm",
        "test_transport_that_is_opened_again_carries_to_the_new_receivers",
    )

    @pytest.fixture
    def transport(self) -> Transport:
        return Mortal()
