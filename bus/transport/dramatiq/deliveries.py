"""Whether a broker delivers a message for the first time, as far as it can tell."""

from __future__ import annotations

from typing import Any

from dramatiq import Message, MessageProxy, Middleware
from dramatiq.middleware import CurrentMessage

from bus.transport.dramatiq.keeping import GivingBack


class Delivered(MessageProxy):
    """A message as a consumer hands it on; RabbitMQ's consumer has one of its own with the same attribute.

    Attributes:
        redelivered: Whether it was delivered before, here or to another process, and not let go.
    """

    def __init__(self, message: Message[Any], *, redelivered: bool) -> None:
        super().__init__(message)
        self.redelivered = redelivered


def middleware() -> list[Middleware]:
    """Return all that a broker of ours has of Dramatiq's middleware: time and failure live in the inbox."""
    return [GivingBack(), CurrentMessage()]


def is_first_delivery() -> bool:
    """Say whether the message that this thread processes was never delivered before; False where nobody knows."""
    message: Any = CurrentMessage.get_current_message()
    # A broker without a server does not tell.
    return getattr(message, "redelivered", True) is False
