"""C3, C4, C5: what reading a module's source shows and its import statements do not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bus.verification.application import Application
from bus.verification.graph import is_within
from bus.verification.names import Names, Source, imported
from bus.verification.references import attribute_paths, string_paths, unverifiable
from bus.verification.report import Violation
from bus.verification.rules import RULES


def read_sources(app: Application, modules: Iterable[str]) -> Iterator[Source]:
    """Parse the files of Python modules."""
    for module in modules:
        path = app.graph.path(module)
        if path.is_file():
            yield Source.read(module, app.graph.file(module), path)


def names_in(app: Application, source: Source) -> Names:
    """Read what the names of a file stand for, as far as the file may name it.

    A name that stands for what may not be imported is not followed: its import is the
    violation, not each use.
    """
    return Names(source, lambda path: app.may_name(source.module, path), app.renames)


def foreign_strings(app: Application, source: Source) -> Iterator[tuple[str, int]]:
    """Yield the paths in strings that a file may not name."""
    for path, line in string_paths(source, app.package, app.modules):
        if not app.may_name(source.module, path):
            yield path, line


def foreign_attributes(app: Application, source: Source, names: Names) -> Iterator[tuple[str, int]]:
    """Yield the attribute paths that a file may not name, each breach once.

    What a refused import binds and what a refused string on the same line names is left out.
    """
    refused = {path for _, path, _ in imported(source) if not app.may_name(source.module, path)}
    lines = {line for _, line in foreign_strings(app, source)}
    for path, line in attribute_paths(source, names):
        reported = line in lines or any(is_within(path, other) for other in refused)
        whole = path == app.package and not app.composes(source.module)
        if not reported and (whole or not app.may_name(source.module, path)):
            yield path, line


def check_sources(app: Application) -> Iterator[Violation]:
    """Check the source of every module (C3, C4, C5)."""
    for source in read_sources(app, app.inside()):
        names = names_in(app, source)
        yield from _attributes(app, source, names)
        yield from _strings(app, source)
        yield from _dynamic_imports(app, source, names)


def _attributes(app: Application, source: Source, names: Names) -> Iterator[Violation]:
    owner = app.owner(source.module)
    stars = [(path, line) for _, path, line in imported(source) if path == f"{app.package}.*"]
    for path, line in [*foreign_attributes(app, source, names), *stars]:
        message = f"{source.module} reaches {path} through the package {app.package}"
        yield RULES["C3"].violation(owner, app.reached(path), message, file=source.file, line=line)


def _strings(app: Application, source: Source) -> Iterator[Violation]:
    owner = app.owner(source.module)
    for path, line in foreign_strings(app, source):
        message = f"{source.module} has a string that names {path}"
        yield RULES["C4"].violation(owner, app.reached(path), message, file=source.file, line=line)


def _dynamic_imports(app: Application, source: Source, names: Names) -> Iterator[Violation]:
    owner = app.owner(source.module)
    for path, line in unverifiable(source, names):
        message = f"{source.module} uses {path} in a way that does not show what it imports"
        yield RULES["C5"].violation(owner, "*", message, file=source.file, line=line)
