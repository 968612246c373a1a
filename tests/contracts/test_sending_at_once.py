"""Messages that a broker is given at once: it has all of them when that returns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pika
import pytest
from dramatiq import Message
from pika.exceptions import NackError

from bus.transport.dramatiq.brokers import Connection, connection_to
from bus.transport.dramatiq.confirming import ConfirmingChannel
from tests.contracts.queue import Queue


@pytest.fixture
def connection(broker_url: str, application: str) -> Iterator[Connection]:
    found = connection_to(broker_url, application)
    yield found
    found.broker.close()
    found.reset()


@pytest.fixture
def channel(rabbitmq_url: str) -> Iterator[pika.adapters.blocking_connection.BlockingChannel]:
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq_url.removeprefix("dramatiq+")))
    yield connection.channel()
    connection.close()


def messages_for(queue: str, count: int) -> list[Message[Any]]:
    return [Message(queue, queue, (number,), {}, {}) for number in range(count)]


def test_messages_that_are_sent_at_once_are_in_their_queues(connection: Connection, application: str) -> None:
    names = [f"{application}.{name}" for name in ("kitchen", "order")]

    for count in (1, 40):
        connection.send([message for name in names for message in messages_for(name, count)])

    assert [Queue(connection.broker, name).count() for name in names] == [41, 41]


def test_queue_that_was_deleted_is_there_again_with_all_that_is_sent_at_once(
    rabbitmq_url: str, application: str, channel: Any
) -> None:
    connection, name = connection_to(rabbitmq_url, application), f"{application}.kitchen"
    connection.send(messages_for(name, 2))
    channel.queue_delete(name)

    connection.send(messages_for(name, 40))
    connection.send(messages_for(name, 40))

    assert Queue(connection.broker, name).count() == 80
    connection.reset()


def test_message_that_the_broker_does_not_take_fails_all_that_are_sent_with_it(
    rabbitmq_url: str, application: str, channel: Any
) -> None:
    full = {"x-max-length": 1, "x-overflow": "reject-publish"}
    channel.queue_declare(application, auto_delete=True, arguments=full)
    confirming = ConfirmingChannel(channel.connection)

    confirming.publish(messages_for(application, 1))

    with pytest.raises(NackError):
        confirming.publish(messages_for(application, 2))
    channel.queue_delete(application)
