"""How a policy answers failures: which rule decides, when the next run is due, and when it is enough."""

from __future__ import annotations

import asyncio
import logging
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import (
    CascadeError,
    NotBefore,
    PermanentFailure,
    RetryAfter,
    RetryPolicy,
    Rule,
    Verdict,
    dead_letter_on,
    discard_on,
    module_listener,
    retry_on,
)
from bus.clock import to_microseconds
from bus.inbox.state import Reason, State
from bus.inbox.store import Outcome, Publication
from bus.testing import FakeClock
from tests.durable.faults import PATIENT, Raising, dead_letters, pass_time
from tests.durable.shop import Shop, WantedDish, placed


class Unprintable(Exception):
    """An error that fails when it is asked what it says."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (KeyError("k"), Verdict.RETRY),
        (IndexError("i"), Verdict.DISCARD),
        (ValueError("v"), Verdict.DEAD_LETTER),
        (UnicodeError("u"), Verdict.DEAD_LETTER),
        (OSError("o"), Verdict.RETRY),
    ],
)
def test_scenario_19_first_matching_rule_decides(error: Exception, verdict: Verdict) -> None:
    policy = RetryPolicy(
        rules=(
            retry_on(KeyError),
            discard_on(LookupError, OverflowError),
            dead_letter_on(ValueError),
            retry_on(Exception),
        )
    )

    assert policy.verdict_on(error) is verdict


def test_scenario_19_retry_rule_shields_a_subclass_from_a_later_rule(shop: Shop) -> None:
    policy = RetryPolicy(rules=(retry_on(KeyError), dead_letter_on(LookupError)))
    Raising(shop, KeyError("k"), retry=policy)

    shop.inbox().receive(placed(), 1)

    assert [(row.state, row.reason) for row in shop.publications()] == [("retrying", "failed")]


@pytest.mark.parametrize(
    ("rule", "reason"), [(discard_on(ValueError), "discarded"), (dead_letter_on(ValueError), "permanent")]
)
def test_scenario_19_rule_gives_up_after_one_run(shop: Shop, clock: FakeClock, rule: Rule, reason: str) -> None:
    listener = Raising(shop, UnicodeError("no dough"), retry=RetryPolicy(rules=(rule,)))
    inbox = shop.inbox()

    inbox.receive(placed(), 1)
    found = pass_time(inbox, clock, hours=48)

    [row] = shop.publications()
    assert (row.state, row.reason, row.failures, found, len(listener.runs)) == ("dead", reason, 1, 0, 1)
    assert shop.tickets() == []


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_scenario_19_publication_is_dead_after_exactly_so_many_failures(
    shop: Shop, clock: FakeClock, limit: int
) -> None:
    policy = RetryPolicy(max_failures=limit, kill_switch=None)
    listener = Raising(shop, ValueError("no dough"), retry=policy, for_ever=True)
    inbox = shop.inbox()

    inbox.receive(placed(), 1)
    pass_time(inbox, clock, hours=20)

    [row] = shop.publications()
    assert (row.state, row.reason, row.failures, len(listener.runs)) == ("dead", "failed", limit, limit)


def test_default_policy_gives_up_after_twenty_failures(shop: Shop, clock: FakeClock) -> None:
    listener = Raising(shop, ValueError("no dough"), for_ever=True)
    inbox = shop.inbox()

    inbox.receive(placed(), 1)
    pass_time(inbox, clock, hours=30)

    assert len(listener.runs) == 20
    assert shop.states() == {"kitchen.raise": "dead"}


def test_failure_before_the_last_one_leaves_the_publication_retrying(shop: Shop, clock: FakeClock) -> None:
    listener = Raising(shop, ValueError("1"), ValueError("2"), retry=RetryPolicy(max_failures=3))
    inbox = shop.inbox()

    inbox.receive(placed(7), 1)
    pass_time(inbox, clock, hours=3)

    assert len(listener.runs) == 3
    assert (shop.tickets(), shop.states()) == ([7], {"kitchen.raise": "completed"})


def test_scenario_19_dead_letter_has_an_attempt_for_each_of_its_runs(shop: Shop, clock: FakeClock) -> None:
    policy = RetryPolicy(max_failures=3, kill_switch=None)
    Raising(shop, ValueError("first"), KeyError("second"), OSError("third"), retry=policy)
    inbox = shop.inbox()

    inbox.receive(placed(), 1)
    pass_time(inbox, clock, hours=5)

    history = dead_letters(shop).attempts("kitchen.raise", "event-1")
    assert [(tried.error_type, tried.outcome) for tried in history] == [
        ("ValueError", "failed"),
        ("KeyError", "failed"),
        ("OSError", "failed"),
    ]
    assert all("in raise_in_turn" in (tried.place or "") for tried in history)
    assert all(f"{tried.error_type}:" in (tried.traceback or "") for tried in history)
    assert sorted({tried.at for tried in history}) == [tried.at for tried in history]


@given(
    failures=st.integers(1, 200),
    first=st.floats(0, 100),
    times=st.floats(1, 1000),
    seed=st.integers(0, 2**32),
)
def test_scenario_19_full_jitter_lies_between_zero_and_the_bound(
    failures: int, first: float, times: float, seed: int
) -> None:
    policy = RetryPolicy(first_delay=first, longest_delay=first * times)

    delay = policy.delay_after(failures, random.Random(seed))

    assert 0 <= delay <= policy.bound_after(failures) * 1_000_000
    assert policy.bound_after(failures) <= policy.longest_delay
    assert policy.bound_after(1) == first


def test_full_jitter_reaches_every_part_of_its_range() -> None:
    source = random.Random(1)

    delays = [RetryPolicy(first_delay=8.0).delay_after(1, source) / 1_000_000 for _ in range(400)]

    counts = [sum(part <= delay < part + 1 for delay in delays) for part in range(8)]
    assert min(counts) > 25
    assert sum(counts) == 400


def test_scenario_18_failed_publication_is_tried_once_by_many_workers(shop: Shop, clock: FakeClock) -> None:
    listener = Raising(shop, ValueError("no dough"), for_ever=True)
    inboxes = [shop.inbox() for _ in range(5)]
    inboxes[0].receive(placed(), 1)

    early = [inbox.run_due() for inbox in inboxes]
    clock.advance(seconds=1)
    due = [inbox.run_due() for inbox in inboxes]

    assert early == [False] * 5
    assert due == [True, False, False, False, False]
    assert len(listener.runs) == 2


def test_scenario_19_permanent_failure_is_a_dead_letter_at_once_whatever_the_rules_say(shop: Shop) -> None:
    Raising(shop, PermanentFailure("no such dish"), retry=RetryPolicy(rules=(retry_on(Exception),)))

    shop.inbox().receive(placed(), 1)

    [row] = shop.publications()
    assert (row.state, row.reason, row.error) == ("dead", "permanent", "PermanentFailure: no such dish")
    assert row.envelope is not None


def test_events_that_cause_events_without_end_are_a_dead_letter_at_once(shop: Shop) -> None:
    Raising(shop, CascadeError(("a", "b", "a"), 32))

    shop.inbox().receive(placed(), 1)

    assert [(row.state, row.reason) for row in shop.publications()] == [("dead", "permanent")]


@pytest.mark.parametrize(("counts", "failures"), [(False, 0), (True, 1)])
def test_scenario_19_retry_after_is_due_after_its_seconds_exactly(
    shop: Shop, clock: FakeClock, counts: bool, failures: int
) -> None:
    Raising(shop, RetryAfter(90, counts=counts))
    inbox = shop.inbox()
    inbox.receive(placed(7), 1)
    [row] = shop.publications()

    clock.advance(microseconds=89_999_999)
    is_early = inbox.run_due()
    clock.advance(microseconds=1)
    inbox.run_due()

    assert (row.failures, row.reason) == (failures, "failed" if counts else "waiting")
    assert (is_early, shop.tickets()) == (False, [7])


def test_retry_after_that_counts_reaches_the_limit(shop: Shop, clock: FakeClock) -> None:
    policy = RetryPolicy(max_failures=3, kill_switch=None)
    listener = Raising(shop, RetryAfter(1, counts=True), retry=policy, for_ever=True)
    inbox = shop.inbox()

    inbox.receive(placed(), 1)
    pass_time(inbox, clock, hours=9)

    assert len(listener.runs) == 3
    assert [(row.state, row.reason) for row in shop.publications()] == [("dead", "failed")]


def test_retry_after_that_does_not_count_never_ends_and_leaves_no_history(shop: Shop, clock: FakeClock) -> None:
    policy = RetryPolicy(max_failures=1, kill_switch=None)
    listener = Raising(shop, RetryAfter(3600), retry=policy, for_ever=True)
    inbox = shop.inbox()

    inbox.receive(placed(), 1)
    pass_time(inbox, clock, hours=50)

    [row] = shop.publications()
    assert (len(listener.runs), row.state, row.failures) == (51, "retrying", 0)
    assert dead_letters(shop).attempts("kitchen.raise", "event-1") == []


def test_listener_that_asks_to_be_run_later_outranks_the_rules(shop: Shop) -> None:
    Raising(shop, RetryAfter(60, counts=True), retry=RetryPolicy(rules=(dead_letter_on(Exception),)))

    shop.inbox().receive(placed(), 1)

    assert [(row.state, row.failures) for row in shop.publications()] == [("retrying", 1)]


def test_listener_is_run_at_the_moment_that_it_names_and_not_before(shop: Shop, clock: FakeClock) -> None:
    Raising(shop, NotBefore(clock.now() + timedelta(days=2)))
    inbox = shop.inbox()
    inbox.receive(placed(7), 1)

    found = pass_time(inbox, clock, hours=47)
    [row] = shop.publications()
    pass_time(inbox, clock)

    assert (found, row.reason, row.failures) == (0, "waiting", 0)
    assert shop.tickets() == [7]


def test_moment_that_has_passed_means_at_once(shop: Shop, clock: FakeClock) -> None:
    Raising(shop, NotBefore(datetime(1999, 1, 1, tzinfo=UTC)))
    inbox = shop.inbox()

    inbox.receive(placed(7), 1)
    [row] = shop.publications()
    inbox.run_due()

    assert row.due_at == to_microseconds(clock.now())
    assert shop.tickets() == [7]


@pytest.mark.parametrize(
    "error", [SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError(), GeneratorExit(), StopIteration()]
)
def test_error_that_would_end_a_thread_is_a_failure_like_any_other(
    shop: Shop, clock: FakeClock, error: BaseException
) -> None:
    listener = Raising(shop, error, id="kitchen.leave")
    Raising(shop, id="kitchen.stay")
    inbox = shop.inbox()

    inbox.receive(placed(7), 1)
    states = shop.states()
    pass_time(inbox, clock)

    assert states == {"kitchen.leave": "retrying", "kitchen.stay": "completed"}
    assert (shop.tickets(), len(listener.runs)) == ([7, 7], 2)


def test_error_that_cannot_say_what_it_is_is_kept_by_its_name(shop: Shop) -> None:
    Raising(shop, Unprintable())

    shop.inbox().receive(placed(), 1)

    [row] = shop.publications()
    assert (row.state, row.error_type, row.error) == ("retrying", "Unprintable", "Unprintable")


def test_error_that_leaves_while_it_says_what_it_is_is_kept_by_its_name(shop: Shop) -> None:
    class Leaving(Exception):
        def __str__(self) -> str:
            raise SystemExit(3)

    Raising(shop, Leaving())

    shop.inbox().receive(placed(), 1)

    assert [(row.state, row.error) for row in shop.publications()] == [("retrying", "Leaving")]


@pytest.mark.parametrize("text", ["\x00 and \udc80", "x" * 5_000_000])
def test_error_is_kept_in_a_form_that_every_database_stores(
    shop: Shop, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    Raising(shop, ValueError(text))

    # What is logged goes into the report of a test, and from one process of pytest to another as UTF-8.
    with caplog.at_level(logging.CRITICAL, "bus"):
        shop.inbox().receive(placed(), 1)

    [row] = shop.publications()
    [tried] = dead_letters(shop).attempts("kitchen.raise", "event-1")
    assert "\x00" not in row.error
    assert len(row.error) <= 2100
    assert len(tried.traceback or "") <= 17_000


def test_publication_that_is_due_longest_is_run_first_whosever_it_is(shop: Shop, clock: FakeClock) -> None:
    due_now = Outcome(State.RETRYING, Reason.PAUSED, 0, 0, 0)
    for listener_id in ("kitchen.cook", "kitchen.bake"):
        shop.inbox_store.record(Publication(listener_id, placed()), due_now)
        clock.advance(seconds=1)

    claimed = [shop.inbox_store.claim(["kitchen.bake", "kitchen.cook"]) for _ in range(2)]

    assert [found.listener_id for found in claimed if found] == ["kitchen.cook", "kitchen.bake"]


def test_what_is_due_is_seen_whosever_it_is(shop: Shop, clock: FakeClock) -> None:
    Raising(shop, id="kitchen.bake")
    Raising(shop, ValueError("no dough"), id="kitchen.cook")
    inbox = shop.inbox()
    inbox.receive(placed(), 1)

    clock.advance(seconds=1)

    assert inbox.has_due()


def test_policy_of_one_listener_says_nothing_of_its_sibling(shop: Shop) -> None:
    Raising(shop, ValueError("no dough"), id="kitchen.strict", retry=RetryPolicy(max_failures=1))
    Raising(shop, ValueError("no dough"), id="kitchen.patient", retry=PATIENT)

    shop.inbox().receive(placed(), 1)

    assert shop.states() == {"kitchen.patient": "retrying", "kitchen.strict": "dead"}


def test_scenario_20_one_listener_fails_and_its_siblings_complete_once(shop: Shop, clock: FakeClock) -> None:
    runs = [Raising(shop, id=f"kitchen.good_{number}") for number in range(3)]
    Raising(shop, ValueError("no dough"), id="kitchen.bad", for_ever=True)
    inbox = shop.inbox()

    for sends in (1, 2, 3):
        inbox.receive(placed(7), sends)
        pass_time(inbox, clock, hours=12)

    assert [good.runs for good in runs] == [[7], [7], [7]]
    assert shop.states()["kitchen.bad"] == "dead"


def test_listener_of_a_given_up_publication_is_not_run_by_another_send(shop: Shop) -> None:
    listener = Raising(shop, PermanentFailure("no"))
    inbox = shop.inbox()

    inbox.receive(placed(), 1)
    inbox.receive(placed(), 1)
    inbox.receive(placed(), 2)

    assert len(listener.runs) == 1


def test_default_policy_is_that_of_a_listener_which_names_none(shop: Shop) -> None:
    @module_listener("kitchen.plain")
    def plain(event: WantedDish) -> None: ...

    shop.listen(plain)

    [found] = shop.bus.module_listeners("kitchen", None)
    assert found.declaration.retry == RetryPolicy()
