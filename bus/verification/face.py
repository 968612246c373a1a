"""C7: what the outside may see of a module, and what seeing it may load."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from bus.verification.application import Application
from bus.verification.graph import root_of
from bus.verification.names import Source, imported
from bus.verification.report import Violation
from bus.verification.rules import RULES
from bus.verification.source import foreign_attributes, foreign_strings, names_in, read_sources

#: What a process imports of a module that it does not host, relative to the module's package.
FACE_PARTS = ("contract",)


def check_outside(app: Application) -> Iterator[Violation]:
    """Check that only the composition root names modules, and of each only its `module` (C7)."""
    for source in read_sources(app, app.outside()):
        attributes = foreign_attributes(app, source, names_in(app, source))
        for path, line in sorted({*_imports(app, source), *foreign_strings(app, source), *attributes}):
            message = f"{source.module} names {path}"
            yield RULES["C7"].violation(source.module, app.reached(path), message, file=source.file, line=line)


def check_faces(app: Application, allowed: tuple[str, ...]) -> Iterator[Violation]:
    """Check that a module's package and contract load only the allowed and standard packages."""
    for module in app.modules:
        for importer in _face_of(app, module):
            yield from _foreign_loads(app, importer, allowed)


def _imports(app: Application, source: Source) -> Iterator[tuple[str, int]]:
    for _, path, line in imported(source):
        whole = path in (app.package, f"{app.package}.*") and not app.composes(source.module)
        if whole or not app.may_name(source.module, path):
            yield path, line


def _face_of(app: Application, module: str) -> list[str]:
    package = app.full_name(module)
    parts = [name for part in FACE_PARTS for name in app.graph.within(f"{package}.{part}")]
    return [package, *parts]


def _foreign_loads(app: Application, importer: str, allowed: tuple[str, ...]) -> Iterator[Violation]:
    owner, face = app.owner(importer), _face_of(app, app.owner(importer))
    for name in app.graph.imports_of(importer):
        known = name in face or root_of(name) in (*allowed, *sys.stdlib_module_names)
        # Another module is C1's to report.
        if not known and app.owner(name) in ("", owner):
            message = f"{importer} imports {name}, also where the module is not hosted"
            file, line = app.graph.file(importer), app.graph.line(importer, name)
            yield RULES["C7.face"].violation(owner, name, message, file=file, line=line)
