"""A channel of RabbitMQ's on which many messages are sent before their confirms are waited for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dramatiq import Message
from pika import BasicProperties, BlockingConnection
from pika.exceptions import NackError, UnroutableError
from pika.spec import Basic

#: What has RabbitMQ write a message to its disk.
PERSISTENT = BasicProperties(delivery_mode=2)


class ConfirmingChannel:
    """A channel in confirm mode, for one thread.

    The channel of a blocking connection waits for the confirm of each message. This one asks the channel beneath that,
    and waits as it does.
    """

    def __init__(self, connection: BlockingConnection) -> None:
        self._channel: Any = connection.channel()
        self._beneath: Any = self._channel._impl
        self._sent = 0
        #: Numbers of messages that are not confirmed; RabbitMQ counts those of a channel from 1 on.
        self._awaited: set[int] = set()
        self._is_selected = self._is_refused = self._is_returned = False
        self._beneath.add_on_return_callback(self._note_return)
        self._beneath.confirm_delivery(ack_nack_callback=self._note_confirm, callback=self._note_selection)
        self._channel._flush_output(lambda: self._is_selected)

    @property
    def is_open(self) -> bool:
        """Whether it can be used."""
        return bool(self._channel.is_open)

    def publish(self, messages: Sequence[Message[Any]]) -> None:
        """Send messages to their queues, in this order, and wait until the broker has confirmed all of them.

        Raises:
            UnroutableError: One of the queues is not there; messages to others are confirmed.
            NackError: The broker does not take one of them.
            AMQPError: The channel or the connection ended before.
        """
        self._is_refused = self._is_returned = False
        for message in messages:
            self._beneath.basic_publish("", message.queue_name, message.encode(), PERSISTENT, mandatory=True)
            self._sent += 1
            self._awaited.add(self._sent)
        self._channel._flush_output(lambda: not self._awaited)
        if self._is_refused:
            raise NackError([])
        if self._is_returned:
            raise UnroutableError([])

    def _note_selection(self, _frame: object) -> None:
        self._is_selected = True

    def _note_confirm(self, frame: Any) -> None:
        confirm = frame.method
        self._is_refused |= isinstance(confirm, Basic.Nack)
        if confirm.multiple:
            self._awaited = {number for number in self._awaited if number > confirm.delivery_tag}
        else:
            self._awaited.discard(confirm.delivery_tag)

    def _note_return(self, *_message: object) -> None:
        self._is_returned = True
