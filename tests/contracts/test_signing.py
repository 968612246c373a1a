"""Signatures of what goes over a broker."""

from __future__ import annotations

import pytest

from bus.errors import BusError
from bus.testing.contracts.samples import sample
from bus.transport.dramatiq.brokers import is_private
from bus.transport.dramatiq.messages import (
    Acknowledgements,
    Delivery,
    StrangeError,
    acknowledgements,
    delivery,
    read,
)
from bus.transport.dramatiq.signing import MAX_AGE, MAX_AHEAD, Signer, StaleError
from bus.transport.dramatiq.transport import DramatiqTransport
from bus.wire import write_envelope

OLD, NEW, FOREIGN = "o" * 32, "n" * 32, "f" * 32

#: Of the messages that are signed here.
QUEUE = "shop.kitchen"


def signer(*keys: str, at: float = 1_000_000.0) -> Signer:
    return Signer(keys, now=lambda: at)


def signed(*keys: str, at: float = 1_000_000.0) -> tuple[object, ...]:
    return delivery(QUEUE, sample(1), 3, signer(*keys, at=at)).args


def test_signed_delivery_is_read_by_who_has_the_key() -> None:
    assert read(QUEUE, signed(NEW), signer(NEW)) == Delivery(write_envelope(sample(1)), 3)


def test_signed_acknowledgements_are_read_by_who_has_the_key() -> None:
    message = acknowledgements(QUEUE, "bill", ["1", "2"], signer(NEW))

    assert read(QUEUE, message.args, signer(NEW)) == Acknowledgements("bill", ("1", "2"))


def test_signature_with_the_old_key_is_believed_while_keys_are_changed() -> None:
    assert read(QUEUE, signed(OLD), signer(NEW, OLD))


def test_first_key_signs() -> None:
    assert signed(NEW, OLD) == signed(NEW)


def test_process_without_a_key_reads_what_is_signed() -> None:
    assert read(QUEUE, signed(NEW), signer())


@pytest.mark.parametrize("kind", ["deliver", "acknowledge"])
def test_unsigned_message_is_strange_to_who_has_a_key(kind: str) -> None:
    message = {
        "deliver": delivery(QUEUE, sample(1), 3, signer()),
        "acknowledge": acknowledgements(QUEUE, "bill", ["1"], signer()),
    }[kind]

    with pytest.raises(StrangeError, match="not signed"):
        read(QUEUE, message.args, signer(NEW))


CHANGES = {
    "another key": (QUEUE, signed(FOREIGN)),
    "another queue": ("shop.order", signed(NEW)),
    "another body": (QUEUE, ("deliver", signed(NEW)[1].replace("e", "o"), *signed(NEW)[2:])),  # type: ignore[attr-defined]
    "another number of sends": (QUEUE, ("deliver", signed(NEW)[1], 4, *signed(NEW)[3:])),
    "another time": (QUEUE, (*signed(NEW)[:3], 1_000_001, signed(NEW)[4])),
    "a digest of another length": (QUEUE, (*signed(NEW)[:4], "ab")),
    "a digest that is none": (QUEUE, (*signed(NEW)[:4], "ä")),
    "half a signature": (QUEUE, signed(NEW)[:4]),
    "too much": (QUEUE, (*signed(NEW), "more")),
}


@pytest.mark.parametrize(("queue", "arguments"), CHANGES.values(), ids=CHANGES)
def test_scenario_34_forged_or_changed_message_is_strange(queue: str, arguments: tuple[object, ...]) -> None:
    with pytest.raises(StrangeError):
        read(queue, arguments, signer(NEW))


def test_acknowledgement_cannot_be_made_of_a_delivery() -> None:
    _, text, sends, seconds, digest = signed(NEW)

    with pytest.raises(StrangeError):
        read(QUEUE, ("acknowledge", f"{sends}\n{text}", [], seconds, digest), signer(NEW))


@pytest.mark.parametrize("age", [0, MAX_AGE, -MAX_AHEAD])
def test_signature_is_good_for_a_day_and_for_a_clock_that_is_a_little_ahead(age: int) -> None:
    assert read(QUEUE, signed(NEW, at=2e6 - age), signer(NEW, at=2e6))


@pytest.mark.parametrize("age", [MAX_AGE + 1, -MAX_AHEAD - 1])
def test_signature_of_another_time_is_stale(age: int) -> None:
    with pytest.raises(StaleError):
        read(QUEUE, signed(NEW, at=2e6 - age), signer(NEW, at=2e6))


def test_strange_message_keeps_the_bytes_of_its_envelope() -> None:
    with pytest.raises(StrangeError) as caught:
        read(QUEUE, signed(FOREIGN), signer(NEW))

    assert caught.value.data == write_envelope(sample(1))


@pytest.mark.parametrize(
    ("keys", "problem"),
    [(["short"], "openssl rand -hex 32"), ([OLD, NEW, FOREIGN], "3 signing keys"), ([NEW, ""], "openssl rand")],
)
def test_what_is_no_set_of_keys_is_refused(keys: list[str], problem: str) -> None:
    with pytest.raises(BusError, match=problem):
        Signer(keys)


@pytest.mark.parametrize(
    "url",
    [
        "dramatiq+amqp://guest:guest@localhost",
        "dramatiq+amqp://127.0.0.1:5673/shop",
        "dramatiq+redis://[::1]/1",
        "dramatiq+amqps://broker",
        "dramatiq+rediss://broker/1",
        "dramatiq+stub://",
    ],
)
def test_broker_on_this_machine_or_behind_tls_needs_no_key(url: str) -> None:
    assert is_private(url)
    DramatiqTransport(url)


@pytest.mark.parametrize(
    "url",
    [
        "dramatiq+amqp://ada:pa55@broker",
        "dramatiq+redis://10.0.0.7/1",
        "dramatiq+rediss://broker/1?ssl_cert_reqs=none",
        "dramatiq+rediss://broker/1?ssl_cert_reqs=optional",
        "dramatiq+rediss://broker/1?ssl_check_hostname=False",
    ],
)
def test_broker_that_others_can_reach_needs_a_key_or_tls(url: str) -> None:
    with pytest.raises(BusError, match="BUS_SIGNING_KEYS") as caught:
        DramatiqTransport(url)

    assert "pa55" not in str(caught.value)
    DramatiqTransport(url, signing_keys=[NEW])


def test_tls_with_a_protocol_that_looks_at_no_certificate_is_none() -> None:
    assert is_private("dramatiq+amqps://broker?ssl_options={'ca_certs':'ours.pem'}")
    assert not is_private("dramatiq+amqps://broker?ssl_options={'protocol':2}")


def test_list_of_brokers_is_refused_without_their_passwords() -> None:
    with pytest.raises(BusError, match="name one") as caught:
        DramatiqTransport("dramatiq+amqp://127.0.0.1/a;amqp://ada:pa55@evil/b", signing_keys=[NEW])

    assert "pa55" not in str(caught.value)
