"""The hosts that a request may be for: a page of another site whose name leads here is kept out."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import abort, request

from bus.integrations.http import shown
from modular_app.sources import ConfigurationError, Sources, listed

#: The hosts where nothing else is said: those of this machine.
LOCAL = ("localhost", "127.0.0.1", "[::1]")
#: A host name, one with a dot before it, or an IPv6 address in brackets; neither a scheme nor a port.
HOST = r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]"


def trusted_hosts(value: object, sources: Sources) -> tuple[str, ...]:
    """Return the hosts that `TRUSTED_HOSTS` names; none stands for any.

    Raises:
        ConfigurationError: One is no host.
    """
    if value is None:
        return LOCAL
    names = listed(value)
    if names == ["*"]:
        return ()
    for name in names or [""]:
        if not re.fullmatch(HOST, name):
            raise ConfigurationError(
                f"{sources.of('TRUSTED_HOSTS')} sets TRUSTED_HOSTS to {value!r}: {name!r} is no host; write names "
                "without scheme and port, such as shop.example, .shop.example for all below it, or * for any host"
            )
    return tuple(names)


def only_for(trusted: tuple[str, ...]) -> Callable[[], None]:
    """Return a guard that refuses with 400 a request for any other host than these.

    A page of another site whose name its owner lets point here is of this origin to a browser; only the host that
    the browser names tells them apart. Flask's own check knows no IPv6, and leaves no way to answer with a page.

    Args:
        trusted: Host names; a dot before one takes in all below it. Where there is none, every host is served.
    """

    def refuse_other_hosts() -> None:
        if trusted and not any(_is_host(request.host, name) for name in trusted):
            abort(
                400, f"{shown(request.host) or 'this'} is no host of this application; FLASK_TRUSTED_HOSTS names them"
            )

    return refuse_other_hosts


def _is_host(given: str, name: str) -> bool:
    host = given.lower().removesuffix(_port(given))
    return host == name.lower().removeprefix(".") or (name.startswith(".") and host.endswith(name.lower()))


def _port(host: str) -> str:
    _, colon, port = host.rpartition(":")
    return f"{colon}{port}" if port.isdecimal() else ""
