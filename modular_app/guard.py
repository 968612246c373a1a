"""The guards against what other sites make a visitor's browser send."""

from __future__ import annotations

from collections.abc import Callable

from flask import abort, request

from bus.integrations.http import shown

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


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


def refuse_foreign_posts() -> None:
    """Refuse with 403 what a browser sends from a page of another site.

    Browsers say where a request comes from in `Sec-Fetch-Site`, older ones in `Origin`. A program
    that is no browser sends neither, and nobody can be tricked into running it.
    """
    if request.method not in SAFE_METHODS and not _from_here():
        abort(403, "this was sent from a page of another site")


def _from_here() -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or origin in (f"http://{request.host}", f"https://{request.host}")
