"""A broker that a test may kill: on a port and in a folder of its own, and gone after it."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Event

import pika
import redis

#: Where Debian keeps the programs of RabbitMQ; those on the path there become another user.
PROGRAMS = "/usr/lib/rabbitmq/bin"

#: Below those that the operating system gives to clients: who asks for a broker that is away could meet itself there.
PORTS = range(15_000, 32_000)

#: Seconds that a start may take, and between two looks.
PATIENCE, LOOK = 60, 0.05


class OwnBroker(ABC):
    """A broker of this process; made stopped.

    Attributes:
        url: What an application takes as its transport.
    """

    url: str

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it with what it has on its disk, and return when it answers."""
        self.begin()
        self.await_answer()

    def begin(self) -> None:
        """Start it, and wait for nothing."""
        with (self._folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self._folder,
                env={**os.environ, **self._settings()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def await_answer(self) -> None:
        """Return when it answers."""
        _await_port(self._port)

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
            self._process = None

    def end(self) -> None:
        """End it, and whatever it needs beside it."""
        self.kill()

    @abstractmethod
    def wipe(self, queues: Iterable[str]) -> None:
        """Make it forget what it has, as an operator's mistake does.

        Args:
            queues: Whatever queues it may have.
        """

    @abstractmethod
    def _command(self) -> list[str]: ...

    def _settings(self) -> Mapping[str, str]:
        return {}


class OwnRedis(OwnBroker):
    """Redis that keeps nothing on a disk: a kill is a wipe, too."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.url = f"dramatiq+redis://127.0.0.1:{self._port}/0"

    def wipe(self, queues: Iterable[str]) -> None:
        """Empty every database."""
        with redis.Redis(port=self._port) as client:
            client.flushall()

    def _command(self) -> list[str]:
        return ["redis-server", "--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]


class OwnRabbitmq(OwnBroker):
    """A node of RabbitMQ with a register of names of its own, in the same folder with the same name after a kill."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.url = f"dramatiq+amqp://guest:guest@127.0.0.1:{self._port}"
        self._names, self._between = free_port(), free_port()
        (folder / "plugins").write_text("[].\n")
        (folder / "rabbitmq.conf").touch()
        self._register = subprocess.Popen(
            ["epmd", "-port", str(self._names), "-address", "127.0.0.1"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _await_port(self._names)

    def end(self) -> None:
        """End the node and the register."""
        super().end()
        self._register.kill()
        self._register.wait(PATIENCE)

    def wipe(self, queues: Iterable[str]) -> None:
        """Delete the queues, in use or not; one that there is not is no error."""
        host = pika.ConnectionParameters("127.0.0.1", self._port)
        with pika.BlockingConnection(host) as connection:
            channel = connection.channel()
            for queue in queues:
                channel.queue_delete(queue)

    def _command(self) -> list[str]:
        return [str(_rabbitmq_program())]

    def _settings(self) -> Mapping[str, str]:
        return {
            # Where the cookie of its node lies.
            "HOME": str(self._folder),
            # The program then becomes the server, so that its process is the one to kill.
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "RABBITMQ_DIST_PORT": str(self._between),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "plugins"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_LOG_BASE": str(self._folder),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "data"),
            "RABBITMQ_NODENAME": f"own{self._port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._names),
        }


BROKERS: Mapping[str, type[OwnBroker]] = {"rabbitmq": OwnRabbitmq, "redis": OwnRedis}


def lacks(kind: str) -> str | None:
    """Return which program a broker of this kind lacks here; None where it can be started."""
    if kind == "redis":
        return None if shutil.which("redis-server") else "redis-server"
    if _rabbitmq_program() is None:
        return "rabbitmq-server"
    return None if shutil.which("epmd") else "epmd"


def _rabbitmq_program() -> Path | None:
    found = shutil.which("rabbitmq-server", path=os.pathsep.join([PROGRAMS, os.environ.get("PATH", os.defpath)]))
    return None if found is None else Path(found)


def free_port() -> int:
    """Return a port at which nobody listens, and that no client is given."""
    while True:
        port = random.choice(PORTS)
        with suppress(OSError), socket.socket() as tried:
            tried.bind(("127.0.0.1", port))
            return port


def _await_port(port: int) -> None:
    """Return when somebody listens there."""
    pause = Event()
    for _ in range(int(PATIENCE / LOOK)):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        pause.wait(LOOK)
    raise AssertionError(f"nobody answers on port {port}")
