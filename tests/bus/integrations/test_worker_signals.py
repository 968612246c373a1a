"""A worker that is told to end by two, at once, is told once."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from bus.integrations.worker import hear_sigterm_once


@pytest.fixture
def heard() -> Iterator[list[int]]:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    yield heard
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(("seconds", "times"), [(0.0, 1), (2.0, 1), (2.1, 2)])
def test_second_sigterm_is_heard_unless_it_comes_right_behind_the_first(
    heard: list[int], seconds: float, times: int
) -> None:
    now = 100.0
    hear_sigterm_once(lambda: now)
    signal.raise_signal(signal.SIGTERM)
    now += seconds

    signal.raise_signal(signal.SIGTERM)

    assert len(heard) == times


def test_process_without_a_handler_is_left_as_it_is() -> None:
    before = signal.getsignal(signal.SIGTERM)

    hear_sigterm_once()

    assert signal.getsignal(signal.SIGTERM) == before
