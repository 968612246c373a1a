"""Brokers that a measurement has for itself, and that are gone after it: a virtual host, a database of Redis."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import redis

#: The servers, unless others are named.
RABBITMQ, REDIS = "amqp://guest:guest@127.0.0.1:5672", "redis://127.0.0.1:6379"

#: Databases of Redis, of which the first is left to others.
DATABASES = range(1, 16)

#: What says in a database of Redis that somebody has it; tests say it in the same words.
TAKEN = "modular_bus_test"


@contextmanager
def fresh_virtual_host(server: str) -> Iterator[str]:
    """Give the URL of a virtual host in which nothing is; RabbitMQ runs on this machine."""
    name, user = f"modular_bus_benchmark_{uuid4().hex[:12]}", urlsplit(server).username or "guest"
    _control("add_vhost", name)
    try:
        _control("set_permissions", "-p", name, user, ".*", ".*", ".*")
        yield _with_path(server, name)
    finally:
        _control("delete_vhost", name)


@contextmanager
def fresh_number(server: str) -> Iterator[str]:
    """Give the URL of a database of Redis that nobody else has."""
    for number in DATABASES:
        url = _with_path(server, str(number))
        client = redis.Redis.from_url(url)
        if client.set(TAKEN, 1, nx=True, ex=7200) and client.dbsize() == 1:
            try:
                yield url
            finally:
                client.flushdb()
                client.close()
            return
        client.close()
    sys.exit(f"every database of the Redis at {server} holds something")


def _with_path(server: str, path: str) -> str:
    return urlunsplit(urlsplit(server)._replace(path=f"/{path}"))


def _control(*command: str) -> None:
    subprocess.run(["rabbitmqctl", "-q", *command], check=True, timeout=60)
