"""Only requests for the application's own hosts are served: another name that leads here is not ours."""

from __future__ import annotations

import pytest

from modular_app.sources import ConfigurationError
from tests.app.conftest import MakeApp
from tests.app.counter import API, Counter


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:5000", "127.0.0.1:5000", "[::1]", "[::1]:5000", "LocalHost:5000"]
)
@pytest.mark.parametrize("path", ["/", "/healthz", f"{API}/orders"])
def test_this_machine_is_served_by_default(counter: Counter, host: str, path: str) -> None:
    assert counter.client.get(path, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "rebound.example",
        "localhost.rebound.example",
        "xlocalhost",
        "127.0.0.11",
        "localhost@x",
        "a b",
        "x" * 500,
        "[::2]",
    ],
)
def test_other_host_is_refused_with_the_mend(counter: Counter, host: str) -> None:
    response = counter.client.get(f"{API}/orders", headers={"Host": host})

    assert (response.status_code, response.mimetype) == (400, "application/problem+json")
    assert "FLASK_TRUSTED_HOSTS" in response.text
    assert len(response.text) < 300


def test_other_host_gets_a_page_of_its_own_outside_the_interface(counter: Counter) -> None:
    response = counter.client.get("/", headers={"Host": "rebound.example"})

    assert (response.status_code, response.mimetype) == (400, "text/html")


def test_other_host_changes_nothing(counter: Counter) -> None:
    response = counter.client.post(f"{API}/restaurants/demo/close", headers={"Host": "rebound.example"})

    assert response.status_code == 400
    assert counter.get("/restaurants")["items"][0]["open"] is True


@pytest.mark.parametrize("value", ["shop.example, .counter.example", ["shop.example", ".counter.example"]])
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("shop.example", 200),
        ("counter.example:8000", 200),
        ("a.b.Counter.example", 200),
        ("a.shop.example", 400),
        ("xcounter.example", 400),
        ("localhost", 400),
    ],
)
def test_hosts_can_be_set(make_app: MakeApp, value: object, host: str, status: int) -> None:
    client = make_app(TRUSTED_HOSTS=value).test_client()

    assert client.get("/healthz", headers={"Host": host}).status_code == status


def test_star_serves_every_host(make_app: MakeApp) -> None:
    assert make_app(TRUSTED_HOSTS="*").test_client().get("/", headers={"Host": "any.example"}).status_code == 200


@pytest.mark.parametrize(
    "value", ["", [], "http://shop.example", "shop.example:80", "*.shop.example", "*,shop", "[::1"]
)
def test_what_is_no_host_is_refused_at_start(make_app: MakeApp, value: object) -> None:
    with pytest.raises(ConfigurationError, match=r"sets TRUSTED_HOSTS to .*without scheme and port"):
        make_app(TRUSTED_HOSTS=value)


def test_misspelt_key_is_told(make_app: MakeApp) -> None:
    with pytest.raises(ConfigurationError, match="did you mean TRUSTED_HOSTS"):
        make_app(TRUSTED_HOST="shop.example")
