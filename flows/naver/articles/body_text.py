"""Convert the markup of an article's body to text. Works on the body alone, not on a whole page.

A body consists of text nodes between `<br>`s (today's pages), of blocks (`<p>`, `<div>`), or of both:

- `<br><br>`, with white space between them or not, and the edge of a block separate paragraphs;
- a single `<br>` is a line break inside a paragraph, and so is the edge of a list item or a table row;
- the cells of a table row are separated by one space;
- runs of white space become one space, and lines are trimmed; a no-break space inside a line is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby

from selectolax.lexbor import LexborNode

_INVISIBLE_TAGS = (
    "script style iframe noscript template object embed svg math video audio canvas select textarea button"
)
_BLOCK_TAGS = (
    "address article aside blockquote center details div dl fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6"
    " header hr main nav ol p pre section table ul"
)
_INVISIBLE = frozenset(_INVISIBLE_TAGS.split())
_BLOCKS = frozenset(_BLOCK_TAGS.split())
_ROWS = frozenset(("caption", "dd", "dt", "li", "tr"))
_CELLS = frozenset(("td", "th"))

_SOURCE_SPACE = re.compile(r"[ \t\n\r\f]{2,}|[\t\n\r\f]")  # a single space needs no replacing
_ZERO_WIDTH = "\u200b\ufeff"


def paragraphs(root: LexborNode, skip: Iterable[LexborNode] = ()) -> str:
    """The paragraphs below `root`, separated by one blank line, without the subtrees of `skip`."""
    return "\n\n".join("\n".join(group) for filled, group in groupby(_walk(root, skip), key=bool) if filled)


def lines(root: LexborNode) -> str:
    """The lines below `root` without blank ones, separated by line breaks."""
    return "\n".join(line for line in _walk(root, ()) if line)


class _Writer:
    """Collects lines. An empty line marks the end of a paragraph."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._open: list[str] = []

    def text(self, text: str) -> None:
        self._open.append(text)

    def end_line(self) -> None:
        text = _SOURCE_SPACE.sub(" ", "".join(self._open).strip()) if self._open else ""
        self.lines.append(text.strip(_ZERO_WIDTH).strip())
        self._open.clear()

    def end_row(self) -> None:
        """End the line unless it is blank: white space between two rows is not a line."""
        if self._open and "".join(self._open).strip():
            self.end_line()
        self._open.clear()

    def end_paragraph(self) -> None:
        self.end_row()
        self.lines.append("")

    def enter(self, tag: str) -> None:
        if tag in _CELLS:
            self.text(" ")
        else:
            self.leave(tag)

    def leave(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.end_paragraph()
        elif tag in _ROWS:
            self.end_row()


def _walk(root: LexborNode, skip: Iterable[LexborNode]) -> list[str]:
    """The lines below `root`. A loop instead of recursion, because hostile pages nest deeper than Python's stack."""
    writer = _Writer()
    skipped = {node.mem_id for node in skip}
    end = root.mem_id
    node = root.first_child
    while node is not None:
        down = None
        tag = node.tag or ""
        if tag == "-text":
            writer.text(node.text_content or "")
        elif tag == "br":
            writer.end_line()
        elif node.mem_id in skipped:
            writer.end_paragraph()
        elif tag not in _INVISIBLE:
            writer.enter(tag)
            down = node.first_child
        node = down or _after(node, end, writer)
    writer.end_line()
    return writer.lines


def _after(node: LexborNode, end: int, writer: _Writer) -> LexborNode | None:
    """The next node after `node` and its subtree. Notifies the writer of every element that ends on the way."""
    while (following := node.next) is None:
        parent = node.parent
        if parent is None or parent.mem_id == end:
            return None
        writer.leave(parent.tag or "")
        node = parent
    return following
