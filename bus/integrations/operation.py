"""The operations of an HTTP interface: declared once, and from that routed, read and described."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, TypedDict

from msgspec import Struct

from bus.errors import MissingExtraError

try:
    from flask import Blueprint
    from flask.typing import ResponseReturnValue
except ImportError as error:
    raise MissingExtraError("Flask is not installed; pip install 'modular-bus[flask]'") from error

from bus.integrations.http import read_body, read_headers, read_query

JSON, PROBLEM = "application/json", "application/problem+json"


class _Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """A query without parameters."""


class ProblemDocument(TypedDict):
    """What went wrong, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str


class FieldProblem(ProblemDocument):
    """A problem with one field, parameter or header; `$` is the whole body."""

    field: str


class StatusProblem(ProblemDocument):
    """A problem with the present status of what was asked for."""

    current: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One status that an operation answers with.

    Attributes:
        meaning: When it does, in a sentence.
        kind: The type of the document in the answer, or None where there is none.
        media_type: The media type of that document.
        headers: What the headers of the answer say, by their names.
    """

    meaning: str
    kind: Any = None
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def problem(meaning: str, kind: Any = ProblemDocument) -> Answer:
    """Return the answer that is a problem document.

    Args:
        meaning: When there is this problem, in a sentence.
        kind: The type of the document.
    """
    return Answer(meaning, kind, PROBLEM)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path: what it takes, what it answers, and the view that does it.

    The view is called with the values in the path by their names, and with `query`, `headers` and `body` where
    those are declared. A query that is not declared may hold nothing. What goes for every operation, such as 413
    where there is a body, is not declared.

    Attributes:
        method: The method, such as `POST`.
        path: The path as Flask writes it, such as `/orders/<order_id>`.
        view: What answers; its name is that of the endpoint, its docstring says what the operation does.
        answers: What it answers, by status.
        in_path: The types of the values in the path, for the description; the view decides what there is.
        query: The msgspec type of the query.
        headers: The msgspec type of the headers that it reads.
        body: The msgspec type of the JSON body.
    """

    method: str
    path: str
    view: Callable[..., ResponseReturnValue]
    _: KW_ONLY
    answers: Mapping[int, Answer]
    in_path: Mapping[str, Any] = field(default_factory=dict)
    query: type[Struct] | None = None
    headers: type[Struct] | None = None
    body: type | None = None


@dataclass(frozen=True, slots=True)
class Routes:
    """The operations of one module.

    Attributes:
        name: The name of the module; it is that of the blueprint.
        operations: The operations, in the order in which a description shows them.
    """

    name: str
    operations: tuple[Operation, ...]


def route(routes: Routes) -> Blueprint:
    """Return a blueprint that serves these operations, reading for each what it declares.

    Args:
        routes: The operations; their paths are relative to where the blueprint is mounted.
    """
    blueprint = Blueprint(routes.name, __name__)
    for operation in routes.operations:
        endpoint = operation.view.__name__
        blueprint.add_url_rule(operation.path, endpoint, _reading(operation), methods=[operation.method])
    return blueprint


def _reading(operation: Operation) -> Callable[..., ResponseReturnValue]:
    @functools.wraps(operation.view)
    def answer(**in_path: str) -> ResponseReturnValue:
        return operation.view(**in_path, **_read(operation))

    return answer


def _read(operation: Operation) -> dict[str, object]:
    query = read_query(operation.query or _Nothing)
    read: dict[str, object] = {} if operation.query is None else {"query": query}
    if operation.headers is not None:
        read["headers"] = read_headers(operation.headers)
    if operation.body is not None:
        read["body"] = read_body(operation.body)
    return read
