"""Making a broker forget what it has, as an operator's mistake or a lost disk does."""

from __future__ import annotations

import subprocess
from urllib.parse import urlsplit

import pika
import redis

from tests.brokers import TAKEN


def wipe(url: str) -> None:
    """Empty the database on Redis, or delete every queue of the virtual host on RabbitMQ, in use or not."""
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
    host = urlsplit(plain).path.removeprefix("/") or "/"
    listed = ["rabbitmqctl", "-q", "list_queues", "-p", host, "name", "--no-table-headers"]
    queues = subprocess.run(listed, capture_output=True, text=True, timeout=60, check=True).stdout.split()
    # Each command of rabbitmqctl takes a second.
    with pika.BlockingConnection(pika.URLParameters(plain)) as connection:
        for queue in queues:
            connection.channel().queue_delete(queue)
