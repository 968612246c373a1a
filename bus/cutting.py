"""Payloads cut to the fields that a type reads: whoever keeps one keeps no more of it than it has use for."""

from __future__ import annotations

import functools

import msgspec
from msgspec import Raw, inspect

from bus.serialization import OBJECT_TYPES, PayloadReader

_write = msgspec.json.Encoder().encode
_parts_of_object = msgspec.json.Decoder(dict[str, Raw]).decode
_parts_of_array = msgspec.json.Decoder(list[Raw]).decode
_type_info = functools.cache(inspect.type_info)


def cut_payload(reader: PayloadReader, data: bytes) -> bytes:
    """Return a payload without the fields that its reader ignores; what is left stands there byte for byte.

    Reading it gives what reading the whole gives. Values that could be one of several types stay whole, and so
    do arrays in the place of objects.

    Raises:
        PayloadError: The reader cannot read it.
    """
    reader.read(data)
    return _cut(data.strip(), _type_info(reader.cls))


def _cut(data: bytes, kind: inspect.Type) -> bytes:
    is_object, is_array = data.startswith(b"{"), data.startswith(b"[")
    if isinstance(kind, inspect.UnionType):
        found = [part for part in kind.types if not isinstance(part, inspect.NoneType)]
        return _cut(data, found[0]) if len(found) == 1 else data
    if is_object and isinstance(kind, OBJECT_TYPES):
        return _cut_object(data, kind)
    if is_object and isinstance(kind, inspect.DictType):
        return _write({name: _raw(part, kind.value_type) for name, part in _parts_of_object(data).items()})
    if is_array and isinstance(kind, inspect.TupleType):
        parts = zip(_parts_of_array(data), kind.item_types, strict=True)
        return _write([_raw(part, item) for part, item in parts])
    item_type = getattr(kind, "item_type", None)
    if is_array and item_type is not None:
        return _write([_raw(part, item_type) for part in _parts_of_array(data)])
    return data


def _cut_object(data: bytes, kind: inspect.Type) -> bytes:
    read: dict[str, inspect.Type | None] = {getattr(kind, "tag_field", None) or "": None}
    read |= {field.encode_name: field.type for field in getattr(kind, "fields", ())}
    parts = {name: part for name, part in _parts_of_object(data).items() if name in read}
    return _write({name: part if (item := read[name]) is None else _raw(part, item) for name, part in parts.items()})


def _raw(part: Raw, kind: inspect.Type) -> Raw:
    return Raw(_cut(bytes(part), kind))
