from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
import pytest

from bus.duration import parse_duration
from bus.integrations.cli.durations import MOMENT, moment_of
from bus.testing import FakeClock


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("45s", timedelta(seconds=45)),
        ("10m", timedelta(minutes=10)),
        ("2h", timedelta(hours=2)),
        ("3d", timedelta(days=3)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("2d3h4m5s", timedelta(days=2, hours=3, minutes=4, seconds=5)),
    ],
)
def test_duration_is_read(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "10", "m", "10 m", "1.5h", "-3d", "10x", "0s", "99999d", "9" * 30 + "d", "1h30"])
def test_what_is_no_duration_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration; write 45s, 10m, 2h, 3d or 1h30m"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2h", datetime(2025, 12, 31, 22, tzinfo=UTC)),
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00+02:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
    ],
)
def test_moment_is_so_long_ago_or_in_iso(text: str, moment: datetime) -> None:
    read = MOMENT.convert(text, None, None)

    assert moment_of(read, FakeClock()) == int(moment.timestamp()) * 1_000_000


def test_what_is_no_moment_is_refused_with_examples() -> None:
    with pytest.raises(click.BadParameter, match="'yesterday' is no moment; write how long ago, as 2h, or 2026-01-31T"):
        MOMENT.convert("yesterday", None, None)
