"""The search page of search.naver.com, in the form that it has at a moment.

    since 2025-05    titles and profiles are marked (`data-heatmap-target`)
    since 2026-07    every link also holds words for screen readers, in an element of its own

Class names are hashes that change from month to month. Articles that follow each other may be in a cluster: the
first in full, the others as a title with a small profile behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import blake2s
from html import escape

from flows.replica.corpus.articles import MadeArticle
from flows.replica.pages.articles import original_link
from flows.replica.pages.search_api import link, marked, snippet
from schemas.article import SEOUL

SEARCH_PAGE_SIZE = 10
"""Articles on a search page."""
MARKED_SINCE = datetime(2025, 5, 1, tzinfo=SEOUL)
SPOKEN_SINCE = datetime(2026, 7, 1, tzinfo=SEOUL)
SPOKEN = "새 창 열림"
"""What links say to screen readers: that they open another window."""
LONGEST_TITLE = 40
"""Characters; of a longer title the page shows so many, and `...`."""

_TEXT = "sds-comps-text sds-comps-text-type"


def search_page(query: str, shown: Sequence[MadeArticle], now: datetime) -> bytes:
    """The page that shows these articles, in this order."""
    look = _Look(query, now)
    items = "\n".join(look.item(cluster) for cluster in clusters(shown))
    found = f'<div class="fds-news-item-list-desk">{items}</div>' if shown else _nothing(query)
    return f"""<!doctype html> <html lang="ko"><head> <meta charset="utf-8">
<meta property="og:title" content="{escape(query)} : 네이버 뉴스검색"/>
<title>{escape(query)} : 네이버 뉴스검색</title></head>
<body><div id="wrap"><div id="container"><div id="content" class="pack_group"><div id="main_pack" class="main_pack">
<section class="sc_new sp_nnews _fe_news_collection"><div class="api_subject_bx"><div class="group_news">
{found}
</div></div></section></div></div></div></div></body></html>
""".encode()


def clusters(shown: Sequence[MadeArticle]) -> list[list[MadeArticle]]:
    """The articles in their order, each with those in its cluster."""
    found: list[list[MadeArticle]] = []
    for article in shown:
        if found and article.index % 5 in (3, 4):
            found[-1].append(article)
        else:
            found.append([article])
    return found


@dataclass(frozen=True, slots=True)
class _Look:
    """How results look at a moment, for a query."""

    query: str
    now: datetime

    def item(self, cluster: Sequence[MadeArticle]) -> str:
        head, *members = cluster
        to_press = partial(self._link, original_link(head))
        text = marked(snippet(head, self.now), self.query, "mark")
        below = "\n".join(self._member(article) for article in members)
        inner = f'<div class="{self._hash("cluster")}"><div>\n{below}\n</div></div>' if members else ""
        return f"""<div class="sds-comps-vertical-layout sds-comps-full-layout {self._hash("item")}">
{self._profile(head)}
<div class="{self._hash("content")}"><div>
{to_press("tit", f'<span class="{_TEXT}-headline1">{self._title(head)}</span>')}
{to_press("body", f'<span class="{_TEXT}-body1">{text}... </span>')}
</div>{to_press("img", '<div class="sds-comps-image"><img alt=""></div>')}</div>
{inner}</div>"""

    def _member(self, article: MadeArticle) -> str:
        title = f'<span class="{_TEXT}-body2">{self._title(article)}</span>'
        return f"""<div class="sds-comps-full-layout {self._hash("member")}">
{self._link(original_link(article), "tit", title)}
{self._profile(article, small=True)}</div>"""

    def _profile(self, article: MadeArticle, *, small: bool = False) -> str:
        """The press office, the article's age, and the link to Naver where it hosts the article."""
        home = f"https://media.naver.com/press/{article.press.oid}" if article.key else article.press.site
        name = f'<span class="{_TEXT}-body2">{article.press.name}</span>'
        press = name if small else self._link(home, "prof", "<div><img></div>") + self._link(home, "prof", name)
        naver = (
            self._link(link(article), "nav", f'<span class="{_TEXT}-body2">네이버뉴스</span>') if article.key else ""
        )
        return f"""<div class="sds-comps-horizontal-layout sds-comps-profile" data-sds-comp="Profile">{press}
<span class="sds-comps-text sds-comps-profile-info-subtext">{_ago(article.published_at, self.now)}</span>{naver}
<div style="display:none"><a href="https://keep.naver.com">Keep에 바로가기{self._spoken()}</a></div></div>"""

    def _link(self, address: str, target: str, content: str) -> str:
        mark = f' data-heatmap-target=".{target}"' if self.now >= MARKED_SINCE else ""
        names = f"fender-ui_{self._hash('link')} {self._hash(target)}"
        return (
            f'<a nocr="1" href="{escape(address)}" class="{names}" target="_blank"{mark}>{content}{self._spoken()}</a>'
        )

    def _spoken(self) -> str:
        return f'<span class="fender-ui_{self._hash("spoken")}">{SPOKEN}</span>' if self.now >= SPOKEN_SINCE else ""

    def _title(self, article: MadeArticle) -> str:
        title = article.at(self.now).title
        cut = f"{title[:LONGEST_TITLE]}..." if len(title) > LONGEST_TITLE else title
        return marked(cut, self.query, "mark")

    def _hash(self, name: str) -> str:
        return blake2s(f"{name}{self.now:%Y%m}".encode(), digest_size=4).hexdigest()


def _ago(moment: datetime, now: datetime) -> str:
    minutes = max(int((now - moment).total_seconds() // 60), 0)
    for size, unit in ((7 * 1_440, "주"), (1_440, "일"), (60, "시간")):
        if minutes >= size:
            return f"{minutes // size}{unit} 전"
    return f"{minutes}분 전"


def _nothing(query: str) -> str:
    return (
        f'<div class="not_found02"><p class="message">‘<em>{escape(query)}</em>’에 대한 검색결과가 없습니다.</p></div>'
    )
