"""Can a view be read from what the publisher writes? Asked of the two classes, before any event is sent.

The writer is closed (it writes exactly its fields), the reader open (it ignores what it does not know).
What cannot be proven is a problem: the rule fails closed.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import NODEFAULT, inspect

from bus.serialization import OBJECT_TYPES

#: Types that JSON carries as a string in a form that any `str` field can hold.
_WRITTEN_AS_TEXT = (
    inspect.StrType,
    inspect.DateTimeType,
    inspect.DateType,
    inspect.TimeType,
    inspect.TimeDeltaType,
    inspect.UUIDType,
    inspect.DecimalType,
    inspect.BytesType,
)

_LISTS = (inspect.ListType, inspect.SetType, inspect.FrozenSetType, inspect.VarTupleType)


def problems_of_view(event: type, view: type) -> list[str]:
    """Return why instances of `view` could not be read from written instances of `event`; empty when they can."""
    return list(_problems("", inspect.type_info(event), inspect.type_info(view), frozenset()))


def _problems(
    path: str, writer: inspect.Type, reader: inspect.Type, met: frozenset[tuple[object, object]]
) -> Iterator[str]:
    if isinstance(writer, OBJECT_TYPES) and isinstance(reader, OBJECT_TYPES):
        pair = (writer.cls, reader.cls)
        if pair not in met:
            yield from _object_problems(path, writer, reader, met | {pair})
    elif isinstance(writer, _LISTS) and isinstance(reader, _LISTS):
        yield from _problems(f"{path}[]", writer.item_type, reader.item_type, met)
    elif isinstance(writer, inspect.DictType) and isinstance(reader, inspect.DictType):
        yield from _problems(f"{path}{{}}", writer.value_type, reader.value_type, met)
    elif isinstance(writer, inspect.UnionType):
        for branch in writer.types:
            yield from _problems(path, branch, reader, met)
    elif isinstance(reader, inspect.UnionType):
        yield from _union_problems(path, writer, reader, met)
    elif not _is_within(writer, reader):
        yield f"field {path.lstrip('.') or 'of the whole'} is written as {_name(writer)} but read as {_name(reader)}"


def _object_problems(
    path: str, writer: inspect.Type, reader: inspect.Type, met: frozenset[tuple[object, object]]
) -> Iterator[str]:
    written = {field.encode_name: field for field in getattr(writer, "fields")}  # noqa: B009
    for field in getattr(reader, "fields"):  # noqa: B009
        place = f"{path}.{field.encode_name}"
        found = written.get(field.encode_name)
        if found is not None:
            yield from _problems(place, found.type, field.type, met)
        elif field.default is NODEFAULT and field.default_factory is NODEFAULT:
            yield f"field {place.lstrip('.')} is read but never written (there are {', '.join(sorted(written))})"


def _union_problems(
    path: str,
    writer: inspect.Type,
    reader: inspect.UnionType,
    met: frozenset[tuple[object, object]],
) -> Iterator[str]:
    branches = [list(_problems(path, writer, branch, met)) for branch in reader.types]
    if all(branches):
        yield from min(branches, key=len)


def _is_within(writer: inspect.Type, reader: inspect.Type) -> bool:
    if isinstance(reader, inspect.AnyType) or writer == reader:
        return True
    if isinstance(reader, inspect.FloatType):
        return isinstance(writer, inspect.IntType | inspect.FloatType) and _is_free(reader)
    if isinstance(reader, inspect.StrType):
        return _is_free(reader) and (isinstance(writer, _WRITTEN_AS_TEXT) or _has_text_values(writer))
    if isinstance(reader, inspect.IntType):
        return isinstance(writer, inspect.IntType) and _is_free(reader)
    return _has_text_values(writer) and _values(writer) <= _values(reader)


def _is_free(reader: inspect.Type) -> bool:
    """Say whether the type sets no bounds, lengths or patterns that the writer would have to imply."""
    return reader == type(reader)()


def _has_text_values(kind: inspect.Type) -> bool:
    values = _values(kind)
    return bool(values) and all(isinstance(value, str) for value in values)


def _values(kind: inspect.Type) -> frozenset[object]:
    if isinstance(kind, inspect.LiteralType):
        return frozenset(kind.values)
    if isinstance(kind, inspect.EnumType):
        return frozenset(member.value for member in kind.cls)
    return frozenset()


def _name(kind: inspect.Type) -> str:
    cls = getattr(kind, "cls", None)
    return cls.__qualname__ if isinstance(cls, type) else type(kind).__name__.removesuffix("Type").lower()
