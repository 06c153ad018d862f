"""Parses any captured page or API answer; its address selects the parser. For `seogo parse`."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from flows.cli.arguments import LARGEST
from flows.naver.articles.layouts import parse_article
from flows.naver.listing import parse_list_page, parse_section_more, parse_section_page
from flows.naver.search.api import parse_api_error, parse_search_answer
from flows.naver.search.page import parse_search_page
from flows.naver.urls import find_article_key
from schemas.article import Article
from schemas.errors import BadInput

_OG_URL = re.compile(rb'<meta[^<>]{0,200}property="og:url"[^<>]{0,200}content="([^"<>]{1,500})"')


def unpacked(data: bytes, name: str) -> bytes:
    """The bytes of a captured file, decompressed if it is gzip. Raises BadInput if damaged or larger than LARGEST."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        with gzip.open(io.BytesIO(data)) as packed:
            content = packed.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"{name} is a damaged gzip file ({error}): fetch or copy it again.") from error
    if len(content) > LARGEST:
        raise BadInput(f"{name} decompresses to more than {LARGEST:,} bytes: no page does.")
    return content


def own_address(content: bytes) -> str | None:
    """The address that an article page gives as its own."""
    found = _OG_URL.search(content)
    address = found[1].decode("ascii", "replace").replace("&amp;", "&") if found else ""
    return address if find_article_key(address) else None


def parse_any(content: bytes, url: str) -> Article | dict[str, Any]:
    """An article, or the items of a list or of an answer of the Search API. Raises ParseError, BadInput."""
    if find_article_key(url) is not None:
        return parse_article(content, url)
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _no_parser(url) from None
    options: dict[str, Any] = {"source": "file", "seen_at": datetime.now(UTC), "url": url}
    if parts.path.startswith("/section/template/"):
        return asdict(parse_section_more(content, **options))
    if parts.path.startswith(("/section/", "/breakingnews/")):
        return asdict(parse_section_page(content, **options))
    if parts.path.startswith("/main/list"):
        return asdict(parse_list_page(content, **options))
    if parts.hostname == "search.naver.com":
        return asdict(parse_search_page(content, **options))
    if parts.path.startswith(("/v1/search/", "/search/v1/")):
        error = parse_api_error(content, 200)
        return {"error": asdict(error)} if error else asdict(parse_search_answer(content, **options))
    raise _no_parser(url)


def _no_parser(url: str) -> BadInput:
    return BadInput(f"seogo has no parser for {url!r}: give the address of an article, a list or a search.")


def article_object(article: Article, *, crawled_at: datetime | None = None) -> dict[str, Any]:
    """An article as `seogo parse --json` and `seogo show --json` print it."""
    return {
        "id": article.id,
        "oid": article.key.oid,
        "aid": article.key.aid,
        "url": article.url,
        "title": article.title,
        "subtitle": article.subtitle,
        "body": article.body,
        "publisher": article.publisher,
        "authors": [asdict(author) for author in article.authors],
        "categories": list(article.categories),
        "published_at": article.published_at,
        "modified_at": article.modified_at,
        "crawled_at": crawled_at,
        "original_url": article.original_url,
        "images": [asdict(image) for image in article.images],
        "kind": article.kind.value,
        "content_hash": article.content_hash,
        "text_hash": article.text_hash,
        "parser": article.parser,
    }
