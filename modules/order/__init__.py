"""Take orders from customers and follow them until they are collected."""

from bus import Module

module = Module(
    "order",
    package=__name__,
    contract="contract",
    tables="read_models:metadata",
    container="container:OrderContainer",
)
