"""The database of each module: which URL it has, and which URLs this release cannot use."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Config
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from bus.postgresql import DRIVER, SCHEMA, schema_of
from modular_app.sources import ConfigurationError, Sources, masked, nearest

#: Stands in a URL for the name of a module.
PLACE = "{module}"
EXAMPLE = f"sqlite:///instance/{PLACE}.db"
ON_POSTGRESQL = f"{DRIVER}://USER@HOST/DATABASE"


def database_urls(config: Config, sources: Sources, *, known: tuple[str, ...], instance: Path) -> dict[str, str]:
    """Return the URL of every module's database.

    A common one with `{module}` in it stands for a database each; without it, on PostgreSQL, for a schema each.

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
    if PLACE in url:
        return str(url)
    parsed = make_url(url)
    if parsed.drivername == DRIVER and schema_of(parsed) is None:
        schemas = parsed.update_query_dict({SCHEMA: PLACE})
        return schemas.render_as_string(hide_password=False).replace(quote(PLACE), PLACE)
    if parsed.drivername != DRIVER:
        raise ConfigurationError(
            f"{told} {masked(url)!r}, one SQLite file for all modules; each needs its own: write {PLACE} "
            f"where the module's name belongs, such as {EXAMPLE}"
        )
    raise ConfigurationError(
        f"{told} {masked(url)!r}, one schema for all modules; each needs its own: leave {SCHEMA} out, and each has the "
        "one of its name"
    )


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
    _check_place(parsed, told)


def _check_backend(url: URL, told: str) -> None:
    backend = url.get_backend_name()
    if url.drivername in ("sqlite", "sqlite+pysqlite", DRIVER):
        return
    if backend in ("postgres", "postgresql"):
        raise ConfigurationError(f"{told}: PostgreSQL is spoken to by psycopg 3; write {ON_POSTGRESQL}")
    near = "sqlite://" if backend == "sqlite" else nearest(backend, ("sqlite", "postgresql"))
    near = f"{DRIVER}://" if near == "postgresql" else near
    mend = f"did you mean {near}?" if near else f"write one such as {EXAMPLE} or {ON_POSTGRESQL}"
    raise ConfigurationError(f"{told}: there is no database {url.drivername!r}; {mend}")


def _check_place(url: URL, told: str) -> None:
    if url.drivername != DRIVER:
        _check_file(url, told)
    elif not url.database:
        raise ConfigurationError(f"{told}, which names no database; write {ON_POSTGRESQL}")
    elif find_spec("psycopg") is None:
        raise ConfigurationError(f"{told}, and psycopg is not installed: pip install 'modular-bus[postgresql]'")


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
    owners: dict[object, str] = {}
    for name, url in urls.items():
        place = _place_of(make_url(url))
        if place in owners:
            raise ConfigurationError(
                f"the modules {owners[place]} and {name} have one database, {masked(url)!r}; each needs its "
                f"own: set DATABASES__{name} to another one, or on PostgreSQL to another {SCHEMA}"
            )
        owners[place] = name


def _place_of(url: URL) -> object:
    if url.drivername == DRIVER:
        return url.host, url.port or 5432, url.database, schema_of(url)
    return str(Path(url.database or "").resolve())
