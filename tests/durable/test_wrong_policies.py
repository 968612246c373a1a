"""Policies that could never work are refused where they are declared, not when the first listener fails."""

from __future__ import annotations

import importlib.util
import math
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bus import (
    InvalidListenerError,
    KillSwitch,
    NotBefore,
    RetryAfter,
    RetryPolicy,
    dead_letter_on,
    discard_on,
    module_listener,
    retry_on,
)
from bus.inbox.trouble import trouble_of
from bus.retry import LONGEST_TIME
from tests.durable.shop import WantedDish


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_failures": 0},
        {"max_failures": -1},
        {"max_crashes": 0},
        {"first_delay": -1},
        {"first_delay": math.nan},
        {"first_delay": 601},
        {"longest_delay": 0.5},
        {"longest_delay": math.inf},
        {"longest_delay": math.nan},
        {"rules": discard_on(KeyError)},
        {"rules": [discard_on(KeyError)]},
        {"rules": (KeyError,)},
        {"rules": ("discard",)},
    ],
)
def test_policy_that_could_never_work_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidListenerError, match="RetryPolicy"):
        RetryPolicy(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"runs": 0},
        {"share": 0},
        {"share": 1.01},
        {"share": math.nan},
        {"window": 0},
        {"window": math.inf},
        {"window": math.nan},
        {"pause": 0},
        {"pause": math.nan},
        {"pause": 601},
        {"longest_pause": math.inf},
        {"longest_pause": math.nan},
    ],
)
def test_kill_switch_that_could_never_work_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidListenerError, match="KillSwitch"):
        KillSwitch(**wrong)


@pytest.mark.parametrize("make", [retry_on, discard_on, dead_letter_on])
@pytest.mark.parametrize("wrong", [(), ("ValueError",), (ValueError("v"),), (ValueError, int), (None,)])
def test_rule_takes_classes_of_exceptions(make: Any, wrong: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidListenerError, match="classes of exceptions"):
        make(*wrong)


@pytest.mark.parametrize("wrong", [5, "policy", {"max_failures": 3}, retry_on(KeyError)])
def test_listener_with_something_else_for_a_policy_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidListenerError, match=r"retry=RetryPolicy\("):

        @module_listener("kitchen.open_ticket", retry=wrong)
        def open_ticket(event: WantedDish) -> None: ...


@pytest.mark.parametrize("seconds", [-1, -0.001, math.nan, math.inf, LONGEST_TIME * 2, 1e300])
def test_retry_after_takes_a_time_that_can_be_stored(seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds from now on"):
        RetryAfter(seconds)


def test_moment_without_a_time_zone_is_refused_with_the_mend() -> None:
    with pytest.raises(ValueError, match=r"datetime.now\(UTC\)"):
        NotBefore(datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake


def test_limits_of_one_mean_one_run() -> None:
    policy = RetryPolicy(max_failures=1, max_crashes=1, first_delay=0, longest_delay=0)

    assert policy.bound_after(1) == 0


def test_place_of_an_error_is_the_users_own_code_also_where_its_path_begins_like_the_buss(tmp_path: Path) -> None:
    folder = tmp_path / "bus" / "inbox"
    module = loaded(folder / "trouble.py", Path(trouble_of.__code__.co_filename).read_text())
    own = loaded(tmp_path / "business.py", "def pay() -> None:\n    raise ValueError('no money')\n")

    with pytest.raises(ValueError, match="no money") as failure:
        own.pay()

    assert module.trouble_of(failure.value).place == "business.py:2 in pay"
    assert not module._is_foreign(str(tmp_path / "business.py"))
    assert module._is_foreign(str(tmp_path / "bus" / "bus.py"))


def loaded(path: Path, source: str) -> ModuleType:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
