"""Messages that nobody of ours has written."""

from __future__ import annotations

from functools import reduce

import pytest

from bus.transport.dramatiq.messages import StrangeError, read
from bus.transport.dramatiq.signing import Signer
from bus.transport.dramatiq.strange import ours


def test_arguments_that_cannot_even_be_shown_are_strange() -> None:
    deep = reduce(lambda inner, _: [inner], range(100_000), list[object]())

    with pytest.raises(StrangeError):
        read("shop.kitchen", (deep,), Signer())


@pytest.mark.parametrize("arguments", [b'[["a"]]', b'[[["a"]]]', b'[[{"a":1}]]', b'[{"a":1}]'])
def test_message_with_arguments_in_one_another_is_none_of_ours(arguments: bytes) -> None:
    data = (
        b'{"queue_name":"q","actor_name":"q","args":%b,"kwargs":{},"options":{},"message_id":"1","message_timestamp":1}'
    )

    assert (ours(data % arguments, "q") is not None) is (arguments == b'[["a"]]')
