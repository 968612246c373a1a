"""What every answer tells browsers, what they load, and the bell that they listen to."""

from __future__ import annotations

import hashlib
from itertools import islice
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import QueuePool

from bus import BusClosed
from modular_app import bell as bell_module
from modular_app.bell import MAX_STREAMS, Bell, Stream, limit_of
from modules.order.model import Customer, OrderLine
from tests.app.counter import Counter
from tests.server.server import wait_until

STATIC = Path(__file__).parents[2] / "modular_app" / "static"
VENDOR = STATIC / "vendor"


@pytest.mark.parametrize("path", ["/", "/live", "/api/v1/orders", "/static/js/live.js", "/nowhere"])
def test_every_answer_is_guarded(counter: Counter, path: str) -> None:
    with counter.client.get(path) as answer:
        headers = answer.headers

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_page_has_no_script_or_style_of_its_own(counter: Counter) -> None:
    html = counter.client.get("/").text

    assert html.count("<script") == html.count("<script defer src=") > 0
    assert "<style" not in html
    assert "style=" not in html
    assert " onclick" not in html


def test_page_is_kept_by_no_cache_and_its_files_may_be(counter: Counter) -> None:
    assert counter.client.get("/").headers["Cache-Control"] == "no-store"
    with counter.client.get("/static/js/live.js") as file:
        assert file.headers["Cache-Control"] == "no-cache"


def test_what_others_have_written_is_as_released() -> None:
    lines = (VENDOR / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, name in (line.split() for line in lines)}

    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in VENDOR.iterdir()}

    assert {name: found[name] for name in found if name not in ("SHA256SUMS", "README.md")} == sums


def test_stream_says_that_it_is_open_and_rings_once_for_many_changes() -> None:
    bell = Bell()
    lines = bell.listen()

    assert next(lines).endswith("data: open\n\n")
    for _ in range(5):
        bell.ring()
    assert next(lines) == "data: ring\n\n"


def test_stream_gives_signs_of_life_and_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell_module, "SIGN_OF_LIFE", 0.01)
    monkeypatch.setattr(bell_module, "STREAM_LIFE", 0.05)

    lines = list(islice(Bell().listen(), 100))

    assert 1 < len(lines) < 100
    assert set(lines[1:]) == {": here\n\n"}


def test_streams_end_with_the_bus() -> None:
    bell = Bell()
    lines = bell.listen()
    next(lines)

    bell.end()

    assert len(list(lines)) <= 1
    assert not bell.enter(1)


def test_stream_that_ends_gives_its_place_back_once() -> None:
    bell = Bell()
    assert bell.enter(1)
    assert not bell.enter(1)

    stream = Stream(bell)
    stream.close()
    stream.close()

    assert bell.enter(1)
    assert not bell.enter(1)


def test_server_with_few_threads_keeps_few_streams(counter: Counter) -> None:
    many = {"wsgi.multithread": True}
    streams = [counter.client.get("/bell", environ_overrides=many) for _ in range(MAX_STREAMS + 1)]

    assert [stream.status_code for stream in streams] == [200] * MAX_STREAMS + [503]
    assert streams[-1].headers["Retry-After"]
    assert limit_of({"SERVER_SOFTWARE": "Werkzeug/3"}) > MAX_STREAMS == limit_of({"SERVER_SOFTWARE": "gunicorn/1"})
    for stream in streams:
        stream.close()
    with counter.client.get("/bell", environ_overrides=many) as again:
        assert again.status_code == 200


def test_server_with_one_thread_keeps_no_stream(counter: Counter) -> None:
    assert counter.client.get("/bell", environ_overrides={"wsgi.multithread": False}).status_code == 503


def test_open_stream_holds_no_connection(counter: Counter) -> None:
    pools = [cast(QueuePool, database.engine.pool) for database in counter.parts.databases.values()]

    with counter.client.get("/bell", environ_overrides={"wsgi.multithread": True}):
        # The bus's own threads hold one now and then, for a moment.
        wait_until(lambda: not any(pool.checkedout() for pool in pools))


def test_asking_for_the_head_of_a_stream_takes_no_place(counter: Counter) -> None:
    for _ in range(MAX_STREAMS + 1):
        assert counter.client.head("/bell", environ_overrides={"wsgi.multithread": True}).status_code == 200


def test_bell_rings_for_no_other_site(counter: Counter) -> None:
    answer = counter.client.get("/bell", headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403


def test_bell_rings_for_events_that_no_request_has_caused(counter: Counter) -> None:
    lines = counter.parts.bell.listen()
    next(lines)

    orders = counter.parts.containers["order"].providers["customer_orders"]()
    orders.place("demo", [OrderLine("ramen", 1)], Customer("Ada"))

    assert next(lines) == "data: ring\n\n"


def test_bell_rings_for_what_no_event_tells(counter: Counter) -> None:
    lines = counter.parts.bell.listen()
    next(lines)

    counter.post("/restaurants/demo/close")

    assert next(lines) == "data: ring\n\n"


def test_closed_bus_takes_no_streams(counter: Counter) -> None:
    counter.parts.bus.publish(BusClosed(counter.parts.bus))

    assert counter.client.get("/bell", environ_overrides={"wsgi.multithread": True}).status_code == 503
