from itertools import count
from pathlib import Path

import pytest

from tests.architecture.planting import Tree

#: Each tree has names of its own: what one test put on the Python path is no other's.
NUMBERS = count()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    number = next(NUMBERS)
    monkeypatch.syspath_prepend(tmp_path)
    return Tree(tmp_path, {name: f"{name}_{number}" for name in ("modules", "app", "shared", "bus")})
