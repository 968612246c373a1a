"""The files that the page about testing shows are written as it says, and pass."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: A paragraph that names a file last, then the block that is its content.
_FILE = re.compile(r"`(?P<name>\w+\.py)`:\n\n```python\n(?P<code>.*?)```", re.DOTALL)


def test_every_file_on_the_page_passes(tmp_path: Path) -> None:
    page = (ROOT / "docs/how-to/test-a-module.md").read_text()
    files = {found["name"]: found["code"] for found in _FILE.finditer(page)}
    for name, code in files.items():
        (tmp_path / name).write_text(code)

    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", *files],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert len(files) == page.count("```python") == 5
