"""Servers that fork: several processes on one set of databases."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.app.conftest import set_up
from tests.processes.books import Books
from tests.processes.customers import Customers
from tests.server.server import Server, running_server, wait_until

#: Four processes: the application is loaded in each of them, or once, before they are forked.
GUNICORN = (sys.executable, "-m", "gunicorn", "-w", "4", "-b", "127.0.0.1:{port}", "wsgi:app")
FORKING, PRELOADING = (*GUNICORN, "--threads", "2"), (*GUNICORN, "--preload")

PRELOADING_THE_LINGERING = (*GUNICORN[:-1], "tests.processes.lingering:app", "--preload")


@pytest.fixture
def database_url(fresh_database_url: str) -> str:
    """Give the URL of databases that have their tables: those on PostgreSQL are not made by a start."""
    set_up(fresh_database_url)
    return fresh_database_url


@pytest.fixture
def settings(database_url: str) -> dict[str, str]:
    """Give the settings of a server whose processes share the connections of a PostgreSQL server with others."""
    found = {"FLASK_DATABASE_URL": database_url}
    return found if database_url.startswith("sqlite") else found | {"FLASK_BUS_WORKERS": "2"}


each_way = pytest.mark.parametrize("command", [FORKING, PRELOADING], ids=["each", "preload"])


@each_way
def test_scenario_17_forked_processes_deliver_each_order_once_and_answer_with_their_own(
    command: tuple[str, ...], database_url: str, settings: dict[str, str], tmp_path: Path
) -> None:
    books = Books(database_url)
    with running_server(tmp_path, command, **settings) as server:
        customers = Customers(server)
        with customers.ordering():
            customers.wait_for(120)
        wait_until(books.is_settled)

    assert (customers.refused, customers.strange) == ([], [])
    books.require_exact(customers.answered)


@each_way
def test_processes_that_are_told_to_end_under_load_lose_nothing_and_do_nothing_twice(
    command: tuple[str, ...], database_url: str, settings: dict[str, str], tmp_path: Path
) -> None:
    books = Books(database_url)
    with running_server(tmp_path, command, **settings) as server:
        customers = Customers(server)
        for _ in range(2):
            with customers.ordering():
                customers.wait_for(30)
                server.process.send_signal(signal.SIGTERM)
                assert server.process.wait(60) == 0
            server.start()
            wait_until(server.answers)
        wait_until(books.is_settled)

    books.require_exact(customers.answered)


def test_processes_that_are_killed_under_load_lose_nothing_and_do_nothing_twice(
    database_url: str, settings: dict[str, str], tmp_path: Path
) -> None:
    books = Books(database_url)
    with running_server(tmp_path, PRELOADING, **settings) as server:
        customers = Customers(server)
        with customers.ordering():
            customers.wait_for(30)
            for pid in (server.process.pid, *children_of(server)):
                os.kill(pid, signal.SIGKILL)
            server.process.wait(60)
        server.start()
        wait_until(server.answers)
        wait_until(books.is_settled)

    books.require_exact(customers.answered)


def test_scenario_16_processes_are_replaced_under_load_and_no_order_is_refused(
    database_url: str, settings: dict[str, str], tmp_path: Path
) -> None:
    books = Books(database_url)
    with running_server(tmp_path, FORKING, **settings) as server:
        customers = Customers(server)
        with customers.ordering():
            customers.wait_for(30)
            before = children_of(server)
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: not before & children_of(server))
            customers.wait_for(30)
        wait_until(books.is_settled)

    assert (customers.refused, customers.strange) == ([], [])
    books.require_exact(customers.answered)


def test_scenario_17_process_that_only_forks_others_carries_nothing_and_each_of_the_others_does(tmp_path: Path) -> None:
    with running_server(tmp_path, FORKING) as server:
        without = threads_of(server.process.pid)
    (tmp_path / "may_end").touch()

    with running_server(tmp_path, PRELOADING_THE_LINGERING, LINGERING=str(tmp_path)) as server:
        wait_until(lambda: len(children_of(server)) == 4)
        with Customers(server).ordering():
            wait_until(lambda: children_of(server) == those_who_ran(tmp_path))
        parent = threads_of(server.process.pid)

    assert parent == without


def test_scenario_17_process_that_only_watches_the_code_carries_nothing(tmp_path: Path) -> None:
    with running_server(tmp_path, (sys.executable, "-m", "flask", "run", "--debug")) as server:
        server.get("/readyz")

        [child] = children_of(server)
        threads = threads_of(server.process.pid), threads_of(child)
        os.kill(child, signal.SIGTERM)

    assert threads[0] == 1
    assert threads[1] > 6


def those_who_ran(folder: Path) -> set[int]:
    """Return the processes in which the listener of tests/processes/lingering.py was run."""
    began = folder / "began"
    return {int(pid) for pid in began.read_text().split()} if began.exists() else set()


def children_of(server: Server) -> set[int]:
    task = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    return {int(pid) for pid in task.read_text().split()}


def threads_of(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))
