"""The five minutes of CONTRIBUTING.md, done to a copy of the project just as the text says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: What the walk changes or imports.
FOLDERS = ["bus", "modules", "modular_app", "tests/app", "tests/modules"]

#: What has to pass after it: the new tests, and those that were there.
RUN = ["tests/modules/restaurant", "tests/app/test_served.py", "tests/app/test_databases.py"]

#: A paragraph that says where, then the python block that goes there.
_STEP = re.compile(r"(?P<where>(?:[^\n]+\n)+)\n```python\n(?P<code>.*?)```", re.DOTALL)


def copied_project(folder: Path) -> Path:
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ["pyproject.toml", "wsgi.py", "tests/__init__.py", "tests/conftest.py"]:
        shutil.copy(ROOT / name, folder / name)
    return folder


def apply(folder: Path, where: str, code: str) -> Path:
    """Put a block where its paragraph says, and return the file."""
    path: Path = folder / re.findall(r"`([\w/]+\.py)`", where)[-1]
    if "new file" in where:
        path.write_text(code)
    elif "Among the imports" in where:
        text = path.read_text()
        last_import = [found.end() for found in re.finditer(r"^from .* import .*\n", text, re.MULTILINE)][-1]
        path.write_text(text[:last_import] + code + text[last_import:])
    else:
        path.write_text(path.read_text() + "\n" + code)
    return path


@pytest.mark.skipif((ROOT / "modules/restaurant/served.py").exists(), reason="this tree has done the walk already")
def test_listener_of_the_walk_is_added_and_every_test_of_the_modules_passes(tmp_path: Path) -> None:
    project = copied_project(tmp_path)
    walk = (ROOT / "CONTRIBUTING.md").read_text().partition("## Add a listener")[2]

    files = [apply(project, str(step["where"]), str(step["code"])) for step in _STEP.finditer(walk)]
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            *(str(f) for f in files if "tests" in f.parts),
        ],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert len(files) >= 5
