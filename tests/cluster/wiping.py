"""Making a broker forget what it has, as an operator's mistake or a lost disk does."""

from __future__ import annotations

from contextlib import closing

import pika
import redis
from dramatiq.common import dq_name, xq_name

from tests.brokers import TAKEN

#: The queues of the application.
QUEUES = [f"modular_app.app.{module}{kind}" for module in ("order", "restaurant", "kitchen") for kind in ("", ".acks")]


def wipe(url: str) -> None:
    """Empty the database on Redis, or delete every queue of the application on RabbitMQ, in use or not."""
    plain = url.removeprefix("dramatiq+")
    if plain.startswith("redis"):
        with redis.Redis.from_url(plain) as client:
            taken = client.ttl(TAKEN)
            with client.pipeline() as both:
                both.flushdb()
                # The database itself belongs to this run still.
                both.set(TAKEN, 1, ex=max(taken, 1))
                both.execute()
        return
    with closing(pika.BlockingConnection(pika.URLParameters(plain))) as connection:
        channel = connection.channel()
        for queue in QUEUES:
            for name in (queue, dq_name(queue), xq_name(queue)):
                channel.queue_delete(name)
