"""JSON that can be read in one way only, as RFC 7493 (I-JSON) has it."""

from __future__ import annotations

import json
from typing import Never


class AmbiguousJsonError(ValueError):
    """Raised for text that is no JSON, or that two readers may take for different things."""


def require_unambiguous(body: bytes) -> None:
    """Refuse what readers of JSON disagree about; no value is built.

    Raises:
        AmbiguousJsonError: It is not JSON in UTF-8, one object has a name twice, a number is NaN or infinite, or
            it is nested more deeply than can be read.
    """
    try:
        # Numbers stay text: whether they fit is for the type that they are read as.
        json.loads(
            body.decode(), object_pairs_hook=_require_distinct, parse_constant=_refuse, parse_int=str, parse_float=str
        )
    except AmbiguousJsonError:
        raise
    except RecursionError:
        raise AmbiguousJsonError("it is nested too deeply") from None
    except UnicodeDecodeError as error:
        raise AmbiguousJsonError(f"byte {error.start} is no UTF-8") from None
    except ValueError as error:
        raise AmbiguousJsonError(str(error)) from None


def _require_distinct(pairs: list[tuple[str, object]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise AmbiguousJsonError("a name stands twice in one object")


def _refuse(constant: str) -> Never:
    raise AmbiguousJsonError(f"{constant} is no number of JSON")
