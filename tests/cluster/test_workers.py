"""The application over a broker: a server that takes orders, and workers that run the listeners."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from tests.cluster.workers import COMMAND, LINGERING, PAIRED, Settings, Worker, running_worker
from tests.processes.books import Books
from tests.processes.customers import Customers
from tests.server.server import PATIENCE, ROOT, environment, running_server, wait_until


@PAIRED
def test_orders_that_one_process_takes_are_accepted_and_cooked_in_others(
    books: Books, settings: Settings, tmp_path: Path
) -> None:
    with (
        running_server(tmp_path, **settings) as server,
        running_worker(tmp_path, "shop", "--modules", "order,restaurant", **settings) as shop,
        running_worker(tmp_path, "kitchen", "--modules", "kitchen", **settings) as kitchen,
    ):
        customers = Customers(server)
        with customers.ordering():
            customers.wait_for(30)
        wait_until(books.is_settled)
        exit_codes = kitchen.end(), shop.end()

    assert exit_codes == (0, 0)
    assert customers.refused == []
    books.require_exact(customers.answered)


@PAIRED
def test_scenario_35_what_a_killed_worker_had_runs_elsewhere_within_twenty_seconds_and_orders_are_taken(
    books: Books, settings: Settings, tmp_path: Path
) -> None:
    with (
        running_server(tmp_path, **settings) as server,
        running_worker(tmp_path, "shop", "--modules", "order,restaurant", **settings),
        running_worker(tmp_path, "other", "--modules", "kitchen", **settings),
        running_worker(tmp_path, "killed", "--modules", "kitchen", **settings) as killed,
    ):
        customers = Customers(server)
        with customers.ordering():
            customers.wait_for(200)
            killed.kill()
            before = set(customers.answered)
            wait_until(lambda: before <= set(books.cooked()), patience=20)
            customers.wait_for(300)
        wait_until(books.is_settled)

    assert customers.refused == []
    books.require_exact(customers.answered)


@PAIRED
def test_scenario_35_others_go_on_without_the_only_worker_of_a_module_whose_work_waits_for_the_next_one(
    books: Books, settings: Settings, tmp_path: Path
) -> None:
    with (
        running_server(tmp_path, **settings) as server,
        running_worker(tmp_path, "shop", "--modules", "order,restaurant", **settings),
    ):
        customers = Customers(server)
        with customers.ordering():
            with running_worker(tmp_path, "first", "--modules", "kitchen", **settings) as first:
                customers.wait_for(10)
                first.kill()
            customers.wait_for(20)
        wait_until(lambda: books.owed_to("restaurant") == [])
        assert len(books.owed_to("kitchen")) >= 20
        with running_worker(tmp_path, "second", "--modules", "kitchen", **settings):
            wait_until(books.is_settled)

    assert customers.refused == []
    books.require_exact(customers.answered)


@PAIRED
def test_process_of_a_worker_that_dies_ends_it_with_its_exit_code_and_strands_nothing(
    books: Books, settings: Settings, tmp_path: Path
) -> None:
    with running_server(tmp_path, **settings) as server:
        customers = Customers(server)
        with (
            customers.ordering(),
            running_worker(tmp_path, "pair", "--processes", "2", **settings) as pair,
        ):
            wait_until(lambda: len(pair.pids()) == 2)
            customers.wait_for(20)
            os.kill(pair.pids()[0], signal.SIGKILL)
            exit_code = pair.process.wait(60)
        with running_worker(tmp_path, "next", **settings):
            wait_until(books.is_settled)

    assert exit_code == 1
    assert customers.refused == []
    books.require_exact(customers.answered)


def test_worker_that_cannot_start_ends_and_says_why(redis_url: str, tmp_path: Path) -> None:
    worker = Worker(tmp_path, "worker", FLASK_APP="tests.cluster.unstartable:app", FLASK_BUS_URL=redis_url)
    try:
        exit_code = worker.process.wait(PATIENCE)
    finally:
        worker.kill()

    assert exit_code == 1
    assert "no dough in the house" in worker.said()


@PAIRED
def test_slow_module_holds_up_no_other_one_that_shares_its_worker(
    books: Books, settings: Settings, tmp_path: Path
) -> None:
    lingering = {**settings, "FLASK_APP": LINGERING, "LINGERING": str(tmp_path)}
    with (
        running_server(tmp_path, **settings) as server,
        running_worker(tmp_path, "shared", "--threads", "2", **lingering),
    ):
        customers = Customers(server)
        with customers.ordering():
            wait_until((tmp_path / "began").exists)
            customers.wait_for(20)
        # The restaurant has heard of every order, and the order of its price.
        wait_until(lambda: len(books.publications("order", "order.price_order")) >= len(customers.answered))
        cooked = books.cooked()
        (tmp_path / "may_end").touch()
        wait_until(books.is_settled)

    assert len(cooked) <= 2
    books.require_exact(customers.answered)


def test_worker_of_an_application_in_one_process_is_refused_with_what_to_set(tmp_path: Path) -> None:
    ran = told(tmp_path)

    assert ran.returncode == 2
    assert "FLASK_BUS_URL" in ran.stderr


def test_worker_of_a_module_that_is_not_there_is_refused(redis_url: str, tmp_path: Path) -> None:
    ran = told(tmp_path, "--modules", "order,kichen", FLASK_BUS_URL=redis_url)

    assert ran.returncode == 2
    assert "name some of kitchen, order, restaurant" in ran.stderr


def told(folder: Path, *options: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *options],
        cwd=ROOT,
        env=environment(folder, **settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
