"""What a headline, or what a source says of an article, may be: a line of text that files and databases can hold."""

from __future__ import annotations

LONGEST_LINE = 2_000
"""Characters. The longest headline known has fewer than 200, a list's summary some more: what is longer is none."""


def storable(text: str) -> str:
    r"""A string of JSON without what JSON can name and no file should hold; HTML's own reader keeps neither.

    Half a character (`\ud800`) becomes `?`: UTF-8 cannot hold it. A NUL is left out: to many a tool it ends the text.
    """
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def said(text: str) -> str | None:
    """What a source says of an article, or None where it says nothing, or far more than a line can be."""
    return text if 0 < len(text) <= LONGEST_LINE else None
