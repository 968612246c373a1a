"""The five minutes of CONTRIBUTING.md, done to a copy of the project just as the text says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.project import ROOT, apply, copied_project, run

#: A paragraph that says where, then the python block that goes there.
_STEP = re.compile(r"(?P<where>(?:[^\n]+\n)+)\n```python\n(?P<code>.*?)```", re.DOTALL)

pytestmark = pytest.mark.skipif(
    (ROOT / "modules/restaurant/served.py").exists(), reason="this tree has done the walk already"
)


def steps() -> list[tuple[str, str]]:
    walk = (ROOT / "CONTRIBUTING.md").read_text().partition("## Add a listener")[2]
    return [(str(step["where"]), str(step["code"])) for step in _STEP.finditer(walk)]


def test_listener_of_the_walk_is_added_and_every_test_of_the_modules_passes(tmp_path: Path) -> None:
    project = copied_project(tmp_path)

    files = [apply(project, where, code) for where, code in steps()]
    ran = run(project, "pytest", "-q", "-p", "no:cacheprovider", *(str(f) for f in files if "tests" in f.parts))

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert len(files) >= 6


def test_command_of_the_walk_writes_the_revision_that_the_walk_shows(tmp_path: Path) -> None:
    project = copied_project(tmp_path)
    shown = {where: code for where, code in steps() if "tables.py" in where or "versions/" in where}
    (tables, table), (where, revision) = shown.items()
    [command] = re.findall(r"`flask (bus db revision .*?) -m \"(.*?)\"`", where)
    apply(project, tables, table)

    ran = run(project, "flask", *command[0].split(), "-m", command[1])
    run(project, "ruff", "format", "modules")

    assert ran.returncode == 0, ran.stderr
    assert (project / ran.stdout.strip()).read_text() == revision
    assert ran.stdout.strip() in where
