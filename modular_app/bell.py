"""The bell of the page: it tells browsers that something has changed, and never what."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from bus import BusClosed, EventBus, listener
from modular_app.guard import SAFE_METHODS

#: Streams that one process keeps open; each takes a thread of the server, and further browsers ask by themselves.
#: Flask's own server makes a thread for each request, others have a few in all: four threads, say.
MAX_STREAMS, MAX_STREAMS_OF_FLASK = 3, 16
#: Seconds of one stream, after which the browser opens the next: servers wait 30 s and more for one that they end.
STREAM_LIFE = 25.0
#: Seconds between two signs of life, so that it is noticed when nobody listens any more.
SIGN_OF_LIFE = 1.0
#: Seconds in which many rings are one.
GATHERING = 0.2
#: Seconds at most until a stream notices that the process ends.
LOOK = 0.5


class Bell:
    """Rings in every stream when anything of the bus happens; thread-safe.

    It keeps no event, asks no database and holds no connection: whoever hears it fetches what there is.
    """

    def __init__(self) -> None:
        self._rung = threading.Condition()
        self._rings = 0
        self._streams = 0
        self._is_over = False

    def ring(self, *_sender: object, **_details: object) -> None:
        """Say that something has changed; fit as a receiver of any signal."""
        with self._rung:
            self._rings += 1
            self._rung.notify_all()

    def ring_after_change(self, response: Response) -> Response:
        """Ring after a request that may have changed what no event tells, such as opening hours."""
        if request.method not in SAFE_METHODS:
            self.ring()
        return response

    @listener
    def end_with_the_bus(self, _event: BusClosed) -> None:
        """End every stream, for the process ends."""
        self.end()

    def end(self) -> None:
        """End every stream within half a second; takes no lock, so that a signal handler may call it."""
        self._is_over = True

    def enter(self, limit: int) -> bool:
        """Take a place for one more stream; False where so many are taken, or the process ends."""
        with self._rung:
            if self._is_over or self._streams >= limit:
                return False
            self._streams += 1
            return True

    def leave(self) -> None:
        """Give a place back."""
        with self._rung:
            self._streams -= 1

    def listen(self) -> Iterator[str]:
        """Yield a line for each change, and signs of life in between, until the stream has lived long enough."""
        ends_at = time.monotonic() + STREAM_LIFE
        seen = self._rings
        yield "retry: 500\n\ndata: open\n\n"
        while time.monotonic() < ends_at and not self._is_over:
            rings = self._wait(seen)
            yield "data: ring\n\n" if rings != seen else ": here\n\n"
            seen = rings

    def _wait(self, seen: int) -> int:
        """Return the number of rings once it has changed, or after a while; many at once count as one."""
        patience = time.monotonic() + SIGN_OF_LIFE
        with self._rung:
            while self._rings == seen and not self._is_over and time.monotonic() < patience:
                self._rung.wait(LOOK)
            if self._rings != seen and not self._is_over:
                self._rung.wait_for(lambda: self._is_over, GATHERING)
            return self._rings


class Stream:
    """One answer that stays open, with its place among the streams."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._lines = bell.listen()
        self._has_place = True

    def __iter__(self) -> Iterator[str]:
        return self._lines

    def close(self) -> None:
        """Give the place back, once; the server calls it however the answer ends."""
        if self._has_place:
            self._has_place = False
            self._bell.leave()


def limit_of(environ: Mapping[str, Any]) -> int:
    """Return how many streams the server behind a request can spare threads for."""
    is_flask = str(environ.get("SERVER_SOFTWARE", "")).startswith("Werkzeug")
    return MAX_STREAMS_OF_FLASK if is_flask else MAX_STREAMS


def create_bell(bus: EventBus) -> tuple[Bell, Blueprint]:
    """Return a bell that rings for everything the bus announces, and the route of its stream."""
    bell = Bell()
    for signal in vars(bus.signals).values():
        signal.connect(bell.ring)
    bus.subscribe(bell)

    def stream() -> ResponseReturnValue:
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            abort(403, "the bell rings for pages of this site")
        if request.method == "HEAD":
            return "", {"Content-Type": "text/event-stream"}
        # A server with one thread would answer nothing else while a stream is open.
        if not request.environ.get("wsgi.multithread") or not bell.enter(limit_of(request.environ)):
            return "every stream is taken: ask for /live instead\n", 503, {"Retry-After": "10"}
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return Response(Stream(bell), mimetype="text/event-stream", headers=headers)

    blueprint = Blueprint("bell", __name__)
    blueprint.add_url_rule("/bell", view_func=stream)
    return bell, blueprint
