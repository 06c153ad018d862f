"""The lists of news.naver.com: by press office or section and day (cp949, 20 a page), and the section page (UTF-8)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape

from flows.replica.corpus.articles import MadeArticle

PER_PAGE = 20
"""Articles on a page of a list."""
HEADLINES = 10
"""The number of items in the first list of the page."""


def ago(moment: datetime, now: datetime) -> str:
    """How lists show times: `3분전`, `2시간전`, `1일전`."""
    minutes = max(int((now - moment).total_seconds() // 60), 0)
    if minutes < 60:
        return f"{minutes}분전"
    return f"{minutes // 60}시간전" if minutes < 24 * 60 else f"{minutes // (24 * 60)}일전"


def page_count(articles: int) -> int:
    """Pages of a list with so many articles: an empty list has one."""
    return max(-(-articles // PER_PAGE), 1)


def list_page(articles: Sequence[MadeArticle], page: int, query: str, now: datetime, *, titles: bool) -> bytes:
    """Page `page` of a list (the last one again for any larger number). `query` is repeated in the paging's links.

    `titles` gives the list of titles (`listType=title`), else the one with pictures and first sentences.
    """
    last = page_count(len(articles))
    page = min(max(page, 1), last)
    shown = articles[(page - 1) * PER_PAGE : page * PER_PAGE]
    if titles:
        lists = _list("type02", [_title_item(article, now) for article in shown])
    else:
        items = [_item(article, now) for article in shown]
        lists = _list("type06_headline", items[:HEADLINES]) + _list("type06", items[HEADLINES:])
    return f"""

<!DOCTYPE HTML>
<html lang="ko">
<head>
<meta charset="euc-kr">
<meta http-equiv="refresh" content="600" />
<title>네이버 뉴스</title>
</head>
<body>
<table><tr><td class="content"><div id="main_content" class="content">
<div class="list_header newsflash_header"><h3>기사 목록</h3></div>
<div class="list_body newsflash_body">
{lists}</div>
{_paging(page, last, query)}
<div class="pagenavi_day"><span class="viewday">{now.month}월{now.day}일</span></div>
</div></td>
<td class="aside"><ul class="type05"><li><a href="/main/ranking/popularDay.naver">많이 본 뉴스</a></li></ul></td>
</tr></table>
</body></html>
""".encode("cp949", "xmlcharrefreplace")


def section_page(articles: Sequence[MadeArticle], cursor: int | None, section: str, now: datetime) -> bytes:
    """A section's first page; `cursor` is where the next articles start, None when there are none."""
    return f"""<!doctype html>
<html lang="ko"><head><meta charset="utf-8"><title>섹션 : 네이버 뉴스</title></head>
<body data-sid="{section}">
<div id="newsct" class="newsct_wrapper" role="main"><div class="section_latest">
{section_items(articles, cursor, now)}
</div></div>
</body></html>
""".encode()


def section_json(articles: Sequence[MadeArticle], cursor: int | None, now: datetime) -> bytes:
    """The answer of /section/template/SECTION_ARTICLE_LIST_FOR_LATEST: HTML inside JSON."""
    markup = section_items(articles, cursor, now)
    return json.dumps({"renderedComponent": {"SECTION_ARTICLE_LIST_FOR_LATEST": markup}}, ensure_ascii=False).encode()


def section_items(articles: Sequence[MadeArticle], cursor: int | None, now: datetime) -> str:
    """The items of a section page, in lists of six, with the cursor on their frame."""
    lists = "".join(
        f'<ul class="sa_list">{"".join(_section_item(article, now) for article in articles[at : at + 6])}</ul>\n'
        for at in range(0, len(articles), 6)
    )
    following = f' data-cursor-name="next" data-cursor="{cursor}"' if cursor is not None else ""
    more = '<div class="section_more"><a href="#" class="section_more_inner">기사 더보기</a></div>' if following else ""
    return f"""<div class="section_latest_article _CONTENT_LIST _PERSIST_META"{following}>
<div class="section_article _TEMPLATE" data-template-id="SECTION_ARTICLE_LIST">
{lists}</div>
{more}</div>"""


def _list(name: str, items: Sequence[str]) -> str:
    return f'<ul class="{name}">\n{"".join(items)}</ul>\n' if items else ""


def _address(article: MadeArticle) -> str:
    assert article.key is not None  # noqa: S101 - lists hold only hosted articles
    return f"{article.key.url}?sid={article.section}"


def _lede(article: MadeArticle, now: datetime) -> str:
    return escape(" ".join(article.at(now).body.split())[:70])


def _outdated(article: MadeArticle, now: datetime) -> str:
    name = "date is_outdated" if now - article.published_at > timedelta(hours=1) else "date is_new"
    return f'<span class="{name}">{ago(article.published_at, now)}</span>'


def _item(article: MadeArticle, now: datetime) -> str:
    href, title = escape(_address(article)), escape(article.at(now).title)
    link = f'<a href="{href}" class="nclicks(fls.list)">'
    photos = article.images[:1]
    pictures = "".join(f'<dt class="photo">{link}<img src="{one.url}" alt="{title}"/></a></dt>' for one in photos)
    return f"""<li><dl>
{pictures}
<dt>{link}
	{title}
</a></dt>
<dd><span class="lede">{_lede(article, now)} …</span>
<span class="writing">{article.press.name}</span> {_outdated(article, now)}</dd>
</dl></li>
"""


def _title_item(article: MadeArticle, now: datetime) -> str:
    return f"""<li><a href="{escape(_address(article))}" class="nclicks(fls.list)">
	{escape(article.at(now).title)}
</a>
<span class="writing">{article.press.name}</span> {_outdated(article, now)}</li>
"""


def _section_item(article: MadeArticle, now: datetime) -> str:
    href, title = escape(_address(article).partition("?")[0]), escape(article.at(now).title)
    thumb = f'<div class="sa_thumb"><a href="{href}" class="sa_thumb_link"><img alt="{title}"></a></div>'
    return f"""<li class="sa_item _SECTION_LIST"><div class="sa_item_inner"><div class="sa_item_flex">
{thumb if article.images else ""}
<div class="sa_text"><a href="{href}" class="sa_text_title"><strong class="sa_text_strong">{title}</strong></a>
<div class="sa_text_lede">{_lede(article, now)}</div>
<div class="sa_text_info"><div class="sa_text_press">{article.press.name}</div>
<div class="sa_text_datetime"><b>{ago(article.published_at, now)}</b></div>
<a href="{href.replace("/article/", "/article/comment/")}" class="sa_text_cmt"></a></div></div>
</div></div></li>
"""


def _paging(page: int, last: int, query: str) -> str:
    """Links to ten pages, and to the ten before and behind."""
    first = (page - 1) // 10 * 10 + 1
    numbers = range(first, min(first + 9, last) + 1)
    links = [f"<strong>{at}</strong>" if at == page else _page_link(query, at, str(at)) for at in numbers]
    if first > 1:
        links.insert(0, _page_link(query, first - 1, "이전", "pre "))
    if first + 10 <= last:
        links.append(_page_link(query, first + 10, "다음", "next "))
    return '<div class="paging">\n' + "\n".join(links) + "\n</div>"


def _page_link(query: str, page: int, label: str, name: str = "") -> str:
    return f'<a href="?{escape(query)}&page={page}" class="{name}nclicks(fls.page)">{label}</a>'
