"""The description says what the application does: compared with its routes, and with its answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask

from bus.assembly import IN_PROCESS
from bus.integrations.http import Problem
from bus.testing import RecordingTransport
from modular_app.app import API
from tests.app.conftest import MakeApp
from tests.app.counter import Counter
from tests.app.examination import examine

#: Routes about the description itself.
OWN = {"description.document", "description.page", "description.asset"}


@pytest.fixture
def document(counter: Counter) -> Any:
    return counter.get("/openapi.json")


def described(document: Any) -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}


def routed(app: Flask) -> set[tuple[str, str]]:
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith(API) and rule.endpoint not in OWN]
    paths = [(re.sub(r"<(?:.*?:)?(.*?)>", r"{\1}", rule.rule), rule.methods or set()) for rule in rules]
    return {(method, path) for path, methods in paths for method in methods - {"HEAD", "OPTIONS"}}


def schemas_in(part: Any) -> Iterator[Any]:
    if isinstance(part, dict):
        if "schema" in part:
            yield part["schema"]
        yield from (found for value in part.values() for found in schemas_in(value))
    elif isinstance(part, list):
        yield from (found for value in part for found in schemas_in(value))


def test_every_route_is_described_and_every_description_is_routed(app: Flask, document: Any) -> None:
    assert described(document) == routed(app)
    assert len(routed(app)) == 15


def test_route_that_was_forgotten_is_missed(app: Flask) -> None:
    app.add_url_rule(f"{API}/forgotten/<int:number>", view_func=lambda number: "")

    assert routed(app) - described(Counter(app).get("/openapi.json")) == {("GET", f"{API}/forgotten/{{number}}")}


def test_module_that_is_not_hosted_is_not_described(make_app: MakeApp) -> None:
    app = make_app(MODULES="kitchen", transport=RecordingTransport())

    document = Counter(app).get("/openapi.json")

    assert {path.split("/")[3] for path in document["paths"]} == {"kitchen"}
    assert [tag["name"] for tag in document["tags"]] == ["kitchen"]
    assert "OrderShown" not in document["components"]["schemas"]


def test_document_is_openapi_3_1_with_schemas_that_are_json_schemas(document: Any) -> None:
    assert document["openapi"].startswith("3.1.")
    for schema in [*schemas_in(document["paths"]), *document["components"]["schemas"].values()]:
        jsonschema_rs.Draft202012Validator(schema | {"components": document["components"]})


def test_every_operation_has_its_own_id_a_sentence_and_its_problems(document: Any) -> None:
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]

    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert [each["operationId"] for each in operations if not each["summary"].endswith(".")] == []
    for operation in operations:
        for status, answer in operation["responses"].items():
            media = "application/json" if status < "400" else "application/problem+json"
            assert list(answer["content"]) == [media]


def test_order_is_described_with_its_key_and_its_location(document: Any) -> None:
    place = document["paths"][f"{API}/orders"]["post"]

    [key] = place["parameters"]
    assert (key["name"], key["in"], key["required"]) == ("Idempotency-Key", "header", False)
    assert set(place["responses"]["201"]["headers"]) == {"Location"}
    assert set(place["responses"]) == {"201", "400", "403", "413", "415", "422", "503"}


def examples_of(document: Any, schema: Any) -> Any:
    """Return an example of a schema, put together from those of its parts."""
    if "$ref" in schema:
        return examples_of(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "properties" in schema:
        return {name: examples_of(document, part) for name, part in schema["properties"].items()}
    if "items" in schema:
        return [examples_of(document, schema["items"])]
    plain = schema.get("examples") or schema.get("enum") or [schema.get("default", True)]
    return plain[0]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("post", "/orders", 201),
        ("put", "/restaurants/{restaurant_id}/menu/{sku}", 200),
        ("put", "/kitchen/capacity", 200),
    ],
)
def test_example_of_a_request_is_taken(counter: Counter, method: str, path: str, status: int) -> None:
    document = counter.get("/openapi.json")
    operation = document["paths"][API + path][method]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    values = {each["name"]: each["schema"]["examples"][0] for each in operation["parameters"]}

    response = counter.client.open(
        API + path.format(**values), method=method.upper(), json=examples_of(document, body), headers=values
    )

    assert response.status_code == status, response.text


def test_application_answers_as_its_description_says(make_app: MakeApp) -> None:
    # Hypothesis takes it for chance in its examples where threads that work over a broker draw random numbers.
    counter = Counter(make_app(BUS_URL=IN_PROCESS))
    counter.place_and_settle()

    found = examine(counter.client.application, examples=10)

    assert sorted(found.faults) == []
    assert len(found.operations) == 15
    assert set(found.answers) >= {200, 201, 400, 404, 405, 409, 415, 422}


def broken(**_: object) -> str:
    raise RuntimeError("planted")


def failing(**_: object) -> str:
    raise Problem(500, "planted")


def undocumented(**_: object) -> object:
    raise Problem(410, "planted")


def misshapen(**_: object) -> object:
    return {"order_id": 7}


def plain(**_: object) -> str:
    return "planted"


@pytest.mark.parametrize(
    ("view", "check"),
    [
        (broken, "RuntimeError('planted')"),
        (failing, "not_a_server_error"),
        (undocumented, "status_code_conformance"),
        (misshapen, "response_schema_conformance"),
        (plain, "content_type_conformance"),
    ],
    ids=lambda found: getattr(found, "__name__", found),
)
def test_planted_fault_is_found(make_app: MakeApp, view: Any, check: str) -> None:
    app = make_app(TESTING=False, PROPAGATE_EXCEPTIONS=False)
    app.view_functions["order.show"] = view

    faults = examine(app, examples=1, operation="order.show").faults

    assert [fault for fault in faults if check in fault]
