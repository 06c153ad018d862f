"""The Scrapy crawler of `benchmarks.crawling`, as an experienced user would write it. Runs in its own venv.

    python -m benchmarks.scrapy_peer ADDRESSES SITE FOLDER CONCURRENCY rows|files|captures

It uses the same pages, the same parser (`flows.naver.articles`) and the same number of concurrent requests, obeys
robots.txt, and has no delay, cache or cookies. Its pipeline inserts rows into DuckDB, 256 in one Arrow table and one
transaction, in a separate thread, with no index except the primary key. With `rows`, that is all: it keeps no raw
responses, writes no Markdown files, determines no relevance and no duplicates, records no requests and syncs nothing
except DuckDB's own commits.

With `files` it also writes Markdown files (seogo's `dumps`, without syncing), with `captures` also a WARC file (seogo's
`storage.captures.warc`; pages must be compressed again, because Scrapy returns decoded bodies). Relevance, duplicates,
the request log and syncing are omitted in every case.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response

from flows.naver.articles.layouts import parse_article
from schemas.article import Article

BATCH = 256
_COLUMNS = (
    "id VARCHAR PRIMARY KEY, url VARCHAR, title VARCHAR, subtitle VARCHAR, body VARCHAR, publisher VARCHAR,"
    " byline VARCHAR, authors STRUCT(name VARCHAR, email VARCHAR)[], categories VARCHAR[], published_at TIMESTAMPTZ,"
    " modified_at TIMESTAMPTZ, original_url VARCHAR, images STRUCT(url VARCHAR, caption VARCHAR)[], kind VARCHAR,"
    " content_hash VARCHAR, text_hash VARCHAR, parser VARCHAR, crawled_at TIMESTAMPTZ"
)


class DuckDBPipeline:
    """Inserts rows into DuckDB in batches."""

    def __init__(self, database: str) -> None:
        self._path = database
        self._rows: list[dict[str, Any]] = []
        self._turn = asyncio.Lock()

    @classmethod
    def from_crawler(cls, crawler: Any) -> DuckDBPipeline:
        return cls(crawler.settings["DATABASE"])

    def open_spider(self) -> None:
        self._con = duckdb.connect(self._path)
        self._con.execute(f"CREATE TABLE articles ({_COLUMNS})")
        self._schema = self._con.sql("FROM articles LIMIT 0").to_arrow_table().schema

    async def process_item(self, item: dict[str, Any]) -> dict[str, Any]:
        self._rows.append(item)
        if len(self._rows) >= BATCH:
            rows, self._rows = self._rows, []
            async with self._turn:
                await asyncio.to_thread(self._insert, rows)
        return item

    def close_spider(self) -> None:
        self._insert(self._rows)
        self._con.close()

    def _insert(self, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._con.register("batch", pa.Table.from_pylist(rows, schema=self._schema))
            self._con.execute("INSERT INTO articles BY NAME SELECT * FROM batch ON CONFLICT (id) DO NOTHING")


class FilesPipeline:
    """Writes each article to a Markdown file, and optionally each page to a WARC file."""

    def __init__(self, folder: Path, *, captures: bool) -> None:
        self._folder = folder
        self._captures = (folder / "pages.warc.gz").open("wb") if captures else None

    @classmethod
    def from_crawler(cls, crawler: Any) -> FilesPipeline:
        return cls(Path(crawler.settings["FOLDER"]), captures=crawler.settings["KEEP"] == "captures")

    async def process_item(self, item: dict[str, Any]) -> dict[str, Any]:
        response, article = item.pop("response"), item.pop("article")
        if self._captures is not None:
            self._captures.write(_record(response, item))
        self._write(article, item["crawled_at"])
        return item

    def close_spider(self) -> None:
        if self._captures is not None:
            self._captures.close()

    def _write(self, article: Article, crawled_at: datetime) -> None:
        from schemas.front_matter import dumps, from_article
        from storage.layout import path_of

        path = self._folder / path_of(article.key, article.published_at)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dumps(from_article(article, crawled_at, style="seed")), encoding="utf-8")


def _record(response: Response, item: dict[str, Any]) -> bytes:
    from fastwarc.warc import WarcRecordType

    from storage.captures import warc

    head = b"HTTP/1.1 200 OK\r\n" + warc.header_lines([("Content-Type", "text/html; charset=utf-8")])
    fields = [("WARC-Target-URI", item["url"]), ("Content-Type", "application/http; msgtype=response")]
    block = head + response.body
    return warc.member(WarcRecordType.response, item["crawled_at"], fields, block, payload=response.body)


class ArticleSpider(scrapy.Spider):  # type: ignore[misc]  # an environment of its own has its types
    """Fetches the URLs and parses the pages."""

    name = "articles"

    async def start(self) -> AsyncIterator[scrapy.Request]:
        site = self.settings["SITE"]
        for url in self.settings["ADDRESSES"]:
            # nginx takes the place of n.news.naver.com.
            yield scrapy.Request(url.replace("https://n.news.naver.com", site), meta={"address": url})

    def parse(self, response: Response) -> dict[str, Any]:
        article = parse_article(response.body, response.meta["address"])
        kept = {"response": response, "article": article} if self.settings["KEEP"] != "rows" else {}
        return _row(article) | kept


def _row(article: Article) -> dict[str, Any]:
    row = {name: getattr(article, name) for name in Article.__slots__ if name not in ("key", "authors", "images")}
    return row | {
        "id": article.id,
        "url": article.url,
        "kind": article.kind.value,
        "authors": [{"name": a.name, "email": a.email} for a in article.authors],
        "images": [{"url": i.url, "caption": i.caption} for i in article.images],
        "content_hash": article.content_hash,
        "text_hash": article.text_hash,
        "crawled_at": datetime.now(UTC),
    }


def main(addresses: str, site: str, folder: str, concurrency: str, keep: str) -> None:
    """Crawl, and print the number of rows in the database and the seconds measured by Scrapy."""
    settings = {
        "ADDRESSES": Path(addresses).read_text("utf-8").split(),
        "SITE": site,
        "DATABASE": str(Path(folder) / "peer.duckdb"),
        "FOLDER": folder,
        "KEEP": keep,
        "ROBOTSTXT_OBEY": True,
        "CONCURRENT_REQUESTS": int(concurrency),
        "CONCURRENT_REQUESTS_PER_DOMAIN": int(concurrency),
        "DOWNLOAD_DELAY": 0,
        "AUTOTHROTTLE_ENABLED": False,
        "HTTPCACHE_ENABLED": False,
        "COOKIES_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "LOG_LEVEL": "WARNING",
        "USER_AGENT": "scrapy-bench (+bench@example.org)",
        "ITEM_PIPELINES": {DuckDBPipeline: 300} | ({FilesPipeline: 200} if keep != "rows" else {}),
    }
    process = CrawlerProcess(settings)
    crawler = process.create_crawler(ArticleSpider)
    process.crawl(crawler)
    process.start()
    stats = crawler.stats.get_stats()
    with duckdb.connect(str(settings["DATABASE"]), read_only=True) as con:
        ((rows,),) = con.sql("SELECT count(*) FROM articles").fetchall()
    print(json.dumps({"rows": rows, "seconds": stats["elapsed_time_seconds"]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
