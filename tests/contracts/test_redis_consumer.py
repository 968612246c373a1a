"""What takes from a queue of Redis: it lets go of many messages at once, and of none twice."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from dramatiq import Message
from dramatiq.errors import ConnectionClosed

from bus.transport.dramatiq.on_redis import OurRedisBroker
from tests.gate import Gate

#: Messages that a consumer may have in hand, and milliseconds for which it looks out for more.
PREFETCH, LOOK = 2, 20

#: Looks after which nothing more comes.
LOOKS = 100


@pytest.fixture
def gate(redis_url: str) -> Iterator[Gate]:
    with Gate(redis_url) as gate:
        yield gate


@pytest.fixture
def broker(gate: Gate) -> OurRedisBroker:
    return OurRedisBroker(gate.url.removeprefix("dramatiq+"))


@pytest.fixture
def queue(broker: OurRedisBroker, application: str) -> str:
    """Give the name of a queue in which there are four messages."""
    broker.declare_queue(application)
    broker.enqueue_all([Message(application, application, (number,), {}, {}) for number in range(4)])
    return application


def consumer_of(broker: OurRedisBroker, queue: str) -> Any:
    return broker.consume(queue, PREFETCH, LOOK)


def take(consumer: Any, count: int) -> list[Any]:
    """Return the next messages, as far as they come; a consumer that has none says None in between."""
    return list(islice((found for found in islice(consumer, LOOKS) if found is not None), count))


def kept(broker: OurRedisBroker, queue: str) -> int:
    """Return how many messages Redis has, also those in somebody's hand."""
    client: Any = broker.client
    return int(client.hlen(f"{broker.namespace}:{queue}.msgs"))


def test_consumer_takes_no_more_than_it_may_have_in_hand(broker: OurRedisBroker, queue: str) -> None:
    consumer = consumer_of(broker, queue)
    take(consumer, PREFETCH)

    assert next(consumer) is None


def test_message_that_is_delivered_again_says_so(broker: OurRedisBroker, queue: str) -> None:
    consumer = consumer_of(broker, queue)
    first, second = take(consumer, PREFETCH)

    consumer.nack(first)
    consumer.requeue([second])

    others = take(broker.consume(queue, 2 * PREFETCH, LOOK), 2 * PREFETCH)
    assert [message.redelivered for message in (first, second)] == [False, False]
    assert {message.args[0]: message.redelivered for message in others} == {0: True, 1: True, 2: False, 3: False}


def test_message_of_a_process_that_has_ended_goes_to_another_one_and_says_that_it_was_delivered(
    broker: OurRedisBroker, queue: str, gate: Gate
) -> None:
    taken = take(consumer_of(broker, queue), PREFETCH)
    client: Any = broker.client
    client.zadd(f"{broker.namespace}:__heartbeats__", {broker.broker_id: 0})
    heir = OurRedisBroker(gate.url.removeprefix("dramatiq+"))

    others = take(heir.consume(queue, 2 * PREFETCH, LOOK), 2 * PREFETCH)

    assert {message.args for message in taken} == {(0,), (1,)}
    assert {message.args[0]: message.redelivered for message in others} == {0: True, 1: True, 2: False, 3: False}


def test_message_that_was_let_go_leaves_nothing_behind(broker: OurRedisBroker, queue: str) -> None:
    consumer = consumer_of(broker, queue)
    for _ in range(2):
        for message in take(consumer, PREFETCH):
            consumer.ack(message)

    consumer.close()

    client: Any = broker.client
    assert client.keys(f"{broker.namespace}:*{queue}*") == []


def test_message_that_has_ended_makes_room_for_another(broker: OurRedisBroker, queue: str) -> None:
    consumer = consumer_of(broker, queue)
    first, _ = take(consumer, PREFETCH)

    consumer.ack(first)

    assert [message.args for message in take(consumer, 1)] == [(2,)]
    assert kept(broker, queue) == 3


def test_message_that_is_given_back_makes_room_and_comes_again(broker: OurRedisBroker, queue: str) -> None:
    consumer = consumer_of(broker, queue)
    first, second = take(consumer, PREFETCH)

    consumer.nack(first)
    consumer.ack(second)

    others = take(consumer, PREFETCH)
    for message in others:
        consumer.ack(message)
    assert [message.args for message in [*others, *take(consumer, 1)]] == [(2,), (3,), (0,)]
    assert kept(broker, queue) == 1


def test_consumer_that_is_closed_has_let_go_of_whatever_has_ended(broker: OurRedisBroker, queue: str) -> None:
    consumer = consumer_of(broker, queue)
    for message in take(consumer, PREFETCH):
        consumer.ack(message)

    consumer.close()

    assert kept(broker, queue) == 2


def test_consumer_that_is_closed_gives_back_what_it_has_not_handed_on(broker: OurRedisBroker, queue: str) -> None:
    consumer = broker.consume(queue, 2 * PREFETCH, LOOK)
    take(consumer, 1)

    consumer.close()

    others = take(consumer_of(broker, queue), PREFETCH)
    assert [message.args for message in others] == [(1,), (2,)]


def test_message_is_let_go_by_the_id_that_redis_has_for_it_whatever_it_says_itself(
    broker: OurRedisBroker, queue: str
) -> None:
    client: Any = broker.client
    key = f"{broker.namespace}:{queue}"
    for number, said in enumerate(("0", "\ud800", "what another has")):
        written: Message[Any] = Message(queue, queue, (number,), {}, {"redis_message_id": said})
        client.hset(f"{key}.msgs", b"\xff%d" % number, written.encode())
        client.rpush(key, b"\xff%d" % number)
    consumer = broker.consume(queue, 7, LOOK)

    taken = take(consumer, 7)
    for message in taken:
        consumer.ack(message)
    consumer.close()

    assert [message.args for message in taken] == [(0,), (1,), (2,), (3,), (0,), (1,), (2,)]
    assert kept(broker, queue) == 0


def test_message_that_is_put_once_more_is_there_once(broker: OurRedisBroker, application: str) -> None:
    broker.declare_queue(application)
    data = Message(application, application, (1,), {}, {"redis_message_id": "1"}).encode()

    for _ in range(2):
        broker._queues.put(application, {"1": data})

    assert len(take(broker.consume(application, 7, LOOK), 7)) == 1


def test_what_ended_while_redis_was_away_is_let_go_by_the_next_consumer(
    broker: OurRedisBroker, queue: str, gate: Gate
) -> None:
    consumer = consumer_of(broker, queue)
    for message in take(consumer, PREFETCH):
        consumer.ack(message)

    gate.shut()
    with pytest.raises(ConnectionClosed):
        next(consumer)
    gate.open()
    take(consumer_of(broker, queue), 1)

    assert kept(broker, queue) == 2
