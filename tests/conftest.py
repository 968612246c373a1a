from __future__ import annotations

import signal

pytest_plugins = [
    "bus.testing.plugin",
    "tests.databases",
    "tests.own_server",
    "tests.brokers",
    "tests.telling",
    "tests.late_rollback",
]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # What a shell starts in the background ignores it, and so would the processes that tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
