"""Interleaved rounds: the candidates take turns, so that a change of the machine's mood hits all of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping


def medians(candidates: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Run every candidate once a round, after one round that does not count; return the medians by name."""
    figures: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(rounds + 1):
        for name, measure in candidates.items():
            figure = measure()
            if number:
                figures[name].append(figure)
    return {name: statistics.median(found) for name, found in figures.items()}


def verdict(label: str, ratio: float, *, at_most: float | None = None, at_least: float | None = None) -> bool:
    """Print a ratio beside its bound; return whether it is kept."""
    kept = (at_most is None or ratio <= at_most) and (at_least is None or ratio >= at_least)
    bound = f"at most {at_most:g}" if at_most is not None else f"at least {at_least:g}"
    print(f"{'kept  ' if kept else 'MISSED'} {label}: {ratio:.2f} ({bound})")
    return kept
