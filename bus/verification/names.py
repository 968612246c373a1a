"""What the names in one source file stand for, as far as reading it can tell."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

#: How often assignments are followed; `a = package; b = a; c = b` needs three rounds.
ROUNDS = 4

_IMPORTERS = frozenset({"import_module", "import_string", "resolve_name"})


@dataclass(frozen=True, slots=True)
class Source:
    """One parsed file: the dotted name it is imported by, its place in reports, its nodes."""

    module: str
    file: str
    is_package: bool
    nodes: tuple[ast.AST, ...]

    @classmethod
    def read(cls, module: str, file: str, path: Path) -> Source:
        """Parse a file."""
        # Walked once: every rule looks at all nodes.
        nodes = tuple(ast.walk(ast.parse(path.read_bytes())))
        return cls(module, file, path.name == "__init__.py", nodes)

    def absolute(self, node: ast.ImportFrom) -> str:
        """Return the absolute name of what a `from … import` imports from."""
        if not node.level:
            return node.module or ""
        parts = self.module.split(".")
        base = parts[: len(parts) - node.level + (1 if self.is_package else 0)]
        return ".".join([*base, node.module] if node.module else base)


def imported(source: Source) -> Iterator[tuple[str, str, int]]:
    """Yield each name that an import statement binds, the dotted path it asks for, and its line."""
    for node in source.nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.asname or "", alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = source.absolute(node)
            yield from ((alias.asname or alias.name, f"{base}.{alias.name}", node.lineno) for alias in node.names)


class Names:
    """The dotted paths that names and expressions of one file may stand for.

    Scopes are not told apart: a name stands for everything that it is ever bound to, so
    that a path is rather seen once too often than missed. A name that no import or
    followed assignment binds stands for a builtin.

    Args:
        source: The file.
        follows: Says of an imported path whether the name bound to it is followed.
        renames: Says the same of a path that is assigned to a name.
    """

    def __init__(self, source: Source, follows: Callable[[str], bool], renames: Callable[[str], bool]) -> None:
        self._bound: dict[str, set[str]] = {}
        #: The value nodes of followed assignments: mere renamings, not uses.
        self.renamings: set[ast.expr] = set()
        for name, path, _ in imported(source):
            bound = path if name else path.partition(".")[0]
            if follows(bound):
                self._bound.setdefault(name or bound, set()).add(bound)
        assignments = [pair for node in source.nodes for pair in _assigned(node)]
        for _ in range(ROUNDS):
            self._follow(assignments, lambda path: follows(path) and renames(path))

    def paths(self, node: ast.expr) -> frozenset[str]:
        """Return the dotted paths that an expression may stand for."""
        match node:
            case ast.Name(id=name):
                return frozenset(self._bound.get(name, {f"builtins.{name}"}))
            case ast.Attribute(value=value, attr=attr):
                return frozenset(f"{path}.{attr}" for path in self.paths(value))
            case ast.Call(func=func, args=[first, *rest]):
                return self._called(func, first, rest)
            case ast.Subscript(value=value, slice=ast.Constant(value=str(key))) if "sys.modules" in self.paths(value):
                return frozenset({key})
        return frozenset()

    def _called(self, func: ast.expr, first: ast.expr, rest: list[ast.expr]) -> frozenset[str]:
        called = {path.rpartition(".")[2] for path in self.paths(func)}
        match first, rest:
            case _, [ast.Constant(value=str(attr)), *_] if "getattr" in called:
                return frozenset(f"{path}.{attr}" for path in self.paths(first))
            case ast.Constant(value=str(text)), _ if "__import__" in called:
                return frozenset({text.partition(".")[0]})
            case ast.Constant(value=str(text)), _ if called & _IMPORTERS:
                return frozenset({text.replace(":", ".")})
        return frozenset()

    def _follow(self, assignments: list[tuple[str, ast.expr]], follows: Callable[[str], bool]) -> None:
        for name, value in assignments:
            followed = {path for path in self.paths(value) if follows(path)}
            if followed:
                self._bound.setdefault(name, set()).update(followed)
                self.renamings.add(value)


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.Assign(targets=targets, value=value):
            yield from ((target.id, value) for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield name, value
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            yield name, value
