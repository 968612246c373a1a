import subprocess
import sys
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run([*COMMAND, folder, ROOT], check=False, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    [file] = folder.glob("*.whl")
    return ZipFile(file)


@pytest.fixture(scope="module")
def metadata(wheel: ZipFile) -> Message:
    [name] = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return message_from_bytes(wheel.read(name))


def test_wheel_holds_only_the_bus(wheel: ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}

    assert tops == {"bus", "modular_bus-0.1.0.dist-info"}


def test_wheel_holds_every_file_of_the_bus(wheel: ZipFile) -> None:
    sources = {file.relative_to(ROOT).as_posix() for file in ROOT.glob("bus/**/*.py")}

    assert sources <= set(wheel.namelist())


def test_wheel_holds_the_revisions_of_the_bus(wheel: ZipFile) -> None:
    assert "bus/migrations/versions/r0001_first_tables.py" in wheel.namelist()


def test_wheel_is_typed(wheel: ZipFile) -> None:
    assert "bus/py.typed" in wheel.namelist()


def test_wheel_carries_the_licence(wheel: ZipFile) -> None:
    assert "modular_bus-0.1.0.dist-info/licenses/LICENSE" in wheel.namelist()


def test_base_install_needs_alembic_blinker_sqlalchemy_and_msgspec_alone(metadata: Message) -> None:
    requirements = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]

    base = {each.name.lower() for each in requirements if each.marker is None}

    assert base == {"alembic", "blinker", "sqlalchemy", "msgspec"}


def test_every_extra_is_declared(metadata: Message) -> None:
    extras = set(metadata.get_all("Provides-Extra", []))

    assert extras == {
        "dependency-injector",
        "dramatiq",
        "flask",
        "openapi",
        "postgresql",
        "rabbitmq",
        "redis",
        "testing",
        "verify",
    }
