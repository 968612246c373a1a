"""Typed bodies and queries in, problem documents (RFC 9457) out, for the HTTP of a module."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from bus.errors import MissingExtraError

try:
    from flask import Flask, redirect, request
    from flask.typing import ResponseReturnValue
    from werkzeug.datastructures import Headers
    from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
    from werkzeug.http import HTTP_STATUS_CODES
except ImportError as error:
    raise MissingExtraError("Flask is not installed; pip install 'modular-bus[flask]'") from error

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from werkzeug.sansio.response import Response as SansIOResponse
    from werkzeug.wrappers import Response

T = TypeVar("T")
Member = TypeVar("Member", bound=Enum)

#: Items of a page when the client names no number, and the most it may name.
DEFAULT_LIMIT, MAX_LIMIT = 50, 200
#: Characters that a cursor may have: keys are identifiers, and far shorter.
MAX_CURSOR = 200
#: What the cursor of a list looks like whose keys are UUIDs.
UUID_CURSOR = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
#: Characters of a client's own words that an answer repeats.
MAX_SHOWN = 80

_PLACE = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_NAMED = re.compile(r"(?:missing required|contains unknown) field `(?P<name>[^`]+)`")
_PATTERN = re.compile(r" matching regex .*", re.DOTALL)
_KINDS = re.compile(r"`(?P<kinds>[^`]+)`")
_IN_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


class Problem(HTTPException):
    """Raised to answer with a problem document: `raise Problem(409, "is ready", current="ready")`.

    Attributes:
        members: Extension members of the document.
    """

    def __init__(self, status: int, detail: str, **members: object) -> None:
        super().__init__(detail)
        self.code = status
        self.members = members

    @property
    def name(self) -> str:
        """Return the status in words; it is the document's title."""
        return HTTP_STATUS_CODES.get(self.code or 500, "Unknown Error")

    def get_body(self, environ: WSGIEnvironment | None = None, scope: dict[str, Any] | None = None) -> str:
        """Return the document as JSON."""
        members = {
            "type": "about:blank",
            "title": self.name,
            "status": self.code,
            "detail": self.description,
        }
        return json.dumps(members | self.members)

    def get_headers(
        self, environ: WSGIEnvironment | None = None, scope: dict[str, Any] | None = None
    ) -> list[tuple[str, str]]:
        """Return the media type of the document."""
        return [("Content-Type", "application/problem+json")]


def register_problems(
    app: Flask,
    *,
    under: str = "/api/",
    elsewhere: Callable[[HTTPException], ResponseReturnValue] | None = None,
) -> None:
    """Answer every error under a path with a problem document, an unexpected exception (500) too.

    Args:
        app: The application.
        under: The start of the paths that answer with problem documents.
        elsewhere: What answers an error of any other path; without it Flask does.
    """

    def answer(error: HTTPException) -> ResponseReturnValue:
        if request.path.startswith(under):
            return problem_response(error)
        return elsewhere(error) if elsewhere else error

    app.register_error_handler(HTTPException, answer)


def problem_response(error: HTTPException) -> Response | SansIOResponse:
    """Return the error as a problem document that keeps its headers, such as `Allow`."""
    if isinstance(error, Problem) or error.response is not None:
        return error.get_response()
    response = Problem(error.code or 500, error.description or error.name).get_response()
    _copy_headers(error.get_headers(), response.headers)
    return response


def _copy_headers(source: Iterable[tuple[str, str]], target: Headers) -> None:
    for name, value in source:
        if name.lower() != "content-type":
            target.add(name, value)


def read_body(kind: type[T]) -> T:
    """Return the request's JSON body as a msgspec type.

    Raises:
        Problem: 415 for another media type, 400 for malformed JSON, 422 with `field` where the
            type refuses it.
        RequestEntityTooLarge: 413 for more than the application's `MAX_CONTENT_LENGTH`.
    """
    if request.mimetype != "application/json":
        raise Problem(415, "the body must be application/json")
    try:
        return msgspec.json.decode(_whole_body(), type=kind)
    except msgspec.ValidationError as error:
        raise _refused(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(400, f"the body is not JSON: {error}") from error


def read_form(kind: type[T], *, shape: Callable[[Mapping[str, str]], object] = dict) -> T:
    """Return the request's form as a msgspec type; an input that was left empty counts as absent.

    Args:
        kind: The type.
        shape: Makes of the filled inputs what the type is read from, where the type is not flat.

    Raises:
        Problem: 422 with `field` where the type refuses it.
        RequestEntityTooLarge: 413 for more than the application's `MAX_CONTENT_LENGTH`.
    """
    _whole_body()
    filled = {name: value for name, value in request.form.items() if value.strip()}
    try:
        return msgspec.convert(shape(filled), type=kind, strict=False)
    except msgspec.ValidationError as error:
        raise _refused(error) from error


def back_to_page() -> ResponseReturnValue:
    """Lead a form back to the page at the root, so that a reload sends nothing twice."""
    return redirect(f"{request.root_path}/", 303)


def _whole_body() -> bytes:
    """Return the body; Werkzeug cuts one that comes in chunks at the limit, without a word."""
    body, limit = request.get_data(), request.max_content_length
    if request.content_length is None and limit and len(body) >= limit and request.environ["wsgi.input"].read(1):
        raise RequestEntityTooLarge
    return body


def _refused(error: msgspec.ValidationError) -> Problem:
    place, named = _PLACE.search(str(error)), _NAMED.search(str(error))
    parts = [place["path"] if place else "", named["name"] if named else ""]
    field = shown(".".join(part for part in parts if part))
    return Problem(422, f"{field or 'the body'}: {_reason(str(error))}", field=field or "$")


def _reason(text: str) -> str:
    """Return what msgspec says in words for those who never see the code."""
    if named := _NAMED.search(text):
        return "this field is missing" if "missing" in named[0] else "there is no such field"
    text = _PATTERN.sub(" of the allowed form", _PLACE.sub("", text))
    text = _KINDS.sub(lambda found: _in_words(found["kinds"]), text)
    return text[:1].lower() + text[1:]


def _in_words(kinds: str) -> str:
    names = [_IN_WORDS.get(kind, kind) for kind in kinds.split(" | ")]
    return " or ".join([name for name in names if name != "null"] or names)


def shown(text: str) -> str:
    """Return a client's own words as an answer may repeat them: short, and on one line.

    Args:
        text: What the client sent, such as an id that nobody knows.
    """
    visible = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text[: MAX_SHOWN + 1])
    return visible if len(visible) <= MAX_SHOWN else f"{visible[: MAX_SHOWN - 1]}…"


def read_choice(name: str, choices: type[Member]) -> Member | None:
    """Return a query parameter as a member of an enum with text values, or None where it is absent.

    Raises:
        Problem: 422 with `field` for any other text.
    """
    text = request.args.get(name)
    if text is None:
        return None
    try:
        return choices(text)
    except ValueError as error:
        known = ", ".join(str(member.value) for member in choices)
        raise Problem(422, f"{name} must be one of {known}", field=name) from error


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which part of a list the client asks for.

    Attributes:
        limit: The most items that it wants.
        after: The `next` of the page before, or None for the first page.
    """

    limit: int
    after: str | None


def read_page(cursor: str = ".+") -> PageRequest:
    """Return `limit` and `after` of the query.

    Args:
        cursor: A regular expression for the keys of the list, each of which may be a cursor.

    Raises:
        Problem: 422 with `field` for a limit outside 1 to 200, or a cursor that cannot be one.
    """
    limit = request.args.get("limit", str(DEFAULT_LIMIT))
    if not re.fullmatch(r"[0-9]{1,4}", limit) or not 1 <= int(limit) <= MAX_LIMIT:
        raise Problem(422, f"limit must be a whole number from 1 to {MAX_LIMIT}", field="limit")
    after = request.args.get("after")
    if after is not None and not _can_be_cursor(after, cursor):
        raise Problem(422, "after must be the next of an earlier page", field="after")
    return PageRequest(int(limit), after)


def _can_be_cursor(text: str, pattern: str) -> bool:
    return len(text) <= MAX_CURSOR and text.isprintable() and re.fullmatch(pattern, text) is not None


def page(items: Sequence[dict[str, object]], *, key: str, limit: int) -> dict[str, object]:
    """Return one page of a list, made of up to one item more than the limit.

    The extra item is not shown: it says that there is a next page, which begins after the last
    item shown.

    Args:
        items: The items in the list's order, at most `limit + 1`.
        key: The field of an item by which the list is ordered.
        limit: The most items of a page.
    """
    shown = list(items[:limit])
    return {"items": shown, "next": shown[-1][key] if len(items) > limit else None}
