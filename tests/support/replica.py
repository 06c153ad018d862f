"""Shared by the tests of the replica: its hosts and keys, requests to it, and the expected content of a page."""

from __future__ import annotations

import re
import ssl
from dataclasses import fields as dataclass_fields
from datetime import datetime
from urllib.parse import urlsplit

import httpx

from flows.naver.articles.layouts import parse_article
from flows.replica.corpus.articles import Corpus, Layout, MadeArticle
from flows.replica.pages.search_api import CLIENT_ID, CLIENT_SECRET
from flows.replica.server import Replica

NEWS, NNEWS, OPENAPI, APIHUB = "news.naver.com", "n.news.naver.com", "openapi.naver.com", "naverapihub.apigw.ntruss.com"
OPENAPI_KEY = {"X-Naver-Client-Id": CLIENT_ID, "X-Naver-Client-Secret": CLIENT_SECRET}
APIHUB_KEY = {"X-NCP-APIGW-API-KEY-ID": CLIENT_ID, "X-NCP-APIGW-API-KEY": CLIENT_SECRET}
PAGE_LAYOUTS = (Layout.Y2022, Layout.Y2024, Layout.Y2026_02, Layout.Y2026_10)

TLS = ssl.create_default_context()
"""Not used on loopback, but created once, because every httpx client would otherwise spend 20 ms on its own."""


def get(naver: Replica, host: str, path: str, **headers: str) -> httpx.Response:
    with httpx.Client(timeout=5, verify=TLS) as client:
        return client.get(naver.url + path, headers={"Host": host, **headers})


def first(corpus: Corpus, **wanted: object) -> MadeArticle:
    """The first article at n.news with these attributes that is never deleted."""
    plain = (article for article in corpus.articles if not article.subject.arena and not article.gone_at)
    return next(one for one in plain if all(getattr(one, name) == value for name, value in wanted.items()))


def path_of(article: MadeArticle) -> str:
    assert article.key is not None
    return f"/mnews/article/{article.key.oid}/{article.key.aid}"


def search(naver: Replica, **parameters: object) -> httpx.Response:
    with httpx.Client(timeout=5, verify=TLS) as client:
        url = naver.url + "/v1/search/news.json"
        return client.get(url, params=parameters, headers={"Host": OPENAPI, **OPENAPI_KEY})  # type: ignore[arg-type]


def expected(article: MadeArticle, layout: Layout, now: datetime) -> dict[str, object]:
    version = article.at(now)
    truth: dict[str, object] = {
        "key": article.key,
        "title": version.title,
        "subtitle": version.text.subtitle or None,
        "body": version.body,
        "publisher": article.press.name,
        "published_at": article.published_at,
        "modified_at": version.modified_at,
        "categories": article.categories,
        "original_url": article.original_url,
        "authors": article.authors_in(layout),
        "kind": article.kind,
        "images": tuple(image.caption for image in article.images),
    }
    if layout is Layout.OLD:  # it displays whole minutes, and no section if the press office names none
        truth |= {"published_at": article.published_at.replace(second=0), "categories": article.shown_categories}
        truth["modified_at"] = version.modified_at and version.modified_at.replace(second=0)
    return truth


def parsed(content: bytes, url: str) -> dict[str, object]:
    article = parse_article(content, url)
    fields = {one.name: getattr(article, one.name) for one in dataclass_fields(article)}
    # The byline is the page's own wording, and an image's URL has a size parameter.
    del fields["byline"], fields["parser"]
    return fields | {"images": tuple(image.caption for image in article.images)}


def body_of(naver: Replica, url: str, **headers: str) -> bytes:
    """The body of the replica's response to one of Naver's URLs."""
    parts = urlsplit(url)
    answer = get(naver, parts.netloc, f"{parts.path}?{parts.query}", **headers)
    assert answer.status_code == 200, answer.text
    return answer.content


def keys_on(page: str) -> list[str]:
    """The articles of a list page as `oid/aid`."""
    return re.findall(r"<dt>\s*<a href=\"https://n.news.naver.com/mnews/article/(\d{3}/\d{10})", page)
