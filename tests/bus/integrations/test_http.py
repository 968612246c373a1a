"""What a module's HTTP interface gets of a request, and what it answers when something is wrong."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from flask import Flask, abort
from msgspec import Meta, Struct
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from bus.integrations.http import Problem, page, read_body, read_form, register_problems, shown


class Line(Struct, forbid_unknown_fields=True):
    sku: Annotated[str, Meta(pattern=r"^[^`\n]+\Z")]
    quantity: Annotated[int, Meta(ge=1)] = 1


class Lines(Struct, forbid_unknown_fields=True):
    lines: list[Line]


def app_with_problems() -> Flask:
    app = Flask(__name__)
    register_problems(app)
    return app


def refused(app: Flask, call: Callable[[], object], **request: Any) -> Problem:
    with app.test_request_context(**request), pytest.raises(Problem) as caught:
        call()
    return caught.value


def test_problem_carries_its_members_beside_the_standard_ones() -> None:
    response = Problem(409, "order 17 is ready", current="ready").get_response()

    assert response.get_json() == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "order 17 is ready",
        "current": "ready",
    }
    assert response.mimetype == "application/problem+json"


def test_error_of_flask_under_the_path_becomes_a_problem_with_its_headers() -> None:
    app = app_with_problems()
    app.add_url_rule("/api/x", view_func=lambda: "x", methods=["PUT"], endpoint="x")

    response = app.test_client().get("/api/x")

    assert (response.status_code, response.mimetype) == (405, "application/problem+json")
    assert "PUT" in response.headers["Allow"]


def test_unexpected_exception_under_the_path_becomes_a_problem_that_hides_it() -> None:
    app = app_with_problems()
    app.add_url_rule("/api/x", view_func=lambda: str(1 / 0), endpoint="x")

    response = app.test_client().get("/api/x")

    assert (response.status_code, response.mimetype) == (500, "application/problem+json")
    assert "division" not in response.text


def test_response_that_was_aborted_with_is_left_as_it_is() -> None:
    app = app_with_problems()
    app.add_url_rule("/api/x", view_func=lambda: abort(app.response_class("later", 503)), endpoint="x")

    assert app.test_client().get("/api/x").text == "later"


def test_error_elsewhere_is_answered_as_flask_does() -> None:
    assert app_with_problems().test_client().get("/x").mimetype == "text/html"


def test_error_elsewhere_can_be_answered_by_the_application() -> None:
    app = Flask(__name__)

    def answer(error: HTTPException) -> tuple[str, int]:
        return "gone astray", error.code or 500

    register_problems(app, elsewhere=answer)

    assert app.test_client().get("/x").text == "gone astray"


def test_body_is_read_as_its_type() -> None:
    with Flask(__name__).test_request_context(json={"lines": [{"sku": "ramen", "quantity": 2}]}):
        assert read_body(Lines) == Lines([Line("ramen", 2)])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "$"),
        ({}, "lines"),
        ({"lines": [{"sku": "ramen", "quantity": 0}]}, "lines[0].quantity"),
        ({"lines": [{}]}, "lines[0].sku"),
        ({"lines": [{"sku": "ramen", "size": 1}]}, "lines[0].size"),
        ({"lines": [], "tip": 1}, "tip"),
    ],
)
def test_refused_body_names_the_field(body: object, field: str) -> None:
    problem = refused(Flask(__name__), lambda: read_body(Lines), json=body)

    assert (problem.code, problem.members) == (422, {"field": field})


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ([], "the body: expected an object, got a list"),
        ({}, "lines: this field is missing"),
        ({"lines": [], "tip": 1}, "tip: there is no such field"),
        ({"lines": [{"sku": "a\n"}]}, "lines[0].sku: expected text of the allowed form"),
        ({"lines": [{"sku": 7}]}, "lines[0].sku: expected text, got a whole number"),
        ({"lines": [{"sku": "ramen", "quantity": 0}]}, "lines[0].quantity: expected a whole number >= 1"),
    ],
)
def test_refused_body_says_in_words_what_is_wrong(body: object, detail: str) -> None:
    assert refused(Flask(__name__), lambda: read_body(Lines), json=body).description == detail


def test_unknown_field_is_not_repeated_at_length() -> None:
    problem = refused(Flask(__name__), lambda: read_body(Lines), json={"lines": [], "tip" * 1000: 1})

    assert len(str(problem.members["field"])) == 80


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("tiramisù", "tiramisù"),
        ("a\x00b\r\n\u202e", r"a\x00b\r\n\u202e"),
        ("a" * 80, "a" * 80),
        ("a" * 81, "a" * 79 + "…"),
        ("\x00" * 80, r"\x00" * 19 + r"\x0…"),
    ],
)
def test_words_of_a_client_are_shown_short_and_on_one_line(text: str, answer: str) -> None:
    assert shown(text) == answer


def in_chunks(body: bytes, content_type: str) -> dict[str, Any]:
    """Return a request whose body has no announced length, as servers pass on one in chunks."""
    return {
        "method": "POST",
        "input_stream": io.BytesIO(body),
        "content_type": content_type,
        "headers": {"Transfer-Encoding": "chunked"},
        "environ_overrides": {"wsgi.input_terminated": True},
    }


@pytest.mark.parametrize(
    ("read", "content_type", "body"),
    [
        (lambda: read_body(Lines), "application/json", b'{"lines": [' + b" " * 16 + b"]}"),
        (lambda: read_form(Line), "application/x-www-form-urlencoded", b"sku=r&sku=ramen&sku=carbonara"),
    ],
)
def test_body_in_chunks_is_refused_beyond_the_limit_alone(
    read: Callable[[], object], content_type: str, body: bytes
) -> None:
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = len(body)

    with app.test_request_context(**in_chunks(body, content_type)):
        assert read()
    app.config["MAX_CONTENT_LENGTH"] = len(body) - 1
    with app.test_request_context(**in_chunks(body, content_type)), pytest.raises(RequestEntityTooLarge):
        read()


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [(b"{", "application/json", 400), (b"", "application/json", 400), (b"{}", "text/plain", 415)],
)
def test_body_that_is_no_json_is_refused(data: bytes, content_type: str, status: int) -> None:
    problem = refused(Flask(__name__), lambda: read_body(Lines), data=data, content_type=content_type)

    assert problem.code == status


def test_input_of_a_form_that_was_left_empty_counts_as_absent() -> None:
    with Flask(__name__).test_request_context(method="POST", data={"sku": "ramen", "quantity": " "}):
        assert read_form(Line) == Line("ramen", 1)


def test_number_of_a_form_is_read_from_its_text() -> None:
    with Flask(__name__).test_request_context(method="POST", data={"sku": "7", "quantity": "2"}):
        assert read_form(Line) == Line("7", 2)


def test_refused_form_names_the_field() -> None:
    form = {"sku": "ramen", "quantity": "many"}

    problem = refused(Flask(__name__), lambda: read_form(Line), method="POST", data=form)

    assert (problem.code, problem.members) == (422, {"field": "quantity"})


@pytest.mark.parametrize(("count", "visible", "following"), [(0, 0, None), (2, 2, None), (3, 2, "b")])
def test_page_shows_up_to_its_limit_and_where_the_next_begins(count: int, visible: int, following: str | None) -> None:
    items: list[dict[str, object]] = [{"id": letter} for letter in "abc"[:count]]

    answer = page(items, key="id", limit=2)

    assert answer == {"items": items[:visible], "next": following}
