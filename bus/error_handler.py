"""The bus's error handler: what takes the failures of listeners in place of their publisher."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bus.errors import CascadeError, StoppedError


@dataclass(frozen=True, slots=True)
class ListenerFailure:
    """One failure of one listener.

    Attributes:
        listener_id: The id of the listener, or the qualified name of a blinker receiver.
        event: The event that it was called with.
        error: What it raised, or what the publication of its reply raised.
    """

    listener_id: str
    event: object
    error: Exception


#: Takes the failures of listeners in place of the publisher; what it raises itself reaches the publisher.
ErrorHandler = Callable[[ListenerFailure], None]


def guarded(listener_id: str, run: Callable[[Any], None], on_error: ErrorHandler) -> Callable[[Any], None]:
    """Return the run of a listener with its failures going to the handler."""

    def run_guarded(event: Any) -> None:
        try:
            run(event)
        except (StoppedError, CascadeError):
            # No failures of the listener: it could not be called, or it is a part of a loop, which has to end here.
            raise
        except Exception as error:  # noqa: BLE001 - the promise of an error handler: it takes what a listener raises
            on_error(ListenerFailure(listener_id, event, error))

    return run_guarded
