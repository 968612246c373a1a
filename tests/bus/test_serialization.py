from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Literal
from uuid import UUID

import pytest

from bus import PayloadError, PayloadTooLargeError
from bus.serialization import MAX_PAYLOAD_BYTES, PayloadReader, write_payload

SECRET = "4929-1234-5678"


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


@dataclass(frozen=True)
class Line:
    sku: str
    price: Decimal


@dataclass(frozen=True)
class Placed:
    id: UUID
    at: datetime
    day: date
    size: Size
    lines: tuple[Line, ...]
    note: str | None = None


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Number:
    number: float


@dataclass(frozen=True)
class Fields:
    text: str = ""
    number: int = 0
    size: Size = Size.SMALL
    side: Literal["left", "right"] = "left"
    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    price: Decimal = Decimal(0)
    id: UUID | None = None
    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class Anything:
    value: object


def test_what_was_written_is_read_back_equal() -> None:
    event = Placed(
        UUID(int=7),
        datetime(2026, 1, 1, 12, 0, 0, 1, tzinfo=UTC),
        date(2026, 1, 2),
        Size.LARGE,
        (Line("ramen", Decimal("13.80")), Line("gyoza", Decimal("0"))),
    )

    assert PayloadReader("order.placed", Placed).read(write_payload("order.placed", event)) == event


def test_unknown_fields_are_ignored() -> None:
    assert PayloadReader("order.placed", Text).read(b'{"more": [1], "text": "a"}') == Text("a")


def test_payload_at_the_limit_is_written() -> None:
    around = len(write_payload("order.placed", Text("")))

    data = write_payload("order.placed", Text("x" * (MAX_PAYLOAD_BYTES - around)))

    assert len(data) == 256 * 1024


def test_payload_over_the_limit_is_refused_with_event_and_size() -> None:
    around = len(write_payload("order.placed", Text("")))

    with pytest.raises(PayloadTooLargeError) as refused:
        write_payload("order.placed", Text("x" * (MAX_PAYLOAD_BYTES - around + 1)))

    assert (refused.value.event_name, refused.value.size, refused.value.limit) == ("order.placed", 262_145, 262_144)
    assert "'order.placed' is 262,145 bytes" in str(refused.value)
    assert "the limit is 262,144" in str(refused.value)


def test_size_is_counted_in_bytes_and_not_in_characters() -> None:
    with pytest.raises(PayloadTooLargeError):
        write_payload("order.placed", Text("ü" * (MAX_PAYLOAD_BYTES // 2)))


@pytest.mark.parametrize(
    "value",
    [object(), {(1, 2): 3}, 10**5000, "\ud800", [lambda: None]],
    ids=["object", "dict key", "huge int", "half a surrogate pair", "function"],
)
def test_value_that_cannot_be_written_is_refused_with_the_event(value: object) -> None:
    with pytest.raises(PayloadError, match=r"'order\.placed' cannot be written as JSON"):
        write_payload("order.placed", Anything(value))


def test_list_that_holds_itself_is_refused_with_the_event() -> None:
    endless: list[object] = []
    endless.append(endless)

    with pytest.raises(PayloadError, match=r"'order\.placed' cannot be written as JSON"):
        write_payload("order.placed", Anything(endless))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_number_that_json_does_not_have_is_refused_instead_of_written_as_null(number: float) -> None:
    with pytest.raises(PayloadError, match=r"'order\.placed' cannot be written as JSON"):
        write_payload("order.placed", Number(number))


@pytest.mark.parametrize("field", ["number", "size", "side", "at", "price", "id", "lines"])
def test_unreadable_field_is_named_and_its_value_is_not_shown(field: str) -> None:
    payload = b'{"%s": "%s"}' % (field.encode(), SECRET.encode())

    with pytest.raises(PayloadError) as refused:
        PayloadReader("order.placed", Fields).read(payload)

    assert "'order.placed' cannot be read as Fields" in str(refused.value)
    assert f"$.{field}" in str(refused.value)
    assert SECRET not in str(refused.value)
    assert SECRET not in str(refused.value.__cause__)


@pytest.mark.parametrize("value", [f"a - at `{SECRET}`", f"'{SECRET}' - at `$.size`", f"\\n{SECRET}"])
def test_value_that_looks_like_a_part_of_the_message_is_not_shown(value: str) -> None:
    with pytest.raises(PayloadError) as refused:
        PayloadReader("order.placed", Fields).read(b'{"size": "%s"}' % value.encode())

    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "payload",
    [b"", b"4929-1234-5678", b'{"text": 4929-1234-5678}', b'{"text": "4929-1234-5678', b'"4929-1234-5678"', b"[]"],
)
def test_payload_that_is_no_json_object_is_refused_and_not_shown(payload: bytes) -> None:
    with pytest.raises(PayloadError, match=r"'order\.placed' cannot be read as Text") as refused:
        PayloadReader("order.placed", Text).read(payload)

    assert "4929" not in str(refused.value)


def test_missing_field_is_named() -> None:
    with pytest.raises(PayloadError, match="missing required field `text`"):
        PayloadReader("order.placed", Text).read(b"{}")


def test_payload_that_is_no_utf_8_is_refused_like_any_other() -> None:
    with pytest.raises(PayloadError, match=r"'order\.placed' cannot be read as Text"):
        PayloadReader("order.placed", Text).read(b'{"text": "\xff"}')
