"""Typed bodies and queries in, problem documents (RFC 9457) out, for the HTTP of a module."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

import msgspec
from msgspec import Meta
from msgspec.inspect import EnumType, StructType, UnionType

from bus.errors import MissingExtraError
from bus.integrations.strict_json import AmbiguousJsonError, require_unambiguous

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
Plain = TypeVar("Plain", bound=msgspec.Struct)

#: Items of a page when the client names no number, and the most it may name.
DEFAULT_LIMIT, MAX_LIMIT = 50, 200
#: The `limit` of a list: the most items of one page.
Limit = Annotated[int, Meta(ge=1, le=MAX_LIMIT, description="The most items of the page.")]
#: A UUID as the applications of the bus write one.
Uuid = Annotated[
    str,
    Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", examples=["019ab3f2-6c00-7a10-8f3e-2b9d5c7e1a04"]),
]
#: Characters of a client's own words that an answer repeats.
MAX_SHOWN = 80

_PLACE = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_NAMED = re.compile(r"(?:missing required|contains unknown) field `(?P<name>[^`]+)`")
_PATTERN = re.compile(r" matching regex .*", re.DOTALL)
_ENUM = re.compile(r"Invalid enum value .*", re.DOTALL)
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
        Problem: 415 for anything but JSON in UTF-8, 400 for JSON that is malformed or ambiguous, 422 with `field`
            where the type refuses it.
        RequestEntityTooLarge: 413 for more than the application's `MAX_CONTENT_LENGTH`.
    """
    _require_json()
    body = _whole_body()
    try:
        require_unambiguous(body)
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise _refused(error) from error
    except (AmbiguousJsonError, msgspec.DecodeError) as error:
        raise Problem(400, f"the body is not JSON that can be read in one way: {error}") from error


def read_query(kind: type[Plain]) -> Plain:
    """Return the parameters of the query as a msgspec type with plain fields.

    Raises:
        Problem: 422 with `field` where the type refuses one, or one is there twice.
    """
    given = {}
    for name, values in request.args.lists():
        if len(values) > 1:
            raise Problem(422, f"{shown(name)}: this parameter may be there only once", field=shown(name))
        given[name] = values[0]
    return _from_texts(given, kind)


def read_headers(kind: type[Plain]) -> Plain:
    """Return those headers of the request that a msgspec type with plain fields names; others may be there.

    Raises:
        Problem: 422 with `field` where the type refuses one.
    """
    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    return _from_texts({name: request.headers[name] for name in names if name in request.headers}, kind)


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


def _from_texts(given: Mapping[str, str], kind: type[Plain]) -> Plain:
    try:
        read = msgspec.convert(given, type=kind, strict=False)
    except msgspec.ValidationError as error:
        raise _unknown_value(error, kind) or _refused(error) from error
    # Reading from text takes `1e1` for 10 and `null` for nothing; here each value has one form.
    plain = msgspec.to_builtins(read)
    for name, text in given.items():
        if str(plain[name]) != text:
            raise Problem(422, f"{name}: write it as {plain[name] or 'text'}", field=name)
    return read


def _unknown_value(error: msgspec.ValidationError, kind: type[msgspec.Struct]) -> Problem | None:
    """Return the problem that names what an enum would take, where it was one that refused."""
    place = _PLACE.search(str(error))
    if place is None or not _ENUM.match(str(error)):
        return None
    name = place["path"]
    info = cast(StructType, msgspec.inspect.type_info(kind))
    [told] = [field.type for field in info.fields if field.encode_name == name]
    kinds = told.types if isinstance(told, UnionType) else (told,)
    known = [str(member.value) for found in kinds if isinstance(found, EnumType) for member in found.cls]
    return Problem(422, f"{name}: this is none of {', '.join(known)}", field=name)


def _require_json() -> None:
    charset = request.mimetype_params.get("charset", "utf-8")
    if request.mimetype != "application/json" or charset.lower() != "utf-8":
        raise Problem(415, "the body must be application/json, in UTF-8")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(415, "the body must not be compressed")


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
    text = _ENUM.sub("this is none of the known values", _PLACE.sub("", text))
    text = _PATTERN.sub(" of the allowed form", text)
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


def page(items: Sequence[Mapping[str, object]], *, key: str, limit: int) -> dict[str, object]:
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
