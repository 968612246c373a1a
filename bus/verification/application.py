"""The packages under verification, and who in them may name what."""

from __future__ import annotations

from dataclasses import dataclass

from bus.verification.graph import CodeGraph, is_within, root_of

#: The one name of a module that the composition root may import.
FACE = "module"


@dataclass(frozen=True, slots=True)
class Application:
    """A package of modules, with everything around it that may reach them.

    Attributes:
        graph: The imports of all of it.
        package: The package that holds the modules.
        composers: Packages that may import `<package>.<module>:module`.
        modules: Names of the modules.
    """

    graph: CodeGraph
    package: str
    composers: tuple[str, ...]
    modules: tuple[str, ...]

    def full_name(self, module: str) -> str:
        """Return the dotted name of a module's package."""
        return f"{self.package}.{module}"

    def owner(self, path: str) -> str:
        """Return the module that a dotted path belongs to, empty for everything outside modules."""
        return self._below(path)[0]

    def reached(self, path: str) -> str:
        """Return the module that a dotted path names, `*` where it may be any of them."""
        owner = self.owner(path)
        return owner if owner in self.modules else "*"

    def may_name(self, importer: str, path: str) -> bool:
        """Say whether code in `importer` may name a dotted path.

        Modules name themselves, composers the modules and their `module`, others none of them.
        The bare package is not refused here: what matters is what is reached through it.
        """
        if not is_within(path, self.package) or path == self.package:
            return True
        owner = self.owner(importer)
        return owner == self.owner(path) if owner else self.composes(importer) and self._is_face(path)

    def composes(self, importer: str) -> bool:
        """Say whether the importer belongs to the composition root."""
        return any(is_within(importer, composer) for composer in self.composers)

    def renames(self, path: str) -> bool:
        """Say whether a path assigned to a name is followed: a module, or what holds it."""
        return is_within(self.package, path) or (is_within(path, self.package) and len(self._below(path)) == 1)

    def outside(self) -> list[str]:
        """List the Python modules that belong to no module of the application."""
        return [name for name in self.graph.modules if not self.owner(name)]

    def inside(self) -> list[str]:
        """List the Python modules that belong to a module of the application."""
        return [name for name in self.graph.modules if self.owner(name)]

    def _is_face(self, path: str) -> bool:
        return self._below(path)[1:2] in ([], [FACE])

    def _below(self, path: str) -> list[str]:
        inside = path.startswith(f"{self.package}.")
        return path[len(self.package) + 1 :].split(".") if inside else [""]


def application(graph: CodeGraph, package: str, composers: tuple[str, ...]) -> Application:
    """Describe the application that a graph was read from."""
    modules = tuple(graph.children(package)) if root_of(package) in graph else ()
    return Application(graph, package, composers, modules)
