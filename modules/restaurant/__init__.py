"""Keep the menus, price the orders, and take dishes from stock."""

from bus import Module

module = Module(
    "restaurant",
    package=__name__,
    contract="contract",
    tables="read_models:metadata",
    container="container:RestaurantContainer",
)
