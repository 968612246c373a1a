"""The wire between a test and PostgreSQL, which can be cut in the middle of a COMMIT."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread

from sqlalchemy import URL, Connection, make_url

#: How the driver asks for it, in the simple protocol: the statement and the byte that ends it.
COMMIT = b"COMMIT\0"

#: Bytes that are passed on at once: more than any message of these tests.
AT_ONCE = 1 << 20


class Wire:
    """Passes everything on between clients and a server; a thread-safe stand-in for the network.

    Attributes:
        url: The server's URL by way of this wire.
    """

    def __init__(self, url: str) -> None:
        self._server = make_url(url)
        self._listening = socket.create_server(("127.0.0.1", 0))
        port = self._listening.getsockname()[1]
        rest = {key: value for key, value in self._server.query.items() if key != "host"}
        # Encrypted, a COMMIT could not be seen.
        by_way = self._server.set(host="127.0.0.1", port=port, query=rest).update_query_dict({"sslmode": "disable"})
        self.url = by_way.render_as_string(hide_password=False).replace("%7B", "{").replace("%7D", "}")
        self._to_cut: dict[int, bool] = {}
        self._threads: list[Thread] = []
        Thread(target=self._accept, daemon=True).start()

    def cut(self, connection: Connection, *, arrives: bool) -> None:
        """Cut a client's connection at its next COMMIT: before that arrives, or after, when only its reply is lost."""
        with socket.socket(fileno=os.dup(connection.connection.driver_connection.fileno())) as found:  # type: ignore[union-attr]
            self._to_cut[found.getsockname()[1]] = arrives

    def close(self) -> None:
        """Let nobody in any more, and wait for the clients to go."""
        _end(self._listening)
        self._listening.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, (_, port) = self._listening.accept()
                self._threads.append(Thread(target=self._serve, args=(client, port), daemon=True))
                self._threads[-1].start()

    def _serve(self, client: socket.socket, port: int) -> None:
        with client, _connected(self._server) as server:
            answering = Thread(target=_pass_on, args=(server, client), daemon=True)
            answering.start()
            with suppress(OSError):
                self._ask(client, server, port)
            _end(client)
            _end(server)
            answering.join()

    def _ask(self, client: socket.socket, server: socket.socket, port: int) -> None:
        while asked := client.recv(AT_ONCE):
            if COMMIT in asked and port in self._to_cut:
                _end(client)
                if self._to_cut.pop(port):
                    server.sendall(asked)
                return
            server.sendall(asked)


@contextmanager
def wired(url: str) -> Iterator[Wire]:
    """Give a wire to a server for the length of a block."""
    wire = Wire(url)
    try:
        yield wire
    finally:
        wire.close()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while answered := source.recv(AT_ONCE):
            target.sendall(answered)
    _end(target)


def _connected(url: URL) -> socket.socket:
    folder = url.query.get("host")
    if isinstance(folder, str) and folder.startswith("/"):
        found = socket.socket(socket.AF_UNIX)
        found.connect(f"{folder}/.s.PGSQL.{url.port or 5432}")
        return found
    return socket.create_connection((url.host or "127.0.0.1", url.port or 5432))


def _end(wire: socket.socket) -> None:
    with suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)
