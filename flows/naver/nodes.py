"""Small steps on a Lexbor tree that every layout needs."""

from __future__ import annotations

from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from schemas.errors import LayoutChanged

Scope = LexborHTMLParser | LexborNode


def required(scope: Scope, selector: str, *, url: str, layout: str) -> LexborNode:
    """The first node of a selector. Raises LayoutChanged when there is none."""
    node = scope.css_first(selector)
    if node is None:
        raise LayoutChanged(selector, url=url, layout=layout)
    return node


def attribute(node: LexborNode, name: str) -> str:
    """An attribute without the white space around it; empty when it is absent or empty."""
    return (node.attributes.get(name) or "").strip()


def first_attribute(scope: Scope, selector: str, name: str) -> str:
    """The first non-empty attribute `name` among the nodes of a selector; empty when there is none."""
    return next((value for node in scope.css(selector) if (value := attribute(node, name))), "")


def has_class(node: LexborNode, name: str) -> bool:
    """Whether `name` is one of the node's classes."""
    return name in attribute(node, "class").split()


def ancestors(node: LexborNode) -> Iterator[LexborNode]:
    """The node's parents, nearest first."""
    parent = node.parent
    while parent is not None:
        yield parent
        parent = parent.parent


def outermost(scope: Scope, selector: str) -> Iterator[LexborNode]:
    """The nodes of a selector that stand in no other of them, in the page's order.

    Nested ones would have the text of the innermost read once for each of them.
    """
    seen: set[int] = set()
    for node in scope.css(selector):
        if node.mem_id not in seen and seen.isdisjoint(parent.mem_id for parent in ancestors(node)):
            seen.add(node.mem_id)
            yield node


def one_line(node: LexborNode) -> str:
    """The text of a node on one line: a line break (of the source or a `<br>`) becomes one space, edges are trimmed.

    Other white space inside is the author's own (a no-break space in a title) and stays.
    """
    text = "".join(_text_or_break(part) for part in node.traverse(include_text=True))
    return " ".join(line for piece in text.splitlines() if (line := piece.strip()))


def _text_or_break(node: LexborNode) -> str:
    if node.is_text_node:
        parent = node.parent
        return "" if parent is not None and parent.tag in {"script", "style"} else node.text_content or ""
    return "\n" if node.tag == "br" else ""
