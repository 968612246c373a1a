"""Programs in the documentation run, and print what the text says that they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: A program followed by its output: a fenced python block, then a fenced text block.
_EXAMPLE = re.compile(r"```python\n(?P<program>.*?)```\s+```text\n(?P<output>.*?)```", re.DOTALL)

PAGES = ["README.md", "docs/concepts/events.md", "docs/concepts/failure.md", "docs/concepts/read-models.md"]


EXAMPLES = [
    pytest.param(found["program"], found["output"], id=f"{page}-{number}")
    for page in PAGES
    for number, found in enumerate(_EXAMPLE.finditer((ROOT / page).read_text()), 1)
]


def test_every_page_shows_a_program_with_its_output() -> None:
    shown = {str(example.id).rpartition("-")[0] for example in EXAMPLES}

    assert shown == set(PAGES)


@pytest.mark.parametrize(("program", "output"), EXAMPLES)
def test_program_on_a_page_prints_what_the_page_says(program: str, output: str, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (ran.stdout, ran.stderr) == (output, "")


def test_program_in_the_readme_has_at_most_twenty_lines_of_code() -> None:
    found = _EXAMPLE.search((ROOT / "README.md").read_text())
    assert found

    code = [line for line in found["program"].splitlines() if line.strip()]

    assert len(code) <= 20
