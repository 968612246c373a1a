from __future__ import annotations

from tests.docs.transcript import Call, Happening, comparable, read_transcript

PAGE = """
<!-- do: a customer orders -->
```console
$ flask bus status
kitchen
$ flask bus check
```
"""


def test_page_is_read_as_what_happens_and_what_is_called() -> None:
    assert list(read_transcript(PAGE)) == [
        Happening("a customer orders"),
        Call("flask bus status", "kitchen\n"),
        Call("flask bus check", ""),
    ]


def test_outputs_that_differ_in_ids_and_times_alone_compare_equal() -> None:
    one = "       +5 ms  ├─ ✓ a.b completed in <1 ms\n01a204a6-9838-7251-9e58-769c251eb2b5  in 69 ms  x.py:4\n"
    other = "     +1.5 s  ├─ ✓ a.b completed in 2 min 5 s\n01b204a6-9838-7251-9e58-769c251eb2b5  3 ms ago  x.py:17\n"

    assert comparable(one) == comparable(other)


def test_outputs_that_differ_in_anything_else_do_not_compare_equal() -> None:
    assert comparable("  ├─ ✓ a.b completed in 1 ms") != comparable("     ├─ ✓ a.b completed in 1 ms")
    assert comparable("COMPLETED  1") != comparable("COMPLETED  2")
