"""Find the results on a search page: the links to articles on Naver, and the title of each.

A result consists of a profile, which names the press office and contains the link "네이버뉴스" if Naver hosts the
article, and of a title that links to the press office:

    [ profile, 네이버뉴스 ] [ title, text, picture ]                          a single result
    [ profile, 네이버뉴스 ] [ title, text, picture ] [ member ] [ member ]    the head of a cluster
    [ title ] [ profile, 네이버뉴스 ]                                         a member of a cluster

So the title of a hit is the first one in the smallest element around its link that contains titles. If that title has
a profile of its own inside that element, it belongs to another result, and the hit has no title.
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
TITLE_LINK = 'a[data-heatmap-target=".tit"][href]'  # not in 2025-04: then `_unmarked_titles`
PROFILE = '[data-sds-comp="Profile"], [data-heatmap-target=".prof"], a[href*="media.naver.com/press/"]'

_NAVER = (".naver.com", ".navercorp.com", ".pstatic.net")
_FOR_SCREEN_READERS = re.compile(r"[(\[]?새 ?(?:창|탭)(?:에서|으로)? ?(?:열림|열기|열립니다|이동|보기)?[)\]]?")
_OF_TITLES = frozenset(("mark", "b", "em", "strong"))  # they highlight the words searched for
_REPEATED = 3  # links with different texts before the same last element
_NESTED = 5  # levels of elements inside a link: usually one or two
_CLIMB = 16  # levels from the link "네이버뉴스" up to its result: about ten


@dataclass(frozen=True, slots=True)
class Hit:
    """A link to an article on Naver. `title` is what people see; `title_address` is where the title leads."""

    key: ArticleKey
    address: str
    title: str | None = None
    title_address: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """Each article on Naver once, in document order; the number of titles, and of those that belong to no hit."""

    hits: tuple[Hit, ...]
    titles: int
    not_hosted: int


def find_results(tree: LexborHTMLParser) -> Results:
    """The results on a search page. Takes time linear in the size of the page."""
    links, profiles = tree.css(LINK), tree.css(PROFILE)
    found = [(link, key) for link in links if (key := _hosted(attribute(link, "href")))]
    endings = _repeated_endings(links)
    titles = tree.css(TITLE_LINK) or (_unmarked_titles(tree, profiles, endings) if profiles or found else [])
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
    """Each article once; of several links to it, the first with a title."""
    first: dict[str, Hit] = {}
    for hit in hits:
        if hit.key.id not in first or first[hit.key.id].title is None:
            first[hit.key.id] = hit
    return tuple(first.values())


def _hosted(address: str) -> ArticleKey | None:
    """The key of the article on Naver that an address leads to."""
    key = find_article_key(address)
    return key if key is not None and urlsplit(address).netloc.lower() in HIT_HOSTS else None


# --- which title belongs to which hit ------------------------------------------------------------------------------


class _Titles:
    """Assigns titles to hits, each title to one article. `profiles`: profiles, or links that occur only in them."""

    def __init__(self, titles: Sequence[LexborNode], profiles: Iterable[LexborNode]) -> None:
        self._titles = {title.mem_id: title for title in titles}
        self._first = _first_titles(titles)
        self._profiled = _around(profiles)
        self._owners: dict[int, ArticleKey] = {}

    def of(self, link: LexborNode, key: ArticleKey) -> LexborNode | None:
        """The title of the result that contains a link; None if none certainly belongs to it."""
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
        """Whether an element inside `frame` contains the title together with a profile."""
        for part in islice(ancestors(title), _CLIMB):
            if part.mem_id == frame.mem_id:
                return False
            if part.mem_id in self._profiled:
                return True
        return True  # `frame` is far away: a list of results rather than one result


def _first_titles(titles: Iterable[LexborNode]) -> dict[int, LexborNode]:
    """The first title in each element that contains titles, by `mem_id`."""
    first: dict[int, LexborNode] = {}
    for title in titles:
        for frame in ancestors(title):
            if frame.mem_id in first:
                break  # so do all elements around it
            first[frame.mem_id] = title
    return first


def _around(nodes: Iterable[LexborNode]) -> set[int]:
    """The `mem_id` of every element that contains one of the nodes."""
    found: set[int] = set()
    for node in nodes:
        for frame in ancestors(node):
            if frame.mem_id in found:
                break
            found.add(frame.mem_id)
    return found


# --- titles that nothing marks as such -----------------------------------------------------------------------------


def _unmarked_titles(
    tree: LexborHTMLParser, profiles: Iterable[LexborNode], endings: frozenset[str]
) -> list[LexborNode]:
    """The first link with text to each page of a press office; later ones are the result's text and picture."""
    scope: Scope = tree.css_first(RESULTS) or tree
    inside = {profile.mem_id for profile in profiles}
    titles: dict[str, LexborNode] = {}
    for link in scope.css(LINK):
        address = attribute(link, "href")
        around = islice(chain((link,), ancestors(link)), _CLIMB)
        if _leads_elsewhere(address) and inside.isdisjoint(part.mem_id for part in around) and _shown(link, endings):
            titles.setdefault(address, link)
    return list(titles.values())


def _leads_elsewhere(address: str) -> bool:
    """Whether an address is a page of another site than Naver's, but not its front page."""
    parts = _split(address)
    return parts is not None and not f".{parts[0]}".endswith(_NAVER) and parts[1] not in ("", "/")


def _leads_to_front_page(link: LexborNode) -> bool:
    """Whether a link leads to the front page of a site, as links in profiles do."""
    parts = _split(attribute(link, "href"))
    return parts is not None and parts[1] in ("", "/")


def _split(address: str) -> tuple[str, str] | None:
    """Host, and path with query, of an absolute web address."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None  # such as an IPv6 address without its bracket
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return (parts.netloc.lower(), path) if parts.scheme in {"http", "https"} and parts.netloc else None


# --- what people read of a title -----------------------------------------------------------------------------------


def _shown(link: LexborNode, endings: frozenset[str]) -> str:
    """The visible text of a link, without words for screen readers."""
    last = _last_part(link)
    hidden = [part for part in link.css(":not(:has(*))") if _FOR_SCREEN_READERS.fullmatch(one_line(part))]
    if last is not None and one_line(last) in endings:
        hidden.append(last)
    return shown_line(link, hidden)


def _repeated_endings(links: Iterable[LexborNode]) -> frozenset[str]:
    """The texts of last elements that many links of the page share, whatever they lead to."""
    words: dict[str, set[str]] = {}
    for link in links:
        if (last := _last_part(link)) is not None:
            words.setdefault(one_line(last), set()).add(one_line(link))
    return frozenset(ending for ending, texts in words.items() if len(texts) >= _REPEATED)


def _last_part(link: LexborNode) -> LexborNode | None:
    """The element at the end of a link, if there is other text before it."""
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
    """The last child that contains text."""
    child = part.last_child
    while child is not None and not _has_words(child):
        child = child.prev
    return child


def _has_words(node: LexborNode) -> bool:
    text = node.text_content if node.is_text_node else node.text()
    return bool(text and text.strip())
