"""The parts of restaurant, wired; what is not its own comes from the composition root."""

from __future__ import annotations

from dependency_injector import containers, providers

from bus import Database, ModuleBus
from bus.integrations.operation import route
from modules.restaurant.demo import DemoMenu
from modules.restaurant.listeners import KitchenNews, OrderNews
from modules.restaurant.menus import Menus
from modules.restaurant.offer import MenuOffer
from modules.restaurant.panel import RestaurantForms, RestaurantPanel, create_forms
from modules.restaurant.projections import MenuCards
from modules.restaurant.read import MenuReader
from modules.restaurant.routes import create_routes
from modules.restaurant.services import Reservations
from modules.restaurant.web import RestaurantViews


class RestaurantContainer(containers.DeclarativeContainer):
    """Everything that restaurant consists of."""

    database: providers.Dependency[Database] = providers.Dependency(instance_of=Database)
    bus: providers.Dependency[ModuleBus] = providers.Dependency(instance_of=ModuleBus)

    menus = providers.ThreadSafeSingleton(Menus, database=database, bus=bus)
    reservations = providers.ThreadSafeSingleton(Reservations, database=database, bus=bus)
    menu_cards = providers.ThreadSafeSingleton(MenuCards, database=database)
    reader = providers.ThreadSafeSingleton(MenuReader, database=database)
    seed = providers.ThreadSafeSingleton(DemoMenu, database=database, bus=bus)

    order_news = providers.ThreadSafeSingleton(OrderNews, reservations=reservations)
    kitchen_news = providers.ThreadSafeSingleton(KitchenNews, reservations=reservations)

    views = providers.ThreadSafeSingleton(RestaurantViews, menus=menus, reader=reader)
    routes = providers.ThreadSafeSingleton(create_routes, views=views)
    blueprint = providers.ThreadSafeSingleton(route, routes)
    restaurant_forms = providers.ThreadSafeSingleton(RestaurantForms, menus=menus)
    forms = providers.ThreadSafeSingleton(create_forms, forms=restaurant_forms)
    panel = providers.ThreadSafeSingleton(RestaurantPanel, reader=reader)
    menu = providers.ThreadSafeSingleton(MenuOffer, reader=reader)
