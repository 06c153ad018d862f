"""Reject pages whose tree would take more than linear time, before the tree is built.

Lexbor is quadratic in how deep elements are nested, in how many formatting elements (`<b>`, `<font>`) are left open,
and in the attributes of one element: a page of 10 MB could keep it busy for hours. Here the tags are counted in one
linear scan, and pages far beyond Naver's own (which nest 20 deep; browsers stop at 512) are rejected. A page with too
few tags for any of this, none of them long, is not scanned, because the scan takes longer than building the tree.

The scan follows HTML's tokenizer, and considers an element closed where the standard's tree builder does, or later. So
it never counts too few open elements, except for the few kinds (`<p>`, `<td>`) that need one of the others around each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NoReturn

from schemas.errors import LayoutChanged

DEEPEST = 512
MOST_ATTRIBUTES = 512  # of one element

_HARMLESS_TAGS = 8_000  # even if all of them are nested or left open, they take 0.15 s
_STRIDE = 16_000  # bytes: a tag with attributes on twice as many takes 0.1 s

_NAME = rb"[^\s/>][^\s/>=]*+"
_VALUE = rb"\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|(?![\"'])[^\s>]*+)"
_ATTRIBUTE = rb"[\s/]*+" + _NAME + rb"(?:" + _VALUE + rb")?+"
_ATTRIBUTES = re.compile(_ATTRIBUTE)
_TOKEN = re.compile(
    rb"<!--(?:-?>|.*?(?:--!?>|\Z))"
    rb"|<(/?)([a-z][^\s/>]*+)((?:" + _ATTRIBUTE + rb")*+)[\s/]*+(?:>|\Z)"
    rb"|<[!?/][^>]*+",
    re.IGNORECASE | re.DOTALL,
)

_ROOTS = frozenset((b"html", b"body"))  # all of them are one element, with the attributes of all
_RAW = frozenset((b"script", b"style", b"textarea", b"title", b"xmp", b"iframe", b"noembed", b"noframes"))
_FOREIGN = frozenset((b"svg", b"math"))
# No end tag inside one of these closes an element outside.
_BARRIERS = frozenset(b"applet button marquee object select table template".split()) | _FOREIGN
_FORMATTING = frozenset(b"a b big code em font i nobr s small strike strong tt u".split())
# They close themselves or each other, so deep nesting needs one of the others.
_SHALLOW = frozenset(
    b"area base br col colgroup dd dt embed head hr img input li link meta optgroup option p param rp rt source tbody"
    b" td tfoot th thead tr track wbr".split()
)
# What an ordinary end tag (`</span>`, also `</b>`) closes contains only such elements.
_INLINE = _FORMATTING | frozenset(
    b"abbr bdi bdo cite data dfn del ins kbd label mark q ruby samp span sub sup var".split()
)


def check_markup(page: bytes, *, url: str) -> None:
    """Raise LayoutChanged for a page (in UTF-8) whose tree would take more than linear time. Takes linear time."""
    if _is_harmless(page):
        return
    open_elements: list[bytes] = []
    roots = 0
    for closes, name, attributes in _tags(page, open_elements):
        if closes:
            _close(open_elements, name)
            continue
        count = sum(1 for _ in _ATTRIBUTES.finditer(attributes)) if len(attributes) > MOST_ATTRIBUTES else 0
        roots += (count or 1) * (name in _ROOTS)
        if max(count, roots) > MOST_ATTRIBUTES:
            _refuse(f"{MOST_ATTRIBUTES} attributes of <{name[:40].decode('utf-8', 'replace')}> at most", url)
        _open(open_elements, name)
        if len(open_elements) > DEEPEST:
            _refuse(f"elements nested at most {DEEPEST} deep, and closed", url)


def _is_harmless(page: bytes) -> bool:
    """Whether the page has few tags, and none longer than two strides: each stride then contains the end of one."""
    few = page.count(b"<") <= _HARMLESS_TAGS
    return few and all(page.find(b">", at, at + _STRIDE) >= 0 for at in range(0, len(page) - _STRIDE + 1, _STRIDE))


def _refuse(needed: str, url: str) -> NoReturn:
    raise LayoutChanged(needed, url=url, layout="html", detail="a tree of it would cost more time than a page may")


def _tags(page: bytes, open_elements: list[bytes]) -> Iterator[tuple[bool, bytes, bytes]]:
    """Each tag: is it an end tag, its name, its attributes. Skips the contents of scripts and other raw text."""
    at = 0
    while token := _TOKEN.search(page, at):
        at = token.end()
        if token[2] is None:
            continue
        name = token[2].lower()
        yield bool(token[1]), name, token[3]
        if name in _RAW and not token[1] and _FOREIGN.isdisjoint(open_elements):
            end = _raw_end(name).search(page, at)
            at = end.start() if end else len(page)


def _raw_end(name: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"</" + name + rb"(?=[\s/>])", re.IGNORECASE)


def _open(elements: list[bytes], name: bytes) -> None:
    if name == b"a":
        _close(elements, name)  # links do not nest
    if name not in _SHALLOW and name not in _RAW and name not in _ROOTS:
        elements.append(name)


def _close(elements: list[bytes], name: bytes) -> None:
    for at in range(len(elements) - 1, -1, -1):
        inner = elements[at]
        if inner == name:
            # A formatting element that is still open outlives its block and is reopened in the next one.
            kept = elements[at + 1 :] if name in _FORMATTING else [e for e in elements[at:] if e in _FORMATTING]
            elements[at:] = kept
            return
        if inner in _BARRIERS or (name in _INLINE and inner not in _INLINE):
            return
