"""What a user imports is there, and needs no extra."""

from __future__ import annotations

import subprocess
import sys

import pytest

import bus

#: Everything that an extra installs, as far as code of ours imports it.
EXTRAS = [
    "click",
    "dependency_injector",
    "dramatiq",
    "flask",
    "grimp",
    "pika",
    "psycopg",
    "pytest",
    "redis",
    "werkzeug",
]

IMPORT_ALL = f"""
import sys
for name in {EXTRAS!r}:
    sys.modules[name] = None
import bus, bus.testing
print(*[name for name in bus.__all__ if getattr(bus, name) is None])
"""


def test_every_public_name_is_there_without_any_extra() -> None:
    ran = subprocess.run([sys.executable, "-W", "error", "-c", IMPORT_ALL], capture_output=True, text=True, timeout=60)

    assert (ran.stdout.strip(), ran.stderr) == ("", "")


def test_missing_extra_names_the_command_that_installs_it() -> None:
    code = "import sys; sys.modules['flask'] = None; import bus.integrations.flask"

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert "pip install 'modular-bus[flask]'" in ran.stderr


@pytest.mark.parametrize("part", ["contracts", "plugin"])
def test_part_of_the_kit_that_needs_pytest_names_the_command_that_installs_it(part: str) -> None:
    code = f"import sys; sys.modules['pytest'] = None; import bus.testing.{part}"

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert "pip install 'modular-bus[testing]'" in ran.stderr


def test_public_names_stand_once() -> None:
    assert len(bus.__all__) == len(set(bus.__all__))
