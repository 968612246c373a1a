"""A client whose answer was lost sends its order again, and gets the one that it has placed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from werkzeug.test import TestResponse

from bus.failpoint import FailpointError, arm
from tests.app.counter import API, Counter, order_body
from tests.databases import ON_BOTH

pytestmark = ON_BOTH

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"


def send(counter: Counter, key: str = KEY, **changes: object) -> TestResponse:
    client = counter.client.application.test_client()
    return client.post(f"{API}/orders", json=order_body(**changes), headers={"Idempotency-Key": key})  # type: ignore[arg-type]


def placed(counter: Counter) -> list[str]:
    return [order["order_id"] for order in counter.get("/orders")["items"]]


def test_same_key_and_body_give_the_same_answer_again(counter: Counter) -> None:
    first, second = send(counter), send(counter)

    assert (first.status_code, second.status_code) == (201, 201)
    assert (first.json, first.headers["Location"]) == (second.json, second.headers["Location"])
    assert len(placed(counter)) == 1


def test_order_that_has_gone_on_is_shown_as_it_is(counter: Counter) -> None:
    first = send(counter)
    counter.settle()

    second = send(counter)

    assert second.status_code == 201
    assert second.headers["Location"] == first.headers["Location"]
    assert second.json is not None
    assert second.json["status"] == "accepted"


def test_body_that_is_written_otherwise_is_the_same(counter: Counter) -> None:
    send(counter)
    body = b'{"customer":{"phone":null,"name":"\\u0041da"},"lines":[{"quantity":1,"sku":"margherita"}],"restaurant_id":"demo"}'  # noqa: E501 # fmt: skip
    headers = {"Idempotency-Key": KEY, "Content-Type": "application/json"}

    response = counter.client.post(f"{API}/orders", data=body, headers=headers)

    assert response.status_code == 201
    assert len(placed(counter)) == 1


def test_same_key_with_another_body_is_refused(counter: Counter) -> None:
    send(counter)

    response = send(counter, quantity=2)

    assert (response.status_code, response.mimetype) == (422, "application/problem+json")
    assert response.json is not None
    assert response.json["field"] == "Idempotency-Key"
    assert len(placed(counter)) == 1


def test_body_that_is_refused_takes_no_key(counter: Counter) -> None:
    assert send(counter, quantity=0).status_code == 422

    assert send(counter).status_code == 201


@pytest.mark.parametrize("key", ["", "k" * 201, "a\x00b", "a\tb", "a\x7f", "schlüssel"])
def test_malformed_key_is_refused(counter: Counter, key: str) -> None:
    response = send(counter, key)

    assert response.status_code == 422
    assert response.json is not None
    assert response.json["field"] == "Idempotency-Key"
    assert placed(counter) == []


@pytest.mark.parametrize("key", ["k" * 200, "~", '"quoted, as RFC 8941 has it"'])
def test_any_visible_key_is_taken(counter: Counter, key: str) -> None:
    assert send(counter, key).status_code == 201


def test_simultaneous_requests_with_one_key_give_one_order(counter: Counter) -> None:
    start = threading.Barrier(8)

    def race() -> TestResponse:
        start.wait(30)
        return send(counter)

    with ThreadPoolExecutor(8) as clients:
        answers = [future.result() for future in [clients.submit(race) for _ in range(8)]]

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert len(placed(counter)) == 1


def fail() -> None:
    raise FailpointError


@pytest.mark.parametrize("place", ["outbox.after_write", "transaction.before_commit", "transaction.after_commit"])
def test_attempt_that_failed_anywhere_is_sent_again_and_gives_one_order(counter: Counter, place: str) -> None:
    with arm(place, fail), pytest.raises(FailpointError):
        send(counter)

    answers = [send(counter), send(counter)]

    assert {answer.status_code for answer in answers} == {201}
    assert len(placed(counter)) == 1
