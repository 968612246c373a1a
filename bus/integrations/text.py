"""What one line of visible text is, as a pattern that Python and JSON Schema (ECMA-262) read alike."""

from __future__ import annotations

#: Characters that show nothing but may stand between others: white space, joiners, variation selectors.
_BLANK = " \u00a0\u1680\u2000-\u200a\u200c\u200d\u202f\u205f\u2800\u3000\ufe00-\ufe0f"

#: Characters that no line of text needs: control characters, line breaks, what turns the direction of writing,
#: fillers and other invisible marks, tags, and code points that are no characters.
_FORBIDDEN = (
    "\\x00-\\x1f\\x7f-\\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e007f"
)

#: One line of text with at least one visible character in it. What precedes that one and what follows it cannot
#: be confused, so that matching takes one pass whatever a client sends.
VISIBLE_LINE = rf"^[{_BLANK}]*[^{_BLANK}{_FORBIDDEN}][^{_FORBIDDEN}]*\Z"
