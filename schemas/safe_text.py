"""Text from the web, made safe to show to people.

It must not control a terminal, change the direction of writing, or bring markup or a link of its own.
"""

from __future__ import annotations

import re

STEERING = (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
"""Characters that change the direction of writing, or that only some programs take for a line break."""

_UNSEEN = re.compile(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff{''.join(map(chr, STEERING))}]+")
_MARKUP = re.compile(
    r"""
      [\\`*\[\]~]                           # escapes, code, emphasis, links, strikethrough
    | (?<![^\W_])_ | _(?![^\W_])            # emphasis, but not inside a word: 001_0000000001
    | <(?=[a-z/!?])                         # HTML
    | &(?=\#?\w+;)                          # entities
    | (?<=www)\. | :(?=//) | (?<=\w)@(?=\w) # addresses that become links by themselves
    | ^>                                    # a quotation
    | ^[-+](?=[-\s]|$)                      # a list, a line
    | ^\#(?=\#*(?:\s|$)) | (?<=\s)\#(?=\#*$) # a heading, and the end of one
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NUMBER = re.compile(r"^([0-9]{1,9})(?=[.)](?:\s|$))")
"""The number of a list item."""
_BRACKETS = re.compile(r"\[[^\[\]]{2,}\](?![(\[:])")
"""Brackets that make neither a link nor a checkbox: `[단독]`."""


def one_line(text: object) -> str:
    """A text on one line, without control characters and without those that change the direction of writing."""
    return " ".join(_UNSEEN.sub(" ", str(text)).split())


def escape_markdown(text: object) -> str:
    """A text as one line of Markdown (CommonMark, GFM) that is shown as it is.

    Only what would be markup is escaped, since some programs show the backslashes. A table has to escape `|` itself.
    """
    line = one_line(text)
    harmless = {end for pair in _BRACKETS.finditer(line) for end in (pair.start(), pair.end() - 1)}
    harmless.add(line.rfind("~"))  # the last one has no partner
    escaped = _MARKUP.sub(lambda mark: mark[0] if mark.start() in harmless else f"\\{mark[0]}", line)
    return _NUMBER.sub(r"\1\\", escaped)
