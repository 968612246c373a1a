"""The size limits of the project: each function returns the breaches of one rule."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

CODE_ROOTS = ("bus", "modules", "modular_app", "tests", "benchmarks")
FILE_LIMITS = {"bus": 400, "modules": 150, "modular_app": 150}
FUNCTION_LIMIT = 30
NESTING_LIMIT = 3

#: Names that say how a file came about and not what it is about.
EMPTY_NAME = re.compile(r"(^|_)(utils?|helpers?|misc|part_?\d+|\d)$")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Loop = ast.For | ast.AsyncFor | ast.While
Block = ast.If | Loop | ast.With | ast.AsyncWith | ast.Try | ast.TryStar | ast.Match


def python_files(root: Path) -> list[Path]:
    """Return the paths of the project's own Python files, relative to `root`."""
    folders = (root / name for name in CODE_ROOTS)
    files = [*root.glob("*.py"), *(file for folder in folders for file in folder.rglob("*.py"))]
    return sorted(file.relative_to(root) for file in files)


def file_breaches(file: Path, source: str) -> list[str]:
    """Return a breach if `file` is longer than its package allows."""
    limit = FILE_LIMITS.get(file.parts[0])
    lines = len(source.splitlines())
    return [f"{file}: {lines} lines, allowed are {limit}"] if limit and lines > limit else []


def name_breaches(file: Path) -> list[str]:
    """Return a breach for each part of the path that names no concept."""
    parts = file.with_suffix("").parts
    return [f"{file}: {part} names no concept" for part in parts if EMPTY_NAME.search(part)]


def function_breaches(file: Path, source: str) -> list[str]:
    """Return a breach for each function with more code lines in its body than allowed.

    A revision of a schema is a list that was written for its author, and that nobody changes any more.
    """
    if file.parent.name == "versions":
        return []
    breaches = []
    for function in functions(source):
        lines = code_lines(function, source)
        if lines > FUNCTION_LIMIT:
            breaches.append(f"{place(file, function)}: {lines} code lines, allowed are {FUNCTION_LIMIT}")
    return breaches


def nesting_breaches(file: Path, source: str) -> list[str]:
    """Return a breach for each function whose blocks lie deeper in one another than allowed."""
    breaches = []
    for function in functions(source):
        blocks = deepest(function.body)
        if blocks > NESTING_LIMIT:
            breaches.append(f"{place(file, function)}: {blocks} blocks deep, allowed are {NESTING_LIMIT}")
    return breaches


def functions(source: str) -> Iterator[Function]:
    """Yield every function and method of the source, nested ones too."""
    return (node for node in ast.walk(ast.parse(source)) if isinstance(node, Function))


def place(file: Path, function: Function) -> str:
    return f"{file}:{function.lineno} {function.name}"


def code_lines(function: Function, source: str) -> int:
    """Count the lines of the body that are neither blank nor comment nor docstring."""
    lines = source.splitlines()
    skipped = docstring_lines(function)
    body = range(function.body[0].lineno, (function.end_lineno or function.lineno) + 1)
    return sum(1 for number in body if number not in skipped and is_code(lines[number - 1]))


def is_code(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def docstring_lines(function: Function) -> set[int]:
    """Return the numbers of the lines that docstrings take, of nested definitions too."""
    definitions = (n for n in ast.walk(function) if isinstance(n, Function | ast.ClassDef))
    documented = (each.body[0] for each in definitions if ast.get_docstring(each) is not None)
    return {number for node in documented for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)}


def deepest(statements: list[ast.stmt]) -> int:
    """Return how many blocks the innermost of these statements lies in; a function starts anew."""
    return max((depth(statement) for statement in statements), default=0)


def depth(statement: ast.stmt) -> int:
    if not isinstance(statement, Block):
        return 0
    chained = chained_elif(statement)
    if chained is not None:
        return max(1 + deepest(inner(statement, without="orelse")), depth(chained))
    return 1 + deepest(inner(statement))


def chained_elif(statement: ast.stmt) -> ast.If | None:
    """Return the `elif` of an `if`: the one that starts in the same column."""
    match statement:
        case ast.If(orelse=[ast.If() as chained]) if chained.col_offset == statement.col_offset:
            return chained
    return None


def inner(statement: ast.stmt, without: str = "") -> list[ast.stmt]:
    """Return the statements one block below, those of handlers and cases included."""
    found: list[ast.stmt] = []
    for field, value in ast.iter_fields(statement):
        for node in value if isinstance(value, list) and field != without else []:
            found.extend([node] if isinstance(node, ast.stmt) else getattr(node, "body", []))
    return found
