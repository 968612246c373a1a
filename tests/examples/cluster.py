"""The files of `examples/cluster/`, as their readers read them."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import yaml
from honcho.environ import parse, parse_procfile

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "cluster"

#: A variable in compose.yaml or its environment, with what is said where it is missing.
_VARIABLE = re.compile(r"\$\{(\w+)(?::\?[^}]*)?\}")


def procfile() -> dict[str, list[str]]:
    """Return the words of the command of each process; `exec` is the shell's."""
    processes = parse_procfile((FOLDER / "Procfile").read_text()).processes
    return {name: shlex.split(command.removeprefix("exec ")) for name, command in processes.items()}


def environment(file: str) -> dict[str, str]:
    """Return what a file of the environment sets, as it is before somebody has filled it in."""
    return {str(name): str(value) for name, value in parse((FOLDER / file).read_text()).items()}


def compose() -> dict[str, Any]:
    """Return compose.yaml as it stands."""
    return dict(yaml.safe_load((FOLDER / "compose.yaml").read_text()))


def variables_of(file: str) -> set[str]:
    """Return the names of the variables that a file asks for."""
    return set(_VARIABLE.findall((FOLDER / file).read_text()))


def filled_in(secrets: dict[str, str], **settings: str) -> dict[str, Any]:
    """Return compose.yaml with the variables of the example in it."""
    given = secrets | settings
    text = json.dumps(compose())
    while _VARIABLE.search(text):
        text = _VARIABLE.sub(lambda found: given[found[1]], text)
    return dict(json.loads(text))
