"""Where a source file names code: by attribute, in a string, or in a way only a run can tell."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TypeGuard

from bus.verification.names import Names, Source

#: A reference: the dotted path that is named, and the line.
Reference = tuple[str, int]

#: Import what their first argument names: provable when that is an absolute literal.
_BY_NAME = frozenset({"import_module", "import_string", "resolve_name", "run_module", "__import__"})
_BY_PATH = frozenset(
    {
        "builtins.compile",
        "builtins.eval",
        "builtins.exec",
        "importlib.util.find_spec",
        "pydoc.locate",
        "sys.modules",
    }
)
#: Load a file under a name of the caller's choice: never provable.
_BY_FILE = frozenset({"run_path", "spec_from_file_location", "SourceFileLoader"})


def attribute_paths(source: Source, names: Names) -> Iterator[Reference]:
    """Yield what each whole attribute chain stands for; `a.b.c` counts once, not as `a.b` too."""
    parts = {child for node in source.nodes for child in _parts(node)} | names.renamings
    for node in source.nodes:
        if _is_read(node) and node not in parts:
            yield from ((path, node.lineno) for path in sorted(names.paths(node)))


def string_paths(source: Source, package: str, modules: tuple[str, ...]) -> Iterator[Reference]:
    """Yield the paths below a package that strings name; docstrings name what they like."""
    pattern = _path_pattern(package, modules)
    docstrings = {node.value for node in source.nodes if isinstance(node, ast.Expr)}
    for node in source.nodes:
        if isinstance(node, ast.Constant) and node not in docstrings:
            yield from ((path, node.lineno) for path in _paths_in(_text(node.value), pattern, package))


def unverifiable(source: Source, names: Names) -> Iterator[Reference]:
    """Yield each use of a dynamic import whose target is no absolute, literal name."""
    literal = {node for call in source.nodes for node in _literal_use(call)}
    for node in source.nodes:
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            paths = (path for path in sorted(names.paths(node)) if _is_unproven(path, node in literal))
            yield from ((path.removeprefix("builtins."), node.lineno) for path in paths)


def _is_read(node: ast.AST) -> TypeGuard[ast.expr]:
    match node:
        case ast.Name(ctx=ast.Load()) | ast.Attribute() | ast.Call() | ast.Subscript():
            return True
    return False


def _parts(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.Attribute(value=value):
            return [value]
        case ast.Call(func=ast.Name(id="getattr"), args=[owner, ast.Constant(), *_]):
            return [owner]
    return []


def _path_pattern(package: str, modules: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(map(re.escape, modules)) or r"(?!)"
    root, tail = re.escape(package).replace(r"\.", "[./]"), r"(?P<tail>(?:[.:/]\w+)*)"
    # Code in a string counts as well: it may be executed.
    return re.compile(
        rf"(?<![\w.]){root}\s*[./]\s*(?P<path>{names})\b{tail}"
        rf"|\b{root}\s+import\b[^\n]*?\b(?P<imported>{names})\b"
        rf"|\bfrom\s+\.\.+\s*(?:import\b[^\n]*?\b)?(?P<relative>{names})\b"
        rf"|^(?P<open>{root}[./])$"
    )


def _paths_in(text: str, pattern: re.Pattern[str], package: str) -> Iterator[str]:
    for match in pattern.finditer(text):
        if match["open"]:
            yield f"{package}.*"
        else:
            module = match["path"] or match["imported"] or match["relative"]
            yield f"{package}.{module}" + re.sub("[:/]", ".", match["tail"] or "")


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else ""


def _literal_use(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.Call(func=func, args=[name, *rest], keywords=keywords) if _is_literal(name):
            # The fifth argument of __import__ makes its name relative.
            return [] if len(rest) > 3 or any(keyword.arg == "level" for keyword in keywords) else [func]
        case ast.Subscript(value=value, slice=key) if _is_literal(key):
            return [value]
    return []


def _is_literal(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=str(text)):
            return not text.startswith(".")
        case ast.Name(id="__name__"):
            return True
    return isinstance(node, ast.Constant)


def _is_unproven(path: str, literal: bool) -> bool:
    name = path.rpartition(".")[2]
    return name in _BY_FILE or (not literal and (name in _BY_NAME or path in _BY_PATH))
