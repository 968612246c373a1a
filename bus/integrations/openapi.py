"""An OpenAPI 3.1 description, made from the operations that are served."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from bus.errors import MissingExtraError
from bus.integrations.operation import JSON, Answer, FieldProblem, Operation, Routes, problem

try:
    from apispec import APISpec
except ImportError as error:
    raise MissingExtraError("apispec is not installed; pip install 'modular-bus[openapi]'") from error

_REFERENCE = "#/components/schemas/{name}"
_PLACE = re.compile(r"<(?:[^:<>]+:)?(?P<name>[^<>]+)>")

#: What the bus and Flask answer, whatever the operation.
_ALWAYS = {
    400: problem("The request is malformed: its host is not one of this application, or its body is no JSON."),
    422: problem("A field, a parameter or a header was refused.", FieldProblem),
    503: problem("A database is away or busy; try again after the seconds that `Retry-After` says."),
}
_CHANGING = {403: problem("A browser sent this from a page of another site.")}
_WITH_BODY = {413: problem("The body is too large."), 415: problem("The body is no JSON in UTF-8.")}


def describe(mounted: Sequence[tuple[str, Routes]], *, title: str, version: str, text: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of these operations.

    Args:
        mounted: Routes, each with the prefix that they are mounted under.
        title: What the interface is called.
        version: The version of the interface.
        text: What else a reader should know, in Markdown.

    Raises:
        ValueError: A value in a path has no type.
    """
    schemas = _Schemas([operation for _, routes in mounted for operation in routes.operations])
    spec = APISpec(title=title, version=version, openapi_version="3.1.1", info={"description": text})
    for prefix, routes in mounted:
        spec.tag({"name": routes.name})
        for operation in routes.operations:
            path = _PLACE.sub(r"{\g<name>}", prefix + operation.path)
            spec.path(path=path, operations={operation.method.lower(): _operation(routes.name, operation, schemas)})
    for name, component in schemas.components.items():
        spec.components.schema(name, component=component)
    document: dict[str, Any] = spec.to_dict()
    return document


def _operation(module: str, operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    summary, _, text = inspect.cleandoc(operation.view.__doc__ or "").partition("\n\n")
    described: dict[str, Any] = {
        "operationId": f"{module}.{operation.view.__name__}",
        "summary": summary,
        "tags": [module],
        "parameters": list(_parameters(operation, schemas)),
        "responses": {str(status): _answer(found, schemas) for status, found in sorted(_answers(operation).items())},
    }
    if text:
        described["description"] = text
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": {JSON: {"schema": schemas.of(operation.body)}}}
    return described


def _answers(operation: Operation) -> dict[int, Answer]:
    answers = dict(_ALWAYS)
    if operation.method != "GET":
        answers |= _CHANGING
    if operation.body is not None:
        answers |= _WITH_BODY
    return answers | dict(operation.answers)


def _answer(answer: Answer, schemas: _Schemas) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.meaning}
    if answer.kind is not None:
        described["content"] = {answer.media_type: {"schema": schemas.of(answer.kind)}}
    if answer.headers:
        described["headers"] = {
            name: {"description": text, "required": True, "schema": {"type": "string"}}
            for name, text in answer.headers.items()
        }
    return described


def _parameters(operation: Operation, schemas: _Schemas) -> Iterator[dict[str, Any]]:
    for place in _PLACE.finditer(operation.path):
        name = place["name"]
        if name not in operation.in_path:
            raise ValueError(f"{operation.method} {operation.path}: in_path gives no type for {name!r}")
        schema = dict(schemas.of(operation.in_path[name]))
        yield {"name": name, "in": "path", "required": True, **_described(schema)}
    for kind, where in ((operation.query, "query"), (operation.headers, "header")):
        if kind is not None:
            yield from _fields(schemas.fields_of(kind), where)


def _fields(component: Mapping[str, Any], where: str) -> Iterator[dict[str, Any]]:
    for name, schema in component["properties"].items():
        yield {
            "name": name,
            "in": where,
            "required": name in component["required"],
            **_described(_without_null(schema)),
        }


def _described(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the members of a parameter that its schema gives: where they stand, people see them."""
    text = schema.pop("description", None)
    return {"schema": schema} if text is None else {"description": text, "schema": schema}


def _without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter, which may be absent and is never null."""
    kept = {name: value for name, value in schema.items() if name != "anyOf" and (name, value) != ("default", None)}
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    return kept | kinds[0] if len(kinds) == 1 else kept | ({"anyOf": kinds} if kinds else {})


class _Schemas:
    """The JSON Schemas of every type that the operations name."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        # The types themselves are kept: an id names one only while it lives.
        self._kinds = [kind for operation in operations for kind in _kinds_of(operation)]
        found, components = msgspec.json.schema_components(self._kinds, ref_template=_REFERENCE)
        self._schemas = {id(kind): _portable(schema) for kind, schema in zip(self._kinds, found, strict=True)}
        parameters = {id(kind) for each in operations for kind in (each.query, each.headers) if kind is not None}
        names = {self._schemas[kind]["$ref"].rpartition("/")[2] for kind in parameters}
        self._parameters = {name: _portable(components[name]) for name in names}
        self.components = {name: _portable(found) for name, found in sorted(components.items()) if name not in names}

    def of(self, kind: Any) -> dict[str, Any]:
        """Return the schema of a type, or a reference to it."""
        schema: dict[str, Any] = self._schemas[id(kind)]
        return schema

    def fields_of(self, kind: Any) -> dict[str, Any]:
        """Return the schema of a type that describes parameters."""
        found: dict[str, Any] = self._parameters[self.of(kind)["$ref"].rpartition("/")[2]]
        return found


def _kinds_of(operation: Operation) -> list[Any]:
    answered = [answer.kind for answer in _answers(operation).values()]
    kinds = [*operation.in_path.values(), operation.query, operation.headers, operation.body, *answered]
    return [kind for kind in kinds if kind is not None]


def _portable(schema: Any) -> Any:
    """Return a schema whose patterns end as ECMA-262 writes it, which JSON Schema asks for."""
    if isinstance(schema, dict):
        ended = {
            name: re.sub(r"\\Z$", "$", found)
            for name, found in schema.items()
            if name == "pattern" and isinstance(found, str)
        }
        return {name: _portable(found) for name, found in schema.items()} | ended
    return [_portable(found) for found in schema] if isinstance(schema, list) else schema
