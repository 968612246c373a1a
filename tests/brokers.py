"""The brokers that tests run on: a virtual host of their own on RabbitMQ, a database of their own on Redis."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from typing import NoReturn
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pika
import pytest
import redis

#: The servers, unless TEST_RABBITMQ_URL and TEST_REDIS_URL name others.
RABBITMQ, REDIS = "amqp://guest:guest@127.0.0.1:5672", "redis://127.0.0.1:6379"

#: Databases of Redis, of which the first is left to others.
DATABASES = range(1, 16)

#: Brokers and databases, by what their fixtures are asked for: each of them once, in half the time of each with each.
PAIRS = [("rabbitmq", "postgresql"), ("redis", "sqlite")]

#: What says in a database of Redis that a test run has it.
TAKEN = "modular_bus_test"


@pytest.fixture(scope="session")
def rabbitmq_url() -> Iterator[str]:
    """Give a virtual host that is removed at the end; the server's own where this user may make none."""
    url = os.environ.get("TEST_RABBITMQ_URL", RABBITMQ)
    try:
        pika.BlockingConnection(pika.URLParameters(url)).close()
    except (pika.exceptions.AMQPError, OSError) as error:
        without(f"no RabbitMQ answers at {url.rpartition('@')[2]} (TEST_RABBITMQ_URL): {error!r}")
    name, user = f"modular_bus_test_{uuid4().hex[:12]}", urlsplit(url).username or "guest"
    if not (_control("add_vhost", name) and _control("set_permissions", "-p", name, user, ".*", ".*", ".*")):
        yield f"dramatiq+{url}"
        return
    yield f"dramatiq+{urlunsplit(urlsplit(url)._replace(path=f'/{name}'))}"
    _control("delete_vhost", name)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """Give a database of a server that nobody else has, emptied at the end."""
    url = os.environ.get("TEST_REDIS_URL", REDIS)
    for number in DATABASES:
        numbered = urlunsplit(urlsplit(url)._replace(path=f"/{number}"))
        client = redis.Redis.from_url(numbered)
        try:
            is_ours = client.set(TAKEN, 1, nx=True, ex=7200) and client.dbsize() == 1
        except redis.RedisError as error:
            without(f"no Redis answers at {url.rpartition('@')[2]} (TEST_REDIS_URL): {error}")
        if is_ours:
            yield f"dramatiq+{numbered}"
            client.flushdb()
            client.close()
            return
        client.close()
    without("every database of this Redis holds something")


@pytest.fixture(params=["rabbitmq", "redis"])
def broker_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of either broker in turn."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(params=["stub", "rabbitmq", "redis"])
def any_broker_url(request: pytest.FixtureRequest) -> str:
    """Give the same, and that of the broker without a server."""
    return "dramatiq+stub://" if request.param == "stub" else str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def application() -> str:
    """Name an application whose queues nobody else has."""
    return f"test-{uuid4().hex[:8]}"


def without(told: str) -> NoReturn:
    """Skip a test for want of a service, or fail where none may be missing."""
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(told)
    pytest.skip(told)


def _control(*command: str) -> bool:
    with suppress(OSError, subprocess.TimeoutExpired):
        ran = subprocess.run(["rabbitmqctl", "-q", *command], capture_output=True, timeout=60, check=False)
        return ran.returncode == 0
    return False
