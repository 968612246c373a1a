"""Whether a broker delivers a message for the first time, as far as it can tell."""

from __future__ import annotations

from typing import Any

from dramatiq import Middleware
from dramatiq.middleware import CurrentMessage

from bus.transport.dramatiq.keeping import GivingBack


def middleware() -> list[Middleware]:
    """Return all that a broker of ours has of Dramatiq's middleware: time and failure live in the inbox."""
    return [GivingBack(), CurrentMessage()]


def is_first_delivery() -> bool:
    """Say whether the message that this thread processes was never delivered before; False where nobody knows."""
    message: Any = CurrentMessage.get_current_message()
    # RabbitMQ's consumer and ours for Redis tell; a broker without a server does not.
    return getattr(message, "redelivered", True) is False
