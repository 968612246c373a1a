"""Schedules of several processes, with whatever may befall them, and everything accounted for after each."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from tests.prove.databases import child, said
from tests.prove.finding import Finding, at_least

#: Schedules in all, the processes that run them, how many a second each should manage, and the seconds it may take.
SCHEDULES, PROCESSES, RATE, PATIENCE = 50_000, 2, 10, 7200


def prove() -> Iterator[Finding]:
    seeds = [random.SystemRandom().randrange(2**32) for _ in range(PROCESSES)]
    began = time.monotonic()
    children = [child("simulating", SCHEDULES // PROCESSES, seed) for seed in seeds]
    told = [said(found, PATIENCE) for found in children]
    took = time.monotonic() - began
    for seed, (done, *problems) in zip(seeds, told, strict=True):
        yield at_least(f"schedules drawn from seed {seed}", int(done), SCHEDULES // PROCESSES)
        yield Finding("\n    ".join(["after one of them:", *(problems or ["nothing is wrong"])]), not problems)
    yield at_least(f"schedules a second, {SCHEDULES:,} in {took:.0f} s", SCHEDULES / took, RATE * PROCESSES)
