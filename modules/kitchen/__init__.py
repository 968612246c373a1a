"""Open a ticket for each accepted order, cook it, and say when it is ready."""

from bus import Module

module = Module(
    "kitchen",
    package=__name__,
    contract="contract",
    tables="read_models:metadata",
    container="container:KitchenContainer",
)
