"""L1 to L6: which part of the bus may import what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bus.verification.graph import CodeGraph, is_within, read_graph
from bus.verification.imports import shortest_chain
from bus.verification.report import Report, Violation
from bus.verification.rules import RULES

#: What stands without any database, web framework or broker.
CORE = ("event", "listener", "bus", "envelope", "plan", "module", "unit_of_work", "context")
#: The durable way of an event, which runs the same on every transport.
DURABLE = ("transaction", "transactional", "outbox", "inbox")


@dataclass(frozen=True, slots=True)
class Independence:
    """Parts that reach none of some targets, not through other parts of the bus either."""

    rule: str
    parts: tuple[str, ...]
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Confinement:
    """A target that only some parts of the bus import themselves."""

    rule: str
    target: str
    parts: tuple[str, ...] = ()


def verify_layers(bus: str = "bus", application: tuple[str, ...] = ("modules", "modular_app")) -> Report:
    """Check that the imports inside the bus point one way: rules L1 to L6.

    A part that a rule names and that does not exist is a violation: a rename must not
    switch a rule off.

    Args:
        bus: The package of the bus.
        application: Top-level packages that the bus must not know.

    Raises:
        MissingExtraError: grimp is not installed.
        UnreadablePackageError: The package cannot be found or parsed.
    """
    graph = read_graph(bus)
    transports = [name for name in graph.within(f"{bus}.transport") if name != f"{bus}.transport"]
    concrete = tuple(name for name in transports if not is_within(name, f"{bus}.transport.base"))
    independent = (
        Independence("L2", CORE, ("sqlalchemy", "flask", "dramatiq")),
        Independence("L3", DURABLE, ("flask", *concrete)),
    )
    confined = (
        *(Confinement("L1", package) for package in application),
        Confinement("L4", "flask", ("integrations",)),
        Confinement("L4", "dependency_injector", ("integrations",)),
        Confinement("L5", "grimp", ("verification.graph",)),
        Confinement("L6", "alembic", ("schema", "migrations")),
    )
    reaching = [violation for layer in independent for violation in _reaching(graph, bus, layer)]
    importing = [violation for layer in confined for violation in _importing(graph, bus, layer)]
    return Report.of(reaching, importing)


def _reaching(graph: CodeGraph, bus: str, layer: Independence) -> Iterator[Violation]:
    parts = tuple(f"{bus}.{part}" for part in layer.parts)
    for part in parts:
        if part not in graph:
            yield RULES[layer.rule].violation(part, "", f"{part} does not exist, so this rule checks nothing there")
        for target in layer.targets:
            # A chain through another part of the layer is reported there.
            chain = shortest_chain(graph, part, target, through=lambda name: not _is_part(name, parts))
            if chain:
                yield _violation(graph, layer.rule, (part, target), chain)


def _importing(graph: CodeGraph, bus: str, layer: Confinement) -> Iterator[Violation]:
    allowed = tuple(f"{bus}.{part}" for part in layer.parts)
    for importer in graph.within(bus):
        for imported in graph.imports_of(importer):
            if is_within(imported, layer.target) and not _is_part(importer, allowed):
                yield _violation(graph, layer.rule, (importer, layer.target), (importer, imported))


def _violation(graph: CodeGraph, rule: str, who: tuple[str, str], chain: tuple[str, ...]) -> Violation:
    importer, imported = chain[:2]
    message = f"{who[0]} imports {who[1]}" if len(chain) == 2 else f"{who[0]} reaches {who[1]}: {' -> '.join(chain)}"
    return RULES[rule].violation(*who, message, file=graph.file(importer), line=graph.line(importer, imported))


def _is_part(name: str, parts: tuple[str, ...]) -> bool:
    return any(is_within(name, part) for part in parts)
