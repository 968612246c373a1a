"""The parts of kitchen, wired; what is not its own comes from the composition root."""

from __future__ import annotations

from dependency_injector import containers, providers

from bus import Clock, Database, IdSource, ModuleBus
from bus.integrations.operation import route
from modules.kitchen.board import TicketBoard
from modules.kitchen.brigade import Brigade
from modules.kitchen.fault import Fault, FaultTrial, add_trial
from modules.kitchen.listeners import OrderNews
from modules.kitchen.panel import KitchenForms, KitchenPanel, create_forms
from modules.kitchen.projections import Board
from modules.kitchen.read import TicketReader
from modules.kitchen.room import Room
from modules.kitchen.routes import create_routes
from modules.kitchen.services import Stove, TicketDesk
from modules.kitchen.web import KitchenViews


class KitchenContainer(containers.DeclarativeContainer):
    """Everything that kitchen consists of."""

    database: providers.Dependency[Database] = providers.Dependency(instance_of=Database)
    bus: providers.Dependency[ModuleBus] = providers.Dependency(instance_of=ModuleBus)
    clock: providers.Dependency[Clock] = providers.Dependency()
    ids: providers.Dependency[IdSource] = providers.Dependency()

    desk = providers.ThreadSafeSingleton(TicketDesk, database=database, bus=bus, clock=clock, ids=ids)
    stove = providers.ThreadSafeSingleton(Stove, database=database, bus=bus)
    room = providers.ThreadSafeSingleton(Room, database=database, bus=bus)
    board = providers.ThreadSafeSingleton(Board, database=database)
    reader = providers.ThreadSafeSingleton(TicketReader, database=database)

    ticket_board = providers.ThreadSafeSingleton(TicketBoard, database=database)
    brigade = providers.ThreadSafeSingleton(Brigade, database=database, stove=stove, reader=reader)
    fault = providers.ThreadSafeSingleton(Fault)

    order_news = providers.ThreadSafeSingleton(OrderNews, desk=desk, fault=fault)

    views = providers.ThreadSafeSingleton(KitchenViews, stove=stove, room=room, reader=reader)
    routes = providers.ThreadSafeSingleton(create_routes, views=views)
    blueprint = providers.ThreadSafeSingleton(route, routes)
    kitchen_forms = providers.ThreadSafeSingleton(KitchenForms, stove=stove, brigade=brigade, room=room)
    panel_forms = providers.ThreadSafeSingleton(create_forms, forms=kitchen_forms)
    panel = providers.ThreadSafeSingleton(KitchenPanel, reader=reader, board=ticket_board, clock=clock)
    trial = providers.ThreadSafeSingleton(FaultTrial, fault=fault)
    forms = providers.ThreadSafeSingleton(add_trial, forms=panel_forms, trial=trial)
