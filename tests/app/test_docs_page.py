"""The page on which the interface can be tried needs nothing but this server."""

from __future__ import annotations

import re

import pytest

from tests.app.conftest import MakeApp
from tests.app.counter import API, Counter


def test_page_loads_what_is_there(counter: Counter) -> None:
    page = counter.client.get(f"{API}/docs")

    addresses = re.findall(r'(?:src|href|data-description)="([^"]+)"', page.text)
    assert len(addresses) == 6
    assert {address for address in addresses if not address.startswith("/")} == set()
    assert {counter.client.get(address, buffered=True).status_code for address in addresses} == {200}


def test_page_keeps_to_a_policy_that_lets_in_our_own_scripts_alone(counter: Counter) -> None:
    page = counter.client.get(f"{API}/docs")

    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
    assert "unsafe" not in policy
    assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", page.text) == []


@pytest.mark.parametrize("name", ["LICENSE", "VERSION", "..%2f__init__.py", "swagger-ui.js", ".", "%00"])
def test_nothing_else_of_the_package_is_served(counter: Counter, name: str) -> None:
    assert counter.client.get(f"{API}/docs/{name}").status_code == 404


def test_description_names_the_prefix_that_the_application_is_mounted_under(make_app: MakeApp) -> None:
    client = make_app().test_client()

    plain = client.get(f"{API}/openapi.json").json
    mounted = client.get(f"{API}/openapi.json", environ_overrides={"SCRIPT_NAME": "/counter"}).json

    assert plain is not None
    assert mounted is not None
    assert plain["servers"] == [{"url": "/"}]
    assert mounted["servers"] == [{"url": "/counter"}]
