"""The parts of order, wired; what is not its own comes from the composition root."""

from __future__ import annotations

from dependency_injector import containers, providers

from bus import Clock, Database, IdSource, ModuleBus
from bus.integrations.operation import route
from modules.order.idempotency import OrdersOnce
from modules.order.listeners import KitchenNews, RestaurantNews
from modules.order.panel import OrderForms, OrderPanel, create_forms
from modules.order.projections import FollowedOrders
from modules.order.read import OrderReader
from modules.order.routes import create_routes
from modules.order.rush import Rush, RushTrial, add_trial
from modules.order.services import CustomerOrders, OrderProgress
from modules.order.web import OrderViews


class OrderContainer(containers.DeclarativeContainer):
    """Everything that order consists of."""

    database: providers.Dependency[Database] = providers.Dependency(instance_of=Database)
    bus: providers.Dependency[ModuleBus] = providers.Dependency(instance_of=ModuleBus)
    clock: providers.Dependency[Clock] = providers.Dependency()
    ids: providers.Dependency[IdSource] = providers.Dependency()

    customer_orders = providers.ThreadSafeSingleton(CustomerOrders, database=database, bus=bus, clock=clock, ids=ids)
    orders_once = providers.ThreadSafeSingleton(OrdersOnce, database=database, orders=customer_orders, clock=clock)
    progress = providers.ThreadSafeSingleton(OrderProgress, database=database, bus=bus, clock=clock)
    followed_orders = providers.ThreadSafeSingleton(FollowedOrders, database=database)
    reader = providers.ThreadSafeSingleton(OrderReader, database=database)

    restaurant_news = providers.ThreadSafeSingleton(RestaurantNews, progress=progress)
    kitchen_news = providers.ThreadSafeSingleton(KitchenNews, progress=progress)

    views = providers.ThreadSafeSingleton(OrderViews, orders=customer_orders, once=orders_once, reader=reader)
    routes = providers.ThreadSafeSingleton(create_routes, views=views)
    blueprint = providers.ThreadSafeSingleton(route, routes)
    order_forms = providers.ThreadSafeSingleton(OrderForms, orders=customer_orders, once=orders_once)
    panel_forms = providers.ThreadSafeSingleton(create_forms, forms=order_forms)
    panel = providers.ThreadSafeSingleton(OrderPanel, reader=reader, ids=ids)

    rush = providers.ThreadSafeSingleton(Rush, orders=customer_orders)
    trial = providers.ThreadSafeSingleton(RushTrial, rush=rush)
    forms = providers.ThreadSafeSingleton(add_trial, forms=panel_forms, trial=trial)
