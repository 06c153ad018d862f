"""The search page of search.naver.com. Its class names change every few months; what lasts is where its links lead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from selectolax.lexbor import LexborHTMLParser

from flows.naver.partial_tree import page_tree
from flows.naver.search.results import LINK, Hit, find_results
from flows.naver.urls import clean_original_url, find_article_key
from schemas.article import ArticleRef
from schemas.errors import LayoutChanged

LAYOUT = "search_page/2"

_NO_RESULTS = re.compile(r"검색 ?결과가 없습니다")


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A page of results. `not_hosted`: the number of results that have a title but no article on Naver.

    `no_results`: the page says in words that there are none.
    """

    refs: tuple[ArticleRef, ...]
    not_hosted: int
    no_results: bool


def parse_search_page(content: bytes, *, source: str, seen_at: datetime, url: str) -> SearchPage:
    """Parse a search page; each article once. Raises LayoutChanged if it shows no results and does not say so."""
    tree = page_tree(content, url)
    results = find_results(tree)
    refs = tuple(
        ArticleRef(
            key=hit.key,
            url=hit.address,
            source=source,
            seen_at=seen_at,
            title=hit.title,
            original_url=_original_url(hit),
        )
        for hit in results.hits
    )
    empty = not refs and not results.titles
    no_results = empty and bool(_NO_RESULTS.search(_visible_text(tree)))
    if empty and not no_results:
        selector = f'{LINK} to an article (or the words "검색결과가 없습니다")'
        raise LayoutChanged(selector, url=url, layout=LAYOUT)
    return SearchPage(refs=refs, not_hosted=results.not_hosted, no_results=no_results)


def _original_url(hit: Hit) -> str | None:
    address = hit.title_address
    return clean_original_url(address) if address and find_article_key(address) is None else None


def _visible_text(tree: LexborHTMLParser) -> str:
    tree.strip_tags(["script", "style", "noscript", "template"])
    return " ".join(tree.body.text().split()) if tree.body is not None else ""
