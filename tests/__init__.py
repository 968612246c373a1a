"""The tests. A process of theirs that is started with `BUS_FAULT=NAME` has that fault, see `tests/faults`."""

import os

if "BUS_FAULT" in os.environ:
    from tests.faults.faults import FAULTS

    FAULTS[os.environ["BUS_FAULT"]].apply()
