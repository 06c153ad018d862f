"""What the pages show, in both languages."""

from __future__ import annotations

import csv
import io
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pyarrow.parquet as pq
import pytest

from flows.runs.move_captures import move_captures
from flows.serving.content.following import following, stories_had_first
from flows.serving.context import around
from flows.serving.language import choose
from storage.reading.shared import SharedSnapshot
from tests.support.histories.analyst import EDITED
from tests.support.reports import altered
from tests.support.servers.serving import CAPTURED, client_of, serving
from tests.support.values import key

FIRST = key(1).id


def text_of(answer: httpx.Response) -> str:
    """What a reader sees of a page."""
    assert answer.status_code == 200, answer.text
    return " ".join(re.sub(r"<[^>]+>", "", answer.text).split())


def test_today_tells_the_week(web: httpx.Client) -> None:
    page = text_of(web.get("/"))
    assert "시험 주제" in page
    assert "나래 모델, 세계 2위" in page
    assert "나래 모델, 세계 1위2위" in page  # an edited headline: what was replaced, and by what
    assert ("수집 공백 1곳" in page, "격리" in page) == (True, False)
    assert page.index("최근 기사") < page.index("많이 보도한 언론사")


def test_a_search_has_facets_marks_and_an_address(web: httpx.Client) -> None:
    answer = web.get("/search", params={"q": "나래", "team": "가온"})
    page = text_of(answer)
    assert "“나래” 1건" in page
    assert "<mark>나래</mark> 모델, 세계 2위" not in answer.text
    assert "<mark>나래</mark>, 둘째 모델" in answer.text
    assert "다온일보 1" in page
    every = web.get("/search").text
    assert 'href="/search?team=%EA%B0%80%EC%98%A8"' in every


def test_a_search_by_model(web: httpx.Client) -> None:
    page = text_of(web.get("/search?q=모델"))
    assert "모델 노을 2 Gaon 1" in page
    assert {hit["id"] for hit in web.get("/search.json?model=Gaon").json()["hits"]} == {key(2).id}
    assert "Gaon" in web.get("/search?model=Gaom").text  # did you mean
    assert 'href="/search?model=%EB%85%B8%EC%9D%84"' in web.get("/team/가온").text


def test_pages_of_a_result_continue(web: httpx.Client) -> None:
    answers = [web.get("/api/v1/search", params={"limit": 2, "page": page}).json() for page in (1, 2, 3)]
    found = [hit["id"] for answer in answers for hit in answer["hits"]]
    assert len(found) == len(set(found)) == answers[0]["total"] == 6
    assert [answer["next_page"] for answer in answers] == [2, 3, None]


def test_a_result_as_files(web: httpx.Client) -> None:
    wanted = {hit["id"] for hit in web.get("/search.json?q=모델").json()["hits"]}
    assert FIRST in wanted
    rows = list(csv.DictReader(io.StringIO(web.get("/search.csv?q=모델").content.decode("utf-8-sig"))))
    assert {row["id"] for row in rows} == wanted
    table = pq.read_table(io.BytesIO(web.get("/search.parquet?q=모델").content))
    assert set(table["id"].to_pylist()) == wanted
    feed = ET.fromstring(web.get("/feed.atom?q=모델").content)  # noqa: S314 — our own
    links = [link.get("href", "") for link in feed.iterfind("{*}entry/{*}link")]
    assert {link.rpartition("/")[2] for link in links} == wanted


def test_an_article_with_its_revisions(web: httpx.Client) -> None:
    answer = web.get(f"/article/{EDITED}")
    page = text_of(answer)
    assert "나래 모델, 세계 2위" in page
    assert "<del>1위</del><ins>2위</ins>" in answer.text
    assert "관련도5.0" in page
    assert "김가온, 「가온, 첫 모델 공개」" in text_of(web.get(f"/article/{FIRST}"))  # without an e-mail address
    assert "라온방송" in page
    older = text_of(web.get(f"/article/{EDITED}?revision=1"))
    assert "보고 있는 판: 1" in older
    assert web.get(f"/article/{EDITED}?revision=99").status_code == 400


def test_an_article_as_of_a_time(web: httpx.Client) -> None:
    then = web.get(f"/article/{EDITED}?as_of=2026-01-06T09:01")
    assert "보고 있는 판: 1" in text_of(then)
    assert 'value="2026-01-06T09:01"' in then.text
    assert "보고 있는 판" not in text_of(web.get(f"/article/{EDITED}?as_of=2027-01-01T00:00"))
    assert web.get(f"/article/{EDITED}?as_of=2025-01-01T00:00").status_code == 400
    assert web.get(f"/article/{EDITED}?as_of=yesterday").status_code == 400


def test_articles_of_stories_and_the_others(web: httpx.Client) -> None:
    every = web.get("/search?q=모델").text
    assert 'href="/search?q=%EB%AA%A8%EB%8D%B8&amp;story=yes"' in every
    alone = {hit["id"] for hit in web.get("/search.json?q=모델&story=no").json()["hits"]}
    assert alone == {hit["id"] for hit in web.get("/search.json?q=모델").json()["hits"]}  # none is in a story
    assert "찾은 기사가 없습니다" in text_of(web.get("/search?q=모델&story=yes"))
    assert web.get("/api/v1/articles?story=yes").json()["articles"] == []
    assert web.get("/search?story=maybe").status_code == 400


def test_a_feed_has_an_id_a_title_and_an_address_of_its_own(web: httpx.Client) -> None:
    def parts(path: str) -> tuple[str, str, list[str], list[str]]:
        feed = ET.fromstring(web.get(path).content)  # noqa: S314 — our own
        links = [link.attrib["href"] for link in feed.findall("{*}link")]
        entries = [entry.findtext("{*}id", "") for entry in feed.findall("{*}entry")]
        return feed.findtext("{*}id", ""), feed.findtext("{*}title", ""), links, entries

    of_team = parts("/feed.atom?team=가온")
    assert parts("/feed.atom?team=가온&lang=en")[0] == of_team[0] != parts("/feed.atom?team=나래")[0]
    assert of_team[1] == "seogo: 가온"
    of_story = parts(f"/story/{FIRST}.atom")
    assert of_story[1] == "seogo: 가온, 첫 모델 공개"
    assert of_story[2] == [str(web.base_url.join(path)) for path in (f"/story/{FIRST}.atom", f"/story/{FIRST}")]
    assert of_story[3] == [f"urn:seogo:article:{one}" for one in (key(4, "004").id, FIRST, key(3, "003").id)]
    for kind in (of_team, of_story):
        assert [web.get(link).status_code for link in kind[2]] == [200, 200]
    assert f'href="/story/{FIRST}.atom"' in web.get(f"/story/{FIRST}").text


@pytest.mark.parametrize(
    ("after", "before", "shown"),
    [
        (True, True, "가" * 120 + " … " + "하" * 120),
        (True, False, "가" * 120 + " … "),
        (False, True, " … " + "하" * 120),
    ],
)
def test_a_diff_shows_what_is_around_a_change(after: bool, before: bool, shown: str) -> None:
    assert around("가" * 500 + "하" * 500, after, before) == shown
    assert around("가" * 240, after, before) == "가" * 240


def test_downloads_of_an_article(web: httpx.Client, root: Path) -> None:
    record = web.get(f"/article/{FIRST}.json").json()
    assert record["title"] == "가온, 첫 모델 공개"
    file = web.get(f"/article/{FIRST}.md")
    assert file.content == (root / record["file"]).read_bytes()
    assert file.headers["content-disposition"] == f'attachment; filename="{FIRST}.md"'


def test_a_copy_leads_to_the_text_it_has(web: httpx.Client) -> None:
    answer = web.get(f"/article/{key(3, '003').id}")
    assert (answer.status_code, answer.headers["location"]) == (302, f"/article/{FIRST}")


def test_a_deleted_article_says_so(web: httpx.Client) -> None:
    assert "네이버에서 삭제된 기사입니다" in text_of(web.get(f"/article/{key(7).id}"))


def test_an_article_alone_is_its_own_story(web: httpx.Client) -> None:
    assert "가온, 첫 모델 공개" in text_of(web.get(f"/story/{FIRST}"))


@pytest.mark.parametrize("publication", [FIRST, key(3, "003").id])
def test_a_story_with_its_identical_copies(web: httpx.Client, publication: str) -> None:
    page = text_of(web.get(f"/story/{publication}"))
    assert page.index("2025-12-29 09:30 첫 보도") < page.index("30분 뒤") < page.index("2시간 30분 뒤")
    assert page.count("같은 본문: 가온신문") == 2


def test_teams_and_publishers(web: httpx.Client) -> None:
    assert "함께 언급된 팀 나래" in text_of(web.get("/team/가온"))
    assert "보도한 팀" in text_of(web.get("/publisher/001"))
    assert web.get("/team/없는 팀").status_code == 404
    assert web.get("/publisher/999").status_code == 404


def test_the_status(web: httpx.Client) -> None:
    page = text_of(web.get("/status"))
    assert "press_list:001" in page
    assert "검색 색인최신" in page


def test_the_capture_is_shown_in_a_sandbox(web: httpx.Client) -> None:
    shown = web.get(f"/article/{CAPTURED}/capture")
    assert "200 OK" in text_of(shown)
    page = web.get(f"/article/{CAPTURED}/capture/page")
    assert "받은 쪽" in page.text
    assert page.headers["content-security-policy"].startswith("sandbox; default-src 'none'")


def test_a_capture_in_an_object_store(root: Path, tmp_path: Path) -> None:
    moved, store = tmp_path / "archive", tmp_path / "store"
    shutil.copytree(root, moved)
    move_captures(moved, f"file://{store}", environment={})
    with serving(moved) as url, client_of(url) as web:
        assert "받은 쪽" in web.get(f"/article/{CAPTURED}/capture/page").text
        shutil.rmtree(store)
        gone = web.get(f"/article/{CAPTURED}/capture")
        assert (gone.status_code, "Traceback" in gone.text) == (503, False)
        assert web.get(f"/article/{CAPTURED}").status_code == 200


def test_queries(web: httpx.Client) -> None:
    assert "라온방송" in text_of(web.get("/sql?example=newest-articles"))
    shares = web.get("/sql?example=share-of-voice").text
    assert re.search(r"<title>2025-12-29 가온 \d+\.\d%</title>", shares)
    assert "<figure" not in web.get("/sql?example=newest-articles").text
    assert '<td class="n">7</td>' in web.get("/sql", params={"q": "SELECT 3 + 4 AS n"}).text
    refused = web.get("/sql", params={"q": "SELEC 1"})
    assert (refused.status_code, "syntax error" in refused.text) == (400, True)


def test_the_language_of_a_page(web: httpx.Client) -> None:
    assert web.get("/status").headers["content-language"] == "ko"
    english = web.get("/status?lang=en")
    assert english.headers["content-language"] == "en"
    assert "Gaps in coverage" in english.text
    assert 'href="/search?lang=en"' in english.text  # the choice goes along


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("", "ko"), ("en-US,en;q=0.9", "en"), ("de,ko;q=0.3,en;q=0.2", "ko"), ("fr", "ko"), ("en;q=0, ko;q=x", "ko")],
)
def test_the_accepted_language(accepted: str, language: str) -> None:
    assert choose(None, accepted) == language


def test_a_search_index_that_is_missing_or_an_archive_that_is_broken(root: Path, tmp_path: Path) -> None:
    broken = tmp_path / "archive"
    broken.mkdir()
    (broken / "captures").mkdir()
    with serving(broken) as url, client_of(url) as web:
        for path in ("/", "/search?q=가", "/status", "/team/가온"):
            answer = web.get(path)
            assert answer.status_code == 503, path
            assert "Traceback" not in answer.text
        assert web.get("/api/v1/articles").json()["title"] == "The archive cannot be read"
        assert (web.get("/healthz").status_code, web.get("/readyz").status_code) == (200, 503)
        assert "seogo_up 0.0" in web.get("/metrics").text
        (broken / "archive.duckdb").write_bytes(b"no database" * 1000)
        assert "seogo repair" in web.get("/").text
        (broken / "archive.duckdb").write_bytes((root / "archive.duckdb").read_bytes())
        assert web.get("/").status_code == 200
        assert "검색 색인을 만드는 중" in web.get("/search?q=가").text


PATHS = [
    *(
        "/",
        f"/article/{FIRST}",
        f"/article/{FIRST}.json",
        f"/story/{FIRST}",
        "/team/가온",
        "/publisher/001",
        "/publishers",
    ),
    *("/reporter/001/김가온", "/status", "/sql?example=share-of-voice", "/api/v1/articles", "/api/v1/changes"),
]


def test_a_snapshot_that_is_damaged_inside(root: Path, tmp_path: Path) -> None:
    (tmp_path / "captures").mkdir()
    good = (root / "archive.duckdb").read_bytes()
    damaged = bytearray(good)
    for at in range(20_000, len(good) - 64, 100_000):
        damaged[at : at + 64] = bytes(64)
    (tmp_path / "archive.duckdb").write_bytes(damaged)
    with serving(tmp_path) as url, client_of(url) as web:
        found = {path: web.get(path) for path in PATHS}
        assert {answer.status_code for answer in found.values()} <= {200, 503}
        assert found["/"].status_code == found[f"/article/{FIRST}"].status_code == 503
        assert "seogo repair" in found["/"].text
        (tmp_path / "whole").write_bytes(good)
        (tmp_path / "whole").rename(tmp_path / "archive.duckdb")
        assert {web.get(path).status_code for path in PATHS} == {200}


def test_a_story_with_shared_sentences(root: Path, tmp_path: Path) -> None:
    copy = tmp_path / "archive"
    copy.mkdir()
    (copy / "archive.duckdb").write_bytes((root / "archive.duckdb").read_bytes())
    second, shared = key(2).id, "두 신문에 똑같이 실린 문장은 여기에 있다."
    altered(
        copy,
        f"UPDATE articles SET body = '…처음 실린 글이다. {shared}' WHERE id = '{FIRST}'",
        f"UPDATE articles SET body = '{shared} 뒤에 덧붙였다.' WHERE id = '{second}'",
        f"INSERT INTO story_members VALUES ('{FIRST}', '{FIRST}', 0, NULL), ('{FIRST}', '{second}', 1500, 0.94)",
        f"UPDATE articles SET published_at = (SELECT max(published_at) FROM articles) WHERE id = '{second}'",
    )
    with serving(copy) as url, client_of(url) as web:
        story = web.get(f"/story/{FIRST}")
        assert "7일 뒤" in text_of(story)
        assert "본문의 94%가 앞선 기사와 같음" in text_of(story)
        assert f'<mark class="shared">{shared} </mark>뒤에 덧붙였다.' in story.text
        assert "…처음 실린 글이다." in story.text  # nothing is lost between the sentences
        assert f'href="/story/{FIRST}"' in web.get(f"/article/{second}").text
        assert "이번 주 보도 묶음" in text_of(web.get("/"))
        for name in (FIRST, second):
            members = web.get(f"/api/v1/stories/{name}").json()["members"]
            assert [one["id"] for one in members] == [FIRST, second]


def test_who_follows_whom(web: httpx.Client, root: Path) -> None:
    shared = SharedSnapshot(root)
    with shared.reading() as snapshot:
        pairs = {(one.follower, one.leader): (one.stories, one.minutes) for one in following(snapshot)}
        first = stories_had_first(snapshot)
    shared.close()
    assert pairs == {
        ("001", "003"): (1, 30),
        ("004", "003"): (1, 150),
        ("004", "001"): (1, 120),
        ("003", "001"): (1, 20),
    }
    assert first == {"003": 1, "001": 1}
    page = text_of(web.get("/publishers"))
    assert "2시간 30분 뒤" in page
    own = text_of(web.get("/publisher/001"))
    assert own.index("뒤따르는 언론사") < own.index("30분 뒤") < own.index("뒤따라오는 언론사") < own.index("2시간 뒤")


def test_a_reporter(web: httpx.Client) -> None:
    page = text_of(web.get("/reporter/001/김가온"))
    assert "기자 · " in page
    assert "가온, 첫 모델 공개" in page
    assert web.get("/reporter/001/없는 사람").status_code == 404
    assert web.get("/reporter/999/김가온").status_code == 404
    assert 'href="/reporter/001/%EA%B9%80%EA%B0%80%EC%98%A8"' in web.get(f"/article/{FIRST}").text
