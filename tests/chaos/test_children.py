"""What is no child of ours, or is none any more, gets no signal."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from tests.chaos.children import Child

#: Waits until it is killed.
WAITING = (sys.executable, "-c", "import signal; signal.pause()")


def test_process_of_somebody_else_gets_no_signal() -> None:
    with pytest.raises(ChildProcessError):
        Child(os.getppid()).send(signal.SIGCONT)


def test_child_is_killed_and_its_end_is_known() -> None:
    child = waiting()

    assert child.kill()
    assert child.exit_code == -signal.SIGKILL
    assert not child.is_running()


def test_child_that_had_ended_by_itself_was_not_killed() -> None:
    child = Child(os.posix_spawn(sys.executable, (sys.executable, "-c", "pass"), os.environ))
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    assert not child.kill()
    assert child.exit_code == 0


def test_child_whose_end_is_known_gets_no_signal() -> None:
    child = waiting()
    child.kill()

    with pytest.raises(ProcessLookupError, match=f"process {child.pid} has ended with -9"):
        child.send(signal.SIGKILL)


def test_child_whose_end_somebody_else_has_taken_note_of_gets_no_signal() -> None:
    child = waiting()
    os.kill(child.pid, signal.SIGKILL)
    os.waitpid(child.pid, 0)

    with pytest.raises(ChildProcessError):
        child.send(signal.SIGKILL)


def waiting() -> Child:
    return Child(os.posix_spawn(sys.executable, WAITING, os.environ))
