"""RabbitMQ, set up so that it loses nothing while it lives, and nothing in a queue stops its neighbours."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from dramatiq import Consumer, Message
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from pika.exceptions import ChannelClosedByBroker, UnroutableError

from bus.transport.dramatiq.brokers import with_settings
from bus.transport.dramatiq.confirming import ConfirmingChannel
from bus.transport.dramatiq.deliveries import middleware
from bus.transport.dramatiq.strange import carrying, ours

#: Seconds until a silent RabbitMQ is given up, and for which a connection and a blocked one are waited for.
SETTINGS = {"heartbeat": 15, "connection_attempts": 1, "socket_timeout": 5, "blocked_connection_timeout": 30}

#: What RabbitMQ says of a queue that there is not.
NOT_FOUND = 404


class RabbitmqConnection:
    """A broker on RabbitMQ.

    Nothing is ever sent to the queue `APPLICATION.processes`: that it has a consumer for each process tells how many
    there are, and RabbitMQ takes those away that die.
    """

    kind = "RabbitMQ"

    def __init__(self, url: str, application: str) -> None:
        self._url = url
        self.broker = OurRabbitmqBroker(url)
        self._roll = f"{application}.processes"
        self._counted: Any = None
        self._confirming: ConfirmingChannel | None = None

    def another(self) -> OurRabbitmqBroker:
        """Return one that connects by itself."""
        return OurRabbitmqBroker(self._url)

    def probe(self) -> None:
        """Connect, in this thread."""
        self.broker.channel  # noqa: B018 - it connects

    def send(self, messages: Sequence[Message[Any]]) -> None:
        """Have them put into their queues: all are sent before the first is waited for."""
        for queue in {message.queue_name for message in messages}:
            self.broker.declare_queue(queue, ensure=True)
        if self._confirming is None or not self._confirming.is_open:
            self._confirming = ConfirmingChannel(self.broker.connection)
        try:
            self._confirming.publish(messages)
        except UnroutableError:
            # A queue is gone that was there, which Dramatiq declares once more.
            for message in messages:
                self.broker.enqueue(message)

    def keep_alive(self, served: Collection[str]) -> int:
        """Answer what RabbitMQ has asked meanwhile, and count the consumers of the roll."""
        self.broker.connection.process_data_events(0)
        others = self._consumers()
        if self._counted is self.broker.channel and others:
            return others
        self._counted = self.broker.channel
        self._counted.basic_consume(self._roll, _hear_nothing, auto_ack=True)
        return others + 1

    def workers(self, queue: str) -> int:
        """Return how many consumers the queue has: one for each process."""
        try:
            declared: Any = self.broker.channel.queue_declare(queue, passive=True)
        except ChannelClosedByBroker as error:
            del self.broker.channel
            if error.reply_code != NOT_FOUND:
                raise
            return 0
        return int(declared.method.consumer_count)

    def reset(self) -> None:
        """Forget this thread's connection."""
        self._counted = self._confirming = None
        del self.broker.connection

    def _consumers(self) -> int:
        """Return how many the roll has; it may have been deleted."""
        declared: Any = self.broker.channel.queue_declare(self._roll, durable=True, auto_delete=True)
        return int(declared.method.consumer_count)


class OurRabbitmqBroker(RabbitmqBroker):
    """Dramatiq's broker, which rejects nothing."""

    def __init__(self, url: str) -> None:
        # Without confirms what was sent is lost with the broker, though sending it has returned.
        super().__init__(url=with_settings(url, SETTINGS), confirm_delivery=True, middleware=middleware())

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """Return a consumer that hands on whatever is in the queue."""
        consumer: Any = super().consume(queue_name, prefetch, timeout)
        consumer.iterator = _readable(consumer.iterator, queue_name)
        consumer._nack = partial(_give_back, consumer)
        return consumer  # type: ignore[no-any-return]


def _give_back(consumer: Any, tag: int) -> None:
    consumer.connection.add_callback_threadsafe(partial(consumer.channel.basic_nack, tag, requeue=True))


def _hear_nothing(*_message: object) -> None: ...


def _readable(found: Iterable[Any], queue_name: str) -> Iterator[Any]:
    for method, properties, data in found:
        is_readable = method is None or ours(data, queue_name) is not None
        yield method, properties, data if is_readable else carrying(data, queue_name).encode()
