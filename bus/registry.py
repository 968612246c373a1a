"""The listeners of one bus: what may be registered, and who matches."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bus.errors import DuplicateNameError, InvalidListenerError
from bus.event import Catalogue, event_type_of, published_name, viewed_name_of
from bus.generic import class_of, is_binding, receives, shown
from bus.listener import Kind, Listener


class Registry:
    """Holds the listeners strongly, in the order of their registration. The bus guards it with its lock."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._listeners: tuple[Listener, ...] = ()
        self._sequence = 0

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """Every listener, in the order of registration."""
        return self._listeners

    def add(self, found: Iterable[Listener]) -> tuple[str, ...]:
        """Register listeners, all or none; return the ids, also of those that were there before."""
        fresh = list(found)
        for number, listener in enumerate(fresh):
            self._require_allowed(listener)
            self._require_unused_id(listener, (*self._listeners, *fresh[:number]))
        for listener in fresh:
            if not any(listener.target == other.target for other in self._listeners):
                self._sequence += 1
                self._listeners = (*self._listeners, listener.numbered(self._sequence))
        return tuple(listener.id for listener in fresh)

    def remove(self, which: str | Callable[[Listener], bool]) -> int:
        """Remove by id or by predicate; return how many went."""
        goes = which if callable(which) else lambda listener: listener.id == which
        kept = tuple(listener for listener in self._listeners if not goes(listener))
        removed = len(self._listeners) - len(kept)
        self._listeners = kept
        return removed

    def receivers_of(self, cls: type) -> tuple[Listener, ...]:
        """Return the plain and transactional listeners that receive a concrete type, in the order of the calls.

        A module's listener on a base class does not hear another module's published events.
        """
        owner = self._catalogue.owner_of(cls)
        return _ranked(
            listener
            for listener in self._listeners
            if listener.declaration.kind is not Kind.MODULE
            and any(receives(heard, cls) for heard in listener.types)
            and (owner is None or listener.module in (None, owner))
        )

    def module_listeners(self, module: str | None = None, event_name: str | None = None) -> tuple[Listener, ...]:
        """Return the module listeners of a module for an event, or all of them, in the order of their runs."""
        return _ranked(
            listener
            for listener in self._listeners
            if listener.declaration.kind is Kind.MODULE
            and module in (None, listener.module)
            and event_name in (None, *map(published_name, listener.types))
        )

    def _require_allowed(self, listener: Listener) -> None:
        for cls in listener.types:
            if listener.declaration.kind is Kind.MODULE:
                self._require_published(listener, cls)
            else:
                self._require_own(listener, class_of(cls))

    def _require_unused_id(self, listener: Listener, others: Iterable[Listener]) -> None:
        if listener.declaration.id is None:
            return
        for other in others:
            if other.id == listener.id and other.target != listener.target:
                raise DuplicateNameError(
                    f"two listeners have the id {listener.id!r}: {other.name} and {listener.name}; an id names one"
                )

    def _require_published(self, listener: Listener, cls: type) -> None:
        if listener.module is None:
            raise InvalidListenerError(
                f"module listener {listener.id!r} ({listener.name}) belongs to no module; subscribe it through the "
                "module's handle, `bus.module('kitchen').subscribe(…)`"
            )
        if is_binding(cls) or published_name(cls) is None:
            raise InvalidListenerError(
                f"module listener {listener.id!r} ({listener.name}) listens to {shown(cls)}, which is neither an "
                "@event nor an @event_view; only published events travel between modules"
            )
        owner = self._catalogue.owner_of(cls)
        if owner != listener.module:
            raise InvalidListenerError(
                f"module listener {listener.id!r} ({listener.name}) of module {listener.module!r} listens to "
                f"{cls.__qualname__}, which stands in {f'the contract of {owner!r}' if owner else 'no contract'}; put "
                f'a view of @event_view("{published_name(cls)}") into the contract of {listener.module!r}'
            )

    def _require_own(self, listener: Listener, cls: type) -> None:
        owner = self._catalogue.owner_of(cls)
        is_foreign = owner is not None and owner != listener.module
        if viewed_name_of(cls) is not None or (event_type_of(cls) is not None and is_foreign):
            raise InvalidListenerError(
                f"{listener.name} is a {listener.declaration.kind.value} of {published_name(cls)!r}, an event of "
                "another module; what happens in another module is heard after its commit, by a "
                '@module_listener("module.reaction") in a transaction of its own'
            )


def _ranked(listeners: Iterable[Listener]) -> tuple[Listener, ...]:
    return tuple(sorted(listeners, key=lambda listener: listener.rank))
