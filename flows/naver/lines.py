"""Restrictions on headlines and summaries: single lines that files and databases can store."""

from __future__ import annotations

LONGEST_LINE = 2_000
"""Characters. The longest known headline has fewer than 200, a summary some more; a longer line is neither."""


def storable(text: str) -> str:
    r"""A JSON string without lone surrogates and NULs, which JSON can express and files should not contain.

    A lone surrogate (`\ud800`) cannot be encoded in UTF-8 and becomes `?`. NULs, which end a text for many tools, are
    dropped. The HTML parser keeps neither.
    """
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def usable_line(text: str) -> str | None:
    """The line, or None if it is empty or longer than `LONGEST_LINE`."""
    return text if 0 < len(text) <= LONGEST_LINE else None
