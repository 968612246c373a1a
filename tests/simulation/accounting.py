"""What must be true when everything is drained: nothing lost, twice, phantom or stuck, and no innocent given up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from tests.simulation.shop import MAX_CRASHES, NAMES
from tests.simulation.world import World

#: Each listener with its module, the module that publishes what it hears, and the module's question for those events.
_LISTENERS = (
    ("kitchen.open_ticket", "kitchen", "order"),
    ("kitchen.cook", "kitchen", "order"),
    ("order.hear_of_ticket", "order", "kitchen"),
)

_UNSETTLED = "SELECT listener, event_id, state, reason FROM bus_inbox WHERE state NOT IN ('completed', 'dead')"
_DEAD = "SELECT listener, event_id, reason FROM bus_inbox WHERE state = 'dead'"


def problems(world: World) -> list[str]:
    """Return what is wrong, a sentence each."""
    return [*_of_publishing(world), *_of_states(world), *_of_effects(world)]


def _of_publishing(world: World) -> Iterator[str]:
    orders = Counter(int(id) for (id,) in world.rows("order", "SELECT id FROM orders"))
    events = Counter(int(key) for (key,) in world.rows("order", "SELECT key FROM bus_event"))
    tickets = Counter(id for listener, id in _effects(world, "kitchen") if listener == "kitchen.open_ticket")
    opened = Counter(int(key) for (key,) in world.rows("kitchen", "SELECT key FROM bus_event"))
    yield from _told("not committed, though its publisher was told so", world.told["committed"] - orders.keys())
    yield from _told(
        "committed, though its publisher was told that it is not", world.told["rolled back"] & orders.keys()
    )
    yield from _told("order and event do not stand together", _apart(orders, events))
    yield from _told("ticket and event do not stand together", _apart(tickets, opened))


def _of_states(world: World) -> Iterator[str]:
    for name in NAMES:
        stuck = world.rows(name, "SELECT target, event_id FROM bus_outbox")
        yield from _told(f"stuck in the outbox of {name}", stuck)
        stuck = world.rows(name, _UNSETTLED)
        yield from _told(f"stuck in the inbox of {name}", stuck)
        innocent = [row for row in world.rows(name, _DEAD) if not _is_guilty(world, *row)]
        yield from _told("innocent, and given up", innocent)


def _of_effects(world: World) -> Iterator[str]:
    for listener, module, source in _LISTENERS:
        effects = Counter(id for found, id in _effects(world, module) if found == listener)
        published = {id: int(key) for id, key in world.rows(source, "SELECT id, key FROM bus_event")}
        given_up = {published.get(id) for found, id, _ in world.rows(module, _DEAD) if found == listener}
        wanted = set(published.values()) - given_up
        yield from _told(f"lost by {listener}", wanted - effects.keys())
        yield from _told(f"twice in {listener}", (id for id, times in effects.items() if times > 1))
        yield from _told(f"phantom in {listener}", effects.keys() - set(published.values()))
        yield from _told(f"given up and done by {listener}", effects.keys() & given_up)


def _is_guilty(world: World, listener: str, event_id: str, reason: str) -> bool:
    """Say whether runs of it have ended its process, or not ended in time, often enough while they were alone."""
    times = sum(found[:2] == (listener, event_id) for found in world.alone)
    return reason == "crashed" and times >= MAX_CRASHES


def _effects(world: World, module: str) -> list[tuple[str, int]]:
    return [(str(listener), int(id)) for listener, id in world.rows(module, "SELECT listener, order_id FROM effects")]


def _apart(some: Counter[int], others: Counter[int]) -> list[int]:
    return [*(some - others), *(others - some)]


def _told(what: str, found: Iterable[object]) -> Iterator[str]:
    yield from (f"{what}: {each}" for each in found)
