"""How queries, headers and odd JSON are read: each value has one form, and what is unclear is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any

import pytest
from flask import Flask
from msgspec import Meta, Struct, field

from bus.integrations.http import DEFAULT_LIMIT, Limit, Problem, Uuid, read_body, read_headers, read_query
from bus.integrations.text import VISIBLE_LINE

ID = "0192f0c1-7e1a-7000-8000-00000000000a"


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Paint(Struct, forbid_unknown_fields=True):
    limit: Limit = DEFAULT_LIMIT
    after: Uuid | None = None
    colour: Colour | None = None


class Key(Struct):
    key: Annotated[str, Meta(max_length=3)] | None = field(default=None, name="Paint-Key")


class Tin(Struct):
    litres: Annotated[int, Meta(ge=1, le=20)]
    label: Annotated[str, Meta(pattern=VISIBLE_LINE)] = "white"


def refused(call: Callable[[], object], **request: Any) -> Problem:
    with Flask(__name__).test_request_context(**request), pytest.raises(Problem) as caught:
        call()
    return caught.value


def refused_body(data: bytes, content_type: str = "application/json", **headers: str) -> Problem:
    request = {"method": "POST", "data": data, "content_type": content_type, "headers": headers}
    return refused(lambda: read_body(Tin), **request)


def test_query_has_defaults() -> None:
    with Flask(__name__).test_request_context():
        assert read_query(Paint) == Paint(DEFAULT_LIMIT, None, None)


def test_query_is_read_as_its_type() -> None:
    with Flask(__name__).test_request_context(query_string=f"limit=200&colour=red&after={ID}"):
        assert read_query(Paint) == Paint(200, ID, Colour.RED)


@pytest.mark.parametrize(
    "query",
    [
        *(
            f"limit={text}"
            for text in ("0", "201", "-1", "1.5", "1.0", "1e1", "05", "+5", "%205", "", "9" * 5000, "five")
        ),
        *(f"after={text}" for text in ("", "ramen", "%00", "%ff", f"{ID}%0A", ID.upper(), "null")),
        *(f"colour={text}" for text in ("", "mauve", "RED", "null", "x" * 3000)),
        *("size=1", "limit=1&limit=1", "Limit=1", "=", "limit[]=1"),
    ],
)
def test_query_that_makes_no_sense_is_refused_with_its_parameter(query: str) -> None:
    problem = refused(lambda: read_query(Paint), query_string=query)

    assert (problem.code, problem.members) == (422, {"field": query.split("=")[0] or "$"})
    assert len(problem.description or "") < 120


def test_unknown_choice_is_refused_with_the_known_ones() -> None:
    problem = refused(lambda: read_query(Paint), query_string="colour=mauve")

    assert problem.description == "colour: this is none of red, blue"


def test_header_is_read_under_its_name_and_others_are_left_alone() -> None:
    with Flask(__name__).test_request_context(headers={"paint-key": "abc", "Other": "x"}):
        assert read_headers(Key) == Key("abc")
    with Flask(__name__).test_request_context(headers={"Other": "x"}):
        assert read_headers(Key) == Key(None)


def test_header_that_its_type_refuses_is_named() -> None:
    problem = refused(lambda: read_headers(Key), headers={"Paint-Key": "abcd"})

    assert (problem.code, problem.members) == (422, {"field": "Paint-Key"})


@pytest.mark.parametrize(
    "data",
    [
        b'{"litres": 1, "litres": 2}',
        b'{"litres": 1, "l\\u0069tres": 2}',
        b'{"litres": 1, "extra": {"a": 1, "a": 1}}',
        b'{"litres": NaN}',
        b'{"litres": 1, "extra": -Infinity}',
        b'{"litres": 1, "label": "\\ud800"}',
        b'{"litres": 1, "label": "\\udc00 and more"}',
        b'{"litres": 1, "label": "\xed\xa0\x80"}',
        b'{"litres": 1, "label": "\xff"}',
        b'{"litres": 1, "label": "a\x00"}',
        b'\xef\xbb\xbf{"litres": 1}',
        '{"litres": 1}'.encode("utf-16"),
        b'{"litres": 1} {}',
        b'{"litres": 1,}',
        b"{'litres': 1}",
        b"",
        b"[" * 60_000,
        b"[" * 30_000 + b"]" * 30_000,
        b'{"extra":' * 9_000 + b"1" + b"}" * 9_000,
    ],
)
def test_json_that_is_malformed_or_ambiguous_is_refused(data: bytes) -> None:
    problem = refused_body(data)

    assert (problem.code, problem.members) == (400, {})
    assert (problem.description or "").isprintable()


@pytest.mark.parametrize("number", ["21", "1" + "0" * 30, "1" + "0" * 5000, "1e400", "1.0", "-" + "9" * 400, "true"])
def test_number_that_does_not_fit_is_refused_with_its_field(number: str) -> None:
    problem = refused_body(b'{"litres": %s}' % number.encode())

    assert (problem.code, problem.members) == (422, {"field": "litres"})


@pytest.mark.parametrize(
    "content_type",
    ["", "text/json", "application/json; charset=latin-1", "application/json; charset=utf-16", "application/jsonx"],
)
def test_body_that_is_not_said_to_be_json_in_utf8_is_refused(content_type: str) -> None:
    assert refused_body(b'{"litres": 1}', content_type).code == 415


def test_compressed_body_is_refused() -> None:
    assert refused_body(b"\x1f\x8b", **{"Content-Encoding": "gzip"}).code == 415


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "APPLICATION/JSON", 'application/json; charset="UTF-8"', "application/json;v=1"],
)
def test_json_in_utf8_is_taken_however_it_is_written(content_type: str) -> None:
    with Flask(__name__).test_request_context(method="POST", data=b'{"litres": 1}', content_type=content_type):
        assert read_body(Tin) == Tin(1)


@pytest.mark.parametrize(
    "text",
    [
        "Ada",
        "山田　太郎",
        "José María",
        "می‌خواهم",
        "👩‍🍳 ❤️",
        "葛\U000e0100",
        " a b ",
        "x" * 64,
        "\u200da",
        "-",
        "\ufffd",
    ],
)
def test_text_of_one_visible_line_is_taken(text: str) -> None:
    assert re.search(VISIBLE_LINE, text)


HIDING = (
    "\x00\n\r\t\x1b\x7f\x85\xad\u034f\u061c\u1160\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2060\u2066\u2069\u3164"
    "\ufeff\uffa0\ufff9\ufffe\uffff\U000e0001\U000e0041"
)


@pytest.mark.parametrize("char", HIDING, ids=ascii)
def test_text_with_a_character_that_hides_is_refused(char: str) -> None:
    assert [text for text in (char, f"a{char}", f"{char}a", f"a{char}b") if re.search(VISIBLE_LINE, text)] == []


@pytest.mark.parametrize("text", ["", " ", "\u3000", "\u200d\u200c", "\ufe0f", "\u2800"])
def test_text_without_a_visible_character_is_refused(text: str) -> None:
    assert re.search(VISIBLE_LINE, text) is None


def test_pattern_of_a_visible_line_takes_one_pass() -> None:
    assert re.search(VISIBLE_LINE, "a " * 50_000 + "\x00") is None
