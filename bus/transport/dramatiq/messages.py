"""What a message of the broker says: an envelope for a module, or acknowledgements for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dramatiq import Message

from bus.envelope import Envelope
from bus.errors import EnvelopeError
from bus.wire import write_envelope

#: The first argument of a message: what the others are.
DELIVER, ACKNOWLEDGE = "deliver", "acknowledge"


@dataclass(frozen=True, slots=True)
class Delivery:
    """An envelope, as it was written.

    Attributes:
        data: Its bytes.
        sends: How often it has been sent, this time included.
    """

    data: bytes
    sends: int


@dataclass(frozen=True, slots=True)
class Acknowledgements:
    """Events that a module has a row for.

    Attributes:
        target: The module.
        event_ids: The events, which the module that the message is for has published.
    """

    target: str
    event_ids: tuple[str, ...]


def delivery(queue: str, envelope: Envelope, sends: int) -> Message[Any]:
    """Return the message that brings an envelope to the module of a queue."""
    return _message(queue, DELIVER, write_envelope(envelope).decode(), sends)


def acknowledgements(queue: str, target: str, event_ids: Sequence[str]) -> Message[Any]:
    """Return the message that tells the module of a queue what another one has a row for."""
    return _message(queue, ACKNOWLEDGE, target, list(event_ids))


def read(arguments: Sequence[object]) -> Delivery | Acknowledgements:
    """Return what a message says.

    Raises:
        EnvelopeError: It says nothing of the kind.
    """
    match arguments:
        case [kind, str(text), int(sends)] if kind == DELIVER and sends > 0:
            # A lone surrogate is no UTF-8, and goes where all that is no envelope goes.
            return Delivery(text.encode(errors="surrogatepass"), sends)
        case [kind, str(target), [*ids]] if kind == ACKNOWLEDGE:
            event_ids = tuple(id for id in ids if isinstance(id, str))
            if len(event_ids) == len(ids):
                return Acknowledgements(target, event_ids)
    raise EnvelopeError("a message that neither delivers nor acknowledges")


def _message(queue: str, *arguments: object) -> Message[Any]:
    return Message(queue_name=queue, actor_name=queue, args=arguments, kwargs={}, options={})
