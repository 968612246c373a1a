"""A copy of the project that a page's steps are done to."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: What steps change or import.
FOLDERS = ["bus", "modules", "modular_app", "tests/app", "tests/modules"]

#: What `apply` reads of where a block goes.
_FILE = re.compile(r"`([\w/]+\.py)`")


def copied_project(folder: Path) -> Path:
    """Make the copy, with an empty folder for its databases."""
    (folder / "instance").mkdir()
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in [
        "pyproject.toml",
        "wsgi.py",
        "tests/__init__.py",
        "tests/conftest.py",
        "tests/databases.py",
        "tests/own_server.py",
        "tests/brokers.py",
        "tests/late_rollback.py",
        "tests/telling.py",
    ]:
        shutil.copy(ROOT / name, folder / name)
    return folder


def apply(folder: Path, where: str, code: str) -> Path:
    """Put a block where its paragraph says, and return the file."""
    path: Path = folder / _FILE.findall(where)[-1]
    if "new file" in where:
        path.write_text(code)
    elif "Among the imports" in where:
        text = path.read_text()
        last_import = [found.end() for found in re.finditer(r"^from .* import .*\n", text, re.MULTILINE)][-1]
        path.write_text(text[:last_import] + code + text[last_import:])
    else:
        path.write_text(path.read_text() + "\n" + code)
    return path


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a module of Python in the copy."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FLASK_")}
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
