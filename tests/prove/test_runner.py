"""The runner of the long proofs; they themselves are run by `make prove`."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import pytest

from tests.prove.__main__ import main, proofs, run
from tests.prove.finding import Finding, at_most, exactly


def kept() -> Iterator[Finding]:
    yield at_most("rows", 1000, 1000)


def missed() -> Iterator[Finding]:
    yield exactly("lost", 1, 0)
    yield at_most("ratio", 1.2, 1.5, " x")


def broken() -> Iterator[Finding]:
    raise ValueError("no dough")


def test_missed_bound_and_a_broken_proof_fail_and_the_others_are_run(capsys: pytest.CaptureFixture[str]) -> None:
    failed = run({"missed": missed, "broken": broken, "kept": kept})

    printed = capsys.readouterr().out
    assert failed == ["missed", "broken"]
    assert "  MISSED lost: 1 (exactly 0)\n  kept   ratio: 1.20 x (at most 1.50 x)\n" in printed
    assert "  kept   rows: 1,000 (at most 1,000)\n" in printed


def test_unknown_proof_is_an_error_that_names_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["bounded_memroy"])

    assert code == 2
    assert "there is no proof 'bounded_memroy'; there are" in capsys.readouterr().err


def test_every_proof_says_what_it_proves() -> None:
    silent = [name for name in proofs() if not import_module(f"tests.prove.{name}").__doc__]

    assert silent == []
