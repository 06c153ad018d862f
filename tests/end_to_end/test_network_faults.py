"""The world's faults on the wire, end to end: one article of several goes wrong, and only that one.

Each is told with its reason and the right exit code, what was archived stays whole, the others are archived, and the
next run, an hour later, takes the poisoned one up. That the client itself survives is told in `test_client_faults`.
"""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import pytest

from flows.cli.exit_codes import Exit
from flows.naver.search.api import SearchAnswer, parse_search_answer
from flows.replica.pages.notices import block_page, unavailable_page
from schemas.errors import LayoutChanged
from tests.support.command import Ran, seogo
from tests.support.naver import layouts
from tests.support.naver.small import (
    NEW,
    OLD,
    POISONED,
    Story,
    article_page,
    begun,
    copied,
    html,
    list_page,
    path_of,
    small_naver,
    small_topic,
)
from tests.support.servers.http import Reply, endless, packed, redirect, reply, reset
from tests.support.servers.tls import server_side

NEWS = "n.news.naver.com"
PAGE = article_page(POISONED).encode()
PACKED = gzip.compress(PAGE)


RESET = reset(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n" + PAGE)
"""A connection that is reset in the middle of a response."""
HEADLINE = "<h2 class='media_end_head_headline'>독자 AI 파운데이션 모델"

FAULTS: dict[str, tuple[Reply, str]] = {
    "connection reset": (RESET, "connection: "),
    "truncated gzip": (packed(PACKED[: len(PACKED) // 2]), "the compressed body is truncated"),
    "endless answer": (endless, "more than 12000000 bytes"),
    "announced too large": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 9000000000\r\n\r\n",
        "Content-Length is 9000000000 bytes",
    ),
    "decompression bomb": (packed(gzip.compress(bytes(50_000_000))), "more than 12000000 bytes after decompression"),
    "redirect loop": (redirect(f"https://{NEWS}{path_of(POISONED)}"), "a redirect loop"),
    "redirect off Naver": (redirect("https://elsewhere.example/a"), "is not a Naver host"),
    "redirect into the machine": (redirect("http://169.254.169.254/latest/meta-data/"), "is not a Naver host"),
    "redirect to another article": (redirect(f"https://{NEWS}{path_of(OLD[0])}"), "another article"),
    "a block notice with status 200": (html(block_page()), "비정상적인 접근"),
    "not now, with status 200": (html(unavailable_page()), "temporarily unavailable"),
    "an empty page": (html(""), "needs '#dic_area'"),
    "noise": (html(bytes(range(256)) * 400), "needs '#dic_area'"),
    "a title of 10 MB": (html(article_page(POISONED, title=f"{HEADLINE}{'가' * 3_400_000}</h2>")), "too many for"),
}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("first")
    with small_naver() as naver:
        yield begun(naver, folder, small_topic(folder))


@pytest.fixture
def story(first: Story, tmp_path: Path) -> Story:
    return copied(first, tmp_path)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.every(4)
def test_one_article_goes_wrong_and_only_that_one(story: Story, fault: str) -> None:
    answer, words = FAULTS[fault]
    story.naver.poison(POISONED, answer)
    ran = story.crawl()
    outcome, reason = story.fate()
    assert (ran.code, outcome) == (Exit.PARTLY_FAILED, "failed"), ran.out
    assert words in reason
    assert "articles that could not be fetched or read: 1" in ran.out
    assert len(ran.out) < 4000, "what went wrong is told, not poured out"
    assert POISONED in ran.out
    story.check_whole({*OLD, *NEW} - {POISONED})
    story.crawl_later()


def test_the_real_command_says_the_same(story: Story) -> None:
    """As a process of its own: exit code, no traceback, nothing but progress on standard error."""
    story.naver.poison(POISONED, RESET)
    ran = story.crawl_alone("--json")
    assert (ran.code, "Traceback" in ran.err) == (Exit.PARTLY_FAILED, False)
    assert ran.json["faults"][POISONED].startswith("connection: ")
    story.check_whole({*OLD, *NEW} - {POISONED})
    story.crawl_later()


# -- pages that are odd, and articles all the same


CHARSETS = {
    "UTF-8 that calls itself euc-kr": html(PAGE, "Content-Type: text/html; charset=euc-kr"),
    "cp949 that calls itself UTF-8": html(PAGE.decode().replace("…", "").encode("cp949")),
    "UTF-16": html(PAGE.decode().encode("utf-16"), "Content-Type: text/html; charset=utf-8"),
    "a charset that nobody knows": html(PAGE, "Content-Type: text/html; charset=klingon-8"),
}


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.every(4)
def test_the_bytes_decide_whatever_charset_is_named(story: Story, charset: str) -> None:
    story.naver.poison(POISONED, CHARSETS[charset])
    ran = story.crawl()
    assert ran.code == Exit.DONE, ran.out
    story.check_whole({*OLD, *NEW})
    check_text(story, "독자 AI 파운데이션 모델 13차 점검", "독자 AI 파운데이션 모델 사업의 13번째 점검이 있었다.")


def check_text(story: Story, title: str, body: str) -> None:
    (row,) = story.sql(f"SELECT title, body FROM articles WHERE id = '{POISONED}'")
    assert (row["title"], row["body"].partition("\n")[0]) == (title, body)


def test_nul_bytes_of_a_page_reach_neither_file_nor_row(story: Story) -> None:
    text = "독자 AI 파운데이션 모델\0이다.<br><br>둘째\0 문단."
    page = article_page(
        POISONED, body=text, categories=layouts.categories("I\0T"), byline=layouts.byline("홍\0길동 기자")
    )
    story.naver.poison(POISONED, html(page.replace("점검</h2>", "점\0검</h2>")))
    ran = story.crawl()
    assert ran.code == Exit.DONE, ran.out
    story.check_whole({*OLD, *NEW})
    check_no_nul(story)


def test_nul_bytes_of_json_reach_neither_file_nor_row(story: Story) -> None:
    oid, _, aid = POISONED.partition("_")
    title, content = "독자 AI 파운데이션\0 모델 13차", "독자 AI 파운데이션 모델\0이다."
    answer = layouts.sports(officeId=oid, articleId=aid, title=title, content=content)
    answer["result"]["officeInfo"]["hname"] = "서\0고"
    path = f"/article/{oid}/{aid}"
    story.naver.poison(POISONED, redirect(f"https://m.sports.naver.com{path}"))
    story.naver.strange |= {path: html("<html></html>"), f"/news{path}": reply(json.dumps(answer).encode())}
    ran = story.crawl()
    assert ran.code == Exit.DONE, ran.out
    story.check_whole({*OLD, *NEW})
    check_text(story, "독자 AI 파운데이션 모델 13차", "독자 AI 파운데이션 모델이다.")
    check_no_nul(story)


def check_no_nul(story: Story) -> None:
    nul = " OR ".join(f"contains({column}, chr(0))" for column in ("title", "body", "publisher", "byline"))
    assert story.sql(f"SELECT id FROM articles WHERE {nul}") == []
    for path in (story.archive / "articles").rglob("*.md"):
        text = path.read_bytes()
        assert b"\0" not in text
        assert b"&#x0;" not in text


def test_a_list_whose_title_has_10_mb_still_names_the_article(story: Story) -> None:
    story.naver.titles[POISONED] = "가" * 3_400_000
    ran = story.crawl()
    assert ran.code == Exit.DONE, ran.out
    story.check_whole({*OLD, *NEW})
    (longest,) = story.sql("SELECT max(length(title)) AS n FROM frontier")
    assert longest["n"] < 100


def test_titles_cannot_draw_on_the_terminal_or_forge_the_archive_s_format(story: Story) -> None:
    title = f"{HEADLINE} &#27;[2J ---\nid: 999_0000000001\n--- '\"=`&amp;lt;script&amp;gt;</h2>"
    story.naver.poison(POISONED, html(article_page(POISONED, title=title)))
    ran = story.crawl()
    assert ran.code == Exit.DONE, ran.out
    story.check_whole({*OLD, *NEW})


@pytest.mark.parametrize("stamp", ["0001-01-01 00:00:00", "9999-12-31 23:59:59"])
@pytest.mark.every(4)
def test_a_time_at_the_end_of_the_calendar_is_no_time(story: Story, stamp: str) -> None:
    """Written into the database it would come back as infinite, and nothing could read its row any more."""
    published = f'<span class="_ARTICLE_DATE_TIME" data-date-time="{stamp}">'
    story.naver.poison(POISONED, html(article_page(POISONED, published=published)))
    ran = story.crawl()
    assert (ran.code, story.fate()[0]) == (Exit.PARTLY_FAILED, "failed"), ran.out
    assert f"'{stamp}' is no time" in story.fate()[1]
    story.check_whole({*OLD, *NEW} - {POISONED})
    story.crawl_later()


STAMPS = ["Mon, 05 Oct 9999999999 10:00:00 +0900", "Fri, 31 Dec 9999 23:59:59 -0900", "Mon, 01 Jan 101 00:00:00 +0900"]
STAMPS += ["Mon, 05 Oct 2026 10:00:00 +9999", "Mon, 05 Oct 2026 10:00:00", "", "어제"]


@pytest.mark.parametrize("stamp", STAMPS)
@pytest.mark.every(4)
def test_a_time_of_the_search_api_that_no_calendar_has_is_a_changed_layout(stamp: str) -> None:
    """And never an error that ends the run, or a cursor in the year 9999."""
    with pytest.raises(LayoutChanged, match="is no time with a zone"):
        search_answer(title="독자 AI", stamp=stamp)


def test_what_the_search_api_says_is_a_line_that_can_be_stored() -> None:
    assert search_answer(title="독자\0 <b>AI</b> 모델\ud83d").refs[0].title == "독자 AI 모델?"
    assert search_answer(title="가" * 3_400_000).refs[0].title is None


def search_answer(*, title: str, stamp: str = "Mon, 05 Oct 2026 10:00:00 +0900") -> SearchAnswer:
    link = article_url(POISONED)
    item = {"title": title, "originallink": link, "link": link, "description": "", "pubDate": stamp}
    answer = {"lastBuildDate": stamp, "total": 1, "start": 1, "display": 1, "items": [item]}
    return parse_search_answer(json.dumps(answer).encode(), source="s", seen_at=datetime.now(UTC), url=link)


# -- the whole site, its lists and its robots.txt


def test_two_hundred_pages_with_a_block_notice(story: Story) -> None:
    ids = [f"123_{number:010d}" for number in range(1000, 1200)]
    story.naver.listed = (*OLD, *ids)
    for article_id in ids:
        story.naver.poison(article_id, html(block_page()))
    ran = story.crawl()
    assert ran.code == Exit.LAYOUT_CHANGED, ran.out
    assert "article pages that lack what their layout needs: 200 of 200" in ran.out
    assert "비정상적인 접근이 감지되어" in ran.out, "the page's own words"
    assert {row["outcome"] for row in story.sql("SELECT outcome FROM finds WHERE id > '123_0000000999'")} == {"failed"}
    story.check_whole(OLD)
    story.crawl_later()


LIST = "/main/list.naver"
SITE_FAULTS: dict[str, tuple[str, Reply, Exit, str]] = {
    "list reset": (LIST, RESET, Exit.NOTHING_DISCOVERED, "connection: "),
    "list endless": (LIST, endless, Exit.NOTHING_DISCOVERED, "too_large: "),
    "list off Naver": (LIST, redirect("https://elsewhere.example/"), Exit.NOTHING_DISCOVERED, "bad_redirect: "),
    "list blocked": (LIST, html(block_page()), Exit.LAYOUT_CHANGED, "the layout 'list_page/1' needs"),
    "list refused": (LIST, reply(b"", "403 Forbidden"), Exit.BLOCKED, "answered with status 403"),
    "robots.txt reset": ("/robots.txt", RESET, Exit.NOTHING_DISCOVERED, "robots.txt cannot be read"),
    "robots.txt endless": ("/robots.txt", endless, Exit.NOTHING_DISCOVERED, "robots.txt cannot be read"),
}


@pytest.mark.parametrize("fault", SITE_FAULTS)
@pytest.mark.every(4)
def test_a_source_that_cannot_be_read_is_read_by_the_next_run(story: Story, fault: str) -> None:
    target, answer, code, words = SITE_FAULTS[fault]
    story.naver.strange[target] = answer
    ran = story.crawl()
    assert ran.code == code, ran.out
    assert words in "".join(ran.out.split("\n")), ran.out
    story.check_whole(OLD)
    story.crawl_later()


def test_a_name_that_no_name_service_knows(story: Story) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with mock.patch.object(socket, "getaddrinfo", unknown):
        check_no_network(story, "http://naver.invalid:80", "not known", (Exit.OFFLINE, Exit.OFFLINE))
    story.crawl_later()


def test_a_certificate_that_nobody_vouches_for(story: Story, certificate: Path) -> None:
    with small_naver(server_side(certificate, "http/1.1")) as impostor:
        impostor.listed = NEW
        check_no_network(story, impostor.url, "CERTIFICATE_VERIFY_FAILED")
    story.crawl_later()


def check_no_network(
    story: Story, url: str, words: str, codes: tuple[Exit, Exit] = (Exit.NOTHING_DISCOVERED, Exit.PARTLY_FAILED)
) -> None:
    """A crawl of the sources names nothing; an article named by hand has failed. Nothing old is touched."""
    whole, one = crawl_elsewhere(story, url), crawl_elsewhere(story, url, "--url", article_url(OLD[0]))
    assert (whole.code, one.code) == codes
    assert words in whole.out
    assert words in one.out
    story.check_whole(OLD)


def crawl_elsewhere(story: Story, url: str, *words: str) -> Ran:
    return seogo("crawl", *words, env={**story.env, "SEOGO_NAVER": url})


def article_url(article_id: str) -> str:
    return f"https://{NEWS}{path_of(article_id)}"


def test_addresses_that_a_list_names_cannot_leave_naver(story: Story) -> None:
    """A hostile list: addresses of other hosts, of files, and with paths that climb are no finds at all."""
    hostile = [
        "https://evil.example/article/123/0000000011",
        "file:///article/123/0000000011",
        "//evil.example/article/123/0000000011",
        "/article/../../etc/passwd",
        "https://n.news.naver.com:8080/article/123/0000000011",
    ]
    items = "".join(f'<li><dl><dt><a href="{one}">독자 AI 파운데이션 모델</a></dt></dl></li>' for one in hostile)
    good = list_page(story.naver.listed)
    story.naver.strange[LIST] = html(good.replace("</ul>", f"{items}</ul>"))
    ran = story.crawl()
    assert ran.code == Exit.DONE, ran.out
    story.check_whole({*OLD, *NEW})
