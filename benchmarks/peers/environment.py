"""The virtual environments of the peers: made on demand from pinned requirements, and kept until those change."""

from __future__ import annotations

import subprocess
import sys
import venv
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: Where they are; git ignores it.
FOLDER = ROOT / ".venv-peers"

REQUIREMENTS = ROOT / "benchmarks" / "requirements"


def python_of(peer: str) -> Path:
    """Return the interpreter of a peer's environment, which is made if need be."""
    folder, requirements = FOLDER / peer, REQUIREMENTS / f"{peer}.txt"
    python, stamp = folder / "bin" / "python", folder / "requirements.sha256"
    wanted = f"{sys.version} {sha256(requirements.read_bytes()).hexdigest()}"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"making the environment of {peer} in {folder.relative_to(ROOT)} ...", flush=True)
        venv.create(folder, clear=True, with_pip=True)
        install = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", "install"]
        subprocess.run([*install, "--require-hashes", "-r", str(requirements)], check=True)
        stamp.write_text(wanted)
    return python
