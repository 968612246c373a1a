"""The states of a publication, and why it is in one."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """What a publication's row says; `started` besides, which only the run's own transaction ever sees."""

    RETRYING = "retrying"
    COMPLETED = "completed"
    DEAD = "dead"


class Reason(StrEnum):
    """Why a publication is retrying, or dead."""

    #: A run has begun and has not ended; when its lease is over it counts as a crash.
    RUNNING = "running"
    #: The same, after a crash, with nothing else running in its process.
    RUNNING_ALONE = "running_alone"
    #: The listener failed. Dead: too often.
    FAILED = "failed"
    #: A run began and never ended. Dead: too often, alone in its process.
    CRASHED = "crashed"
    #: The listener asked for a later run.
    WAITING = "waiting"
    #: The module's database was locked, in conflict or away.
    BUSY = "busy"
    #: Its process ended before it did: it was rolled back, and another process takes it.
    STOPPED = "stopped"
    #: The listener, or its module, is paused.
    PAUSED = "paused"
    #: Parked: no view in this build names the event.
    UNKNOWN_EVENT = "unknown_event"
    #: Parked: the event is of a later version than this build knows.
    NEWER_VERSION = "newer_version"
    #: Parked: the payload cannot be read as the listener's view.
    UNDECODABLE = "undecodable"
    #: An operator had it run again.
    REDELIVERED = "redelivered"
    #: Dead: the listener, or a rule of its policy, said that no other run would help.
    PERMANENT = "permanent"
    #: Dead: it was first sent longer ago than completed publications are remembered.
    TOO_OLD = "too_old"
    #: Dead: what was kept of the event is no envelope; its bytes are in quarantine.
    NO_ENVELOPE = "no_envelope"
    #: Dead: given up on purpose, by a rule of the policy or an operator.
    DISCARDED = "discarded"


#: Reasons of a publication that waits for a build which can read it; no attempt is counted.
PARKED = (Reason.UNKNOWN_EVENT, Reason.NEWER_VERSION, Reason.UNDECODABLE)

#: Reasons of a run that has not ended.
UNENDED = (Reason.RUNNING, Reason.RUNNING_ALONE)
