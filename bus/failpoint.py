"""Named places on an event's way where a test can make the process fail.

In production a failpoint is one dictionary look-up in an empty dictionary. A test arms one with
`arm`; a child process that is to die is armed through the environment with `arm_from_environment`.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

#: Every failpoint, in the order in which an event passes them.
FAILPOINTS = (
    "publish.recorded",
    "outbox.before_write",
    "outbox.after_write",
    "transaction.before_commit",
    "transaction.after_commit",
    "relay.before_hand_over",
    "relay.before_claim",
    "relay.after_claim",
    "transport.before_send",
    "inbox.before_claim",
    "inbox.after_claim",
    "inbox.after_alone",
    "inbox.before_mark",
    "inbox.after_mark",
    "inbox.before_start",
    "inbox.after_start",
    "inbox.before_complete",
    "inbox.before_commit",
    "inbox.after_commit",
    "inbox.before_failure",
    "inbox.after_failure",
    "relay.before_acknowledge",
    "relay.after_acknowledge",
)

#: The one switch of the process: what to do at an armed failpoint.
_armed: dict[str, Callable[[], None]] = {}


class FailpointError(Exception):
    """Raised by an armed failpoint whose action is `raise`."""


def failpoint(name: str) -> None:
    """Do nothing, or what a test has armed for this place."""
    if _armed:
        action = _armed.get(name)
        if action is not None:
            action()


@contextmanager
def arm(name: str, action: Callable[[], None]) -> Iterator[None]:
    """Run `action` whenever the failpoint is passed, until the block ends."""
    _require_known(name)
    _armed[name] = action
    try:
        yield
    finally:
        _armed.pop(name, None)


def arm_from_environment(environment: Mapping[str, str]) -> None:
    """Arm what `BUS_FAILPOINTS` says, for a process that a test has started.

    The form is `name=action` or `name=N*action`, several parted by `;`. The action is `raise`, `kill`,
    `stop` or `sleep(SECONDS)`, done at the N-th passage only (the first where no number is given).
    """
    for part in filter(None, environment.get("BUS_FAILPOINTS", "").split(";")):
        name, _, action = part.partition("=")
        _require_known(name)
        count, star, verb = action.partition("*")
        _armed[name] = _at_passage(int(count) if star else 1, _action(verb if star else count, name))


def _require_known(name: str) -> None:
    if name not in FAILPOINTS:
        raise ValueError(f"no failpoint {name!r}; there are {', '.join(FAILPOINTS)}")


def _at_passage(number: int, action: Callable[[], None]) -> Callable[[], None]:
    passed = iter(range(1, number + 1))

    def run() -> None:
        if next(passed, None) == number:
            action()

    return run


def _action(verb: str, name: str) -> Callable[[], None]:
    if verb == "raise":
        return lambda: _raise(name)
    if verb == "kill":
        return lambda: os.kill(os.getpid(), signal.SIGKILL)
    if verb == "stop":
        return lambda: os.kill(os.getpid(), signal.SIGSTOP)
    if verb.startswith("sleep(") and verb.endswith(")"):
        seconds = float(verb[6:-1])
        return lambda: time.sleep(seconds)
    raise ValueError(f"no failpoint action {verb!r}; there are raise, kill, stop and sleep(SECONDS)")


def _raise(name: str) -> None:
    raise FailpointError(name)
