"""Which views can be read from which events: the rule by examples, and against what msgspec really reads."""

from __future__ import annotations

from dataclasses import dataclass, field, make_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, TypedDict
from uuid import UUID

import msgspec
import pytest

from bus.compatibility import problems_of_view


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


class AnySize(Enum):
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class Floor(IntEnum):
    GROUND = 0
    FIRST = 1


@dataclass(frozen=True)
class Line:
    sku: str
    quantity: int


@dataclass(frozen=True)
class LineOfStock:
    sku: str


@dataclass(frozen=True)
class PricedLine:
    sku: str
    price: Decimal


@dataclass(frozen=True)
class Category:
    name: str
    parts: list[Category] = field(default_factory=list)


@dataclass(frozen=True)
class CategoryNames:
    name: str
    parts: tuple[CategoryNames, ...]


@dataclass(frozen=True)
class CategoryNumbers:
    name: int
    parts: tuple[CategoryNumbers, ...]


class Point(NamedTuple):
    x: int
    y: int


class PointOnLine(NamedTuple):
    x: int


@dataclass(frozen=True)
class PointByName:
    x: int


class Note(TypedDict):
    text: NotRequired[str]


class NoteWithText(TypedDict):
    text: str


class Sparse(msgspec.Struct, omit_defaults=True):
    text: str = ""


class Row(msgspec.Struct, array_like=True):
    x: int
    y: int


class Closed(msgspec.Struct, forbid_unknown_fields=True):
    sku: str


@dataclass(frozen=True)
class WithText:
    text: str


def problems(written: Any, read: Any) -> list[str]:
    """Return the problems of reading one field `value` as another type than it is written as."""
    return problems_of_view(make_dataclass("Event", [("value", written)]), make_dataclass("View", [("value", read)]))


def test_view_may_have_fewer_fields() -> None:
    assert problems_of_view(Line, LineOfStock) == []


def test_missing_field_is_a_problem_that_names_what_there_is() -> None:
    assert problems_of_view(Line, PricedLine) == ["field price is read but never written (there are quantity, sku)"]


@pytest.mark.parametrize("default", [field(default=""), field(default_factory=str)], ids=["value", "factory"])
def test_missing_field_with_a_default_is_none(default: Any) -> None:
    view = make_dataclass("View", [("sku", str), ("note", str, default)])

    assert problems_of_view(Line, view) == []


def test_default_does_not_mend_a_field_of_another_type() -> None:
    view = make_dataclass("View", [("sku", int, field(default=0))])

    assert problems_of_view(Line, view) == ["field sku is written as str but read as int"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (str, str),
        (int, float),
        (datetime, str),
        (Decimal, str),
        (UUID, str),
        (bytes, str),
        (Size, str),
        (Size, AnySize),
        (Size, Literal["small", "large", "huge"]),
        (Literal["small"], Size),
        (Literal["a"], str),
        (Literal["a"], Literal["a", "b"]),
        (Line, LineOfStock),
        (Line, Any),
        (list[int], list[float]),
        (list[int], tuple[int, ...]),
        (tuple[Line, ...], list[LineOfStock]),
        (list[str], set[str]),
        (dict[str, Line], dict[str, LineOfStock]),
        (int, int | None),
        (int | None, int | None),
        (int, int | str),
        (int | str, str | int | None),
        (Line | None, LineOfStock | None),
        (Category, CategoryNames),
        (Point, Point),
        (Annotated[int, msgspec.Meta(ge=0)], int),
    ],
    ids=str,
)
def test_field_can_be_read(written: Any, read: Any) -> None:
    assert problems(written, read) == []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (str, int),
        (int, str),
        (float, int),
        (bool, int),
        (str, datetime),
        (datetime, date),
        (str, Size),
        (AnySize, Size),
        (int, Floor),
        (str, Literal["a"]),
        (Literal["a", "b"], Literal["a"]),
        (AnySize, Literal["small", "large"]),
        (Line, PricedLine),
        (Line, str),
        (list[str], list[int]),
        (list[Line], list[PricedLine]),
        (list[str], str),
        (str, list[str]),
        (dict[str, str], dict[str, int]),
        (dict[str, str], dict[int, str]),
        (int | None, int),
        (int | str, int),
        (str, int | None),
        (Line, PricedLine | None),
        (Category, CategoryNumbers),
        (Any, int),
        (int, Annotated[int, msgspec.Meta(ge=0)]),
        (list[int], Annotated[list[int], msgspec.Meta(max_length=1)]),
        (dict[str, int], Annotated[dict[str, int], msgspec.Meta(max_length=1)]),
        (int, float | Floor),
    ],
    ids=str,
)
def test_field_cannot_be_read(written: Any, read: Any) -> None:
    assert problems(written, read) != []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (Point, PointByName),
        (PointByName, PointOnLine),
        (Point, PointOnLine),
        (Row, PointByName),
        (Note, NoteWithText),
        (Note, WithText),
        (Sparse, WithText),
        (Line, Closed),
    ],
    ids=lambda cls: cls.__name__,
)
def test_other_form_of_an_object_cannot_be_read(written: Any, read: Any) -> None:
    assert problems(written, read) != []


def test_problem_names_the_way_to_a_nested_field() -> None:
    event = make_dataclass("Event", [("lines", dict[str, list[Line]])])
    view = make_dataclass("View", [("lines", dict[str, list[PricedLine]])])

    assert problems_of_view(event, view) == [
        "field lines{}[].price is read but never written (there are quantity, sku)"
    ]


def test_every_problem_is_told() -> None:
    view = make_dataclass("View", [("sku", int), ("quantity", str), ("price", Decimal)])

    assert len(problems_of_view(Line, view)) == 3
