"""Checks that modules interact only through the bus, and that the bus keeps its own layers.

`verify` reads the source of an application, `verify_layers` that of the bus, `verify_tables`
the metadata of the modules' tables; each answers with a `Report`.
"""

from bus.verification.boundaries import verify
from bus.verification.declared import declared_in
from bus.verification.graph import UnreadablePackageError
from bus.verification.layers import verify_layers
from bus.verification.report import Report, Violation
from bus.verification.rules import RULES, Rule
from bus.verification.tables import verify_tables

__all__ = [
    "RULES",
    "Report",
    "Rule",
    "UnreadablePackageError",
    "Violation",
    "declared_in",
    "verify",
    "verify_layers",
    "verify_tables",
]
