"""Processes of our own, made by a fork from a parent that has imported everything and opened nothing."""

from __future__ import annotations

import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable


class Child:
    """A process that this one has forked: nothing else is ever signalled, and nothing after its end was taken note of.

    The operating system keeps the id of a child for nobody else until its parent has asked for its end.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.exit_code: int | None = None

    def is_running(self) -> bool:
        """Say whether it has not ended; takes note of its end."""
        if self.exit_code is None:
            found, status = os.waitpid(self.pid, os.WNOHANG)
            if found:
                self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code is None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal.

        Raises:
            ProcessLookupError: It has ended, and its id may be another's.
            ChildProcessError: It is no child of this process.
        """
        if self.exit_code is not None:
            raise ProcessLookupError(f"process {self.pid} has ended with {self.exit_code}")
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        os.kill(self.pid, number)

    def kill(self) -> bool:
        """End it at once, and wait for that; False where it had ended by itself, and nobody had taken note."""
        self.send(signal.SIGKILL)
        return self.wait() == -signal.SIGKILL

    def wait(self) -> int:
        """Wait for its end, and return its exit code."""
        if self.exit_code is None:
            _, status = os.waitpid(self.pid, 0)
            self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code


def processor_seconds() -> float:
    """Return what all processes have used that this one has made, and whose end it has taken note of."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def fork(work: Callable[[], None]) -> Child:
    """Start a process that does this work and ends: with 0, or with 1 and the traceback where it raises."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return Child(pid)
    exit_code = 1
    try:
        work()
        exit_code = 0
    except BaseException:  # noqa: BLE001 - nothing may unwind into what the parent was doing
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(exit_code)
