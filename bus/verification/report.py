"""What a verification found: violations, and the report that holds them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """One breach of one rule, with the way to do it right.

    `module` is who breaks the rule and `other` is who is reached: `*` where that may be
    anybody, empty where it is nobody. `file` is relative to the folder that holds the
    package; `file` and `line` are empty and 0 where the breach is no line of code.
    """

    rule: str
    module: str
    other: str
    file: str
    line: int
    message: str
    fix: str

    @property
    def fingerprint(self) -> str:
        """Name this breach in the same way on every machine and wherever its line moves."""
        facts = "\n".join((self.rule, self.module, self.other, self.file, self.message))
        return hashlib.sha256(facts.encode()).hexdigest()[:16]

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file else ""
        who = f"{self.module} -> {self.other}" if self.other else self.module
        return f"{place}{self.rule} {who}: {self.message}\n    fix: {self.fix}"


@dataclass(frozen=True, slots=True)
class Report:
    """The violations of one verification, sorted; an empty report is a clean tree."""

    violations: tuple[Violation, ...] = ()

    @classmethod
    def of(cls, *groups: Iterable[Violation]) -> Report:
        """Gather violations, each once, in an order that does not change between runs."""
        return cls(tuple(sorted({violation for group in groups for violation in group})))

    @property
    def ok(self) -> bool:
        """Say whether no rule was broken."""
        return not self.violations

    def of_rule(self, rule: str) -> Report:
        """Narrow the report to one rule, such as `C1`."""
        return Report(tuple(v for v in self.violations if v.rule == rule))

    def text(self) -> str:
        """Render for people: the place, the breach and its fix, a paragraph each."""
        if self.ok:
            return "No violations."
        return "\n".join([*map(str, self.violations), f"{len(self.violations)} violation(s)."])

    def json(self) -> str:
        """Render for programs: an object whose `violations` carry every field."""
        rows = [asdict(v) | {"fingerprint": v.fingerprint} for v in self.violations]
        return json.dumps({"ok": self.ok, "violations": rows}, indent=2)

    def __str__(self) -> str:
        return self.text()
