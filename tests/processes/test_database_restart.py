"""Scenario 14 with several processes: the server of their databases is restarted while customers order."""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

from tests.app.conftest import set_up
from tests.own_server import OwnServer
from tests.processes.books import Books
from tests.processes.customers import Customers
from tests.processes.test_prefork import children_of
from tests.server.server import running_server, wait_until

PROCESSES = 2
GUNICORN = (sys.executable, "-m", "gunicorn", "-w", str(PROCESSES), "--threads", "2", "-b", "127.0.0.1:{port}")


def test_scenario_14_restart_under_load_is_ridden_out_by_every_process_and_told_in_a_few_lines(
    own_server: OwnServer, tmp_path: Path
) -> None:
    set_up(own_server.url)
    books, log = Books(own_server.url), tmp_path / "server.log"
    settings = {"FLASK_DATABASE_URL": own_server.url, "FLASK_BUS_WORKERS": "2"}
    with running_server(tmp_path, (*GUNICORN, "tests.processes.numbered:app"), **settings) as server:
        customers = Customers(server)
        children = children_of(server)
        before = len(log.read_text().splitlines())
        with customers.ordering():
            customers.wait_for(30)
            own_server.end()
            wait_until(lambda: len(customers.refused) > 40)
            own_server.start()
            customers.wait_for(30)
        wait_until(books.is_settled)
        lines = log.read_text().splitlines()[before:]

    books.require_exact(customers.answered)
    assert {error.split(",")[0] for error in customers.refused} == {"<HTTPError 503: 'SERVICE UNAVAILABLE'>"}
    told = Counter(process_of(line) for line in lines)
    assert children <= told.keys()
    assert max(told.values()) < 20, "\n".join(lines)


def process_of(line: str) -> int | None:
    """Return the number of the process that has logged a line: the application, or gunicorn in its own way."""
    found = re.match(r"(\d+) |\[[^]]+\] \[(\d+)\] ", line)
    return found and int(found[1] or found[2])
