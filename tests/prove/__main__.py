"""Run the long proofs: `python -m tests.prove [NAME…]`; exits 1 where one of them fails."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pkgutil import iter_modules

from tests.prove.finding import Finding

#: Yields what it finds.
Proof = Callable[[], Iterable[Finding]]


def proofs() -> dict[str, Proof]:
    """Return every proof of this package by its name."""
    names = [found.name for found in iter_modules(import_module("tests.prove").__path__) if found.name != "__main__"]
    modules = {name: import_module(f"tests.prove.{name}") for name in sorted(names)}
    return {name: module.prove for name, module in modules.items() if hasattr(module, "prove")}


def run(chosen: Mapping[str, Proof]) -> list[str]:
    """Run proofs one after the other, print what they find, and return the names of those that failed."""
    return [name for name, proof in chosen.items() if not _holds(name, proof)]


def main(names: list[str]) -> int:
    """Run the named proofs, or all; return the exit code."""
    every = proofs()
    unknown = sorted(set(names) - every.keys())
    if unknown:
        print(f"there is no proof {unknown[0]!r}; there are {', '.join(every)}", file=sys.stderr)
        return 2
    failed = run({name: proof for name, proof in every.items() if not names or name in names})
    print(f"not proved: {', '.join(failed)}" if failed else "everything is proved")
    return 1 if failed else 0


def _holds(name: str, proof: Proof) -> bool:
    began = time.monotonic()
    print(f"{name}: {_first_line(proof)}", flush=True)
    is_kept = True
    try:
        for finding in proof():
            is_kept = is_kept and finding.is_kept
            print(f"  {'kept  ' if finding.is_kept else 'MISSED'} {finding.text}", flush=True)
    except Exception:  # noqa: BLE001 - a proof that breaks has failed, and the others are run all the same
        traceback.print_exc()
        is_kept = False
    print(f"  {time.monotonic() - began:.0f} s", flush=True)
    return is_kept


def _first_line(proof: Proof) -> str:
    return (import_module(proof.__module__).__doc__ or "").partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
