"""Shared by the tests of faults: a small Naver of handwritten responses, and a sequence of crawls of it.

A story has three runs: two articles are archived; six more are published and a fault occurs; an hour later everything
works again. `seogo verify` runs after the fault.
"""

from __future__ import annotations

import asyncio
import shutil
import ssl
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flows.cli.exit_codes import Exit, exit_of_run
from flows.runs.crawl import CrawlOrder, crawl
from schemas.article import SEOUL, ArticleKey
from schemas.receipt import Receipt
from schemas.topic import load_topic
from tests.support.command import Ran, process, query, seogo
from tests.support.naver import layouts
from tests.support.paths import TOPICS
from tests.support.servers.http import Reply, reply, serving

OLD = tuple(f"123_000000000{n}" for n in (1, 2))
"""Published before the fault."""
NEW = tuple(f"123_000000001{n}" for n in range(1, 7))
"""Published with the fault."""
POISONED = NEW[2]
"""The new article with the fault."""

_LIST = "/main/list.naver?"


class SmallNaver(Mapping[str, Reply]):
    """Responses by path. `listed` are the ids on the list of every day; `strange` are faulty responses."""

    def __init__(self) -> None:
        self.listed: tuple[str, ...] = OLD
        self.strange: dict[str, Reply] = {}
        self.titles: dict[str, str] = {}
        self.url = ""

    def poison(self, article_id: str, answer: Reply) -> None:
        self.strange[path_of(article_id)] = answer

    def heal(self) -> None:
        self.strange.clear()

    def __getitem__(self, target: str) -> Reply:
        if (answer := self.strange.get(target) or self.strange.get(target.partition("?")[0])) is not None:
            return answer
        if target.startswith(_LIST):
            return html(list_page(self.listed, self.titles))
        for article_id in self.listed:
            if target == path_of(article_id):
                return html(article_page(article_id))
        raise KeyError(target)

    def __iter__(self) -> Iterator[str]:
        return iter(self.strange)

    def __len__(self) -> int:
        return len(self.strange)


def path_of(article_id: str) -> str:
    return ArticleKey.from_id(article_id).url.removeprefix("https://n.news.naver.com")


def html(page: str | bytes, *headers: str) -> bytes:
    content = page.encode() if isinstance(page, str) else page
    return reply(content, headers=headers or ["Content-Type: text/html; charset=utf-8"])


def article_page(article_id: str, **parts: str) -> str:
    """A page on topic with a unique text."""
    oid, _, aid = article_id.partition("_")
    title = f"독자 AI 파운데이션 모델 {int(aid)}차 점검"
    page = {
        "url": "",
        "script": layouts.script(oid, aid),
        "title": f'<h2 class="media_end_head_headline">{title}</h2>',
        "published": f'<span class="_ARTICLE_DATE_TIME" data-date-time="{_an_hour_ago()}">…</span>',
        "body": f"독자 AI 파운데이션 모델 사업의 {int(aid)}번째 점검이 있었다.<br><br>정예팀이 모두 왔다.",
        **parts,
    }
    return layouts.article(**page)


def _an_hour_ago() -> str:
    return f"{datetime.now(SEOUL) - timedelta(hours=1):%Y-%m-%d %H:%M:%S}"


def list_page(ids: Iterable[str], titles: Mapping[str, str] = {}) -> str:
    """A section's list of one day with these articles on a single page."""
    items = "".join(_item(article_id, titles.get(article_id, "독자 AI 파운데이션 모델")) for article_id in ids)
    lists = f'<ul class="type06_headline">{items}</ul>' if items else ""
    paging = '<div class="paging"><strong>1</strong></div>'
    return f"<html><body><div class='list_body newsflash_body'>{lists}</div>{paging}</body></html>"


def _item(article_id: str, title: str) -> str:
    address = ArticleKey.from_id(article_id).url
    return f'<li><dl><dt><a href="{address}">{title}</a></dt><dd><span class="lede">소식</span></dd></dl></li>'


@contextmanager
def small_naver(tls: ssl.SSLContext | None = None) -> Iterator[SmallNaver]:
    """The small Naver on a free port, in its own thread."""
    naver = SmallNaver()
    started, ended = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with serving(naver, tls) as server:
            naver.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.port}"
            started.set()
            await ended.wait()

    thread = threading.Thread(target=_run, args=(loop, serve()), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield naver
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)


def _run(loop: asyncio.AbstractEventLoop, serving_: Any) -> None:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(serving_)


def small_topic(folder: Path, **limits: object) -> Path:
    """A topic file with one list and short waits."""
    settings = {
        "requests_per_second": 0,
        "concurrency": 8,
        "tries": 2,
        "backoff_seconds": 0.01,
        "lookback": "1d",
        "max_backoff_seconds": 0.05,
        "patience_seconds": 3,
        "max_answer_bytes": 12_000_000,
        **limits,
    }
    lines = [f"  {name}: {value}" for name, value in settings.items()]
    path = folder / "small.yaml"
    extends = TOPICS / "foundation_model.yaml"
    sources = ["sources:", "  - type: section_list", "    sids: [105]"]
    path.write_text("\n".join([f"extends: {extends}", "name: small", *sources, "limits:", *lines, ""]), "utf-8")
    return path


class Story:
    """One archive, one small Naver, and commands that use both."""

    def __init__(self, naver: SmallNaver, archive: Path, topic: Path) -> None:
        self.naver, self.archive, self.topic = naver, archive, topic

    @property
    def env(self) -> dict[str, str | Path]:
        return {"SEOGO_NAVER": self.naver.url, "SEOGO_ARCHIVE": self.archive, "SEOGO_TOPIC": self.topic}

    def crawl(self, *words: str | Path) -> Ran:
        """`seogo crawl`, in this process."""
        return seogo("crawl", *words, env=self.env)

    def crawl_alone(self, *words: str | Path) -> Ran:
        """`seogo crawl` in its own process."""
        return process("crawl", *words, env=self.env)

    def crawl_at(self, moment: datetime, **order: Any) -> tuple[Receipt, Exit]:
        """The function behind the command, at another time; returns its receipt and the exit code."""
        whole = CrawlOrder(load_topic(self.topic), self.archive, naver=self.naver.url, **order)
        receipt = asyncio.run(crawl(whole, now=lambda: moment))
        return receipt, exit_of_run(receipt.exit_reason)

    def crawl_later(self) -> None:
        """An hour later everything works again: all waiting finds are processed and archived."""
        self.naver.heal()
        receipt, code = self.crawl_at(datetime.now(UTC) + timedelta(hours=1))
        assert code == Exit.DONE, receipt.explanation
        self.check_holds(self.naver.listed)

    def sql(self, sql: str) -> list[dict[str, Any]]:
        return query(self.archive, sql)

    def archived_ids(self) -> set[str]:
        return {row["id"] for row in self.sql("SELECT id FROM articles")}

    def fate(self, article_id: str = POISONED) -> tuple[str, str]:
        """Outcome and reason of the latest find of an article."""
        (row,) = self.sql(f"SELECT outcome, reason FROM finds WHERE id = '{article_id}' ORDER BY run_id DESC LIMIT 1")
        return row["outcome"], row["reason"]

    def check_whole(self, ids: Iterable[str]) -> None:
        """Check that exactly these are archived, row and file, and that `verify` finds no fault."""
        ran = seogo("verify", "--archive", self.archive)
        assert (ran.code, ran.err) == (Exit.DONE, ""), ran.out
        self.check_holds(ids)

    def check_holds(self, ids: Iterable[str]) -> None:
        """Check that exactly these are archived, row and file."""
        assert self.archived_ids() == set(ids)
        assert {path.stem for path in (self.archive / "articles").rglob("*.md")} == set(ids)


def begun(naver: SmallNaver, folder: Path, topic: Path) -> Story:
    """Run the first crawl: the old articles are archived."""
    naver.listed = OLD
    story = Story(naver, folder / "archive", topic)
    ran = story.crawl()
    assert ran.code == Exit.DONE, ran.out + ran.err
    story.check_whole(OLD)
    return story


def copied(story: Story, folder: Path, listed: tuple[str, ...] = OLD + NEW) -> Story:
    """A copy after the first run in another folder. `listed`: by default, six more articles have been published."""
    story.naver.heal()
    story.naver.titles.clear()
    story.naver.listed = listed
    archive = folder / "archive"
    shutil.copytree(story.archive, archive)
    return Story(story.naver, archive, story.topic)
