"""The errors that the bus raises: one base, one class for each thing that a caller may handle."""

from __future__ import annotations

from difflib import get_close_matches


class BusError(Exception):
    """Base of every error that the bus raises on purpose."""


class InvalidEventError(BusError):
    """Raised at registration when an event or a view cannot be what its decorator says."""


class InvalidListenerError(BusError):
    """Raised at registration when a listener could never be called rightly."""


class DuplicateNameError(BusError):
    """Raised at registration when two events, modules or stored listeners carry one name."""


class UnknownModuleError(BusError):
    """Raised when a module is named that the bus does not know."""


class UnknownTargetError(BusError):
    """Raised when an operator names a listener or a module that no hosted module has.

    Attributes:
        target: What was named.
        known: What can be named here.
    """

    def __init__(self, target: str, known: list[str]) -> None:
        self.target, self.known = target, known
        near = get_close_matches(target, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known) or 'none'}"
        super().__init__(f"no module and no module listener here is named {target!r}; {hint}")


class WiringError(BusError):
    """Raised at start when modules, views and hosts do not fit together.

    Attributes:
        problems: One sentence each, in a stable order.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("the modules do not fit together:\n- " + "\n- ".join(problems))


class NoTransactionError(BusError):
    """Raised by publish when the event needs a running unit of work and there is none."""


class ForeignEventError(BusError):
    """Raised by publish when the event belongs to another module."""


class PayloadTooLargeError(BusError):
    """Raised by publish when the written event exceeds the limit.

    Attributes:
        event_name: The published event's name.
        size: Bytes of the written payload.
        limit: Bytes that are allowed.
    """

    def __init__(self, event_name: str, size: int, limit: int) -> None:
        self.event_name, self.size, self.limit = event_name, size, limit
        super().__init__(
            f"event {event_name!r} is {size:,} bytes when written as JSON, the limit is {limit:,}; "
            "publish a reference to the data instead of the data"
        )


class PayloadError(BusError):
    """Raised when a payload cannot be written, or cannot be read as the view that a listener asks for."""


class CascadeError(BusError):
    """Raised by publish when the event would be one too many in a chain of events that cause one another.

    Attributes:
        chain: The events of the chain, oldest first, with the one that was refused: names of published events,
            and of the classes of others.
    """

    def __init__(self, chain: tuple[str, ...], limit: int) -> None:
        self.chain = chain
        super().__init__(
            f"events go on causing one another, and {limit} in one chain are the limit: {' → '.join(chain)}; break the "
            "loop, with a condition on a listener or by publishing only what has really changed"
        )


class TooManyEventsError(BusError):
    """Raised by publish when a unit of work would write more rows of the bus than it may.

    Attributes:
        count: Rows with this event: one for each event, and one for each module that it is owed to.
        limit: Rows that are allowed.
    """

    def __init__(self, count: int, limit: int) -> None:
        self.count, self.limit = count, limit
        super().__init__(
            f"with this event the unit of work would write {count:,} rows of the bus, the limit is {limit:,}: one for "
            "each event and one for each module that it is owed to; commit in portions, or publish one event that "
            "tells of them all"
        )


class EnvelopeError(BusError):
    """Raised when bytes that should be an envelope are none."""


class TransactionControlError(BusError):
    """Raised when code inside a unit of work commits, rolls back or closes its session itself."""


class RollbackOnlyError(BusError):
    """Raised at commit when a unit of work that had joined this one has failed before."""


class SchemaError(BusError):
    """Raised at start when a database's tables are not those that this code works with."""


class LostPublicationError(BusError):
    """Raised inside a run when the completing statement did not hit its row: the run rolls back."""


class DrainTimeoutError(BusError):
    """Raised by drain when something is still owed after the time allowed.

    Attributes:
        owed: Open publications by module, outbox and inbox together.
    """

    def __init__(self, owed: dict[str, int], timeout: float) -> None:
        self.owed = owed
        rest = ", ".join(f"{module}: {count}" for module, count in sorted(owed.items()) if count)
        super().__init__(f"still owed after {timeout:g} s: {rest or 'envelopes in flight'}; see `flask bus status`")


class StoppedError(BusError):
    """Raised when the bus is asked to carry events after it was stopped."""


class BrokerAwayError(BusError):
    """Raised when the broker between the modules does not answer; what is owed stays in the outbox."""


class RetentionError(BusError):
    """Raised when completed publications would be forgotten while their events may still be sent again."""


class PublicationHeldError(BusError):
    """Raised by an inbox store when another transaction has taken a publication and has not ended."""


class MissingExtraError(BusError):
    """Raised when a part needs a library that is not installed; names the command that installs it."""
