"""The accounting notices each kind of violation: what is planted in its books it finds, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from tests.chaos.accounting import EXAMPLES, Accounts, Holdings, account
from tests.chaos.journal import Attempt, Journal

ACKNOWLEDGED = Attempt(range(1, 4), undone=range(4, 6), is_acknowledged=True)
UNKNOWN = Attempt(range(6, 8))

ONCE = {1: 1, 2: 1, 3: 1}


def test_books_that_agree_hold_no_violation() -> None:
    accounts = found(orders=ONCE, tickets=ONCE)

    assert violations(accounts) == {}
    assert accounts.recovered == 0
    assert accounts.effects == {"orders": 3, "tickets": 3}


def test_acknowledged_order_without_an_effect_is_lost() -> None:
    accounts = found(orders=ONCE, tickets={1: 1, 3: 1})

    assert violations(accounts) == {"lost": ["order 2: acknowledged, and missing in tickets"]}


def test_second_and_third_rows_are_duplicate_effects() -> None:
    accounts = found(orders=ONCE, tickets={1: 1, 2: 3, 3: 1})

    assert violations(accounts) == {"duplicate effects": ["order 2: row 2 in tickets", "order 2: row 3 in tickets"]}


def test_order_that_was_taken_back_and_is_there_is_a_phantom() -> None:
    accounts = found(orders=ONCE, tickets=ONCE | {4: 1})

    assert violations(accounts) == {"phantom": ["order 4: rolled back or never placed, and there in tickets"]}


def test_order_that_nobody_placed_is_a_phantom() -> None:
    accounts = found(orders=ONCE | {99: 1}, tickets=ONCE)

    assert violations(accounts) == {"phantom": ["order 99: rolled back or never placed, and there in orders"]}


def test_unacknowledged_transaction_that_is_there_with_all_that_follows_is_recovered() -> None:
    accounts = found(orders=ONCE | {6: 1, 7: 1}, tickets=ONCE | {6: 1, 7: 1})

    assert violations(accounts) == {}
    assert accounts.recovered == 2


def test_unacknowledged_transaction_of_which_one_order_is_missing_is_half_there() -> None:
    accounts = found(orders=ONCE | {7: 1}, tickets=ONCE | {7: 1})

    assert violations(accounts) == {"half a transaction": ["orders 6 to 7: there in part, 6 is missing in orders"]}
    assert accounts.recovered == 0


def test_unacknowledged_transaction_without_its_effects_is_half_there() -> None:
    accounts = found(orders=ONCE | {6: 1, 7: 1}, tickets=ONCE)

    assert violations(accounts) == {"half a transaction": ["orders 6 to 7: there in part, 6 is missing in tickets"]}


def test_what_is_still_owed_is_stuck() -> None:
    accounts = account(Journal(), Holdings({}, stuck=["owed: kitchen"]))

    assert violations(accounts) == {"stuck": ["owed: kitchen"]}


def test_dead_letter_is_an_innocent() -> None:
    accounts = account(Journal(), Holdings({}, dead=["dead: bill.write_invoice"]))

    assert violations(accounts) == {"innocents dead": ["dead: bill.write_invoice"]}


def test_of_many_violations_all_are_counted_and_the_first_told() -> None:
    holdings = Holdings({"orders": dict.fromkeys(range(100), 1)})

    phantom = account(Journal(), holdings).violations["phantom"]

    assert phantom.count == 100
    assert len(phantom.examples) == EXAMPLES


def found(**rows: Mapping[int, int]) -> Accounts:
    return account(Journal([ACKNOWLEDGED, UNKNOWN]), Holdings(rows))


def violations(accounts: Accounts) -> dict[str, list[str]]:
    return {kind: violation.examples for kind, violation in accounts.violations.items() if violation.count}
