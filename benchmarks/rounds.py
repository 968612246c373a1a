"""Interleaved rounds: the candidates take turns, so that a change of the machine's mood hits all of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from typing import TypeVar

T = TypeVar("T")


def interleaved(candidates: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Run every candidate once a round, after one round that does not count; return what they found by name."""
    found: dict[str, list[T]] = {name: [] for name in candidates}
    for number in range(rounds + 1):
        for name, measure in candidates.items():
            figure = measure()
            if number:
                found[name].append(figure)
    return found


def medians(candidates: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Run the candidates in interleaved rounds; return the medians by name."""
    return {name: statistics.median(figures) for name, figures in interleaved(candidates, rounds).items()}


def verdict(label: str, ratio: float, *, at_most: float | None = None, at_least: float | None = None) -> bool:
    """Print a ratio beside its bound; return whether it is kept."""
    kept = (at_most is None or ratio <= at_most) and (at_least is None or ratio >= at_least)
    bound = f"at most {at_most:g}" if at_most is not None else f"at least {at_least:g}"
    print(f"{'kept  ' if kept else 'MISSED'} {label}: {ratio:.2f} ({bound})")
    return kept
