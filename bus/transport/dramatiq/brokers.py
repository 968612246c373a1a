"""The broker that a URL names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from importlib.util import find_spec
from ipaddress import ip_address
from typing import Any, Protocol
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from bus.errors import BusError, MissingExtraError

try:
    from dramatiq import Broker, Message
except ImportError as error:
    raise MissingExtraError("Dramatiq is not installed; pip install 'modular-bus[dramatiq]'") from error

#: What every scheme of this transport begins with.
PREFIX = "dramatiq+"


class Connection(Protocol):
    """A broker of Dramatiq's, and what the thread that sends does with it beside sending.

    Attributes:
        kind: What people call it.
        broker: The broker; it connects with its first use, each thread by itself.
    """

    kind: str

    @property
    def broker(self) -> Broker:
        """The broker."""
        ...

    def another(self) -> Broker:
        """Return another broker on the same server: one runs a single worker of Dramatiq's."""
        ...

    def probe(self) -> None:
        """Connect; raises where the broker does not answer."""
        ...

    def send(self, messages: Sequence[Message[Any]]) -> None:
        """Have messages put into their queues, in this order; when it returns, the broker has them.

        Raises:
            Exception: It does not have all of them; some it may have.
        """
        ...

    def keep_alive(self, served: Collection[str]) -> int:
        """Say that this process lives, and return how many of the application do; raises where the broker is gone.

        Args:
            served: The queues that it takes from.
        """
        ...

    def workers(self, queue: str) -> int:
        """Return how many processes take from a queue; raises where the broker does not answer."""
        ...

    def reset(self) -> None:
        """Forget a connection that has failed."""
        ...


def connection_to(url: str, application: str) -> Connection:
    """Return the broker that a URL names; opens no connection.

    Args:
        url: The URL, with what says that Dramatiq carries.
        application: What the processes that belong together have in common.

    Raises:
        BusError: The URL names no broker that there is.
        MissingExtraError: The driver of the broker is not installed.
    """
    first, *others = url.split(";")
    if others:
        # Pika takes the first of a list that answers; a load balancer does that, too, and has one name to be judged by.
        raise BusError(f"{shown(first)!r} and {len(others)} more behind a semicolon are several brokers; name one")
    scheme = urlsplit(url).scheme.removeprefix(PREFIX)
    plain = url.removeprefix(PREFIX)
    if scheme in ("amqp", "amqps"):
        _require("pika", "rabbitmq")
        from bus.transport.dramatiq.on_rabbitmq import RabbitmqConnection

        return RabbitmqConnection(plain, application)
    if scheme in ("redis", "rediss"):
        _require("redis", "redis")
        from bus.transport.dramatiq.on_redis import RedisConnection

        return RedisConnection(plain, application)
    if scheme == "stub":
        from bus.transport.dramatiq.on_stub import StubConnection

        return StubConnection()
    raise BusError(f"{shown(url)!r} names no broker; there are dramatiq+amqp, +amqps, +redis, +rediss and +stub")


def shown(url: str) -> str:
    """Return a URL as it may be shown: without a password."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    before, _, after = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{before.partition(':')[0]}:***@{after}"))


def is_private(url: str) -> bool:
    """Say whether nobody on the way can read or write along: the broker is on this machine, or behind TLS.

    TLS that takes any certificate is none: whoever is on the way has one.
    """
    parts = urlsplit(url)
    if parts.scheme.removeprefix(PREFIX) in ("amqps", "rediss", "stub") and _looks_at_certificates(parts.query):
        return True
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname == "localhost"


def with_settings(url: str, settings: Mapping[str, object]) -> str:
    """Return a URL with settings in its query where it says nothing about them."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=urlencode({**settings, **dict(parse_qsl(parts.query))})))


def _looks_at_certificates(query: str) -> bool:
    said = {name: values[-1].strip().lower() for name, values in parse_qs(query).items()}
    is_required = said.get("ssl_cert_reqs", "required") == "required"
    is_compared = said.get("ssl_check_hostname", "true") not in ("false", "f", "no", "n", "0")
    # Pika's own protocol looks at them, and any other one does not.
    return is_required and is_compared and "protocol" not in said.get("ssl_options", "")


def _require(driver: str, extra: str) -> None:
    if find_spec(driver) is None:
        raise MissingExtraError(f"{driver} is not installed; pip install 'modular-bus[{extra}]'")
