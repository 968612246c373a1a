"""The steps of docs/how-to/migrate.md, done to a copy of the project, end as the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.docs.project import ROOT, copied_project, run
from tests.docs.transcript import Call, read_transcript

PAGE = (ROOT / "docs/how-to/migrate.md").read_text()

#: What changes in a file, which its paragraph names.
_CHANGE = re.compile(r"In `(?P<file>[\w/.]+)`:\n\n```diff\n(?P<lines>.*?)```", re.DOTALL)
_REVISION = re.compile(r"```python\n(?P<code>.*?)```", re.DOTALL)


def change(project: Path, file: str, lines: list[str]) -> None:
    """Make the change of a diff."""
    before, after = ("".join(f"{line[1:]}\n" for line in lines if line[0] in kept) for kept in (" -", " +"))
    text = (project / file).read_text()
    assert text.count(before) == 1
    (project / file).write_text(text.replace(before, after))


def answer(project: Path, command: str) -> str:
    ran = run(project, *shlex.split(command))
    if "revision" in command:
        run(project, "ruff", "format", "modules")
    return ran.stdout + ran.stderr


def test_commands_of_the_page_print_what_the_page_says(tmp_path: Path) -> None:
    project = copied_project(tmp_path)
    run(project, "flask", "bus", "db", "upgrade")
    [(file, lines)] = _CHANGE.findall(PAGE)
    change(project, file, lines.splitlines())
    calls = [step for step in read_transcript(PAGE) if isinstance(step, Call)]

    printed = [f"$ {call.command}\n{answer(project, call.command)}" for call in calls]
    [revision] = project.glob("modules/kitchen/migrations/versions/r0002*.py")

    assert printed == [f"$ {call.command}\n{call.output}" for call in calls]
    assert [revision.read_text()] == _REVISION.findall(PAGE)
