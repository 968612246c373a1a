"""Can a view be read from what the publisher writes? Asked of the two classes, before any event is sent.

The writer is closed (it writes exactly its fields), the reader open (it ignores what it does not know).
What cannot be proven is a problem: the rule fails closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import NODEFAULT, UNSET, inspect

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

#: Pairs of classes that are being compared further out: a type that holds itself is compared once.
_Met = frozenset[tuple[object, object]]


def problems_of_view(event: type, view: type) -> list[str]:
    """Return why instances of `view` could not be read from written instances of `event`; empty when they can."""
    return list(_problems("", inspect.type_info(event), inspect.type_info(view), frozenset()))


def _problems(path: str, writer: inspect.Type, reader: inspect.Type, met: _Met) -> Iterator[str]:
    if isinstance(writer, inspect.Metadata) or isinstance(reader, inspect.Metadata):
        yield from _problems(path, _bare(writer), _bare(reader), met)
    elif isinstance(writer, inspect.UnionType):
        for branch in writer.types:
            yield from _problems(path, branch, reader, met)
    elif isinstance(reader, inspect.UnionType):
        yield from _problems(path, writer, _branch_for(writer, reader), met)
    elif isinstance(writer, OBJECT_TYPES) and isinstance(reader, OBJECT_TYPES):
        yield from _object_problems(path, writer, reader, met)
    elif isinstance(writer, _LISTS) and isinstance(reader, _LISTS) and _sizes_fit(writer, reader):
        yield from _problems(f"{path}[]", writer.item_type, reader.item_type, met)
    elif isinstance(writer, inspect.DictType) and isinstance(reader, inspect.DictType) and _sizes_fit(writer, reader):
        yield from _problems(f"{path}{{key}}", writer.key_type, reader.key_type, met)
        yield from _problems(f"{path}{{}}", writer.value_type, reader.value_type, met)
    elif not _is_within(writer, reader):
        yield f"{_field(path)} is written as {_name(writer)} but read as {_name(reader)}"


def _object_problems(path: str, writer: Any, reader: Any, met: _Met) -> Iterator[str]:
    pair = (writer.cls, reader.cls)
    if pair in met or pair[0] is pair[1]:
        return
    if _is_array(writer) or _is_array(reader):
        yield f"{_field(path)} is a list of values in {_name(writer)} or {_name(reader)}; read it as the same class"
        return
    yield from _form_problems(path, writer, reader)
    written = {field.encode_name: field for field in writer.fields}
    for field in reader.fields:
        found = written.get(field.encode_name)
        place = f"{path}.{field.encode_name}"
        if found is not None:
            yield from _problems(place, found.type, field.type, met | {pair})
        if field.required and found is None:
            yield f"{_field(place)} is read but never written (there are {', '.join(sorted(written))})"
        elif field.required and found is not None and _may_be_absent(writer, found):
            yield f"{_field(place)} is read but may be left out when it is written"


def _form_problems(path: str, writer: Any, reader: Any) -> Iterator[str]:
    """Yield what a reader's own form, other than its fields, asks of the writer."""
    tag = getattr(reader, "tag", None)
    if tag is not None and (tag, reader.tag_field) != (
        getattr(writer, "tag", None),
        getattr(writer, "tag_field", None),
    ):
        yield f"{_field(path)} is read by the tag {tag!r}, which is not written"
    extra = {field.encode_name for field in writer.fields} - {field.encode_name for field in reader.fields}
    if getattr(reader, "forbid_unknown_fields", False) and extra:
        yield f"{_field(path)} is written with {', '.join(sorted(extra))}, which {_name(reader)} forbids"


def _may_be_absent(writer: Any, field: inspect.Field) -> bool:
    has_default = field.default is not NODEFAULT or field.default_factory is not NODEFAULT
    omits_defaults = getattr(writer.cls, "__struct_config__", None) and writer.cls.__struct_config__.omit_defaults
    if isinstance(writer, inspect.TypedDictType):
        return not field.required
    return field.default is UNSET or bool(omits_defaults and has_default)


def _branch_for(writer: inspect.Type, reader: inspect.UnionType) -> inspect.Type:
    """Return the branch with which a value of the writer's type is read: there is at most one for each JSON kind."""
    kinds = (_kind(writer), "float") if _kind(writer) == "int" else (_kind(writer),)
    for kind in kinds:
        for branch in reader.types:
            if _kind(_bare(branch)) in (kind, "any"):
                return branch
    return inspect.NoneType()


def _kind(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.AnyType):
        return "any"
    if isinstance(kind, inspect.EnumType | inspect.LiteralType):
        return "text" if _has_text_values(kind) else "int"
    groups = (
        ("text", _WRITTEN_AS_TEXT),
        ("int", (inspect.IntType,)),
        ("float", (inspect.FloatType,)),
        ("array", (*_LISTS, inspect.TupleType, inspect.NamedTupleType)),
        ("object", (*OBJECT_TYPES, inspect.DictType)),
    )
    return next((name for name, types in groups if isinstance(kind, types)), type(kind).__name__)


def _is_within(writer: inspect.Type, reader: inspect.Type) -> bool:
    if isinstance(reader, inspect.AnyType) or writer == reader:
        return True
    if isinstance(reader, inspect.FloatType):
        return isinstance(writer, inspect.IntType | inspect.FloatType) and _is_free(reader)
    if isinstance(reader, inspect.StrType):
        return _is_free(reader) and (isinstance(writer, _WRITTEN_AS_TEXT) or _has_text_values(writer))
    if isinstance(reader, inspect.IntType):
        return isinstance(writer, inspect.IntType) and _is_free(reader)
    values = _values(writer)
    return bool(values) and values <= _values(reader)


def _sizes_fit(writer: Any, reader: Any) -> bool:
    bounds = [(kind.min_length, kind.max_length) for kind in (writer, reader)]
    return bounds[1] == (None, None) or bounds[0] == bounds[1]


def _is_free(reader: inspect.Type) -> bool:
    """Say whether the type sets no bounds, lengths or patterns that the writer would have to imply."""
    return reader == type(reader)()


def _is_array(kind: Any) -> bool:
    return isinstance(kind, inspect.NamedTupleType) or bool(getattr(kind, "array_like", False))


def _has_text_values(kind: inspect.Type) -> bool:
    values = _values(kind)
    return bool(values) and all(isinstance(value, str) for value in values)


def _values(kind: inspect.Type) -> frozenset[object]:
    if isinstance(kind, inspect.LiteralType):
        return frozenset(kind.values)
    if isinstance(kind, inspect.EnumType):
        return frozenset(member.value for member in kind.cls)
    return frozenset()


def _bare(kind: inspect.Type) -> inspect.Type:
    return kind.type if isinstance(kind, inspect.Metadata) else kind


def _field(path: str) -> str:
    return f"field {path.lstrip('.')}" if path else "the whole"


def _name(kind: inspect.Type) -> str:
    cls = getattr(kind, "cls", None)
    return cls.__qualname__ if isinstance(cls, type) else type(kind).__name__.removesuffix("Type").lower()
