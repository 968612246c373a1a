"""How a database stands to the code: whether it has the tables that the code works with, and what to do where not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from bus.schema.adoption import revision_of
from bus.schema.layout import Layout
from bus.schema.revisions import Line, Revisions


class Kind(Enum):
    """How a database stands to the code."""

    #: It has the tables of the code.
    CURRENT = "current"
    #: It has no table of ours.
    EMPTY = "empty"
    #: It lacks revisions of the code.
    BEHIND = "behind"
    #: It has the tables of the code, made before their revisions were noted.
    UNNOTED = "unnoted"
    #: It has revisions that the code does not know.
    AHEAD = "ahead"
    #: It has every revision, and still other tables than the code.
    DIFFERENT = "different"
    #: It has other tables, and does not note how it came to them.
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a database stands to the code.

    Attributes:
        kind: In one word.
        noted: The revisions that the database says it is at.
        adopted: The revisions that its tables are at, where it has not noted any.
        pending: The revisions that it lacks, oldest first.
        unmade: The lines without revisions whose tables are not there.
        problems: What is wrong, each in a few words.
    """

    kind: Kind
    noted: tuple[str, ...]
    adopted: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    unmade: tuple[Line, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def lacks_something(self) -> bool:
        """Whether an upgrade has anything to do."""
        return bool(self.adopted or self.pending or self.unmade)


def judge(revisions: Revisions, layout: Layout) -> Standing:
    """Say how a database with this layout stands to the code with these revisions."""
    noted = layout.revisions
    unknown = tuple(found for found in noted if found not in revisions.known)
    if unknown:
        return Standing(Kind.AHEAD, noted, problems=unknown)
    lacking = set(revisions.pending(noted))
    unnoted = [
        line
        for line in revisions.lines
        if line.revisions and lacking.issuperset(line.revisions) and layout.has_any_of(line.metadata)
    ]
    at = {line.name: _revision_of(line, revisions, layout) for line in unnoted}
    foreign = [line for line in unnoted if at[line.name] is None]
    if foreign:
        problems = tuple(problem for line in foreign for problem in layout.problems(line.metadata))
        return Standing(Kind.FOREIGN, noted, problems=problems)
    return _in_line(revisions, layout, tuple(id for id in at.values() if id is not None))


def _revision_of(line: Line, revisions: Revisions, layout: Layout) -> str | None:
    """Return the revision that a line's tables are at, or None where none leads to them."""
    if not any(layout.problems(line.metadata)):
        return line.revisions[-1]
    return revision_of(line, revisions, layout)


def _in_line(revisions: Revisions, layout: Layout, adopted: tuple[str, ...]) -> Standing:
    """Say how a database stands that has noted its revisions, or has the tables of these."""
    noted = layout.revisions
    pending = revisions.pending((*noted, *adopted))
    unmade = tuple(
        line
        for line in revisions.lines
        if line.metadata.tables and not line.revisions and not layout.has_any_of(line.metadata)
    )
    if pending or unmade:
        has_some = bool(noted) or any(layout.has_any_of(line.metadata) for line in revisions.lines)
        return Standing(Kind.BEHIND if has_some else Kind.EMPTY, noted, adopted, pending, unmade)
    problems = tuple(problem for line in revisions.lines for problem in layout.problems(line.metadata))
    if problems:
        return Standing(Kind.DIFFERENT, noted, adopted, problems=problems)
    return Standing(Kind.UNNOTED if adopted else Kind.CURRENT, noted, adopted)


def complaint(revisions: Revisions, standing: Standing) -> str:
    """Return the sentence that tells what is wrong with a database, and how to mend it; '' where all is well."""
    told, upgrade = f"the database of {revisions.name!r}", f"flask bus db upgrade {revisions.name}"
    problems = "; ".join(standing.problems)
    other_layout = f"{told} has another table layout than this code works with"
    match standing.kind:
        case Kind.CURRENT:
            return ""
        case Kind.EMPTY:
            return f"{told} has no tables yet; make them: {upgrade}"
        case Kind.UNNOTED:
            return f"{told} has the tables of this code, made before revisions were noted; note them: {upgrade}"
        case Kind.BEHIND:
            lacks = [*standing.pending, *(f"the tables of {line.name}" for line in standing.unmade)]
            return f"{told} is behind this code, it lacks {', '.join(lacks)}; upgrade it: {upgrade}"
        case Kind.AHEAD:
            return (
                f"{told} is ahead of this code, which does not know its revision {', '.join(standing.problems)}; "
                "deploy the newer code that has upgraded it"
            )
        case Kind.FOREIGN:
            return (
                f"{other_layout}, and no note of its revisions: {problems}. Run the version that wrote it, or begin "
                "with an empty database"
            )
        case Kind.DIFFERENT:
            return f"{other_layout}: {problems}. {_way_back(revisions)}"
        case _:
            assert_never(standing.kind)


def _way_back(revisions: Revisions) -> str:
    if revisions.own.revisions:
        write = f"flask bus db revision {revisions.name} -m WHAT"
        return f"If the code has changed, write the revision that leads there: {write}; if the database, undo that"
    return "Run the version that wrote it, begin with an empty database, or give the module revisions"
