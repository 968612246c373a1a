"""The import graph of an application, and the files behind it; the one file that knows grimp."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from bus.errors import BusError, MissingExtraError

if TYPE_CHECKING:
    import grimp

#: Folders of installed distributions: what lies beside a package there is not the application's.
INSTALLED = frozenset({"site-packages", "dist-packages"})


class UnreadablePackageError(BusError):
    """Raised when a package that is to be verified cannot be found or read."""


class CodeGraph:
    """Who imports whom, in an order that does not change between runs.

    Imports for typing only are counted. Packages that are not the application's stand as
    one name each, such as `flask`.
    """

    def __init__(self, graph: grimp.ImportGraph, folders: dict[str, list[Path]]) -> None:
        self._graph = graph
        self._folders = folders

    @property
    def packages(self) -> list[str]:
        """List the top-level packages whose files were read."""
        return sorted(self._folders)

    @property
    def modules(self) -> list[str]:
        """List every Python module that was read, packages included."""
        return sorted(m for m in self._graph.modules if not self._graph.is_module_squashed(m))

    @property
    def external(self) -> list[str]:
        """List what is imported but was not read."""
        return sorted(m for m in self._graph.modules if self._graph.is_module_squashed(m))

    def __contains__(self, module: str) -> bool:
        return module in self._graph.modules

    def children(self, package: str) -> list[str]:
        """List the names directly below a package, without its own name."""
        return sorted(child.rpartition(".")[2] for child in self._graph.find_children(package))

    def within(self, package: str) -> list[str]:
        """List a module and everything below it; nothing when it was not read."""
        return [m for m in self.modules if is_within(m, package)]

    def imports_of(self, module: str) -> list[str]:
        """List what one module imports itself, packages below it not included."""
        return sorted(self._graph.find_modules_directly_imported_by(module))

    def line(self, importer: str, imported: str) -> int:
        """Return the line of the first such import, 0 when it is not known."""
        details = self._graph.get_import_details(importer=importer, imported=imported)
        return min((detail["line_number"] for detail in details), default=0)

    def file(self, module: str) -> str:
        """Return the module's file, relative to the folder that holds its package."""
        return self.place(self.path(module))

    def place(self, path: Path) -> str:
        """Return a file's place, relative to the folder that holds its package."""
        folders = [folder for folders in self._folders.values() for folder in folders]
        return next(path.relative_to(folder.parent).as_posix() for folder in folders if path.is_relative_to(folder))

    def path(self, module: str) -> Path:
        """Return where the module's file is on this machine."""
        candidates = [path for folder in self._folders[root_of(module)] for path in _files_of(module, folder)]
        return next((path for path in candidates if path.is_file()), candidates[0])

    def files(self, package: str) -> list[Path]:
        """List every Python file below a package's folder, read or not."""
        found = (path for folder in self._folders[package] for path in folder.rglob("*.py"))
        return sorted(path for path in found if "__pycache__" not in path.parts)

    def module_of(self, path: Path) -> str:
        """Return the dotted name that a file would be imported by."""
        return self.place(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def illegal_pairs(self, siblings: Iterable[str]) -> list[tuple[str, str]]:
        """List the pairs of siblings of which the first reaches the second by any chain."""
        found = self._graph.find_illegal_dependencies_for_layers(layers=(set(siblings),))
        return sorted((dependency.importer, dependency.imported) for dependency in found)

    def without(self, imports: Iterable[tuple[str, str]]) -> CodeGraph:
        """Copy the graph without some of its imports."""
        graph = deepcopy(self._graph)
        for importer, imported in imports:
            graph.remove_import(importer=importer, imported=imported)
        return CodeGraph(graph, self._folders)

    def beside(self, name: str) -> Path | None:
        """Return the folder or file that lies beside the packages under an external name."""
        homes = {folder.parent for folders in self._folders.values() for folder in folders}
        places = [home / leaf for home in homes if home.name not in INSTALLED for leaf in (name, f"{name}.py")]
        return next((place for place in sorted(places) if _holds_python(place)), None)


def read_graph(*packages: str) -> CodeGraph:
    """Read the imports of top-level packages, and of those beside them on disk that they import.

    A helper package that nobody named would otherwise hide a chain of imports.

    Raises:
        MissingExtraError: grimp is not installed.
        UnreadablePackageError: A package cannot be found or parsed.
    """
    graph = _build(sorted(set(packages)))
    helpers = [name for name in graph.external if _is_folder(graph.beside(name))]
    return read_graph(*packages, *helpers) if helpers else graph


def is_within(module: str, package: str) -> bool:
    """Say whether a dotted name is the package or something below it."""
    return module == package or module.startswith(f"{package}.")


def root_of(module: str) -> str:
    """Return the first part of a dotted name."""
    return module.partition(".")[0]


def _build(packages: Sequence[str]) -> CodeGraph:
    try:
        import grimp
    except ImportError as error:
        raise MissingExtraError(
            "checking boundaries needs grimp; install it with: pip install 'modular-bus[verify]'"
        ) from error

    folders = {package: _folders_of(package) for package in packages}
    try:
        # The cache is off: it would write into whatever directory the check is started from.
        graph = grimp.build_graph(*packages, include_external_packages=True, cache_dir=None)
    except (ValueError, grimp.exceptions.GrimpException) as error:
        raise UnreadablePackageError(f"the imports of {', '.join(packages)} cannot be read: {error}") from error
    return CodeGraph(graph, folders)


def _folders_of(package: str) -> list[Path]:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise UnreadablePackageError(
            f"there is no package {package!r} to verify; name a top-level package "
            "(a folder, not a file) that is on the Python path"
        )
    return [Path(place) for place in spec.submodule_search_locations]


def _files_of(module: str, folder: Path) -> tuple[Path, Path]:
    place = folder.joinpath(*module.split(".")[1:])
    return place / "__init__.py", place.parent / f"{place.name}.py"


def _is_folder(place: Path | None) -> bool:
    return place is not None and place.is_dir()


def _holds_python(place: Path) -> bool:
    return place.is_file() or (place.is_dir() and any(place.rglob("*.py")))
