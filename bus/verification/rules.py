"""The rules, one sentence each, and what to do instead of breaking them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bus.verification.report import Violation


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the boundaries: its stable id, what it asks, and the way to do it right."""

    id: str
    sentence: str
    fix: str

    def violation(self, module: str, other: str, message: str, *, file: str = "", line: int = 0) -> Violation:
        """State that a module breaks this rule; the fix is filled in with the names."""
        fix = self.fix.format(module=module, other="the other module" if other in {"", "*"} else other)
        return Violation(self.id, module, other, file, line, message, fix)


_LISTEN = (
    "let {other} publish an event; declare an @event_view with the fields that you need in the "
    "contract of {module} and react with a @module_listener"
)
_PORT = "hand the collaborator in through a port (a Protocol) of the core, implemented outside it"

_ALL = (
    Rule("C1", "a module imports no other module, not in a function and not for typing only", _LISTEN),
    Rule(
        "C2",
        "a module reaches no other module through a chain of imports",
        "take the import of {other} out of the shared code; " + _LISTEN,
    ),
    Rule(
        "C3",
        "a module reaches no other module through an attribute of the package that holds them",
        "import only from {module} itself; " + _LISTEN,
    ),
    Rule(
        "C4",
        "no string in a module names another module's path",
        "name the event, such as 'order.placed', never the code; " + _LISTEN,
    ),
    Rule(
        "C5",
        "a module imports nothing by a name that is only known at run time",
        "write a plain import of the part of {module} that you mean; leave the choice between "
        "modules to the composition root",
    ),
    Rule(
        "C6",
        "every Python file of the modules takes part in this check",
        "make every folder a package (add __init__.py) and name files and folders as Python identifiers",
    ),
    Rule(
        "C7",
        "only the composition root imports modules, and of each only its `module`",
        "import only {other}'s `module` object, only in the composition root; everything else goes over the bus",
    ),
    Rule(
        "C7.face",
        "a module's package and contract import only the bus and the standard library",
        "name the part in Module(...) as a string, which is imported only where {module} is "
        "hosted; keep the contract to events and views",
    ),
    Rule(
        "L1",
        "the bus imports nothing of the application",
        "hand it in: the bus knows modules as Module objects",
    ),
    Rule("L2", "the bus's core imports no database, no Flask and no broker", _PORT),
    Rule(
        "L3",
        "transactions, outbox and inbox import no Flask, and of the transports only the port",
        "depend on the port in transport/base.py; the transport is handed in",
    ),
    Rule(
        "L4",
        "only the integrations import Flask and dependency-injector",
        "move the code that needs {other} into integrations/",
    ),
    Rule("L5", "only the verification's graph imports grimp", "ask verification/graph.py"),
    Rule("L6", "only the schema and its revisions import Alembic", "ask schema/schema.py"),
    Rule(
        "D1",
        "each table has exactly one owner",
        "give every module a MetaData of its own and define its tables and mapped classes inside that module",
    ),
    Rule(
        "D2",
        "no foreign key leads into another module's tables",
        "keep the other row's id as a plain column of {module}, and what you need of it as a copy filled by events",
    ),
    Rule(
        "D3",
        "no relationship, secondary table or inheritance leads to another module's classes",
        "keep a copy of the fields that {module} needs in a table of its own, filled by listening to {other}",
    ),
)

#: Every rule by its id, in the order in which reports and documents list them.
RULES: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in _ALL})
