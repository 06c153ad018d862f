"""A tree of only the part of a page that holds the article, with the proof that the rest cannot change it.

Two thirds to nine tenths of a page stand behind the article: other articles, comments, scripts. An HTML parser works
from front to back, so the tree of a page's beginning is the tree of the whole page, except where a node is still
*open* at the cut. To see what is open, a mark is put at the cut and looked up in the finished tree:

- it is not the last node: the cut lies inside a comment, a script, a tag or a template;
- it stands inside a part that is read: that part is still open;
- it stands inside a table, and something behind the cut stands in the table but in none of its cells: that is put in
  *front* of the table, and so before the article;
- otherwise every part that is read was closed before the cut, and nothing behind can add to it, or come before it.

Where a selector finds several nodes, the layouts take the first, so a second one behind the cut changes nothing; and
every part that is looked for must be in the beginning, or the whole page is parsed, as it is in every case above.
`parse_article` therefore gives the same answer either way; the tests compare the two on captures and on mutilated
pages.
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
_OPENS_CELL = rb"(?:t[dh]|caption|/table)(?=[ \t\n\f\r/>])"  # or leaves the table
# A tag that leaves the parser in a table and in no cell, and is not followed by another tag of a table.
_BESIDE_CELLS = re.compile(
    rb"<(?=/?[tcTC])(?i:(?!" + _OPENS_CELL + rb")/?" + _TABLE + rb"[^>]*+>"
    rb"(?!(?:" + _SPACE + rb"++|<!--(?!-?>)(?:[^-]++|-(?!-!?>))*+-->)*+</?" + _TABLE + rb"))"
)
_CELLS, _TABLES = frozenset(("td", "th", "caption")), frozenset(("table", "tbody", "thead", "tfoot", "tr", "colgroup"))
_MARK_TAG, _MARK_ATTRIBUTES = "wbr", {"id": "seogo-cut"}


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a layout's article ends.

    `anchor` is the name of the article's last part and `end` the beginning of what follows it. `parts` are the
    selectors of everything that is read off the body; the head of the page is always closed in the body. A page may
    lack the `optional` ones, which the layout must not look for behind the last of the `parts`.
    """

    anchor: bytes
    end: re.Pattern[bytes]
    parts: tuple[str, ...]
    optional: tuple[str, ...] = ()


def partial_tree(content: bytes, cut: Cut, url: str = "") -> LexborHTMLParser | None:
    """The tree of a page up to its article's end, or None when only the whole page is certain to be right.

    Raises LayoutChanged, naming `url`, for markup that would take more than linear time.
    """
    anchor = content.find(cut.anchor)
    end = cut.end.search(content, anchor) if anchor >= 0 else None
    if end is None:
        return None
    tree = build_tree(as_utf8(content[: end.start()], encoding_of(content)) + _MARK, url)
    return tree if _is_certain(tree, cut, content, end.start()) else None


def page_tree(content: bytes, url: str) -> LexborHTMLParser:
    """The tree of a whole page, as it came. Raises LayoutChanged for markup that would take more than linear time."""
    return build_tree(as_utf8(content, encoding_of(content)), url)


def build_tree(page: bytes, url: str) -> LexborHTMLParser:
    """The same of a page in UTF-8. Without Lexbor's mutation events: they serve scripts, and cost a twentieth."""
    check_markup(page, url=url)
    return LexborHTMLParser(page, options=LexborDocumentOptions.WO_EVENTS)


def _is_certain(tree: LexborHTMLParser, cut: Cut, content: bytes, end: int) -> bool:
    mark = _last_node(tree)
    # The whole of it: cut inside a tag, that tag takes the mark's text for attributes of its own.
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
