"""Stand-ins for the modules that a module under test hears: it starts alone, and knows nobody."""

from __future__ import annotations

from collections import defaultdict
from types import new_class

from bus.event import event, viewed_name_of
from bus.module import Module


def stand_ins(module: Module) -> list[Module]:
    """Return a module for each one that `module` hears, publishing just what its views read.

    Together with a `RecordingTransport` and the database of `module` alone they make a bus on which it runs
    without its neighbours: `assemble([module, *stand_ins(module)], {module.name: database}, transport=…)`.
    """
    contracts: defaultdict[str, list[type]] = defaultdict(list)
    for view in module.contract_classes():
        name = viewed_name_of(view)
        if name is not None:
            published = new_class(f"Published{view.__name__}", (view,))
            contracts[name.partition(".")[0]].append(event(name)(published))
    return [Module(name, contract=tuple(classes)) for name, classes in sorted(contracts.items()) if name != module.name]
