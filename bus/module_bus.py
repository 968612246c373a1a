"""The bus as one module sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bus.errors import ForeignEventError

if TYPE_CHECKING:
    from bus.bus import EventBus


class ModuleBus:
    """The bus as one module sees it: it publishes the module's own events, and registers its listeners.

    Attributes:
        name: The module.
    """

    def __init__(self, bus: EventBus, name: str) -> None:
        self._bus = bus
        self.name = name

    def publish(self, event: object) -> None:
        """Deliver an event as `EventBus.publish` does.

        Raises:
            ForeignEventError: The event belongs to another module.
        """
        owner = self._bus.catalogue.owner_of(type(event))
        if owner is not None and owner != self.name:
            raise ForeignEventError(
                f"module {self.name!r} cannot publish {type(event).__qualname__}: it belongs to module {owner!r}, "
                "and only the owner states its facts; publish an event of your own that the owner reacts to"
            )
        self._bus.publish(event)

    def subscribe(self, target: object) -> tuple[str, ...]:
        """Register a decorated function, or every decorated method of an object, as this module's."""
        return self._bus.subscribe(target, module=self.name)

    def subscribe_provider(self, cls: type, provider: Callable[[], Any]) -> tuple[str, ...]:
        """Register every decorated method of a class; the provider returns its instance at each dispatch."""
        return self._bus.subscribe_provider(cls, provider, module=self.name)
