"""A broker's queue, as somebody sees it who knows nothing of Dramatiq."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pika
from dramatiq import Broker
from dramatiq.brokers.redis import RedisBroker


class Queue:
    """Takes any bytes, and tells how many messages it has, also those that are being worked on or were rejected."""

    def __init__(self, broker: Broker, name: str) -> None:
        self.name = name
        self._broker: Any = broker

    def put(self, data: bytes) -> None:
        """Put bytes in."""
        if isinstance(self._broker, RedisBroker):
            client, key, id = self._broker.client, f"{self._broker.namespace}:{self.name}", str(uuid4())
            client.hset(f"{key}.msgs", id, data)
            client.rpush(key, id)
            return
        with pika.BlockingConnection(self._broker.parameters) as connection:
            connection.channel().basic_publish("", self.name, data)

    def count(self) -> int:
        """Return how many messages there are."""
        if isinstance(self._broker, RedisBroker):
            key = f"{self._broker.namespace}:{self.name}"
            return sum(self._broker.client.hlen(f"{key}{kind}.msgs") for kind in ("", ".XQ"))
        with pika.BlockingConnection(self._broker.parameters) as connection:
            channel = connection.channel()
            return sum(self._waiting(channel, f"{self.name}{kind}") for kind in ("", ".XQ"))

    def _waiting(self, channel: Any, queue: str) -> int:
        return int(channel.queue_declare(queue, passive=True).method.message_count)
