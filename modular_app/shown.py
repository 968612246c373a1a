"""The settings of this process as an operator may see them: each with its source, secrets masked."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from flask import Config
from sqlalchemy import make_url

from bus.integrations.settings import Setting
from bus.postgresql import pool_text
from bus.words import duration_text
from modular_app.config import Settings
from modular_app.databases import default_url
from modular_app.sources import Sources, masked


def shown_settings(settings: Settings, config: Config, sources: Sources, instance: Path) -> tuple[Setting, ...]:
    """Return what `flask bus config` shows."""
    common = config.get("DATABASE_URL", default_url(instance))
    return (
        Setting("BUS_GRACE", duration_text(settings.grace // timedelta(microseconds=1)), sources.of("BUS_GRACE")),
        Setting("BUS_RETENTION", str(settings.retention).partition(",")[0], sources.of("BUS_RETENTION")),
        Setting("BUS_SIGNING_KEYS", _keys(settings.signing_keys), sources.of("BUS_SIGNING_KEYS")),
        Setting("BUS_URL", masked(settings.bus_url), sources.of("BUS_URL")),
        Setting("BUS_WORKERS", _workers(settings), sources.of("BUS_WORKERS")),
        Setting("MODULES", ", ".join(settings.modules), sources.of("MODULES")),
        Setting("DATABASE_URL", masked(common), sources.of("DATABASE_URL")),
        *(_database(name, url, config, sources) for name, url in settings.database_urls.items()),
        Setting("TRUSTED_HOSTS", ", ".join(settings.trusted_hosts) or "*", sources.of("TRUSTED_HOSTS")),
        Setting("SECRET_KEY", "***" if config.get("SECRET_KEY") else "not set", sources.of("SECRET_KEY")),
    )


def _keys(keys: tuple[str, ...]) -> str:
    return ", ".join("***" for _ in keys) or "not set"


def _workers(settings: Settings) -> str:
    """Return the threads, and the connections that they and everybody else here may have, for each module."""
    if not any(_is_on_postgresql(url) for url in settings.database_urls.values()):
        return "1 for each module"
    return ", ".join(
        f"{name} {count} ({pool_text(count)})" if _is_on_postgresql(settings.database_urls[name]) else f"{name} {count}"
        for name, count in settings.workers.items()
    )


def _is_on_postgresql(url: str) -> bool:
    return make_url(url).get_backend_name() == "postgresql"


def _database(name: str, url: str, config: Config, sources: Sources) -> Setting:
    is_own = name in config.get("DATABASES", {})
    return Setting(f"DATABASES__{name}", masked(url), sources.of("DATABASES", name) if is_own else "DATABASE_URL")
