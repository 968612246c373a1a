"""What Dramatiq's workers log: without the payloads of messages, and an outage not over and over again."""

from __future__ import annotations

import logging

from dramatiq import Message, MessageProxy
from dramatiq.common import dq_name

#: Said each second by each consumer while a broker is away, which the thread that sends tells once.
OUTAGES = ("Consumer encountered a connection error", "Failed to post_process_message", "Restarting consumer")


class Quiet(logging.Filter):
    """Drops what tells of an outage, and shows a message as its queue and id."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a record is to be logged, and take payloads out of it."""
        if str(record.msg).startswith(OUTAGES):
            return False
        if isinstance(record.args, tuple):
            record.args = tuple(_shown(argument) for argument in record.args)
        return True


def quieten(queue: str) -> None:
    """Have what takes messages from a queue, and works on them, log quietly."""
    consumers = [f"ConsumerThread({name})" for name in (queue, dq_name(queue))]
    for name in (*consumers, "WorkerThread"):
        logger = logging.getLogger(f"dramatiq.worker.{name}")
        if not any(isinstance(found, Quiet) for found in logger.filters):
            logger.addFilter(Quiet())


def _shown(argument: object) -> object:
    if isinstance(argument, (Message, MessageProxy)):
        return f"for {argument.queue_name}"
    return argument
