"""Helpers for Lexbor trees that every layout uses."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import chain

from selectolax.lexbor import LexborHTMLParser, LexborNode

from schemas.errors import LayoutChanged

Scope = LexborHTMLParser | LexborNode

HIDDEN = (
    ".blind, .u_hc, .sr-only, .visually-hidden, [hidden]"
    ', [style*="display:none"], [style*="display: none"], [style*="visibility:hidden"]'
)
"""Elements that are not displayed, mostly words for screen readers."""


def required(scope: Scope, selector: str, *, url: str, layout: str) -> LexborNode:
    """The first node that matches a selector. Raises LayoutChanged if none does."""
    node = scope.css_first(selector)
    if node is None:
        raise LayoutChanged(selector, url=url, layout=layout)
    return node


def attribute(node: LexborNode, name: str) -> str:
    """An attribute's value, trimmed; empty if it is absent."""
    return (node.attributes.get(name) or "").strip()


def first_attribute(scope: Scope, selector: str, name: str) -> str:
    """The first non-empty value of an attribute among the nodes that match a selector; empty if there is none."""
    return next((value for node in scope.css(selector) if (value := attribute(node, name))), "")


def has_class(node: LexborNode, name: str) -> bool:
    """Whether `name` is one of the node's classes."""
    return name in attribute(node, "class").split()


def ancestors(node: LexborNode) -> Iterator[LexborNode]:
    """The node's ancestors, nearest first."""
    parent = node.parent
    while parent is not None:
        yield parent
        parent = parent.parent


def outermost(scope: Scope, selector: str) -> Iterator[LexborNode]:
    """The nodes that match a selector and are not inside another match, in document order."""
    return without_nested(scope.css(selector))


def without_nested(nodes: Iterable[LexborNode]) -> Iterator[LexborNode]:
    """The nodes (given in document order) that are not inside another of them.

    Otherwise the text of nested nodes would be read once for each level.
    """
    seen: set[int] = set()
    for node in nodes:
        if node.mem_id not in seen and seen.isdisjoint(parent.mem_id for parent in ancestors(node)):
            seen.add(node.mem_id)
            yield node


def one_line(node: LexborNode, skip: Collection[int] = ()) -> str:
    """The text of a node on one line: line breaks (in the source, or `<br>`) become single spaces.

    Other white space inside (a no-break space in a title) is kept, white space around it is not. `skip`: elements to
    leave out, by `mem_id`.
    """
    parts = _below(node, skip) if skip else node.traverse(include_text=True)
    text = "".join(_text_or_break(part) for part in parts)
    return " ".join(line for piece in text.splitlines() if (line := piece.strip()))


def shown_line(node: LexborNode, hidden: Iterable[LexborNode] = ()) -> str:
    """The visible text of a node on one line: without `HIDDEN` elements and those in `hidden`."""
    if node.first_child is None or (node.first_child.next is None and node.first_child.is_text_node):
        return one_line(node)  # nothing but text, like most titles
    skip = {part.mem_id for part in chain(node.css(HIDDEN), hidden)} - {node.mem_id}
    return one_line(node, skip)


def _below(root: LexborNode, skip: Collection[int]) -> Iterator[LexborNode]:
    """The nodes below `root` in document order, without the subtrees of `skip`."""
    node = root.first_child
    while node is not None:
        skipped = node.mem_id in skip
        if not skipped:
            yield node
        down = None if skipped else node.first_child
        node = down or _following(node, root)


def _following(node: LexborNode, root: LexborNode) -> LexborNode | None:
    """The next node below `root` after a node and its subtree."""
    while (following := node.next) is None:
        parent = node.parent
        if parent is None or parent.mem_id == root.mem_id:
            return None
        node = parent
    return following


def _text_or_break(node: LexborNode) -> str:
    if node.is_text_node:
        parent = node.parent
        return "" if parent is not None and parent.tag in {"script", "style"} else node.text_content or ""
    return "\n" if node.tag == "br" else ""
