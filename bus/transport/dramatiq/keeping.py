"""What is no envelope of ours: kept by the module's database, however long that takes, or left with the broker."""

from __future__ import annotations

import logging
import threading
from typing import Any

from dramatiq import Broker, Middleware

from bus.database_errors import database_trouble, reason_of
from bus.errors import BusError
from bus.transport.base import Receiver
from bus.transport.dramatiq.backoff import Backoff
from bus.transport.dramatiq.messages import StrangeError

log = logging.getLogger("bus")


class GivenBackError(BusError):
    """A message goes back into its queue: this process ends before it could keep what it carries."""


class GivingBack(Middleware):
    """Has the broker give a message to others, for which an actor has raised `GivenBackError`; it asks for no more."""

    def after_process_message(
        self, broker: Broker, message: Any, *, result: object = None, exception: BaseException | None = None
    ) -> None:
        """Mark the message: what is marked is acknowledged negatively, which our brokers take for giving it back."""
        if isinstance(exception, GivenBackError):
            message.fail()


def keep(receiver: Receiver, found: StrangeError, origin: str, ended: threading.Event) -> None:
    """Have a module keep bytes, and wait until it does.

    Args:
        receiver: The module.
        found: The bytes, and why they are no envelope.
        origin: Where they came from.
        ended: Is set when this process lets go of what it holds.

    Raises:
        GivenBackError: That came first.
    """
    backoff = Backoff()
    while not ended.is_set():
        try:
            receiver.quarantine(found.data, origin=origin, problem=str(found))
        except Exception as error:
            # Nobody else has these bytes, so whatever it is, it is tried again.
            if not backoff.has_begun:
                trace = None if database_trouble(error) else error
                log.error("%s from %s waits to be kept: %s", _told(found), origin, reason_of(error), exc_info=trace)
            backoff.lengthen()
            ended.wait(backoff.wait())
        else:
            return
    raise GivenBackError(f"{_told(found)} from {origin} could not be kept")


def _told(found: StrangeError) -> str:
    return f"{len(found.data)} bytes that are no envelope"
