"""What may stand in the repository: each function returns the breaches of one rule."""

import re

#: Folders of one machine. A path below another folder, as in `../shared/work/`, is none.
MACHINE_PATH = re.compile(r"(?<![\w.>})-])/(?:work|root|tmp|opt|(?:home|Users)/\w+)/")

INDEX_ADDRESS = re.compile(
    r"pypi\.org/simple|pythonhosted\.org|https?://\S+/simple\b"
    r"|--(?:index-url|extra-index-url|find-links|trusted-host)\b"
)

PINNED_REQUIREMENT = re.compile(r"[a-z0-9-]+==\S+ (?:; [^:/]+ )?(?:--hash=sha256:[0-9a-f]{64} ?)+")

#: Lock files that write the address of the index they were made with.
ADDRESSED_LOCKS = {"Pipfile.lock", "pdm.lock", "poetry.lock", "pylock.toml", "uv.lock"}


def machine_path_breaches(text: str) -> list[str]:
    """Return the lines that name a folder of one machine."""
    return [line for line in text.splitlines() if MACHINE_PATH.search(line)]


def index_breaches(text: str) -> list[str]:
    """Return the lines that name a package index, or an option to reach one."""
    return [line for line in text.splitlines() if INDEX_ADDRESS.search(line)]


def requirement_breaches(text: str) -> list[str]:
    """Return the lines that are no pinned requirement with hashes: options, URLs, loose ones."""
    joined = re.sub(r" *\\\n *", " ", text)
    lines = (line for line in joined.splitlines() if line and not line.lstrip().startswith("#"))
    return [line for line in lines if not PINNED_REQUIREMENT.fullmatch(line)]
