"""What the bus announces of its own life, as blinker signals."""

from __future__ import annotations

from blinker import Signal


class BusSignals:
    """The signals of one bus. The sender is the bus; receivers run in the thread in which it happens.

    A receiver's exception is logged and changes nothing of what was announced.

    Attributes:
        published: A published event was committed. `envelope`: the event.
        listener_failed: A module listener failed and will be tried again. `listener_id`, `event_id`, `error`.
    """

    def __init__(self) -> None:
        self.published = Signal("a published event was committed")
        self.listener_failed = Signal("a module listener failed")
