"""What an application over a broker survives: nothing is lost and nothing done twice, and no order is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.app.conftest import set_up
from tests.cluster.wiping import wipe
from tests.cluster.workers import LINGERING, PAIRED, Settings, Worker, running_worker
from tests.gate import Gate
from tests.processes.books import Books
from tests.processes.customers import Customers
from tests.server.server import running_server, wait_until

#: The modules of the application.
EVERY = "order,restaurant,kitchen"

RunWorker = Callable[..., Worker]


@pytest.fixture
def run_worker(tmp_path: Path, broker_url: str) -> Iterator[RunWorker]:
    """Run workers of modules, each until the test is over."""
    with ExitStack() as stack:

        def run(name: str, modules: str, **settings: str) -> Worker:
            told = {"FLASK_BUS_URL": broker_url, **settings}
            return stack.enter_context(running_worker(tmp_path, name, "--modules", modules, **told))

        yield run


def open_shop(url: str, run_worker: RunWorker) -> tuple[Books, Settings]:
    """Set up the databases and run all but the kitchen, with one thread for each module.

    On PostgreSQL: on SQLite nobody could cook beside a cook who lingers over a transaction.
    """
    set_up(url)
    settings = {"FLASK_DATABASE_URL": url, "FLASK_BUS_WORKERS": "1"}
    run_worker("shop", "order,restaurant", **settings)
    return Books(url), settings


def test_scenario_15_worker_that_is_told_to_end_finishes_what_runs_and_leaves_the_rest_to_others_at_once(
    broker_url: str, fresh_postgresql_url: str, run_worker: RunWorker, tmp_path: Path
) -> None:
    books, settings = open_shop(fresh_postgresql_url, run_worker)
    ending = run_worker("ending", "kitchen", FLASK_APP=LINGERING, LINGERING=str(tmp_path), **settings)
    with running_server(tmp_path, FLASK_BUS_URL=broker_url, **settings) as server:
        customers = Customers(server)
        with customers.ordering():
            wait_until((tmp_path / "began").exists)
            customers.wait_for(20)
        wait_until(lambda: len(books.owed_to("kitchen")) >= len(customers.answered))

    ending.tell_all()
    run_worker("other", "kitchen", **settings)
    # Whatever does not stand on the stove is cooked by the other one, before it is due to be sent again. What stands
    # there is settled too once it has been: the other cook does not linger.
    wait_until(lambda: len(books.owed_to("kitchen")) <= 1, patience=8)
    (tmp_path / "may_end").touch()
    exit_code = ending.process.wait(30)

    wait_until(books.is_settled)
    assert exit_code == 0
    books.require_exact(customers.answered)


def test_scenario_15_worker_ends_though_a_listener_does_not_and_the_next_one_runs_what_it_had(
    broker_url: str, fresh_postgresql_url: str, run_worker: RunWorker, tmp_path: Path
) -> None:
    books, settings = open_shop(fresh_postgresql_url, run_worker)
    lingering = {**settings, "FLASK_APP": LINGERING, "LINGERING": str(tmp_path), "FLASK_BUS_GRACE": "1s"}
    ending = run_worker("ending", "kitchen", **lingering)
    with running_server(tmp_path, FLASK_BUS_URL=broker_url, **settings) as server:
        customers = Customers(server)
        with customers.ordering():
            wait_until((tmp_path / "began").exists)
            customers.wait_for(3)

    ending.tell()
    exit_code = ending.process.wait(30)
    (tmp_path / "may_end").touch()
    run_worker("next", "kitchen", **lingering)

    wait_until(books.is_settled)
    assert exit_code == 0
    books.require_exact(customers.answered)


# While processes start the customers order as fast as they can, on PostgreSQL three times as much.
@pytest.mark.parametrize("fresh_database_url", ["sqlite"], indirect=True)
def test_scenario_16_workers_and_the_server_are_replaced_in_turn_under_load(
    books: Books, run_worker: RunWorker, settings: Settings, tmp_path: Path
) -> None:
    workers = [run_worker(f"first {number}", EVERY, **settings) for number in range(2)]
    with running_server(tmp_path, **settings) as old, running_server(tmp_path, **settings) as new:
        before, after = Customers(old), Customers(new)
        with before.ordering():
            for number, worker in enumerate(workers):
                before.wait_for(15)
                run_worker(f"next {number}", EVERY, **settings)
                assert worker.end() == 0
        with after.ordering():
            old.close()
            after.wait_for(15)
        wait_until(books.is_settled)

    assert (before.refused, after.refused) == ([], [])
    books.require_exact(before.answered | after.answered)


@PAIRED
def test_scenario_31_orders_are_taken_while_the_broker_is_down_and_travel_when_it_is_back(
    broker_url: str, books: Books, run_worker: RunWorker, settings: Settings, tmp_path: Path
) -> None:
    with Gate(broker_url) as gate:
        gated = {**settings, "FLASK_BUS_URL": gate.url}
        worker = run_worker("all", EVERY, **gated)
        with running_server(tmp_path, **gated) as server:
            customers = Customers(server)
            with customers.ordering():
                customers.wait_for(10)
                gate.shut()
                customers.wait_for(20)
                gate.open()
                customers.wait_for(10)
            wait_until(books.is_settled)
            said = (tmp_path / "server.log").read_text()
        assert worker.end() == 0

    assert customers.refused == []
    books.require_exact(customers.answered)
    told = [line for line in said.splitlines() if line.startswith("the broker at")]
    assert [line.rpartition(" answers ")[1] for line in told] == ["", " answers "]
    assert len([line for line in worker.said().splitlines() if "INFO" not in line]) < 20


@PAIRED
def test_scenario_32_what_the_broker_forgets_arrives_all_the_same(
    books: Books, run_worker: RunWorker, broker_url: str, settings: Settings, tmp_path: Path
) -> None:
    run_worker("shop", "order,restaurant", **settings)
    run_worker("kitchen", "kitchen", **settings)
    with running_server(tmp_path, **settings) as server:
        customers = Customers(server)
        with customers.ordering():
            for _ in range(2):
                customers.wait_for(10)
                wipe(broker_url)
            customers.wait_for(10)
        wait_until(books.is_settled)

    assert customers.refused == []
    books.require_exact(customers.answered)


@PAIRED
def test_scenario_33_module_moves_to_a_worker_while_the_process_that_hosted_it_goes_on(
    books: Books, run_worker: RunWorker, settings: Settings, tmp_path: Path
) -> None:
    alone = {name: value for name, value in settings.items() if name != "FLASK_BUS_URL"}
    with running_server(tmp_path, **alone) as old, running_server(tmp_path, **settings) as new:
        run_worker("all", EVERY, **settings)
        before, after = Customers(old), Customers(new)
        with before.ordering():
            before.wait_for(10)
            with after.ordering():
                after.wait_for(10)
                before.wait_for(10)
        old.close()
        with after.ordering():
            after.wait_for(10)
        wait_until(books.is_settled)

    assert (before.refused, after.refused) == ([], [])
    books.require_exact(before.answered | after.answered)
