"""An operation is declared once; routing, reading and description follow."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

import pytest
from flask import Flask
from flask.typing import ResponseReturnValue
from msgspec import Meta, Struct, field

from bus.integrations.http import Limit, register_problems
from bus.integrations.openapi import describe
from bus.integrations.operation import Answer, Operation, Routes, StatusProblem, problem, route

Name = Annotated[str, Meta(pattern=r"^[a-z]+\Z", description="What the tin is called.", examples=["ochre"])]


class Shelf(Struct, forbid_unknown_fields=True):
    limit: Limit = 50
    name: Name | None = None


class Buyer(Struct):
    key: str | None = field(default=None, name="Buyer-Key")


class Tin(Struct, forbid_unknown_fields=True):
    """A tin of paint."""

    name: Name
    pattern: str = "plain"


class TinShown(TypedDict):
    """A tin as it is shown."""

    name: Name
    price: str | None


def put(name: str, headers: Buyer, body: Tin) -> ResponseReturnValue:
    """Put a tin on the shelf.

    Nobody may be in the way.
    """
    return {"name": name, "key": headers.key, "tin": body.name}, 201, {"Location": f"/tins/{name}"}


def browse(query: Shelf) -> ResponseReturnValue:
    """Show the tins."""
    return {"limit": query.limit}


def empty() -> ResponseReturnValue:
    """Empty the shelf."""
    return "", 204


PUT = Operation(
    "PUT",
    "/tins/<name>",
    put,
    in_path={"name": Name},
    headers=Buyer,
    body=Tin,
    answers={
        201: Answer("The tin is there.", TinShown, headers={"Location": "Where it is."}),
        409: problem("The shelf is full.", StatusProblem),
    },
)
BROWSE = Operation("GET", "/tins", browse, query=Shelf, answers={200: Answer("The tins.", list[TinShown])})
EMPTY = Operation("DELETE", "/tins", empty, answers={204: Answer("The shelf is empty.")})
ROUTES = Routes("paint", (PUT, BROWSE, EMPTY))


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    register_problems(app, under="/")
    app.register_blueprint(route(ROUTES), url_prefix="/shop")
    return app


@pytest.fixture
def document() -> dict[str, Any]:
    return describe([("/shop", ROUTES)], title="Paint", version="2", text="*Wet*.")


def test_view_is_called_with_what_its_operation_declares(app: Flask) -> None:
    response = app.test_client().put("/shop/tins/ochre", json={"name": "red"}, headers={"Buyer-Key": "k"})

    assert (response.status_code, response.json) == (201, {"name": "ochre", "key": "k", "tin": "red"})


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("GET", "/shop/tins?limit=0", "limit"),
        ("GET", "/shop/tins?colour=red", "colour"),
        ("DELETE", "/shop/tins?force=1", "force"),
    ],
)
def test_query_is_read_also_where_none_is_declared(app: Flask, method: str, path: str, field: str) -> None:
    response = app.test_client().open(path, method=method)

    assert response.status_code == 422
    assert response.json is not None
    assert response.json["field"] == field


def test_routes_are_named_for_module_and_view_and_keep_the_views_home(app: Flask) -> None:
    assert {"paint.put", "paint.browse", "paint.empty"} <= set(app.view_functions)
    assert app.view_functions["paint.put"].__module__ == __name__


def test_operation_is_described_in_the_words_of_its_view(document: dict[str, Any]) -> None:
    described = document["paths"]["/shop/tins/{name}"]["put"]

    assert described["operationId"] == "paint.put"
    assert (described["summary"], described["description"]) == (
        "Put a tin on the shelf.",
        "Nobody may be in the way.",
    )


def test_parameters_are_described_and_none_may_be_null(document: dict[str, Any]) -> None:
    limit, name = document["paths"]["/shop/tins"]["get"]["parameters"]
    in_path, key = document["paths"]["/shop/tins/{name}"]["put"]["parameters"]

    assert (limit["in"], limit["required"], limit["schema"]["default"]) == ("query", False, 50)
    assert name["schema"] == {"type": "string", "pattern": "^[a-z]+$", "examples": ["ochre"]}
    assert (in_path["in"], in_path["required"]) == ("path", True)
    assert in_path["description"] == "What the tin is called."
    assert key == {"name": "Buyer-Key", "in": "header", "required": False, "schema": {"type": "string"}}


def test_answers_that_go_with_every_operation_are_described(document: dict[str, Any]) -> None:
    put, browse = document["paths"]["/shop/tins/{name}"]["put"], document["paths"]["/shop/tins"]["get"]
    empty = document["paths"]["/shop/tins"]["delete"]

    assert list(put["responses"]) == ["201", "400", "403", "409", "413", "415", "422", "503"]
    assert list(browse["responses"]) == ["200", "400", "422", "503"]
    assert list(empty["responses"]) == ["204", "400", "403", "422", "503"]


def test_answer_is_described_with_its_document_and_headers(document: dict[str, Any]) -> None:
    responses = document["paths"]["/shop/tins/{name}"]["put"]["responses"]

    assert responses["201"]["content"] == {"application/json": {"schema": {"$ref": "#/components/schemas/TinShown"}}}
    assert responses["201"]["headers"]["Location"]["required"] is True
    assert list(responses["409"]["content"]) == ["application/problem+json"]
    assert "content" not in document["paths"]["/shop/tins"]["delete"]["responses"]["204"]


def test_schemas_are_those_of_bodies_and_answers_alone(document: dict[str, Any]) -> None:
    assert set(document["components"]["schemas"]) == {
        "FieldProblem",
        "ProblemDocument",
        "StatusProblem",
        "Tin",
        "TinShown",
    }


def test_pattern_ends_as_json_schema_has_it_and_a_field_of_that_name_stays(document: dict[str, Any]) -> None:
    properties = document["components"]["schemas"]["Tin"]["properties"]

    assert properties["name"]["pattern"] == "^[a-z]+$"
    assert properties["pattern"] == {"type": "string", "default": "plain"}


def test_value_in_a_path_without_a_type_is_refused() -> None:
    forgetful = Operation("GET", "/tins/<name>", empty, answers={})

    with pytest.raises(ValueError, match="GET /tins/<name>: in_path gives no type for 'name'"):
        describe([("", Routes("paint", (forgetful,)))], title="Paint", version="2", text="")
