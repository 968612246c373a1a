"""What carries events between the modules, as the configuration has it."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Config

from bus.assembly import BROKERS, IN_PROCESS, STUB
from bus.errors import BusError
from bus.transport.dramatiq.signing import Signer
from modular_app.sources import ConfigurationError, Sources, listed, masked, nearest


def bus_url(config: Config, sources: Sources) -> str:
    """Return the URL of the transport.

    Raises:
        ConfigurationError: It names none.
    """
    value = config.get("BUS_URL", IN_PROCESS)
    if value == IN_PROCESS:
        return IN_PROCESS
    told = f"{sources.of('BUS_URL')} sets BUS_URL to {masked(value)!r}"
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{told}, which is no URL: set {IN_PROCESS}, or remove it")
    scheme = value.partition(":")[0]
    if scheme in BROKERS:
        return _broker_url(scheme, value, told)
    near = nearest(scheme, ("inprocess", *BROKERS))
    if scheme == "inprocess" or near is None:
        raise ConfigurationError(
            f"{told}: set {IN_PROCESS}, with nothing behind it, or a broker, such as dramatiq+amqp://HOST"
        )
    raise ConfigurationError(f"{told}: there is no transport {scheme!r}; did you mean {near}://?")


def signing_keys(config: Config, sources: Sources) -> tuple[str, ...]:
    """Return the secrets with which messages are signed; none by default.

    Raises:
        ConfigurationError: They are too many, too short, or no texts.
    """
    value = config.get("BUS_SIGNING_KEYS")
    if value is None:
        return ()
    keys = tuple(listed(value))
    try:
        if not keys or not all(isinstance(key, str) for key in keys):
            raise BusError("it names no secret; make one with: openssl rand -hex 32")
        Signer(keys)
    except BusError as error:
        raise ConfigurationError(f"{sources.of('BUS_SIGNING_KEYS')} sets BUS_SIGNING_KEYS: {error}") from None
    return keys


def _broker_url(scheme: str, value: str, told: str) -> str:
    if scheme != STUB and not urlsplit(value).hostname:
        raise ConfigurationError(f"{told}, which names no host: write {scheme}://HOST")
    return value
