"""The database of each module: which URL it has, and which URLs this release cannot use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Config
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from modular_app.sources import ConfigurationError, Sources, masked, nearest

#: Stands in a URL for the name of a module.
PLACE = "{module}"
EXAMPLE = f"sqlite:///instance/{PLACE}.db"


def database_urls(config: Config, sources: Sources, *, known: tuple[str, ...], instance: Path) -> dict[str, str]:
    """Return the URL of every module's database.

    Raises:
        ConfigurationError: A URL cannot be used, is shared, or is given to a module that does not
            exist.
    """
    common = _common_url(config, sources, instance)
    own = _own_urls(config, sources, known)
    urls = {name: own.get(name) or common.replace(PLACE, name) for name in known}
    _refuse_shared(urls)
    return urls


def default_url(instance: Path) -> str:
    """Return the URL of databases that nothing is said about."""
    return f"sqlite:///{instance}/{PLACE}.db"


def _common_url(config: Config, sources: Sources, instance: Path) -> str:
    if "DATABASE_URL" not in config:
        return default_url(instance)
    url = config["DATABASE_URL"]
    told = f"{sources.of('DATABASE_URL')} sets DATABASE_URL to"
    _check(url, told)
    if PLACE not in url:
        raise ConfigurationError(
            f"{told} {masked(url)!r}, one SQLite file for all modules; each needs its own: write {PLACE} "
            f"where the module's name belongs, such as {EXAMPLE}"
        )
    return str(url)


def _own_urls(config: Config, sources: Sources, known: tuple[str, ...]) -> Mapping[str, str]:
    urls = config.get("DATABASES", {})
    if not isinstance(urls, Mapping):
        raise ConfigurationError(
            f"{sources.of('DATABASES')} sets DATABASES to {masked(urls)!r}; it holds one URL for each "
            f"module: set DATABASES__{known[0]} instead"
        )
    for name, url in urls.items():
        told = f"{sources.of('DATABASES', name)} sets DATABASES__{name}"
        if name not in known:
            near = nearest(name.lower(), known)
            mend = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
            raise ConfigurationError(f"{told}, but there is no module {name!r}; {mend}")
        _check(url, f"{told} to")
    return urls


def _check(url: Any, told: str) -> None:
    if not isinstance(url, str) or not url.strip():
        raise ConfigurationError(f"{told} {masked(url)!r}, which is no URL; write one such as {EXAMPLE}")
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            f"{told} {masked(url)!r}, which cannot be read as a URL; write one such as {EXAMPLE}"
        ) from None
    told = f"{told} {masked(url)!r}"
    _check_backend(parsed, told)
    _check_file(parsed, told)


def _check_backend(url: URL, told: str) -> None:
    backend = url.get_backend_name()
    if url.drivername in ("sqlite", "sqlite+pysqlite"):
        return
    if backend == "postgresql":
        raise ConfigurationError(
            f"{told}: PostgreSQL comes with a later release, this one keeps each module in an "
            f"SQLite file; write {EXAMPLE}, or remove the setting"
        )
    near = "sqlite://" if backend == "sqlite" else nearest(backend, ("sqlite", "postgresql"))
    mend = f"did you mean {near}?" if near else f"write one such as {EXAMPLE}"
    raise ConfigurationError(f"{told}: there is no database {url.drivername!r}; {mend}")


def _check_file(url: URL, told: str) -> None:
    if not url.database or ":memory:" in url.database or url.query.get("mode") == "memory":
        raise ConfigurationError(
            f"{told}, a database in memory, which would lose every event with the process; name a "
            f"file, such as {EXAMPLE}"
        )
    folder = Path(url.database).parent
    if PLACE not in str(folder) and not folder.is_dir():
        raise ConfigurationError(f"{told}, but there is no folder {folder}; make it: mkdir -p {folder}")


def _refuse_shared(urls: Mapping[str, str]) -> None:
    owners: dict[str, str] = {}
    for name, url in urls.items():
        file = str(Path(make_url(url).database or "").resolve())
        if file in owners:
            raise ConfigurationError(
                f"the modules {owners[file]} and {name} have one database, {masked(url)!r}; each needs its "
                f"own: set DATABASES__{name} to another file"
            )
        owners[file] = name
