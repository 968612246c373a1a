from __future__ import annotations

import pytest

from bus.words import count_text, duration_text, moment_text, one_line


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (0, "0 ms"),
        (400, "<1 ms"),
        (12_900, "12 ms"),
        (999_999, "999 ms"),
        (1_000_000, "1 s"),
        (1_540_000, "1.5 s"),
        (59_990_000, "60 s"),
        (60_000_000, "1 min"),
        (125_000_000, "2 min 5 s"),
        (3_600_000_000, "1 h"),
        (7_260_000_000, "2 h 1 min"),
        (273_600_000_000, "3 d 4 h"),
    ],
)
def test_duration_reads_as_a_person_would_say_it(microseconds: int, text: str) -> None:
    assert duration_text(microseconds) == text


def test_moment_is_in_utc_to_the_second() -> None:
    assert moment_text(1_767_225_600_999_999) == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(("count", "text"), [(0, "no event"), (1, "1 event"), (2, "2 events")])
def test_count_has_its_noun(count: int, text: str) -> None:
    assert count_text(count, "event") == text


def test_text_from_elsewhere_stays_in_its_line_and_steers_no_terminal() -> None:
    assert one_line("no dough\n  \x1b[31mred\x07") == "no dough  [31mred "
