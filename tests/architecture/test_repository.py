import subprocess
from pathlib import Path

import pytest

from tests.architecture import repository

ROOT = Path(__file__).parents[2]
REQUIREMENTS = sorted([*ROOT.glob("requirements/*.txt"), *ROOT.glob("examples/*/requirements.txt")])

HASH = "--hash=sha256:" + 64 * "0"


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Return the text files that git has, or would have after `git add`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    files = (name for name in listed.stdout.split("\0") if (ROOT / name).is_file())
    return {name: (ROOT / name).read_text(encoding="utf-8", errors="replace") for name in files}


def test_no_file_names_a_folder_of_one_machine(texts: dict[str, str]) -> None:
    breaches = {name: repository.machine_path_breaches(text) for name, text in texts.items()}

    assert {name: lines for name, lines in breaches.items() if lines} == {}


def test_no_file_names_a_package_index(texts: dict[str, str]) -> None:
    breaches = {name: repository.index_breaches(text) for name, text in texts.items()}

    assert {name: lines for name, lines in breaches.items() if lines} == {}


def test_no_lock_file_with_addresses_is_kept(texts: dict[str, str]) -> None:
    assert {Path(name).name for name in texts} & repository.ADDRESSED_LOCKS == set()


def test_there_are_requirements_to_run_and_to_develop() -> None:
    assert {file.name for file in REQUIREMENTS} >= {"dev.txt", "run.txt"}


@pytest.mark.parametrize("file", REQUIREMENTS, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_every_requirement_is_pinned_with_hashes(file: Path) -> None:
    assert repository.requirement_breaches(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("file", REQUIREMENTS, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_requirements_hold_no_address(file: Path) -> None:
    assert "://" not in file.read_text(encoding="utf-8")


# Each rule is seen to fail on planted text, which is put together so that this file keeps them.


@pytest.mark.parametrize("folder", ["work", "root", "tmp", "opt", "home/ada", "Users/ada"])
@pytest.mark.parametrize("before", ["", "see ", '"', "file://", "sqlite:///"])
def test_folder_of_one_machine_is_a_breach(before: str, folder: str) -> None:
    assert len(repository.machine_path_breaches(f"{before}/{folder}/x.db")) == 1


@pytest.mark.parametrize("text", ["../shared/work/x", "<instance>/tmp/x", "tmp_path / 'x'"])
def test_relative_path_is_no_folder_of_one_machine(text: str) -> None:
    assert repository.machine_path_breaches(text) == []


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/" + "simple/",
        "https://files.python" + "hosted.org/x.whl",
        "--" + "index-url x",
        "--" + "extra-index-url x",
        "--" + "find-links x",
    ],
)
def test_package_index_is_a_breach(address: str) -> None:
    assert repository.index_breaches(f"first\n{address}\nlast") == [address]


@pytest.mark.parametrize(
    "requirement",
    [
        "flask==3.1.3",
        f"flask>=3.1 \\\n    {HASH}",
        f"flask @ https://example.org/flask.whl \\\n    {HASH}",
        "-r other.txt",
        "--pre",
    ],
)
def test_requirement_without_pin_and_hash_is_a_breach(requirement: str) -> None:
    assert len(repository.requirement_breaches(f"# made\n{requirement}\n    # via x\n")) == 1


def test_pinned_requirement_with_marker_and_hashes_passes() -> None:
    text = f"pyee==16.0.1 ; python_full_version >= '3.12' \\\n    {HASH} \\\n    {HASH}\n"

    assert repository.requirement_breaches(text) == []
