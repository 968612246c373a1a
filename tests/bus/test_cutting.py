"""What is kept of a payload for one reader is what that reader reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from bus.cutting import cut_payload
from bus.errors import PayloadError
from bus.serialization import PayloadReader


@dataclass(frozen=True, slots=True)
class Line:
    name: str


@dataclass(frozen=True, slots=True)
class Accepted:
    order_id: str
    lines: tuple[Line, ...] = ()
    best: Line | None = None
    by_course: dict[str, list[Line]] | None = None
    pair: tuple[Line, int] | None = None
    free: Any = None
    either: Line | int | str | None = None


class Tagged(msgspec.Struct, tag_field="kind", tag="tagged", rename="camel"):
    order_id: str


def cut(cls: type, data: bytes) -> bytes:
    return cut_payload(PayloadReader("restaurant.order_accepted", cls), data)


@pytest.mark.parametrize(
    ("part", "kept"),
    [
        (b'"total":{"amount":"12.50"}', None),
        (
            b'"lines":[{"name":"Ramen","price":"1"},{"price":"2","name":"Pho"}]',
            b'"lines":[{"name":"Ramen"},{"name":"Pho"}]',
        ),
        (b'"best":{"name":"Ramen","price":"1"}', b'"best":{"name":"Ramen"}'),
        (b'"best":null', b'"best":null'),
        (b'"by_course":{"first":[{"name":"Pho","price":1}]}', b'"by_course":{"first":[{"name":"Pho"}]}'),
        (b'"pair":[{"name":"Pho","price":1},1]', b'"pair":[{"name":"Pho"},1]'),
        (
            b'"free":{"any":[1.10,{"thing":12345678901234567890123}]}',
            b'"free":{"any":[1.10,{"thing":12345678901234567890123}]}',
        ),
    ],
)
def test_payload_is_cut_to_the_fields_that_its_reader_has(part: bytes, kept: bytes | None) -> None:
    data = b'{"order_id":"o-1",' + part + b"}"

    assert cut(Accepted, data) == b'{"order_id":"o-1"' + (b"," + kept if kept else b"") + b"}"


@pytest.mark.parametrize("data", [b' {"order_id": "o-1", "lines": [ {"name": "Pho", "price": 1} ], "x": 1} '])
def test_cut_payload_reads_as_the_whole_one_and_cutting_it_again_changes_nothing(data: bytes) -> None:
    reader = PayloadReader("restaurant.order_accepted", Accepted)

    once = cut_payload(reader, data)

    assert reader.read(once) == reader.read(data)
    assert cut_payload(reader, once) == once
    assert b"price" not in once


def test_value_of_several_possible_types_stays_whole() -> None:
    data = b'{"order_id":"o-1","either":{"name":"Pho","price":1}}'

    assert cut(Accepted, data) == data


def test_names_are_those_of_the_payload_and_a_tag_stays() -> None:
    assert cut(Tagged, b'{"kind":"tagged","orderId":"o-1","total":1}') == b'{"kind":"tagged","orderId":"o-1"}'


@pytest.mark.parametrize("data", [b"{}", b"{", b"\xff", b'{"order_id":7}'])
def test_payload_that_the_reader_cannot_read_is_not_cut(data: bytes) -> None:
    with pytest.raises(PayloadError):
        cut(Accepted, data)
