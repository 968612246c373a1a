"""Spring-style application events for Flask: modules publish facts and react to facts, the bus carries them."""

from bus.absence import AbsentListener
from bus.assembly import assemble
from bus.bus import EventBus
from bus.clock import Clock, IdSource, SystemClock, Uuid7Source
from bus.context import Delivery, Trace, current_delivery, current_trace, trace_context
from bus.database import Database
from bus.envelope import Envelope
from bus.error_handler import ErrorHandler, ListenerFailure
from bus.errors import (
    BusError,
    CascadeError,
    DrainTimeoutError,
    DuplicateNameError,
    EnvelopeError,
    ForeignEventError,
    InvalidEventError,
    InvalidListenerError,
    LostPublicationError,
    MissingExtraError,
    NoTransactionError,
    PayloadError,
    PayloadTooLargeError,
    RetentionError,
    RollbackOnlyError,
    SchemaError,
    StoppedError,
    TooManyEventsError,
    TransactionControlError,
    UnknownModuleError,
    UnknownTargetError,
    WiringError,
)
from bus.event import event, event_view
from bus.explanation import ExplainedListener, Explanation
from bus.inbox.dead_letters import PublicationQuery
from bus.life import BusClosed, BusStarted, BusStopped
from bus.listener import Phase, listener, module_listener, transactional_listener
from bus.module import Module
from bus.module_bus import ModuleBus
from bus.observation import ListenerCall, ListenerObserver
from bus.operations import Operations, operations_of
from bus.retry import (
    KillSwitch,
    NotBefore,
    PermanentFailure,
    RetryAfter,
    RetryPolicy,
    Rule,
    Verdict,
    dead_letter_on,
    discard_on,
    retry_on,
)
from bus.transactional import transactional

__all__ = [  # noqa: RUF022 - grouped by concept
    # events
    "event",
    "event_view",
    "Envelope",
    # listeners
    "listener",
    "transactional_listener",
    "module_listener",
    "Phase",
    "Delivery",
    "current_delivery",
    # failure
    "RetryPolicy",
    "Rule",
    "Verdict",
    "retry_on",
    "discard_on",
    "dead_letter_on",
    "KillSwitch",
    "PermanentFailure",
    "RetryAfter",
    "NotBefore",
    "Operations",
    "operations_of",
    "PublicationQuery",
    "Trace",
    "current_trace",
    "trace_context",
    "ListenerFailure",
    "ErrorHandler",
    "ListenerCall",
    "ListenerObserver",
    # the bus
    "EventBus",
    "ModuleBus",
    "Explanation",
    "ExplainedListener",
    "AbsentListener",
    "BusStarted",
    "BusStopped",
    "BusClosed",
    "Module",
    "assemble",
    # transactions
    "Database",
    "transactional",
    # time and identity
    "Clock",
    "SystemClock",
    "IdSource",
    "Uuid7Source",
    # errors
    "BusError",
    "CascadeError",
    "DrainTimeoutError",
    "DuplicateNameError",
    "EnvelopeError",
    "ForeignEventError",
    "InvalidEventError",
    "InvalidListenerError",
    "LostPublicationError",
    "MissingExtraError",
    "NoTransactionError",
    "PayloadError",
    "PayloadTooLargeError",
    "RetentionError",
    "RollbackOnlyError",
    "SchemaError",
    "StoppedError",
    "TooManyEventsError",
    "TransactionControlError",
    "UnknownModuleError",
    "UnknownTargetError",
    "WiringError",
]
