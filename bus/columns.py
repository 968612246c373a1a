"""Column types that any module's tables need: moments that keep their zone, and enums kept by their values."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum

from sqlalchemy import DateTime, Dialect
from sqlalchemy import Enum as EnumType
from sqlalchemy.types import TypeDecorator


class Moment(TypeDecorator[datetime]):
    """Keeps an aware moment in UTC, on databases that know no time zones too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Write the moment as UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Read the moment as aware, whether or not the database kept its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def enum_by_value(kind: type[Enum]) -> EnumType:
    """Return a column type that keeps the members of an enum as the text of their values."""
    return EnumType(
        kind, native_enum=False, length=20, values_callable=lambda found: [member.value for member in found]
    )
