"""Stand-ins for the modules that a module under test hears: it starts alone, and knows nobody."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import make_dataclass
from types import new_class
from typing import get_type_hints

from bus.event import event, viewed_name_of
from bus.module import Module


def stand_ins(module: Module) -> list[Module]:
    """Return a module for each one that `module` hears, publishing just what its views read.

    Together with a `RecordingTransport` and the database of `module` alone they make a bus on which it runs
    without its neighbours: `assemble([module, *stand_ins(module)], {module.name: database}, transport=…)`.
    `boot_alone` does all of that.
    """
    views: defaultdict[str, list[type]] = defaultdict(list)
    for view in module.contract_classes():
        name = viewed_name_of(view)
        if name is not None:
            views[name].append(view)
    contracts: defaultdict[str, list[type]] = defaultdict(list)
    for name, classes in views.items():
        contracts[name.partition(".")[0]].append(event(name)(_published(classes)))
    return [Module(name, contract=tuple(classes)) for name, classes in sorted(contracts.items()) if name != module.name]


def _published(views: list[type]) -> type:
    """Return a class with the fields of every view of one event."""
    name = f"Published{views[0].__name__}"
    if len(views) == 1:
        return new_class(name, (views[0],))
    fields = {field: kind for view in views for field, kind in get_type_hints(view).items()}
    return make_dataclass(name, fields.items(), frozen=True)
