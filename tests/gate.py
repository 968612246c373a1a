"""A gate before a server: shut, nobody gets in, and who is inside is thrown out."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Lock, Thread
from urllib.parse import urlsplit, urlunsplit

#: Bytes that are passed on at once.
AT_ONCE = 1 << 16

#: Where the servers of the tests listen, unless their URL says so.
PORTS = {"amqp": 5672, "redis": 6379}


class Gate:
    """Passes everything on to a server while it is open; made open.

    Attributes:
        url: The server's URL by way of the gate.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        scheme = parts.scheme.rpartition("+")[2]
        self._server = (parts.hostname or "127.0.0.1", parts.port or PORTS[scheme])
        self._lock = Lock()
        self._inside: set[socket.socket] = set()
        self._listening: socket.socket | None = None
        self._port = 0
        self.open()
        user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        self.url = urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{self._port}"))

    def open(self) -> None:
        """Let clients in, on the same port as ever."""
        self._listening = socket.create_server(("127.0.0.1", self._port))
        self._port = self._listening.getsockname()[1]
        Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def shut(self) -> None:
        """Refuse who comes, and break off what is going on."""
        if self._listening is not None:
            _end(self._listening)
            self._listening.close()
            self._listening = None
        with self._lock:
            for each in self._inside:
                _end(each)

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, *_error: object) -> None:
        self.shut()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._server) as server:
            with self._lock:
                self._inside |= {client, server}
            answering = Thread(target=_pass_on, args=(server, client), daemon=True)
            answering.start()
            _pass_on(client, server)
            answering.join()
            with self._lock:
                self._inside -= {client, server}


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while said := source.recv(AT_ONCE):
            target.sendall(said)
    _end(target)


def _end(wire: socket.socket) -> None:
    with suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)
