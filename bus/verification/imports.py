"""C1, C2, C6: what the import graph shows about modules, and whether it shows all of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from bus.verification.application import Application
from bus.verification.graph import CodeGraph, is_within, root_of
from bus.verification.report import Violation
from bus.verification.rules import RULES


def check_imports(app: Application) -> Iterator[Violation]:
    """Check that no module imports another, neither directly (C1) nor through other code (C2)."""
    siblings = [app.full_name(module) for module in app.modules]
    pairs = app.graph.illegal_pairs(siblings)
    direct = sorted({edge for pair in pairs for edge in _edges_between(app.graph, *pair)})
    for importer, imported in direct:
        message = f"{importer} imports {imported}"
        yield _at(
            app.graph,
            "C1",
            (app.owner(importer), app.owner(imported)),
            (importer, imported),
            message,
        )

    # Without the direct imports only the ways through other code are left.
    indirect = app.graph.without(direct)
    for source, target in indirect.illegal_pairs(siblings):
        chain = shortest_chain(indirect, source, target, through=lambda name: not app.owner(name))
        # A chain through a third module is the sum of two others, which are reported.
        if chain:
            message = f"{source} reaches {target}: {' -> '.join(chain)}"
            yield _at(app.graph, "C2", (app.owner(source), app.owner(target)), chain[:2], message)


def check_files(app: Application) -> Iterator[Violation]:
    """Check that there are modules, and that every file that could break a rule was read (C6)."""
    if not app.modules:
        yield RULES["C6"].violation("*", "", f"no module found in the package {app.package}")
    for path in app.graph.files(root_of(app.package)):
        name, file = app.graph.module_of(path), app.graph.place(path)
        if name not in app.graph and is_within(name, app.package):
            yield RULES["C6"].violation(app.owner(name), "", f"{file} is not seen as part of {app.package}", file=file)
    yield from _loose_files(app)


def shortest_chain(graph: CodeGraph, source: str, target: str, *, through: Callable[[str], bool]) -> tuple[str, ...]:
    """Find the shortest chain of imports from a package to another, the first by name among equals.

    Only modules that `through` accepts stand between the two. Without a chain the tuple is empty.
    """
    queue: deque[tuple[str, ...]] = deque((module,) for module in graph.within(source))
    seen = {chain[-1] for chain in queue}
    while queue:
        chain = queue.popleft()
        for imported in graph.imports_of(chain[-1]):
            if is_within(imported, target):
                return (*chain, imported)
            if imported not in seen and through(imported):
                seen.add(imported)
                queue.append((*chain, imported))
    return ()


def _edges_between(graph: CodeGraph, source: str, target: str) -> Iterator[tuple[str, str]]:
    for importer in graph.within(source):
        yield from ((importer, imported) for imported in graph.imports_of(importer) if is_within(imported, target))


def _at(graph: CodeGraph, rule: str, who: tuple[str, str], edge: tuple[str, ...], message: str) -> Violation:
    importer, imported = edge
    return RULES[rule].violation(*who, message, file=graph.file(importer), line=graph.line(importer, imported))


def _loose_files(app: Application) -> Iterator[Violation]:
    """Find single files beside the packages: grimp follows packages only."""
    loose = {name for name in app.graph.external if (place := app.graph.beside(name)) and place.is_file()}
    for importer in app.graph.modules:
        for name in sorted(loose.intersection(app.graph.imports_of(importer))):
            message = f"{importer} imports {name}.py, a single file whose imports are not followed"
            yield _at(app.graph, "C6", (app.owner(importer) or importer, ""), (importer, name), message)
