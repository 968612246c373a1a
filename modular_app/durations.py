"""The settings that are durations: how long things are remembered, and waited for."""

from __future__ import annotations

from datetime import timedelta

from flask import Config

from bus import RetentionError
from bus.duration import parse_duration
from bus.inbox.retention import RETENTION, require_long_enough
from bus.life import GRACE
from modular_app.sources import ConfigurationError, Sources


def retention_of(config: Config, sources: Sources) -> timedelta:
    """Return for how long completed publications are remembered.

    Raises:
        ConfigurationError: It is no duration, or shorter than the time within which an event may be sent again.
    """
    found = _duration(config, sources, "BUS_RETENTION", usual="30d")
    if found is None:
        return RETENTION
    try:
        require_long_enough(found)
    except RetentionError as error:
        raise ConfigurationError(f"{_told(config, sources, 'BUS_RETENTION')}: {error}; a usual value is 30d") from error
    return found


def grace_of(config: Config, sources: Sources) -> timedelta:
    """Return how long running listeners have to finish when the process is told to end.

    Raises:
        ConfigurationError: It is no duration.
    """
    found = _duration(config, sources, "BUS_GRACE", usual=f"{GRACE:.0f}s")
    return timedelta(seconds=GRACE) if found is None else found


def _duration(config: Config, sources: Sources, key: str, *, usual: str) -> timedelta | None:
    value = config.get(key)
    if value is None:
        return None
    try:
        return parse_duration(str(value))
    except ValueError as error:
        raise ConfigurationError(f"{_told(config, sources, key)}: {error}; a usual value is {usual}") from error


def _told(config: Config, sources: Sources, key: str) -> str:
    return f"{sources.of(key)} sets {key} to {config[key]!r}"
