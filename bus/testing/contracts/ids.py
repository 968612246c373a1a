"""What a source of identifiers promises."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from bus.clock import IdSource


class IdSourceContract:
    """Certifies a `bus.IdSource`; a subclass provides the fixture `ids`."""

    @pytest.fixture
    def ids(self) -> IdSource:
        """Return the source."""
        raise NotImplementedError("the subclass provides the fixture `ids`")

    def test_identifier_has_36_characters(self, ids: IdSource) -> None:
        """The tables hold no longer one."""
        assert [len(ids.new()) for _ in range(100)] == [36] * 100

    def test_identifier_is_plain_text(self, ids: IdSource) -> None:
        """It stands in logs, headers and addresses as it is."""
        id = ids.new()

        assert id.isascii()
        assert id.replace("-", "").isalnum()

    def test_no_identifier_is_made_twice(self, ids: IdSource) -> None:
        """An event with the id of another would be taken for it."""
        made = [ids.new() for _ in range(10_000)]

        assert len(set(made)) == len(made)

    def test_no_identifier_is_made_by_two_threads(self, ids: IdSource) -> None:
        """Every thread of a process asks the one source."""
        with ThreadPoolExecutor(8) as threads:
            made = [id for some in threads.map(lambda _: [ids.new() for _ in range(2000)], range(8)) for id in some]

        assert len(set(made)) == len(made)

    @pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
    def test_forked_child_makes_none_of_its_parents_identifiers(self, ids: IdSource) -> None:
        """A server forks after it has made the source."""
        made = {ids.new() for _ in range(100)}

        of_child = _in_forked_child(ids)

        made |= {ids.new() for _ in range(100)}
        assert len(of_child) == 100
        assert made.isdisjoint(of_child)


def _in_forked_child(ids: IdSource) -> set[str]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(10)
            os.write(writing, " ".join(ids.new() for _ in range(100)).encode())
        finally:
            # The child of a test must never go on to run the tests that follow.
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        made = set(pipe.read().split())
    os.waitpid(child, 0)
    return made
