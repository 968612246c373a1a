"""Scenario 10: a worker stands still, another one completes what it has taken, and it goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.databases import ON_POSTGRESQL
from tests.durable.shop import Shop, placed
from tests.durable.standing import standing
from tests.durable.test_crashes import SUSPECT, recovered, send_and_forget

TAKING = "tests.durable.taking"

#: An order that gets its ticket at the first run, and one whose first run fails: another one is claimed for it.
GOOD, BAD = 1, 4

#: Has the server give up a transaction for which nobody has asked anything for a second.
SHORT_OF_PATIENCE = "&options=-c%20idle_in_transaction_session_timeout%3D1000"


@pytest.mark.parametrize(
    ("order_id", "at"),
    [
        pytest.param(GOOD, "inbox.after_mark=1*stop", id="marked"),
        pytest.param(BAD, "inbox.after_claim=1*stop", id="claimed"),
        pytest.param(BAD, "inbox.before_start=2*stop", id="claimed-before-BEGIN"),
        pytest.param(SUSPECT, "inbox.after_claim=1*stop", id="claimed-to-be-alone"),
    ],
)
def test_scenario_10_worker_that_stood_still_before_its_run_finds_it_done_and_says_that_it_was_taken_over(
    database_url: str, tmp_path: Path, order_id: int, at: str
) -> None:
    send_and_forget(database_url, order_id)

    with standing(tmp_path, TAKING, database_url, at=at) as worker:
        other = recovered(database_url)
        states = other.states()
        worker.go_on()
        exit_code = worker.wait()

    effects = other.tickets(), other.answers()
    other.close()
    assert states == {"kitchen.open_ticket": "completed"}
    assert (exit_code, effects) == (0, ([order_id], [order_id]))
    assert "kitchen.open_ticket" in worker.told()
    assert "was taken over" in worker.told()


@ON_POSTGRESQL
@pytest.mark.parametrize("place", ["inbox.after_start", "inbox.before_commit"])
def test_scenario_10_worker_that_stood_still_in_its_transaction_has_its_effects_rolled_back_and_says_so(
    database_url: str, tmp_path: Path, place: str
) -> None:
    send_and_forget(database_url, GOOD)

    with standing(tmp_path, TAKING, database_url + SHORT_OF_PATIENCE, at=f"{place}=1*stop") as worker:
        other = recovered(database_url)
        states = other.states()
        worker.go_on()
        exit_code = worker.wait()

    effects, published = (other.tickets(), other.answers()), len(other.history("kitchen"))
    other.close()
    assert states == {"kitchen.open_ticket": "completed"}
    assert (exit_code, effects, published) == (0, ([GOOD], [GOOD]), 1)
    assert "kitchen.open_ticket failed" in worker.told()
    assert "somebody else has settled meanwhile" in worker.told()


def test_scenario_10_failure_that_a_worker_records_too_late_does_not_undo_what_another_has_completed(
    database_url: str, tmp_path: Path
) -> None:
    send_and_forget(database_url, BAD)

    with standing(tmp_path, TAKING, database_url, at="inbox.before_failure=1*stop") as worker:
        other = recovered(database_url)
        completed = other.publications()
        worker.go_on()
        exit_code = worker.wait()

    publications, effects = other.publications(), (other.tickets(), other.answers())
    other.close()
    assert [(row.state, row.failures) for row in completed] == [("completed", 0)]
    assert publications == completed
    assert (exit_code, effects) == (0, ([BAD], [BAD]))
    assert "no dough" in worker.told()


def test_event_that_is_delivered_once_more_is_no_run_that_was_taken_over(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.open_tickets()
    inbox = shop.inbox()

    for sends in (1, 1, 2):
        inbox.receive(placed(), sends)

    assert shop.tickets() == [1]
    assert caplog.records == []
