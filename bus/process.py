"""Which process this is, without asking the system each time: the answer changes only with a fork."""

from __future__ import annotations

import os


class _ThisProcess:
    """Knows the number of the process that it is in.

    Attributes:
        pid: That number.
    """

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Ask anew: in a forked child."""
        self.pid = os.getpid()


this_process = _ThisProcess()
os.register_at_fork(after_in_child=this_process.renew)
