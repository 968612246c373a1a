"""Which tests stand for which promise: read from their names, written to docs/reference/tests.md.

`python -m tests.index` writes the page anew.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROMISES = ROOT / "docs" / "reference" / "semantics.md"
#: Where tests are, and the suites that certify every implementation of a port.
FOLDERS = {"tests": "test_*.py", "bus/testing/contracts": "*.py"}
PAGE = ROOT / "docs" / "reference" / "tests.md"

_HEAD = """\
# The tests of each promise

Made by `python -m tests.index` out of the tests' names, and checked by a test: every promise of
[what the bus means](semantics.md) is here, and every test that is named after one, by its file in `tests/`; what
`bus/testing/contracts/` asks of every implementation of a port is there.

| promise | tests |
|---|---|
"""


def promises() -> list[str]:
    """Return the ids of the page of promises, in its order: `S01`, `B09`, `25` for a scenario."""
    return re.findall(r"^\| ([STB]?\d\d) \|", PROMISES.read_text(), flags=re.MULTILINE)


def by_promise() -> dict[str, list[str]]:
    """Return the tests of each promise as `file::name`, sorted."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for file, name in every_test():
        match = re.match(r"test_(?:([stb]\d\d)|scenario_(\d\d))_", name)
        if match:
            found[(match[1] or match[2]).upper()].append(f"{file}::{name}")
    return {promise: sorted(tests) for promise, tests in found.items()}


def page() -> str:
    """Return the page as it should be."""
    found = by_promise()
    return _HEAD + "".join(_row(promise, found.get(promise, [])) for promise in promises())


def _row(promise: str, tests: list[str]) -> str:
    return f"| {promise} | {'<br>'.join(f'`{test}`' for test in tests)} |\n"


def every_test() -> Iterator[tuple[str, str]]:
    """Yield the file and the name of each test."""
    for path in (path for folder, pattern in FOLDERS.items() for path in sorted((ROOT / folder).rglob(pattern))):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield path.relative_to(ROOT).as_posix().removeprefix("tests/"), node.name


if __name__ == "__main__":
    PAGE.write_text(page())
