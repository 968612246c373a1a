"""The boundaries between modules, checked on the source of a whole application."""

from __future__ import annotations

from bus.verification.application import application
from bus.verification.face import check_faces, check_outside
from bus.verification.graph import read_graph, root_of
from bus.verification.imports import check_files, check_imports
from bus.verification.report import Report
from bus.verification.source import check_sources


def verify(
    package: str = "modules",
    composition_root: str | None = "modular_app",
    *,
    others: tuple[str, ...] = (),
    importers: tuple[str, ...] = (),
    contract_imports: tuple[str, ...] = ("bus",),
) -> Report:
    """Check that modules interact only through the bus: rules C1 to C7.

    Nothing of the application is imported; its packages must be on the Python path. Packages
    beside them that they import are read as well, so that shared code hides no chain.

    Example:
        assert verify("modules", "modular_app").ok

    Args:
        package: The package that holds the modules, one package each.
        composition_root: The package that wires them, None where there is none.
        others: Further packages to check that nobody imports, such as scripts.
        importers: Packages that may import `<package>.<module>:module` like the composition root.
        contract_imports: What a module's package and contract may import, besides the
            standard library.

    Raises:
        MissingExtraError: grimp is not installed.
        UnreadablePackageError: A package cannot be found or parsed.
    """
    composers = (*([composition_root] if composition_root else []), *importers)
    graph = read_graph(*map(root_of, (package, *composers, *others)))
    app = application(graph, package, composers)
    return Report.of(
        check_imports(app),
        check_sources(app),
        check_files(app),
        check_outside(app),
        check_faces(app, contract_imports),
    )
