"""The commands of docs/how-to/operate.md print what the page says, when they are run in its order."""

from __future__ import annotations

import getpass
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from bus.integrations.cli import bus_commands
from modular_app.app import create_app
from tests.docs.counter import Counter
from tests.docs.transcript import Happening, comparable, ids_in, read_transcript

PAGE = Path(__file__).parents[2] / "docs/how-to/operate.md"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """Make the reference application in a folder like that of the page, with the page's operator before it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    for name in [name for name in os.environ if name.startswith("FLASK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FLASK_DATABASE_URL", "sqlite:///instance/{module}.db")
    (tmp_path / "instance").mkdir()
    app = create_app()
    yield app
    for database in app.extensions["modular-app"].databases.values():
        database.close()


class Walk:
    """Runs the commands of the page; an id that the page took from an output becomes the one of this run."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._ids: dict[str, str] = {}

    def call(self, command: str, said: str) -> str:
        words = [self._translated(word) for word in shlex.split(command)]
        assert words[:2] == ["flask", "bus"], command
        output = self._app.test_cli_runner().invoke(args=words[1:]).output
        self._ids |= zip(ids_in(said), ids_in(output), strict=False)
        return output

    def _translated(self, word: str) -> str:
        meant = [id for id in self._ids if len(word) >= 8 and id.startswith(word)]
        return self._ids[meant[0]] if meant else word


def test_page_prints_what_its_commands_print(app: Flask) -> None:
    walk, counter = Walk(app), Counter(app)
    shown, printed = [], []

    for step in read_transcript(PAGE.read_text()):
        if isinstance(step, Happening):
            counter.happen(step.what)
        else:
            shown.append(f"$ {step.command}\n{comparable(step.output)}")
            printed.append(f"$ {step.command}\n{comparable(walk.call(step.command, step.output))}")

    assert printed == shown
    assert len(shown) > 10


def test_page_names_every_command() -> None:
    page = PAGE.read_text()

    assert [name for name in bus_commands.commands if f"flask bus {name}" not in page] == []
