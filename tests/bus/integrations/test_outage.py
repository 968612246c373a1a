from __future__ import annotations

import sqlite3

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from sqlalchemy.exc import NoResultFound, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bus.integrations.http import register_problems
from bus.integrations.outage import register_outages


def locked() -> OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return OperationalError("UPDATE orders SET name = 'Ada'", {}, error)


def client_of(error: SQLAlchemyError) -> FlaskClient:
    app = Flask(__name__)
    register_problems(app)
    register_outages(app)

    @app.post("/api/orders")
    def place() -> str:
        raise error

    return app.test_client()


def test_request_that_a_database_keeps_from_an_answer_is_told_to_come_again() -> None:
    with pytest.raises(OperationalError) as away:
        create_engine("sqlite:////proc/none.db").connect().execute(text("SELECT 1"))

    response = client_of(away.value).post("/api/orders")

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.json == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "the database is away; try again in 5 s",
    }


@pytest.mark.parametrize("error", [locked(), PoolTimeoutError()])
def test_request_that_met_a_busy_database_is_told_so_and_logged_without_its_data(
    error: SQLAlchemyError, caplog: pytest.LogCaptureFixture
) -> None:
    response = client_of(error).post("/api/orders")

    assert response.status_code == 503
    assert caplog.messages == ["POST /api/orders is answered with 503: the database was busy"]


def test_error_that_says_nothing_of_the_database_stays_an_error_of_the_code(
    caplog: pytest.LogCaptureFixture,
) -> None:
    response = client_of(NoResultFound()).post("/api/orders")

    assert response.status_code == 500
    assert caplog.records[0].exc_info is not None
