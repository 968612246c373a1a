"""Every promise has a test that is named after it, and the page that lists them is what the tests say."""

from __future__ import annotations

from tests.index import PAGE, by_promise, page, promises


def test_every_promise_has_a_test() -> None:
    found = by_promise()

    assert promises()
    assert [promise for promise in promises() if promise not in found] == []


def test_every_test_named_after_a_promise_names_one_that_is_given() -> None:
    assert sorted(by_promise().keys() - set(promises())) == []


def test_page_of_tests_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "write it anew with `python -m tests.index`"
