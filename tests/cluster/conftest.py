from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.wiping import wipe


@pytest.fixture(autouse=True)
def nothing_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Empty the broker after each test: what a failed one leaves would be delivered to the next."""
    url = request.getfixturevalue("broker_url") if "broker_url" in request.fixturenames else None
    yield
    if url is not None:
        wipe(url)
