"""The settings of this process as an operator may see them: each with its source, secrets masked."""

from __future__ import annotations

from pathlib import Path

from flask import Config

from bus.integrations.settings import Setting
from modular_app.config import Settings
from modular_app.databases import default_url
from modular_app.sources import Sources, masked


def shown_settings(settings: Settings, config: Config, sources: Sources, instance: Path) -> tuple[Setting, ...]:
    """Return what `flask bus config` shows."""
    common = config.get("DATABASE_URL", default_url(instance))
    return (
        Setting("BUS_RETENTION", str(settings.retention).partition(",")[0], sources.of("BUS_RETENTION")),
        Setting("BUS_URL", masked(settings.bus_url), sources.of("BUS_URL")),
        Setting("MODULES", ", ".join(settings.modules), sources.of("MODULES")),
        Setting("DATABASE_URL", masked(common), sources.of("DATABASE_URL")),
        *(_database(name, url, config, sources) for name, url in settings.database_urls.items()),
        Setting("SECRET_KEY", "***" if config.get("SECRET_KEY") else "not set", sources.of("SECRET_KEY")),
    )


def _database(name: str, url: str, config: Config, sources: Sources) -> Setting:
    is_own = name in config.get("DATABASES", {})
    return Setting(f"DATABASES__{name}", masked(url), sources.of("DATABASES", name) if is_own else "DATABASE_URL")
