"""What every answer tells browsers: to run and load nothing that is not this application's own."""

from __future__ import annotations

from flask import Response, request

#: Scripts and styles come from files of this host alone: none stands in a page, and no text is ever run as code.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def add_headers(response: Response) -> Response:
    """Add the headers that an answer has not got; pages show what changes, so no cache keeps them."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint is not None and not request.endpoint.endswith("static"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response
