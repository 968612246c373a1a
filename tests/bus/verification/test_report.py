import json
from dataclasses import replace

from bus.verification import RULES, Report, Violation

FIRST = RULES["C1"].violation("order", "kitchen", "a imports b", file="modules/order/a.py", line=3)
SECOND = RULES["D1"].violation("order", "", "table t is declared by nobody")


def test_empty_report_is_ok_and_says_so() -> None:
    assert Report().ok
    assert Report().text() == "No violations."


def test_violations_are_sorted_and_each_is_kept_once() -> None:
    report = Report.of([SECOND], iter([FIRST, FIRST]))

    assert report.violations == (FIRST, SECOND)
    assert not report.ok


def test_report_is_narrowed_to_one_rule() -> None:
    assert Report.of([FIRST, SECOND]).of_rule("D1").violations == (SECOND,)


def test_text_names_the_place_the_breach_and_its_fix() -> None:
    lines = str(Report.of([FIRST, SECOND])).splitlines()

    assert lines[0] == "modules/order/a.py:3: C1 order -> kitchen: a imports b"
    assert lines[1].startswith("    fix: let kitchen publish an event")
    assert lines[2] == "D1 order: table t is declared by nobody"
    assert lines[-1] == "2 violation(s)."


def test_json_carries_every_field_and_the_fingerprint() -> None:
    document = json.loads(Report.of([FIRST]).json())

    assert document["ok"] is False
    assert (
        Violation(**{key: value for key, value in document["violations"][0].items() if key != "fingerprint"}) == FIRST
    )
    assert document["violations"][0]["fingerprint"] == FIRST.fingerprint


def test_fingerprint_does_not_change_when_the_line_moves() -> None:
    assert replace(FIRST, line=99).fingerprint == FIRST.fingerprint
    assert replace(FIRST, file="modules/order/b.py").fingerprint != FIRST.fingerprint
    assert replace(FIRST, message="a imports c").fingerprint != FIRST.fingerprint
