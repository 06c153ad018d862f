"""Build a tree of only the beginning of a page, with proof that the rest cannot change the article.

Two thirds to nine tenths of a page follow the article: other articles, comments, scripts. An HTML parser works from
front to back, so the tree of a page's beginning equals that part of the whole page's tree, except for nodes that are
still *open* at the cut. To find these, a mark is inserted at the cut and looked up in the finished tree:

- it is not the last node: the cut is inside a comment, a script, a tag or a template;
- it is inside a part that is read: that part is still open;
- it is inside a table, and something after the cut is in a table but not in a cell: the parser moves that to the
  *front* of the table, and so before the article;
- otherwise every part that is read was closed before the cut, and nothing after it can change or precede these parts.

In the first three cases, and if a part is missing from the beginning, the whole page is parsed. Where a selector
matches several nodes, the layouts use the first, so another match after the cut changes nothing. `parse_article`
therefore returns the same article either way; the tests compare both on captures and on mutilated pages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, LexborNode

from flows.naver.decoding import as_utf8, encoding_of
from flows.naver.markup_guard import check_markup
from flows.naver.nodes import ancestors

_MARK = b'<wbr id="seogo-cut">'
_SPACE = rb"[ \t\n\f\r]"
_TABLE = rb"(?:t(?:able|body|head|foot|[dhr])|col(?:group)?|caption)(?=[ \t\n\f\r/>])"
_OPENS_CELL = rb"(?:t[dh]|caption|/table)(?=[ \t\n\f\r/>])"  # or closes the table
# A tag after which the parser is in a table but in no cell, not followed by another table tag. A `<` inside the tag or
# a comment counts too: following such markup exactly could take more than linear time.
_BESIDE_CELLS = re.compile(
    rb"<(?=/?[tcTC])(?i:(?!" + _OPENS_CELL + rb")/?" + _TABLE + rb"[^<>]*+(?:<|>"
    rb"(?!(?:" + _SPACE + rb"++|<!--(?!-?>)(?:[^-<]++|-(?!-!?>))*+-->)*+</?" + _TABLE + rb")))"
)
_CELLS, _TABLES = frozenset(("td", "th", "caption")), frozenset(("table", "tbody", "thead", "tfoot", "tr", "colgroup"))
_MARK_TAG, _MARK_ATTRIBUTES = "wbr", {"id": "seogo-cut"}


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a layout's article ends.

    `anchor` is the name of the article's last part, `end` matches the beginning of what follows it. `parts` are the
    selectors of everything that is read from the page's body; its head is always closed by then. `optional` parts may
    be missing; the layout must not look for them after the last of the `parts`.
    """

    anchor: bytes
    end: re.Pattern[bytes]
    parts: tuple[str, ...]
    optional: tuple[str, ...] = ()


def partial_tree(content: bytes, cut: Cut, url: str = "") -> LexborHTMLParser | None:
    """The tree of a page up to the end of its article, or None if the whole page is needed.

    Raises LayoutChanged, which names `url`, for markup that would take more than linear time.
    """
    anchor = content.find(cut.anchor)
    end = cut.end.search(content, anchor) if anchor >= 0 else None
    if end is None:
        return None
    tree = build_tree(as_utf8(content[: end.start()], encoding_of(content)) + _MARK, url)
    return tree if _is_certain(tree, cut, content, end.start()) else None


def page_tree(content: bytes, url: str) -> LexborHTMLParser:
    """The tree of a whole page. Raises LayoutChanged for markup that would take more than linear time."""
    return build_tree(as_utf8(content, encoding_of(content)), url)


def build_tree(page: bytes, url: str) -> LexborHTMLParser:
    """The same for a page in UTF-8. Lexbor's mutation events are off: they serve scripts and cost 5 % of the time."""
    check_markup(page, url=url)
    return LexborHTMLParser(page, options=LexborDocumentOptions.WO_EVENTS)


def _is_certain(tree: LexborHTMLParser, cut: Cut, content: bytes, end: int) -> bool:
    mark = _last_node(tree)
    # Attributes are compared too: a tag that is cut in two takes the mark's text for its own attributes.
    if mark is None or mark.tag != _MARK_TAG or mark.attributes != _MARK_ATTRIBUTES:
        return False
    still_open = {node.mem_id: node.tag or "" for node in ancestors(mark)}
    around = [tag for tag in still_open.values() if tag in _CELLS | _TABLES]
    if around and (around[0] in _TABLES or _BESIDE_CELLS.search(content, end)):
        return False
    parts = [tree.css_first(selector) for selector in cut.parts]
    optional = [tree.css_first(selector) for selector in cut.optional]
    closed = all(part is None or part.mem_id not in still_open for part in (*parts, *optional))
    return closed and None not in parts


def _last_node(tree: LexborHTMLParser) -> LexborNode | None:
    node = tree.root
    while node is not None and (child := node.last_child) is not None:
        node = child
    return node
