"""`seogo topic check` and `seogo parse`."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from pathlib import Path

import pytest

from flows.cli.exit_codes import Exit
from flows.replica.corpus.articles import make_corpus
from flows.replica.server import Replica
from storage.reading.reader import SHOWN
from tests.support.command import process, seogo
from tests.support.paths import DATA, ROOT, SHARED
from tests.support.replica import NNEWS, first, get, path_of

CAPTURES = SHARED / "captures"
EXPECTED = sorted((DATA / "expected").glob("*_*.json"))
NEWS = "https://news.naver.com"
LISTS = {
    "list_nhn_100_265_202009.html.gz": f"{NEWS}/main/list.nhn?mode=LS2D&mid=shm&sid1=100&sid2=265",
    "list_page_202401_pynavernews.html.gz": f"{NEWS}/main/list.naver?mode=LSD&mid=shm&sid1=105",
    "search_news_AI_202605.html.gz": "https://search.naver.com/search.naver?where=news&query=AI",
    "search_news_da_202601.html.gz": "https://search.naver.com/search.naver?where=news&query=da",
    "section_100_202508.excerpt.html": f"{NEWS}/section/100",
    "openapi_news_search_20240526.json": "https://openapi.naver.com/v1/search/news.json?query=AI",
}
PIECES = {
    "apigw_sports_article_202610.fragment.json": (
        "https://api-gw.sports.naver.com/news/article/001/0000000001",
        "which is not on the page",
    ),
    "openapi_news_search_20250611.fragment.txt": (
        "https://openapi.naver.com/v1/search/news.json?query=AI",
        "which is not on the page",
    ),
    "read_nhn_article_277_0004565025_201911.excerpt.html": (
        "https://n.news.naver.com/article/277/0004565025",
        "#articleBodyContents",
    ),
}

needs_captures = pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captured pages are not part of the project")


# -- the topic file


def test_topic_check_names_file_line_key_and_what_was_expected(tmp_path: Path) -> None:
    text = (ROOT / "topics" / "foundation_model.yaml").read_text("utf-8")
    typo = tmp_path / "topic.yaml"
    typo.write_text(text.replace("queries:", "querys:").replace("concurrency: 2", "concurrency: two"), "utf-8")
    number = 1 + typo.read_text("utf-8").splitlines().index("querys:")
    for ran in (seogo("topic", "check", typo), seogo("crawl", env={"SEOGO_TOPIC": typo})):
        assert (ran.code, ran.out) == (2, "")
        assert f"{typo}:{number}: querys: unknown key: did you mean 'queries'?" in ran.err
        assert "limits.concurrency: expected a whole number from 1 to 64" in ran.err
        assert ran.err.startswith("seogo: ")


def test_the_topic_that_ships_wants_a_contact_of_ones_own(tmp_path: Path) -> None:
    shipped = seogo("topic", "check")
    assert shipped.code == 0
    assert "contact seogo-crawler@example.org is a placeholder" in shipped.out
    assert "placeholder" in seogo("topic", "check", "--json").json["warnings"][0]
    own = tmp_path / "own.yaml"
    own.write_text(f"extends: {ROOT / 'topics' / 'foundation_model.yaml'}\ncontact: archive@gaon.re.kr\n", "utf-8")
    ran = seogo("topic", "check", "--topic", own)
    assert "warning" not in ran.out
    assert ran.out.endswith("no mistakes\n")
    assert seogo("topic", "check", "--json", env={"SEOGO_TOPIC": own}).json["contact"] == "archive@gaon.re.kr"


def test_a_topic_in_short_is_readable() -> None:
    out = seogo("topic", "check").out
    assert "lag 2h, first lookback 3d" in out
    assert "독파모, 국가대표 AI, 국가대표 인공지능, 소버린 AI" in out


# -- parse


@pytest.fixture(scope="module")
def page() -> tuple[str, bytes, str]:
    """Address, page and title of a generated article."""
    with Replica(make_corpus(3, articles=80, presses=6, days=4)) as naver:
        article = first(naver.corpus)
        title = article.at(naver.clock.now).title
        return f"https://{NNEWS}{path_of(article)}", get(naver, NNEWS, path_of(article)).content, title


def test_parse_takes_files_plain_and_packed_and_standard_input(page: tuple[str, bytes, str], tmp_path: Path) -> None:
    url, content, title = page
    (tmp_path / "page.html").write_bytes(content)
    (tmp_path / "page.html.gz").write_bytes(gzip.compress(content))
    ways = [
        seogo("parse", tmp_path / "page.html", "--url", url, "--json"),
        seogo("parse", tmp_path / "page.html.gz", "--url", url, "--json"),
        seogo("parse", "-", "--url", url, "--json", stdin=content),
        seogo("parse", "-", "--json", stdin=gzip.compress(content)),
    ]
    for ran in ways:
        assert (ran.code, ran.err) == (0, "")
        assert ran.json == ways[0].json
    parsed = ways[0].json
    assert list(parsed) == SHOWN
    assert (parsed["title"], parsed["url"], parsed["crawled_at"]) == (title, url, None)
    assert datetime.fromisoformat(parsed["published_at"]).utcoffset() is not None
    assert seogo("parse", tmp_path / "page.html").out.startswith(title)


def test_a_lone_surrogate_in_an_answer_stops_nothing(tmp_path: Path) -> None:
    article = {"officeId": "001", "articleId": "0000000001", "title": "제목 \\ud800", "content": "본문이다.<br>둘째."}
    article["serviceDatetime"] = "2026-01-02 03:04:05"
    answer = {"result": {"articleInfo": {"article": article}, "officeInfo": {"hname": "가온"}}}
    file = tmp_path / "sports.json"
    file.write_text(json.dumps(answer, ensure_ascii=False).replace("\\\\ud800", "\\ud800"), "utf-8")
    url = "https://api-gw.sports.naver.com/news/article/001/0000000001"
    ran = process("parse", file, "--url", url, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["title"].startswith("제목")


def test_a_page_that_says_gone_or_not_now(tmp_path: Path) -> None:
    for notice in ("삭제된 기사입니다", "Service Unavailable"):
        file = tmp_path / "gone.html"
        file.write_text(f"<html><title>네이버 뉴스</title><body><p>{notice}</p></body></html>", "utf-8")
        ran = seogo("parse", file, "--url", "https://n.news.naver.com/article/001/0000000001")
        assert ran.code == Exit.NO_ARTICLE, ran.err
        assert notice in ran.complaint


@needs_captures
@pytest.mark.parametrize("expected", EXPECTED, ids=lambda path: path.stem)
def test_parse_prints_the_captured_articles(expected: Path) -> None:
    want = json.loads(expected.read_text("utf-8"))
    parsed = seogo("parse", CAPTURES / want["capture"], "--url", want["url"], "--json").json
    assert list(parsed) == SHOWN
    for name in ("id", "title", "subtitle", "publisher", "published_at", "modified_at", "original_url", "kind"):
        assert parsed[name] == want[name]
    assert parsed["categories"] == want["categories"]
    assert [[author["name"], author["email"]] for author in parsed["authors"]] == want["authors"]
    assert parsed["content_hash"] == want["body"]["sha256"]
    assert [image["url"] for image in parsed["images"]] == [image["url"] for image in want["images"]]
    assert parsed["crawled_at"] is None


@needs_captures
@pytest.mark.parametrize("name", LISTS)
def test_parse_prints_what_captured_lists_name(name: str) -> None:
    parsed = seogo("parse", CAPTURES / name, "--url", LISTS[name], "--json").json
    assert len(parsed["refs"]) >= 2
    for ref in parsed["refs"]:
        assert set(ref["key"]) == {"oid", "aid"}


@needs_captures
@pytest.mark.parametrize("name", PIECES)
def test_parse_says_what_a_captured_piece_lacks(name: str) -> None:
    url, says = PIECES[name]
    ran = seogo("parse", CAPTURES / name, "--url", url)
    assert ran.code == Exit.LAYOUT_CHANGED
    assert says in ran.complaint


@needs_captures
def test_parse_needs_no_address_where_the_page_gives_its_own() -> None:
    for name in ("nnews_article_421_0008770777_202602.html.gz", "read_nhn_article_029_0002625369_202009.html.gz"):
        ran = seogo("parse", CAPTURES / name, "--json")
        assert ran.json["id"] == "_".join(name.split("_")[-3:-1])
