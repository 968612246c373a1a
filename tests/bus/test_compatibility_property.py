"""Whatever pair of event and view the rule finds without problems, msgspec reads."""

from __future__ import annotations

from dataclasses import dataclass, make_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from types import GenericAlias
from typing import Any, Literal
from uuid import UUID

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bus.compatibility import problems_of_view
from bus.serialization import PayloadReader, write_payload


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
class Pair:
    """A type that is written, values of it, and a type that they may be readable as."""

    written: Any
    values: st.SearchStrategy[Any]
    read: Any


VALUES: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=5),
    int: st.integers(-(2**63), 2**64 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    bytes: st.binary(max_size=5),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    UUID: st.uuids(),
    date: st.dates(),
    datetime: st.datetimes(timezones=st.just(UTC)),
    Size: st.sampled_from(Size),
    AnySize: st.sampled_from(AnySize),
    Floor: st.sampled_from(Floor),
    Literal["small"]: st.just("small"),
    Literal["small", "large"]: st.sampled_from(["small", "large"]),
    Literal[0, 1]: st.sampled_from([0, 1]),
}
#: Types of JSON that are all written as text: of these, many are readable as one another.
TEXTS = [str, Size, AnySize, Literal["small"], Literal["small", "large"], datetime, UUID]
NAMES = ["a", "b", "c", "d"]


def leaf(written: Any, read: Any) -> Pair:
    return Pair(written, VALUES[written], read)


def lists(item: Pair) -> Pair:
    return Pair(
        GenericAlias(list, item.written), st.lists(item.values, max_size=3), GenericAlias(tuple, (item.read, ...))
    )


def dicts(value: Pair, key: Pair) -> Pair:
    values = st.dictionaries(key.values, value.values, max_size=3)
    return Pair(GenericAlias(dict, (key.written, value.written)), values, GenericAlias(dict, (key.read, value.read)))


def optional(inner: Pair, is_written: bool, is_read: bool) -> Pair:
    written = inner.written | None if is_written else inner.written
    values = st.none() | inner.values if is_written else inner.values
    return Pair(written, values, inner.read | None if is_read else inner.read)


def objects(fields: list[Pair], is_read: list[bool]) -> Pair:
    named = dict(zip(NAMES, fields, strict=False))
    kept = [name for name, is_kept in zip(named, is_read, strict=False) if is_kept]
    event = make_dataclass("Event", [(name, pair.written) for name, pair in named.items()])
    view = make_dataclass("View", [(name, named[name].read) for name in kept])
    return Pair(event, st.builds(event, **{name: pair.values for name, pair in named.items()}), view)


def objects_of(fields: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    return st.builds(objects, st.lists(fields, min_size=1, max_size=4), st.lists(st.booleans(), min_size=4, max_size=4))


same = st.sampled_from(list(VALUES)).map(lambda kind: leaf(kind, kind))
text = st.builds(leaf, st.sampled_from(TEXTS), st.sampled_from(TEXTS))
other = st.builds(leaf, st.sampled_from(list(VALUES)), st.sampled_from(list(VALUES)))
keys = st.sampled_from([leaf(written, read) for written in (str, int, UUID) for read in (str, int, UUID)])
fields = st.recursive(
    same | same | text | other,
    lambda inner: st.one_of(
        inner.map(lists),
        st.builds(dicts, inner, keys),
        st.builds(optional, inner, st.booleans(), st.booleans()),
        objects_of(inner),
    ),
    max_leaves=4,
)


@settings(deadline=None, derandomize=True, max_examples=200, suppress_health_check=[HealthCheck.filter_too_much])
@given(pair=objects_of(fields), data=st.data())
def test_view_without_problems_reads_whatever_its_event_writes(pair: Pair, data: st.DataObject) -> None:
    assume(not problems_of_view(pair.written, pair.read))
    event = data.draw(pair.values)

    view = PayloadReader("order.placed", pair.read).read(write_payload("order.placed", event))

    assert isinstance(view, pair.read)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(pair=objects_of(same), data=st.data())
def test_view_of_the_same_types_has_no_problems_and_the_same_values(pair: Pair, data: st.DataObject) -> None:
    event = data.draw(pair.values)

    view = PayloadReader("order.placed", pair.read).read(write_payload("order.placed", event))

    assert problems_of_view(pair.written, pair.read) == []
    assert vars(view).items() <= vars(event).items()
