"""Listeners give way to the requests that their process is answering, and never for long."""

from __future__ import annotations

import threading

import pytest
from flask import Flask

from bus.courtesy import Courtesy
from bus.inbox.workers import Workers
from bus.integrations.flask import BusExtension
from tests.durable.shop import Shop, placed

#: Seconds that no test comes to wait.
EVER = 60.0


@pytest.fixture
def courtesy() -> Courtesy:
    return Courtesy(request=EVER, longest=EVER)


def test_run_waits_until_the_request_has_ended(courtesy: Courtesy) -> None:
    run = threading.Thread(target=courtesy.give_way, daemon=True)
    courtesy.begin()
    run.start()
    run.join(0.05)
    waited = run.is_alive()

    courtesy.end()
    run.join(10)

    assert waited
    assert not run.is_alive()


def test_run_waits_until_the_last_of_several_requests_has_ended(courtesy: Courtesy) -> None:
    run = threading.Thread(target=courtesy.give_way, daemon=True)
    courtesy.begin()
    courtesy.begin()
    run.start()

    courtesy.end()
    run.join(0.05)

    assert run.is_alive()
    courtesy.end()


def test_run_gives_way_to_requests_without_end_for_the_longest_wait_only() -> None:
    courtesy = Courtesy(request=EVER, longest=0.001)

    courtesy.begin()

    courtesy.give_way()
    assert courtesy.requests == 1


def test_request_that_takes_long_is_not_given_way_to() -> None:
    courtesy = Courtesy(request=0.001, longest=EVER)

    courtesy.begin()

    courtesy.give_way()
    assert courtesy.requests == 1


def test_end_of_a_request_that_began_before_a_fork_counts_for_nothing(courtesy: Courtesy) -> None:
    courtesy.begin()
    courtesy.renew()

    courtesy.end()

    assert courtesy.requests == 0


def test_worker_begins_no_run_while_a_request_is_answered(shop: Shop, courtesy: Courtesy) -> None:
    ran = threading.Event()
    workers = Workers(shop.inbox(), 1, lambda *_: ran.set(), courtesy=courtesy)
    courtesy.begin()
    workers.start()
    workers.accept(placed(7), 1)

    has_run_beside_it = ran.wait(0.05)
    courtesy.end()

    assert not has_run_beside_it
    assert ran.wait(10)
    workers.refuse()


def test_bus_hears_of_a_request_for_as_long_as_it_is_answered(shop: Shop) -> None:
    app = Flask(__name__)
    BusExtension(shop.bus, app)
    app.add_url_rule("/", view_func=lambda: str(shop.bus.courtesy.requests))

    answered = app.test_client().get("/").text

    assert (answered, shop.bus.courtesy.requests) == ("1", 0)


def test_bus_hears_of_the_end_of_a_request_that_failed(shop: Shop) -> None:
    app = Flask(__name__)
    BusExtension(shop.bus, app)
    app.add_url_rule("/", view_func=lambda: str(1 // 0))

    app.test_client().get("/")

    assert shop.bus.courtesy.requests == 0


def test_extension_whose_request_was_refused_before_it_began_ends_nothing(shop: Shop) -> None:
    app = Flask(__name__)
    app.before_request(lambda: "refused")
    BusExtension(shop.bus, app)
    shop.bus.courtesy.begin()

    app.test_client().get("/")

    assert shop.bus.courtesy.requests == 1
