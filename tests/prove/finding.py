"""What a proof finds: a figure beside its bound."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """A figure, and whether it is what it has to be.

    Attributes:
        text: What was measured, the figure, and the bound.
        is_kept: Whether the bound is kept.
    """

    text: str
    is_kept: bool


def at_most(what: str, figure: float, bound: float, unit: str = "") -> Finding:
    """Return a finding that is kept where the figure does not exceed the bound."""
    return Finding(f"{what}: {_shown(figure)}{unit} (at most {_shown(bound)}{unit})", figure <= bound)


def at_least(what: str, figure: float, bound: float, unit: str = "") -> Finding:
    """Return a finding that is kept where the figure does not fall below the bound."""
    return Finding(f"{what}: {_shown(figure)}{unit} (at least {_shown(bound)}{unit})", figure >= bound)


def exactly(what: str, figure: float, expected: float, unit: str = "") -> Finding:
    """Return a finding that is kept where the figure is the expected one."""
    return Finding(f"{what}: {_shown(figure)}{unit} (exactly {_shown(expected)}{unit})", figure == expected)


def _shown(figure: float) -> str:
    return f"{figure:,}" if isinstance(figure, int) else f"{figure:,.2f}"
