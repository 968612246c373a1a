"""The databases that proofs run on: fresh files, and fresh databases of the PostgreSQL server where one answers."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from tests.databases import SERVER, Server

ROOT = Path(__file__).parents[2]


@contextmanager
def fresh(*layouts: str) -> Iterator[dict[str, list[str]]]:
    """Give, by the name of each kind of database, a URL with `{module}` in it for each of the layouts; then remove all.

    Without a server there is SQLite alone, and the proof says so; where services are required that is an error.
    """
    server = Server(make_url(os.environ.get("TEST_POSTGRESQL_URL", SERVER)))
    with tempfile.TemporaryDirectory() as folder:
        urls = {"SQLite": [_file(Path(folder) / layout) for layout in layouts]}
        if _answers(server):
            urls["PostgreSQL"] = [server.url_of(layout) for layout in layouts]
        try:
            yield urls
        finally:
            server.drop_all()


def child(name: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a program of `tests.prove.children`, whose output can be read."""
    command = [sys.executable, "-m", f"tests.prove.children.{name}", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str], seconds: float = 300) -> list[str]:
    """Wait for a child's end, at most for so many seconds, and return the lines that it has printed.

    Raises:
        CalledProcessError: It has failed.
    """
    printed, _ = process.communicate(timeout=seconds)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return printed.splitlines()


def _file(folder: Path) -> str:
    folder.mkdir()
    return f"sqlite:///{folder}/{{module}}.db"


def _answers(server: Server) -> bool:
    try:
        server.ask()
    except OperationalError as error:
        if os.environ.get("REQUIRE_SERVICES") == "1":
            raise
        print(f"  on SQLite alone: no PostgreSQL answers (TEST_POSTGRESQL_URL): {error.orig}")
        return False
    return True
