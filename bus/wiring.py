"""Do the modules fit together? Asked once, when a bus is assembled."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from bus.compatibility import problems_of_view
from bus.event import Catalogue, View


def wiring_problems(catalogue: Catalogue, hosted: Collection[str], *, is_local: bool) -> list[str]:
    """Return what is wrong, a sentence each; empty when the modules fit together.

    Args:
        catalogue: The contracts of every module.
        hosted: The modules that this process hosts.
        is_local: Whether the transport reaches only those.
    """
    problems = [problem for view in catalogue.views() for problem in _view_problems(catalogue, view)]
    return problems + (_hosting_problems(catalogue, hosted) if is_local else [])


def _view_problems(catalogue: Catalogue, view: View) -> list[str]:
    published = catalogue.event(view.name)
    place = f"{view.cls.__qualname__} of module {view.module!r}"
    if published is None:
        names = [found.type.name for found in catalogue.events()]
        near = get_close_matches(view.name, names, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names) or 'none'}"
        return [f"{place} is a view of {view.name!r}, which no module publishes; {hint}"]
    return [
        f"{place} cannot be read from {view.name!r} of module {published.module!r}: {problem}"
        for problem in problems_of_view(published.cls, view.cls)
    ]


def _hosting_problems(catalogue: Catalogue, hosted: Collection[str]) -> list[str]:
    lacking: dict[str, set[str]] = {}
    for view in catalogue.views():
        published = catalogue.event(view.name)
        if published is not None and published.module in hosted and view.module not in hosted:
            lacking.setdefault(view.module, set()).add(view.name)
    return [
        f"module {module!r} listens to {', '.join(sorted(names))} but is not hosted here, and inprocess:// reaches "
        f"only this process; host it too (MODULES), or choose a transport that reaches other processes (BUS_URL)"
        for module, names in sorted(lacking.items())
    ]
