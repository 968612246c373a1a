"""What the bus announces of its own life, as blinker signals."""

from __future__ import annotations

from blinker import Signal


class BusSignals:
    """The signals of one bus. The sender is the bus; receivers run in the thread in which it happens.

    What they tell is committed already; a receiver's exception is logged and changes nothing of it. Those of a
    publication carry `listener_id`, `event_id` and `envelope`.

    Attributes:
        published: A published event was committed. `envelope`: the event.
        listener_completed: A module listener's effects are committed. `took`: microseconds of the run.
        listener_failed: A run of a module listener failed. `error`: the exception.
        publication_dead: A publication was given up; it is a dead letter, or was discarded. `reason`: why.
        publication_parked: An event waits for a build which can read it. `reason`: why.
        paused: A listener or a module is not run for a while. `target`, `pause`.
        resumed: It runs again. `target`.
        quarantined: Something reached a module and was no envelope. `digest`, `problem`.
        broker_away: The broker does not answer; what is published waits in its outbox.
        broker_back: It answers again.
        unserved: A module has acknowledged nothing of what it was sent, for half a minute. `target`.
        served: It acknowledges again, or is owed nothing. `target`.
    """

    def __init__(self) -> None:
        self.published = Signal("a published event was committed")
        self.listener_completed = Signal("a module listener completed")
        self.listener_failed = Signal("a module listener failed")
        self.publication_dead = Signal("a publication was given up")
        self.publication_parked = Signal("an event waits for a build which can read it")
        self.paused = Signal("a listener or a module was paused")
        self.resumed = Signal("a listener or a module was resumed")
        self.quarantined = Signal("a message was no envelope")
        self.broker_away = Signal("the broker does not answer")
        self.broker_back = Signal("the broker answers again")
        self.unserved = Signal("a module has no worker")
        self.served = Signal("a module has a worker again")
