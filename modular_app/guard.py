"""The guard against forms that another site sends in a visitor's name."""

from __future__ import annotations

from flask import abort, request

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


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
