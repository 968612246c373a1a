"""Links between the pages lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "benchmarks/*.md", "docs/**/*.md", "examples/**/*.md")
    for path in ROOT.glob(pattern)
)

_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?://)(?P<file>[^)#]*)(?:#(?P<part>[^)]*))?\)")


@pytest.mark.parametrize("page", PAGES)
def test_link_leads_to_a_file_and_to_a_part_of_it(page: str) -> None:
    text = _FENCED.sub("", (ROOT / page).read_text())

    astray = [
        found[0] for found in _LINK.finditer(text) if not leads_somewhere(ROOT / page, found["file"], found["part"])
    ]

    assert astray == []


def leads_somewhere(page: Path, file: str, part: str | None) -> bool:
    target = page.parent / file if file else page
    return target.exists() and (part is None or part in parts_of(target))


def parts_of(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as they are made on the usual sites."""
    headings = re.findall(r"^#+ (.*)$", _FENCED.sub("", page.read_text()), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
