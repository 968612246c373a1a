"""Payloads: writing events to JSON and reading them back as the type that a listener asks for.

The one file that knows how payloads are written, and with `compatibility` the only one that imports msgspec's types.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from bus.errors import InvalidEventError, PayloadError, PayloadTooLargeError

#: Bytes that a written payload may have; larger data travels by reference.
MAX_PAYLOAD_BYTES = 256 * 1024

_write = msgspec.json.Encoder().encode


def write_payload(name: str, event: object) -> bytes:
    """Return the event written as JSON in UTF-8, having read it back as its own type.

    Raises:
        PayloadError: A value in it cannot be written as JSON, or is not of its field's type.
        PayloadTooLargeError: It takes more than 256 KiB.
    """
    try:
        data = _write(event)
        _reader(type(event))(data)
    except msgspec.ValidationError as error:
        raise PayloadError(
            f"event {name!r} cannot be written as JSON and read back: {_without_values(error)}; a field holds another "
            "type than it declares, or a number that JSON does not have"
        ) from None
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        field = next(filter(partial(_is_unwritable, event), field_names(type(event))), None)
        place = f" - at `$.{field}`" if field else ""
        raise PayloadError(f"event {name!r} cannot be written as JSON: {error}{place}") from error
    if len(data) > MAX_PAYLOAD_BYTES:
        raise PayloadTooLargeError(name, len(data), MAX_PAYLOAD_BYTES)
    return data


def _is_unwritable(event: object, field: str) -> bool:
    try:
        _write(getattr(event, field))
    except (TypeError, ValueError, OverflowError, RecursionError):
        return True
    return False


def _new_reader(cls: type) -> Callable[[bytes], Any]:
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(cls).decode
    return decode


_reader: Callable[[type], Callable[[bytes], Any]] = functools.cache(_new_reader)


def _without_values(error: Exception) -> str:
    """Return what msgspec says without the value that it saw, which is somebody's data."""
    if isinstance(error, UnicodeDecodeError):
        return f"it is no UTF-8 at byte {error.start}"
    text = str(error)
    shown = re.match(r"Invalid [a-z ]*value", text)
    if shown is None:
        return text
    _, found, place = text.rpartition(" - at `")
    return shown.group() + (f" - at `{place}" if found else "")


class PayloadReader:
    """Reads payloads as one type; unknown fields are ignored."""

    def __init__(self, name: str, cls: type) -> None:
        self._name = name
        self._read = _reader(cls)
        self._cls = cls

    def read(self, data: bytes) -> Any:
        """Return the payload as an instance of the type.

        Raises:
            PayloadError: It is no JSON, or a field is missing or of another type. The message names the
                field and never shows the payload.
        """
        try:
            return self._read(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise PayloadError(
                f"event {self._name!r} cannot be read as {self._cls.__qualname__}: {_without_values(error)}"
            ) from None


def require_writable(cls: type) -> None:
    """Raise InvalidEventError unless every field of the class can be written as JSON and read back."""
    try:
        _reader(cls)
        foreign = [field for field, kind in fields_of(cls) if _is_foreign(kind)]
    except (TypeError, NameError) as error:
        raise InvalidEventError(f"{cls.__qualname__} cannot be written as JSON: {error}") from error
    if foreign:
        raise InvalidEventError(
            f"{cls.__qualname__} cannot be written as JSON: the type of {', '.join(foreign)} is unknown to it; "
            "use plain data: str, int, Decimal, datetime, UUID, enums, lists, dicts and dataclasses of these"
        )


def _is_foreign(kind: msgspec.inspect.Type) -> bool:
    inspect = msgspec.inspect
    if isinstance(kind, inspect.DictType):
        # JSON has text as keys: what is an object or a list itself can be none.
        return isinstance(kind.key_type, (*OBJECT_TYPES, inspect.DictType, inspect.TupleType, inspect.VarTupleType))
    return isinstance(kind, inspect.CustomType)


def fields_of(cls: type) -> list[tuple[str, msgspec.inspect.Type]]:
    """Return every part of a class's type with its path, the class itself last.

    Raises:
        TypeError: The class is nothing that can be written field by field.
    """
    info = msgspec.inspect.type_info(cls)
    if not isinstance(info, OBJECT_TYPES):
        raise TypeError("it is no dataclass, msgspec.Struct, attrs class or named tuple")
    found: list[tuple[str, msgspec.inspect.Type]] = []
    _walk(cls.__qualname__, info, found, frozenset())
    return found


def field_names(cls: type) -> list[str]:
    """Return the names of a class's own fields."""
    info = msgspec.inspect.type_info(cls)
    return [field.name for field in info.fields] if isinstance(info, OBJECT_TYPES) else []


def written_names(cls: type) -> dict[str, str]:
    """Return what each of a class's own fields is called in its JSON, by the field's name."""
    info = msgspec.inspect.type_info(cls)
    return {field.name: field.encode_name for field in info.fields} if isinstance(info, OBJECT_TYPES) else {}


def read_plain(data: bytes) -> Any:
    """Return JSON as plain dicts, lists, texts and numbers.

    Raises:
        PayloadError: It is no JSON.
    """
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PayloadError(f"a payload is no JSON: {_without_values(error)}") from None


#: What msgspec writes as a JSON object with fixed fields.
OBJECT_TYPES = (
    msgspec.inspect.DataclassType,
    msgspec.inspect.StructType,
    msgspec.inspect.TypedDictType,
    msgspec.inspect.NamedTupleType,
)


def _walk(
    path: str,
    kind: msgspec.inspect.Type,
    found: list[tuple[str, msgspec.inspect.Type]],
    above: frozenset[type],
) -> None:
    inside = above
    if isinstance(kind, OBJECT_TYPES):
        if kind.cls in above:
            return
        inside = above | {kind.cls}
    for name, part in _parts(kind):
        _walk(f"{path}.{name}" if name else path, part, found, inside)
    found.append((path, kind))


def _parts(kind: msgspec.inspect.Type) -> list[tuple[str, msgspec.inspect.Type]]:
    if isinstance(kind, OBJECT_TYPES):
        return [(field.name, field.type) for field in kind.fields]
    if isinstance(kind, msgspec.inspect.UnionType):
        return [("", part) for part in kind.types]
    if isinstance(kind, msgspec.inspect.DictType):
        return [("", kind.key_type), ("", kind.value_type)]
    if isinstance(kind, msgspec.inspect.TupleType):
        return [("", part) for part in kind.item_types]
    item = getattr(kind, "item_type", None)
    return [] if item is None else [("", item)]
