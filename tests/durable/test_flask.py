from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from bus import BusError, Trace, current_trace, module_listener
from bus.integrations.flask import EXTENSION, BusExtension, current_bus
from tests.durable.shop import Shop, WantedDish
from tests.threads import bus_threads


@pytest.fixture
def app(shop: Shop) -> Flask:
    return application(shop)


def application(shop: Shop) -> Flask:
    app = Flask(__name__)
    BusExtension(shop.bus, app)

    @app.post("/orders/<int:number>")
    def place(number: int) -> str:
        shop.place(number)
        return "placed"

    return app


def flask_bus(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["bus", *arguments])


def test_bus_stands_in_the_extensions_of_its_application(shop: Shop, app: Flask) -> None:
    assert app.extensions[EXTENSION] is shop.bus
    with app.app_context():
        assert current_bus() is shop.bus


def test_extension_may_join_later(shop: Shop) -> None:
    app = Flask(__name__)

    BusExtension(shop.bus).init_app(app)

    assert app.extensions[EXTENSION] is shop.bus


def test_making_an_application_starts_nothing(app: Flask) -> None:
    assert app.extensions
    assert bus_threads() == []


@pytest.mark.parametrize(
    "command",
    ["status", "check", "explain order.placed", "events --history", "trace 0", "dead list", "pause kitchen --reason x"],
)
def test_command_starts_nothing(shop: Shop, app: Flask, command: str) -> None:
    shop.place(1)

    flask_bus(app, *command.split())

    assert bus_threads() == []
    assert len(shop.owed()) == 1


def test_first_request_starts_the_bus(shop: Shop, app: Flask) -> None:
    shop.open_tickets()

    response = app.test_client().post("/orders/7")
    shop.bus.drain()

    assert response.status_code == 200
    assert bus_threads() != []
    assert shop.tickets() == [7]


def test_request_that_finds_nothing_starts_the_bus_as_well(app: Flask) -> None:
    app.test_client().get("/nowhere")

    assert bus_threads() != []


TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_events_of_a_request_carry_its_traceparent_and_those_of_the_next_do_not(shop: Shop, app: Flask) -> None:
    client = app.test_client()

    client.post("/orders/1", headers={"traceparent": TRACEPARENT})
    client.post("/orders/2")

    assert [row.traceparent for row in shop.history()] == [TRACEPARENT, None]
    assert current_trace() is None


@pytest.mark.parametrize(
    "header",
    ["", "nonsense", TRACEPARENT.upper(), f"{TRACEPARENT}, {TRACEPARENT}", "00-" + "0" * 32 + TRACEPARENT[35:]],
)
def test_malformed_traceparent_of_a_request_is_passed_over(shop: Shop, app: Flask, header: str) -> None:
    response = app.test_client().post("/orders/1", headers={"traceparent": header})

    assert response.status_code == 200
    assert [row.traceparent for row in shop.history()] == [None]


def test_request_that_fails_leaves_no_trace_behind(shop: Shop, app: Flask) -> None:
    @app.post("/broken")
    def broken() -> str:
        raise ValueError("no dough")

    app.test_client().post("/broken", headers={"traceparent": TRACEPARENT})

    assert current_trace() is None


def test_module_listener_hears_the_traceparent_of_the_request(shop: Shop, app: Flask) -> None:
    traces: list[Trace | None] = []

    @module_listener("kitchen.note")
    def note(event: WantedDish) -> None:
        traces.append(current_trace())

    shop.listen(note)
    app.test_client().post("/orders/1", headers={"traceparent": TRACEPARENT})
    shop.bus.drain()

    [placed] = shop.history()
    assert traces == [Trace(placed.correlation_id, placed.id, TRACEPARENT)]


def test_two_applications_in_one_process_are_independent(tmp_path: Path) -> None:
    for name in ("north", "south"):
        (tmp_path / name).mkdir()
    north, south = Shop(tmp_path / "north"), Shop(tmp_path / "south")
    north.open_tickets()
    south.open_tickets()

    application(north).test_client().post("/orders/1")
    application(south).test_client().post("/orders/2")
    north.bus.drain()
    south.bus.drain()

    tickets = north.tickets(), south.tickets()
    north.close()
    south.close()
    assert tickets == ([1], [2])


def test_stopping_the_bus_of_one_application_leaves_the_others(tmp_path: Path, shop: Shop, app: Flask) -> None:
    (tmp_path / "south").mkdir()
    south = Shop(tmp_path / "south")
    shop.open_tickets()
    application(south).test_client().get("/")

    south.close()
    app.test_client().post("/orders/7")
    shop.bus.drain()

    assert shop.tickets() == [7]


def test_application_without_a_bus_says_how_to_join_one() -> None:
    app = Flask(__name__)

    with app.app_context(), pytest.raises(BusError, match=r"call BusExtension\(bus\).init_app\(app\)"):
        current_bus()
