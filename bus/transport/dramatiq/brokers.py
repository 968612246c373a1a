"""The brokers that a URL names, set up so that nothing that was sent is lost while they live."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from bus.errors import BusError, MissingExtraError

try:
    from dramatiq import Broker
    from dramatiq.brokers.stub import StubBroker
except ImportError as error:
    raise MissingExtraError("Dramatiq is not installed; pip install 'modular-bus[dramatiq]'") from error

#: What every scheme of this transport begins with.
PREFIX = "dramatiq+"

#: Seconds until a silent RabbitMQ is given up, and for which a connection and a blocked one are waited for.
HEARTBEAT, CONNECT_TIMEOUT, BLOCKED_TIMEOUT = 15, 5, 30

#: Milliseconds of silence after which the messages of a process on Redis are given to others; and one look in a
#: thousand commands is not enough to find it, so each is one.
HEARTBEAT_TIMEOUT, MAINTENANCE_CHANCE = 15_000, 1_000_000


@dataclass(frozen=True, slots=True)
class Connected:
    """A broker, and what its sending thread does beside sending.

    Attributes:
        broker: The broker; it connects with its first use, each thread by itself.
        probe: Connects; raises where the broker does not answer.
        keep_alive: Answers what the broker has asked meanwhile; raises where it is gone.
        reset: Forgets a connection that has failed.
    """

    broker: Broker
    probe: Callable[[], object]
    keep_alive: Callable[[], object]
    reset: Callable[[], object]


def connected(url: str) -> Connected:
    """Return the broker that a URL names; opens no connection.

    Raises:
        BusError: The URL names no broker that there is.
        MissingExtraError: The driver of the broker is not installed.
    """
    scheme = urlsplit(url).scheme.removeprefix(PREFIX)
    plain = url.removeprefix(PREFIX)
    if scheme in ("amqp", "amqps"):
        return _rabbitmq(plain)
    if scheme in ("redis", "rediss"):
        return _redis(plain)
    if scheme == "stub":
        broker = StubBroker(middleware=[])
        broker.emit_after("process_boot")
        return Connected(broker, _nothing, _nothing, _nothing)
    raise BusError(f"{shown(url)!r} names no broker; there are dramatiq+amqp, +amqps, +redis, +rediss and +stub")


def shown(url: str) -> str:
    """Return a URL as it may be shown: without a password."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    before, _, after = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{before.partition(':')[0]}:***@{after}"))


def _rabbitmq(url: str) -> Connected:
    _require("pika", "rabbitmq")
    from dramatiq.brokers.rabbitmq import RabbitmqBroker

    # Without confirms what was sent is lost with the broker, though sending it has returned.
    broker = RabbitmqBroker(url=_with_settings(url), confirm_delivery=True, middleware=[])

    def reset() -> None:
        del broker.connection

    return Connected(broker, lambda: broker.channel, lambda: broker.connection.process_data_events(0), reset)


def _redis(url: str) -> Connected:
    _require("redis", "redis")
    from dramatiq.brokers.redis import RedisBroker

    make: Any = RedisBroker
    broker = make(
        url=url,
        middleware=[],
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        maintenance_chance=MAINTENANCE_CHANCE,
    )
    return Connected(broker, broker.client.ping, _nothing, broker.client.connection_pool.disconnect)


def _require(driver: str, extra: str) -> None:
    if find_spec(driver) is None:
        raise MissingExtraError(f"{driver} is not installed; pip install 'modular-bus[{extra}]'")


def _with_settings(url: str) -> str:
    """Return an AMQP URL with our settings where it says nothing about them."""
    parts = urlsplit(url)
    ours = {
        "heartbeat": HEARTBEAT,
        "connection_attempts": 1,
        "socket_timeout": CONNECT_TIMEOUT,
        "blocked_connection_timeout": BLOCKED_TIMEOUT,
    }
    return urlunsplit(parts._replace(query=urlencode({**ours, **dict(parse_qsl(parts.query))})))


def _nothing() -> None: ...
