"""Changing the keys that sign what goes over a broker, as the page says it."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from bus.testing.contracts.samples import sample
from bus.transport.dramatiq.messages import delivery, read
from bus.transport.dramatiq.signing import Signer
from tests.docs.project import ROOT

PAGE = (ROOT / "docs/how-to/run-on-a-broker.md").read_text()

KEYS = {"OLD": "o" * 32, "NEW": "n" * 32}

#: What the processes have before, and at each step.
STEPS = ["OLD", *re.findall(r"FLASK_BUS_SIGNING_KEYS=((?:OLD|NEW)(?:,(?:OLD|NEW))?)", PAGE)]


def signer(step: str) -> Signer:
    return Signer([KEYS[name] for name in step.split(",")])


@pytest.mark.parametrize("steps", list(pairwise(STEPS)), ids=" then ".join)
def test_processes_read_one_another_while_they_go_from_one_step_to_the_next(steps: tuple[str, str]) -> None:
    for sending, receiving in (steps, steps[::-1]):
        message = delivery("shop.kitchen", sample(1), 1, signer(sending))

        assert read("shop.kitchen", message.args, signer(receiving))


def test_steps_end_without_the_old_key() -> None:
    assert STEPS[-1] == "NEW"
