"""What a message of the broker says, and who says it: an envelope for a module, or acknowledgements for one."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dramatiq import Message

from bus.envelope import Envelope
from bus.errors import EnvelopeError
from bus.transport.dramatiq.signing import Signature, Signer, StaleError
from bus.wire import write_envelope

#: The first argument of a message: what the others are. The last is never sent: it is made of what is no message.
DELIVER, ACKNOWLEDGE, STRANGE = "deliver", "acknowledge", "strange"


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


class StrangeError(EnvelopeError):
    """A message says nothing that this process believes.

    Attributes:
        data: Its bytes, or those of its arguments.
    """

    def __init__(self, data: bytes, problem: str) -> None:
        super().__init__(problem)
        self.data = data


def delivery(queue: str, envelope: Envelope, sends: int, signer: Signer) -> Message[Any]:
    """Return the message that brings an envelope to the module of a queue."""
    data = write_envelope(envelope)
    signature = signer.sign(DELIVER, queue, _delivery_body(data, sends))
    return _message(queue, (DELIVER, data.decode(), sends), signature)


def acknowledgements(queue: str, target: str, event_ids: Sequence[str], signer: Signer) -> Message[Any]:
    """Return the message that tells the module of a queue what another one has a row for."""
    signature = signer.sign(ACKNOWLEDGE, queue, _acknowledgement_body(target, event_ids))
    return _message(queue, (ACKNOWLEDGE, target, list(event_ids)), signature)


def strange_message(queue: str, actor: str, data: bytes) -> Message[Any]:
    """Return a message that carries bytes which are none."""
    arguments = (STRANGE, b64encode(data).decode())
    return Message(queue_name=queue, actor_name=actor, args=arguments, kwargs={}, options={})


def read(queue: str, arguments: Sequence[object], signer: Signer) -> Delivery | Acknowledgements:
    """Return what a message in a queue says.

    Raises:
        StrangeError: It says nothing that there is, or the signature is not that of one of us.
        StaleError: It was signed too long ago.
    """
    try:
        return _said(queue, arguments, signer)
    except (StrangeError, StaleError):
        raise
    except Exception as error:  # noqa: BLE001 - what somebody else has written may raise anything
        raise StrangeError(_all_of(arguments), f"a message that cannot be read: {type(error).__name__}") from None


def _said(queue: str, arguments: Sequence[object], signer: Signer) -> Delivery | Acknowledgements:
    match arguments:
        case [kind, str(text), int(sends), *rest] if kind == DELIVER and sends > 0:
            data = _encoded(text)
            _require_signed(signer, DELIVER, queue, _delivery_body(data, sends), rest=rest, shown=data)
            return Delivery(data, sends)
        case [kind, str(target), [*ids], *rest] if kind == ACKNOWLEDGE:
            event_ids = tuple(id for id in ids if isinstance(id, str))
            if len(event_ids) == len(ids):
                body = _acknowledgement_body(target, event_ids)
                _require_signed(signer, ACKNOWLEDGE, queue, body, rest=rest, shown=body)
                return Acknowledgements(target, event_ids)
        case [kind, str(text)] if kind == STRANGE:
            raise StrangeError(b64decode(text), "no message of ours")
    raise StrangeError(_all_of(arguments), "a message that neither delivers nor acknowledges")


def _require_signed(
    signer: Signer, kind: str, queue: str, body: bytes, *, rest: Sequence[object], shown: bytes
) -> None:
    match rest:
        case []:
            signature = None
        case [int(seconds), str(digest)] if digest.isascii():
            signature = Signature(seconds, digest)
        case _:
            raise StrangeError(shown, "followed by something that is no signature")
    try:
        signer.require(kind, queue, body, signature)
    except EnvelopeError as error:
        raise StrangeError(shown, str(error)) from None


def _all_of(arguments: Sequence[object]) -> bytes:
    try:
        return _encoded(repr(tuple(arguments)))
    except RecursionError:
        return b"arguments in one another, too deep to be shown"


def _delivery_body(data: bytes, sends: int) -> bytes:
    return b"%d\n%b" % (sends, data)


def _acknowledgement_body(target: str, event_ids: Sequence[str]) -> bytes:
    return _encoded("\n".join((target, *event_ids)))


def _encoded(text: str) -> bytes:
    # A lone surrogate is no UTF-8, and goes where all that is no envelope goes.
    return text.encode(errors="surrogatepass")


def _message(queue: str, arguments: tuple[object, ...], signature: Signature | None) -> Message[Any]:
    signed = () if signature is None else (signature.time, signature.digest)
    return Message(queue_name=queue, actor_name=queue, args=(*arguments, *signed), kwargs={}, options={})
