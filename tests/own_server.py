"""A PostgreSQL server that a test may stop and kill: on a port and in a folder of its own, and gone after it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

#: Where Debian keeps the programs of a server, which are not on the path there.
PROGRAMS = "/usr/lib/postgresql"

#: Who runs the server where root runs the tests, which initdb refuses.
USERS = ("postgres", "nobody")

#: Seconds that a start or an end may take.
PATIENCE = 60

#: What a machine without power would lose is no concern here.
SETTINGS = ("fsync=off", "max_connections=200", "shared_buffers=32MB", "log_min_messages=fatal")


class OwnServer:
    """A PostgreSQL server of this process.

    Attributes:
        url: The URL of schemas in its database; `{module}` stands for the modules' names.
    """

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder, self._programs = folder, programs
        self._user = _user()
        if self._user is not None:
            shutil.chown(folder, self._user)
        self._port = _free_port()
        self._root = f"postgresql+psycopg://server@127.0.0.1:{self._port}/postgres"
        self.url = f"{self._root}?schema={{module}}"
        self._run("initdb", "--pgdata", str(folder / "data"), "--auth=trust", "--username=server", "--no-sync")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def url_of(self, schema: str) -> str:
        """Return the URL of one schema in its database."""
        return self.url.replace("{module}", schema)

    def start(self) -> None:
        """Start it, and return when it answers."""
        settings = [part for setting in SETTINGS for part in ("-c", setting)]
        own = ["-D", str(self._folder / "data"), "-p", str(self._port), "-k", str(self._folder)]
        self._process = subprocess.Popen(
            [str(self._programs / "postgres"), *own, *settings],
            user=self._user,
            group=self._user and _group(self._user),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        pause = Event()
        for _ in range(PATIENCE * 20):
            if self._answers():
                return
            pause.wait(0.05)
        raise AssertionError("the server does not answer")

    def end(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """End it: at once and with no word to its clients, or with SIGINT after their transactions are rolled back."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Have it take connections and say nothing for as long as the block runs, as where its disk does not answer."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        pids = [self._process.pid, *map(int, children.read_text().split())]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                # One of its own may have been about to end.
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _answers(self) -> bool:
        engine = create_engine(self._root, poolclass=NullPool, connect_args={"connect_timeout": 2})
        try:
            with engine.connect() as connection:
                return bool(connection.scalar(text("SELECT 1")))
        except OperationalError:
            return False

    def _run(self, program: str, *arguments: str) -> None:
        command: Sequence[str] = [str(self._programs / program), *arguments]
        group = self._user and _group(self._user)
        subprocess.run(command, user=self._user, group=group, cwd="/", check=True, capture_output=True)


@pytest.fixture(scope="session")
def programs() -> Path:
    """Find a server's programs; where none are installed the test is skipped, or fails where services are required."""
    found = server_programs()
    if found is None:
        told = f"no initdb on the path or in {PROGRAMS}: the programs of a PostgreSQL server are not installed"
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail(told)
        pytest.skip(told)
    return found


@pytest.fixture
def own_server(programs: Path) -> Iterator[OwnServer]:
    """Run a server for one test."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = OwnServer(Path(folder), programs)
        try:
            yield server
        finally:
            server.end()


def server_programs() -> Path | None:
    """Return the folder of the newest server's programs."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).parent
    folders = [path.parent for path in Path(PROGRAMS).glob("*/bin/initdb")]
    return max(folders, key=lambda folder: float(folder.parent.name), default=None)


def _user() -> str | None:
    if os.geteuid() != 0:
        return None
    import pwd

    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(user for user in USERS if user in known)


def _group(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
