"""The kill harness: what happens when processes die in the middle of listeners, counted to the last row.

`python -m tests.chaos --help` says what can be asked of it; docs/reference/chaos.md what it does.
"""
