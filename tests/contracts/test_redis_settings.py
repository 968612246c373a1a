"""What is said of a Redis that forgets more than it has to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from bus.transport.dramatiq.brokers import connection_to
from tests.brokers import without
from tests.durable.faults import Log
from tests.own_broker import OwnRedis, lacks

Settings = Callable[[redis.Redis], object]

EVICTS, KEEPS = "set noeviction", "set appendonly yes"


def evict(client: redis.Redis) -> None:
    client.config_set("maxmemory-policy", "allkeys-lru")


def append(client: redis.Redis) -> None:
    client.config_set("appendonly", "yes")


def refuse_to_tell(client: redis.Redis) -> None:
    evict(client)
    client.acl_setuser("default", enabled=True, commands=["-info"])


CASES: dict[str, tuple[Settings, list[str]]] = {
    "keeps nothing": (lambda _client: None, [KEEPS]),
    "keeps everything": (append, []),
    "evicts": (evict, [EVICTS, KEEPS]),
    "does not tell": (refuse_to_tell, []),
}


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    if missing := lacks("redis"):
        without(f"{missing} is not installed")
    server = OwnRedis(tmp_path)
    server.start()
    yield server
    server.end()


@pytest.mark.parametrize(("settings", "advice"), CASES.values(), ids=CASES)
def test_redis_that_forgets_is_warned_of_once(own_redis: OwnRedis, settings: Settings, advice: list[str]) -> None:
    with redis.Redis.from_url(own_redis.url.removeprefix("dramatiq+")) as client:
        settings(client)
    connection = connection_to(own_redis.url, "shop")

    with Log("") as log:
        connection.probe()
        counted = [connection.keep_alive(()) for _ in range(2)]
    connection.reset()

    assert counted == [1, 1]
    assert [line.rpartition("; ")[2] for line in log.lines] == advice


def test_redis_is_not_waited_for_without_an_end() -> None:
    pool: Any = connection_to("dramatiq+redis://127.0.0.1/1?socket_timeout=3", "shop").broker.client.connection_pool  # type: ignore[attr-defined]
    found = [pool.connection_kwargs[name] for name in ("socket_timeout", "socket_connect_timeout", "socket_keepalive")]

    assert found == [3, 5, True]
