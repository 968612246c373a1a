"""Putting together the parts of one hosted module: its stores, its inbox, and what an operator works with."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta

from bus.bus import EventBus
from bus.clock import Clock
from bus.database import Database
from bus.history.sqlalchemy import SqlAlchemyHistoryStore
from bus.inbox.announcements import Announcements
from bus.inbox.inbox import Hearing, Inbox
from bus.inbox.pausing import Pausing
from bus.inbox.retention import Forgetter
from bus.inbox.runner import Runner
from bus.inbox.solitude import Solitude
from bus.inbox.sqlalchemy import SqlAlchemyInboxStore
from bus.inbox.sqlalchemy_dead_letters import SqlAlchemyDeadLetterStore
from bus.inbox.sqlalchemy_pauses import SqlAlchemyPauseStore
from bus.inbox.sqlalchemy_quarantine import SqlAlchemyQuarantineStore
from bus.inbox.verdict import Judge
from bus.inbox.views import Views
from bus.listener import Listener
from bus.operations import OperatedModule
from bus.outbox.sqlalchemy import SqlAlchemyOutboxStore
from bus.runtime import Hosted


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the hosted modules of one process share.

    Attributes:
        bus: The bus that they publish on.
        solitude: Lets one of them run alone.
        random_source: The randomness of retries.
        retention: For how long completed publications are remembered.
    """

    bus: EventBus
    solitude: Solitude
    random_source: random.Random
    retention: timedelta


def host(name: str, database: Database, around: Surroundings) -> Hosted:
    """Return the parts of a module that this process hosts; nothing runs, and no connection is opened."""
    clock = around.bus.clock
    hearing = hearing_of(around.bus, name)
    views = Views(hearing.listeners)
    stores = Stores.of(database, clock, views)
    return Hosted(
        database,
        clock,
        SqlAlchemyOutboxStore(database, clock),
        stores.inbox,
        inbox_of(name, database, stores, around, hearing=hearing, views=views),
        stores.pauses,
        stores.quarantine,
        Forgetter(SqlAlchemyDeadLetterStore(database, clock), clock, around.retention),
        SqlAlchemyHistoryStore(database, clock),
        lambda: tuple(found.id for found in hearing.listeners(None)),
    )


@dataclass(frozen=True, slots=True)
class Stores:
    """What an inbox keeps in its module's database."""

    inbox: SqlAlchemyInboxStore
    pauses: SqlAlchemyPauseStore
    quarantine: SqlAlchemyQuarantineStore

    @classmethod
    def of(cls, database: Database, clock: Clock, views: Views) -> Stores:
        """Return the stores in one database."""
        return cls(
            SqlAlchemyInboxStore(database, clock, views),
            SqlAlchemyPauseStore(database, clock),
            SqlAlchemyQuarantineStore(database, clock),
        )


def inbox_of(
    name: str, database: Database, stores: Stores, around: Surroundings, *, hearing: Hearing, views: Views
) -> Inbox:
    """Return the inbox of a module, with nothing in its memory, on stores that may have served another before."""
    clock = around.bus.clock
    announcements = Announcements(around.bus.signals, around.bus)
    judge = Judge(around.random_source)
    runner = Runner(
        database,
        stores.inbox,
        views=views,
        clock=clock,
        judge=judge,
        solitude=around.solitude,
        announcements=announcements,
    )
    return Inbox(
        name,
        stores.inbox,
        runner,
        judge=judge,
        hearing=hearing,
        pausing=Pausing(name, stores.pauses, clock, announcements),
        quarantine=stores.quarantine,
        announcements=announcements,
        clock=clock,
        retention=around.retention,
    )


def hearing_of(bus: EventBus, name: str) -> Hearing:
    """Return what a module hears, by its contract and by what is subscribed for it."""
    catalogue = bus.catalogue
    own = {found.type.name for found in catalogue.events() if found.module == name}
    viewed = {view.name for view in catalogue.views() if view.module == name}
    published = {found.type.name: found.type.version for found in catalogue.events()}
    versions = {event_name: published[event_name] for event_name in own | viewed if event_name in published}

    def listeners(event_name: str | None) -> tuple[Listener, ...]:
        return bus.module_listeners(name, event_name)

    return Hearing(listeners, versions)


def operated(hosted: Hosted) -> OperatedModule:
    """Return what an operator works with of a hosted module."""
    return OperatedModule(
        hosted.database,
        hosted.history,
        SqlAlchemyDeadLetterStore(hosted.database, hosted.clock),
        hosted.pauses,
        hosted.quarantine,
        hosted.listener_ids,
        hosted.inbox.pausing.refresh,
    )
