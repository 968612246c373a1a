"""Finding what a module declares its tables on, by importing all of it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages

from sqlalchemy import MetaData
from sqlalchemy.orm import registry

#: What tables are declared on: the metadata, or the registry of the mapped classes.
Declared = MetaData | registry


def declared_in(package: str) -> list[Declared]:
    """Import a module's package with everything below it, and return what it declares tables on.

    Found are metadata, registries, and the registries of mapped classes and their bases.

    Example:
        verify_tables({name: declared_in(f"modules.{name}") for name in ("order", "kitchen")})

    Raises:
        ImportError: A part of the package cannot be imported.
    """
    found = [one for name in _python_modules(package) for one in _declared_by(name)]
    return list({id(one): one for one in found}.values())


def _python_modules(package: str) -> Iterator[str]:
    yield package
    for found in walk_packages(import_module(package).__path__, f"{package}."):
        # Importing a package's __main__ would run it.
        if not found.name.endswith(".__main__"):
            yield found.name


def _declared_by(name: str) -> Iterator[Declared]:
    for value in vars(import_module(name)).values():
        declared = getattr(value, "registry", None) if isinstance(value, type) else value
        if isinstance(declared, Declared):
            yield declared
