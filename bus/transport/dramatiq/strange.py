"""What stands in a queue and is no message of ours: made into one that carries its bytes, to go the way of the others.

Dramatiq rejects what it cannot decode, and on Redis the messages that were fetched with it are then lost to their
worker until it ends. A message to another actor, or one with options, it treats in ways that are not ours.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

from dramatiq import DecodeError, Message
from dramatiq.common import q_name

from bus.transport.dramatiq.messages import strange_message


def ours(data: bytes, queue_name: str, options: AbstractSet[str] = frozenset()) -> Message[Any] | None:
    """Return the message that bytes are; None unless it is for the actor of this queue, with these options as texts."""
    try:
        message = Message.decode(data)
    except DecodeError:
        return None
    return message if _is_ours(message, queue_name, options) else None


def _is_ours(message: Message[Any], queue_name: str, options: AbstractSet[str]) -> bool:
    return (
        (message.queue_name, message.actor_name) == (queue_name, q_name(queue_name))
        and message.kwargs == {}
        and all(map(_is_flat, message.args))
        and isinstance(message.options, dict)
        and message.options.keys() == options
        and all(isinstance(value, str) for value in (message.message_id, *message.options.values()))
    )


def _is_flat(argument: object) -> bool:
    """Say whether an argument is a text, a number or a list of such; who reads what goes deeper may come to no end."""
    return not isinstance(argument, dict) and not (
        isinstance(argument, list) and any(isinstance(each, (list, dict)) for each in argument)
    )


def carrying(data: bytes, queue_name: str) -> Message[Any]:
    """Return a message to the actor of this queue that carries the bytes."""
    return strange_message(queue_name, q_name(queue_name), data)
