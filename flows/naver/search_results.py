"""The results of a search page: which links lead to an article on Naver, and which title belongs to which.

A result has a profile, which names the press office and holds the small link "네이버뉴스" where Naver hosts the
article, and a title that leads to the press office:

    [ profile, 네이버뉴스 ] [ title, text, picture ]                          a single result
    [ profile, 네이버뉴스 ] [ title, text, picture ] [ member ] [ member ]    the head of a cluster
    [ title ] [ profile, 네이버뉴스 ]                                         a member of a cluster

So the title of a hit is the first one in the smallest element around its link that holds titles, unless that title has
a profile of its own there: then it belongs to another result, and the hit has no title.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from flows.naver.lines import said
from flows.naver.nodes import Scope, ancestors, attribute, one_line, shown_line
from flows.naver.urls import find_article_key
from schemas.article import ArticleKey

HIT_HOSTS = frozenset({"n.news.naver.com", "m.sports.naver.com", "m.entertain.naver.com"})
RESULTS = "#main_pack"
LINK = "a[href]"
TITLE_LINK = 'a[data-heatmap-target=".tit"][href]'  # missing in 2025-04: then `_unmarked_titles`
PROFILE = '[data-sds-comp="Profile"], [data-heatmap-target=".prof"], a[href*="media.naver.com/press/"]'

_NAVER = (".naver.com", ".navercorp.com", ".pstatic.net")
_FOR_SCREEN_READERS = re.compile(r"[(\[]?새 ?(?:창|탭)(?:에서|으로)? ?(?:열림|열기|열립니다|이동|보기)?[)\]]?")
_OF_TITLES = frozenset(("mark", "b", "em", "strong"))  # how a title shows the words that were searched for
_REPEATED = 3  # so many links that end in the same element, each after other words
_NESTED = 5  # elements in each other inside of a link: one or two as a rule
_CLIMB = 16  # from the link "네이버뉴스" up to its result are about ten steps


@dataclass(frozen=True, slots=True)
class Hit:
    """An article on Naver: the link to it, and the title as people see it, with the address that the title leads to."""

    key: ArticleKey
    address: str
    title: str | None = None
    title_address: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """Each article on Naver once, in the page's order; how many titles there are, and how many belong to no hit."""

    hits: tuple[Hit, ...]
    titles: int
    not_hosted: int


def find_results(tree: LexborHTMLParser) -> Results:
    """The results that a search page shows. Takes time linear in the page."""
    scope: Scope = tree.css_first(RESULTS) or tree
    links, profiles = scope.css(LINK), scope.css(PROFILE)
    found = [(link, key) for link in links if (key := _hosted(attribute(link, "href")))]
    endings = _repeated_endings(links)
    titles = scope.css(TITLE_LINK) or (_unmarked_titles(links, profiles, endings) if profiles or found else [])
    others = (*profiles, *(link for link, _ in found), *filter(_leads_to_front_page, links))
    hits = _unique(_hits(found, _Titles(titles, others), endings))
    elsewhere = {address for title in titles if not find_article_key(address := attribute(title, "href"))}
    return Results(hits, len(titles), len(elsewhere - {hit.title_address for hit in hits}))


def _hits(found: Iterable[tuple[LexborNode, ArticleKey]], titles: _Titles, endings: frozenset[str]) -> Iterator[Hit]:
    for link, key in found:
        address, title = attribute(link, "href"), titles.of(link, key)
        if title is None:
            yield Hit(key, address)
        else:
            yield Hit(key, address, said(_shown(title, endings)), attribute(title, "href"))


def _unique(hits: Iterable[Hit]) -> tuple[Hit, ...]:
    """Each article once: of several links, the first that has a title."""
    first: dict[str, Hit] = {}
    for hit in hits:
        if hit.key.id not in first or first[hit.key.id].title is None:
            first[hit.key.id] = hit
    return tuple(first.values())


def _hosted(address: str) -> ArticleKey | None:
    """The article on Naver that a link leads to."""
    key = find_article_key(address)
    return key if key is not None and urlsplit(address).netloc.lower() in HIT_HOSTS else None


# --- which title belongs to which hit ------------------------------------------------------------------------------


class _Titles:
    """Gives each hit its title, and no title to two articles. `profiles`: whatever shows that a result has its own."""

    def __init__(self, titles: Sequence[LexborNode], profiles: Iterable[LexborNode]) -> None:
        self._titles = {title.mem_id: title for title in titles}
        self._first = _first_titles(titles)
        self._profiled = _around(profiles)
        self._owners: dict[int, ArticleKey] = {}

    def of(self, link: LexborNode, key: ArticleKey) -> LexborNode | None:
        """The title of the hit that a link leads to; None where no title is certain to be its own."""
        title = self._titles.get(link.mem_id) or self._nearest(link)
        if title is None or self._owners.setdefault(title.mem_id, key) != key:
            return None
        return title

    def _nearest(self, link: LexborNode) -> LexborNode | None:
        frames = islice(ancestors(link), _CLIMB)
        frame = next((frame for frame in frames if frame.mem_id in self._first), None)
        title = self._first[frame.mem_id] if frame is not None else None
        if frame is None or title is None or self._has_profile(title, frame):
            return None
        return title

    def _has_profile(self, title: LexborNode, frame: LexborNode) -> bool:
        """Whether a part of `frame` holds the title together with a profile."""
        for part in islice(ancestors(title), _CLIMB):
            if part.mem_id == frame.mem_id:
                return False
            if part.mem_id in self._profiled:
                return True
        return True  # the frame is far away: a list of results rather than a result


def _first_titles(titles: Iterable[LexborNode]) -> dict[int, LexborNode]:
    """For every element that holds titles, by `mem_id`: the first of them."""
    first: dict[int, LexborNode] = {}
    for title in titles:
        for frame in ancestors(title):
            if frame.mem_id in first:
                break  # and so has all around it
            first[frame.mem_id] = title
    return first


def _around(nodes: Iterable[LexborNode]) -> set[int]:
    """Every element that holds one of the nodes, by `mem_id`."""
    found: set[int] = set()
    for node in nodes:
        for frame in ancestors(node):
            if frame.mem_id in found:
                break
            found.add(frame.mem_id)
    return found


# --- titles that nothing marks as such -----------------------------------------------------------------------------


def _unmarked_titles(
    links: Iterable[LexborNode], profiles: Iterable[LexborNode], endings: frozenset[str]
) -> list[LexborNode]:
    """Of the links with words to each page of a press office, the first: the next leads there from the text."""
    inside = {profile.mem_id for profile in profiles}
    titles: dict[str, LexborNode] = {}
    for link in links:
        address = attribute(link, "href")
        around = islice(chain((link,), ancestors(link)), _CLIMB)
        if _leads_elsewhere(address) and inside.isdisjoint(part.mem_id for part in around) and _shown(link, endings):
            titles.setdefault(address, link)
    return list(titles.values())


def _leads_elsewhere(address: str) -> bool:
    """Whether an address is a page, but not the front page, of a site that is not Naver's."""
    parts = _split(address)
    return parts is not None and not f".{parts[0]}".endswith(_NAVER) and parts[1] not in ("", "/")


def _leads_to_front_page(link: LexborNode) -> bool:
    """Whether a link leads to a press office's own site, as profiles do."""
    parts = _split(attribute(link, "href"))
    return parts is not None and parts[1] in ("", "/")


def _split(address: str) -> tuple[str, str] | None:
    """Host, and path with query, of a whole web address."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None  # such as an IPv6 address without its bracket
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return (parts.netloc.lower(), path) if parts.scheme in {"http", "https"} and parts.netloc else None


# --- what people read of a title -----------------------------------------------------------------------------------


def _shown(link: LexborNode, endings: frozenset[str]) -> str:
    """The text of a link that people see: without words for screen readers, in whatever element they stand."""
    last = _last_part(link)
    hidden = [part for part in link.css(":not(:has(*))") if _FOR_SCREEN_READERS.fullmatch(one_line(part))]
    if last is not None and one_line(last) in endings:
        hidden.append(last)
    return shown_line(link, hidden)


def _repeated_endings(links: Iterable[LexborNode]) -> frozenset[str]:
    """What many links of the page end in, whatever they lead to: it says nothing of the single one."""
    words: dict[str, set[str]] = {}
    for link in links:
        if (last := _last_part(link)) is not None:
            words.setdefault(one_line(last), set()).add(one_line(link))
    return frozenset(ending for ending, texts in words.items() if len(texts) >= _REPEATED)


def _last_part(link: LexborNode) -> LexborNode | None:
    """The element at the end of a link, where other words stand before it."""
    part = link
    for _ in range(_NESTED):
        last = _last_child(part)
        if last is None or not last.is_element_node:
            return None
        if one_line(last) != one_line(part):
            return None if last.tag in _OF_TITLES else last
        part = last
    return None


def _last_child(part: LexborNode) -> LexborNode | None:
    """The last child that has words."""
    child = part.last_child
    while child is not None and not _has_words(child):
        child = child.prev
    return child


def _has_words(node: LexborNode) -> bool:
    text = node.text_content if node.is_text_node else node.text()
    return bool(text and text.strip())
