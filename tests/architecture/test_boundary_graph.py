import os
import subprocess
import sys

import pytest

from bus import MissingExtraError
from bus.verification import UnreadablePackageError, verify_layers
from tests.architecture.planting import APPLICATION, Tree


def test_missing_grimp_is_an_error_that_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "grimp", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'modular-bus\[verify\]'"):
        verify_layers()


def test_verification_is_imported_without_grimp() -> None:
    code = "import sys; sys.modules['grimp'] = None; import bus.verification"

    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_file_that_python_cannot_parse_is_an_error(tree: Tree) -> None:
    tree.plant(*APPLICATION.items(), ("$modules/order/broken.py", "def :"))

    with pytest.raises(UnreadablePackageError, match="broken"):
        tree.report()


def test_reading_imports_nothing_and_writes_nothing(tree: Tree) -> None:
    tree.plant(*APPLICATION.items(), ("$modules/order/loud.py", "raise SystemExit"))
    before = sorted(tree.folder.rglob("*"))

    assert tree.report().ok

    assert sorted(tree.folder.rglob("*")) == before
    assert not {name for name in sys.modules if name.startswith(tree.names["modules"])}


def test_same_tree_gives_the_same_report_in_every_process(tree: Tree) -> None:
    shared = [(f"$shared/by{n}.py", "import $app.app") for n in range(8)]
    tree.plant(*APPLICATION.items(), *shared)
    tree.plant(*(("$modules/order/reach.py", f"import $shared.by{n}") for n in range(8)))
    code = tree.filled("from bus.verification import verify; print(verify('$modules', '$app').json())")

    outputs = {run_in_fresh_process(code, tree, seed) for seed in ("1", "2", "3")}

    assert len(outputs) == 1
    assert '"ok": false' in outputs.pop()


def run_in_fresh_process(code: str, tree: Tree, seed: str) -> str:
    environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join([str(tree.folder), *sys.path])}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=environment)
    return done.stdout.decode()
