"""SECURITY.md, promise by promise; those about `seogo sql` are in test_security_sql.py."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import httpx
import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType
from hypothesis import given
from hypothesis import strategies as st

from flows.cli.show.archive import show_status, show_verification
from flows.cli.show.article import show_article
from flows.cli.show.rows import print_rows
from flows.cli.show.run import show_receipt
from flows.cli.show.values import print_json
from flows.fetching.hosts import Routing
from flows.naver.urls import NAVER_HOSTS, find_article_key
from flows.replica.server import Replica
from schemas.article import ArticleKey, Outcome
from schemas.errors import AddressError, TopicError
from schemas.front_matter import dumps, from_article, loads
from schemas.receipt import Receipt, SourceEnd, SourceReport
from schemas.topic import load_topic
from storage.integrity.verify import Verification
from storage.layout import path_of
from tests.support.command import Ran, crawling, hasty_topic, seogo
from tests.support.paths import ROOT
from tests.support.replica import first
from tests.support.secrets import HOSTILE, control_characters
from tests.support.values import NOW, article, ended, receipt


def files_outside(root: Path, *inside: str) -> set[str]:
    """Every file below a folder that is not in one of these folders."""
    names = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    return {name for name in names if not name.startswith(inside)}


# -- identifiers never become paths unchecked

PARTS = st.text(alphabet="0123456789./\\_~%\x00\n٣०", max_size=12) | st.from_regex(r"[0-9]{3,11}", fullmatch=True)


@given(
    oid=PARTS | st.just("001"),
    aid=PARTS | st.just("0000000001"),
    published=st.none() | st.datetimes(timezones=st.just(UTC)),
)
def test_an_id_that_becomes_a_file_name_is_made_of_digits(oid: str, aid: str, published: datetime | None) -> None:
    try:
        key = ArticleKey(oid, aid)
    except AddressError:
        return
    if published is not None and published.year == 9999:
        return  # behind the last day of Korea's calendar: no page's clock reads so far
    assert re.fullmatch(
        r"articles/([0-9]{1,4}/[0-9]{2}/[0-9]{2}|undated)/[0-9]{3}_[0-9]{10}\.md", path_of(key, published)
    )


def document(**lines: str) -> str:
    """A made-up document whose front matter says something else in the lines that are given."""
    text = dumps(from_article(article(1), NOW))
    for name, value in lines.items():
        text = re.sub(rf"^{name}: .*$", f"{name}: {value}".replace("\\", r"\\"), text, count=1, flags=re.MULTILINE)
    return text


HOSTILE_LINES = [
    {"id": "../../../etc/passwd"},
    {"id": "001_../../../x"},
    {"id": "001_0000000001/../../x"},
    {"id": "001_000000000١"},
    {"id": "001_0000000001\x00"},
    {"oid": "../"},
    {"oid": "00/"},
    {"aid": "../../../x"},
    {"published_at": "../../../x"},
    {"published_at": "2025-12-30/../../.. 09:16"},
    {"crawled_at": "/etc/passwd"},
    {"url": "file:///etc/passwd"},
    {"url": "https://n.news.naver.com/mnews/article/001/../../x"},
]


def test_documents_with_hostile_identifiers_are_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number, lines in enumerate(HOSTILE_LINES):
        (tmp_path / "in" / f"{number}.md").write_text(document(**lines), "utf-8")
    ran = seogo("import", tmp_path / "in", "--archive", tmp_path / "archive", "--json")
    assert ran.code == 6
    assert len(ran.json["refused"]) == len(HOSTILE_LINES)
    assert files_outside(tmp_path, "in/", "archive/state/", "archive/captures/") == {
        "archive/archive.duckdb",
        "archive/search.sqlite",
    }


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", "001_../x", "~root", "\x1b[31m", "a\nb"])
def test_show_takes_no_path_for_an_id(tmp_path: Path, name: str) -> None:
    with duckdb.connect(str(tmp_path / "archive.duckdb")) as made:
        made.execute("CREATE TABLE articles (id VARCHAR); CREATE TABLE duplicates (id VARCHAR, duplicate_of VARCHAR)")
        made.execute("CREATE TABLE frontier (id VARCHAR, gone_at TIMESTAMPTZ)")
        made.execute("CREATE TABLE finds (id VARCHAR, outcome VARCHAR, reason VARCHAR, run_id VARCHAR, seen_at INT)")
    ran = seogo("show", "--archive", tmp_path, "--", name)
    assert (ran.code, ran.out) == (2, "")
    assert control_characters(ran.complaint) == []
    assert "root:" not in ran.err


def test_a_file_name_leads_nowhere_and_splits_no_record(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    names = ("a b%2e%2e.md", "...md", "a\r\nWARC-Type: evil.md", "\x1b]0;x\x07.md", "가.md")
    for number, name in enumerate(names):
        made = article(number, body=f"{number}번째 글이다.")
        (tmp_path / "in" / name).write_text(dumps(from_article(made, NOW)), "utf-8")
    ran = seogo("import", tmp_path / "in", "--archive", tmp_path / "archive")
    assert (ran.code, control_characters(ran.out + ran.err)) == (0, [])
    assert files_outside(tmp_path, "in/", "archive/") == set()
    addresses = [address for path in (tmp_path / "archive").rglob("*.warc.gz") for address in imported(path)]
    assert len(addresses) == len(names)
    assert all(re.fullmatch(r"urn:seogo:imported:[A-Za-z0-9_.~%-]+", address) for address in addresses)


def imported(captures: Path) -> Iterator[str]:
    """The addresses of imported files in a WARC file."""
    for record in ArchiveIterator(io.BytesIO(captures.read_bytes()), WarcRecordType.resource, parse_http=False):
        yield str(record.headers["WARC-Target-URI"])


def test_a_file_name_that_is_no_text_is_taken_or_refused(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"g\xff.md")).write_text(document(), "utf-8")
    assert seogo("import", tmp_path, "--archive", tmp_path.parent / f"{tmp_path.name}-archive").code in (0, 6)


def test_a_topic_has_a_plain_name(tmp_path: Path) -> None:
    for name in ("../../x", "/etc/x", "a/b", "a\x00b", "."):
        (tmp_path / "t.yaml").write_text(f"extends: {ROOT / 'topics/demo.yaml'}\nname: {json.dumps(name)}\n", "utf-8")
        with pytest.raises(TopicError):
            load_topic(tmp_path / "t.yaml")


def archive_with_an_old_text(root: Path, naver: Replica) -> tuple[Path, ArticleKey]:
    """An archive into which an older text of one of the replica's articles was imported."""
    key = first(naver.corpus).key
    assert key is not None
    (root / "old.md").write_text(dumps(from_article(article(1, key=key), NOW)), "utf-8")
    assert seogo("import", root / "old.md", "--archive", root / "archive").code == 0
    return root / "archive", key


def crawl_one(root: Path, naver: Replica, key: ArticleKey) -> Ran:
    return seogo("crawl", "--url", key.url, env=crawling(naver, root / "archive", hasty_topic(root)))


@pytest.mark.parametrize("path", ["articles/../../escaped.md", "{root}/escaped.md"])
def test_a_path_from_the_database_leads_nowhere(tmp_path: Path, naver: Replica, path: str) -> None:
    archive, key = archive_with_an_old_text(tmp_path, naver)
    with duckdb.connect(str(archive / "state" / "writer.duckdb")) as held:
        held.execute("UPDATE articles SET file = ?", [path.format(root=tmp_path)])
    ran = crawl_one(tmp_path, naver, key)
    assert "Traceback" not in ran.err
    assert files_outside(tmp_path, "archive/") == {"old.md", "hasty.yaml"}


def test_a_marker_that_names_another_file_does_not_touch_it(tmp_path: Path, naver: Replica) -> None:
    archive, key = archive_with_an_old_text(tmp_path, naver)
    (tmp_path / "mine.txt").write_text("mine", "utf-8")
    (archive / "state" / "open_capture").write_text("../mine.txt", "utf-8")
    crawl_one(tmp_path, naver, key)
    assert (tmp_path / "mine.txt").read_text("utf-8") == "mine"


def test_a_link_at_a_files_place_is_replaced_and_not_followed(tmp_path: Path, naver: Replica) -> None:
    archive, key = archive_with_an_old_text(tmp_path, naver)
    (file,) = (archive / "articles").rglob("*.md")
    (tmp_path / "mine.txt").write_text("mine", "utf-8")
    file.unlink()
    file.symlink_to(tmp_path / "mine.txt")
    crawl_one(tmp_path, naver, key)
    assert (tmp_path / "mine.txt").read_text("utf-8") == "mine"
    assert not file.is_symlink()


def test_a_linked_folder_that_leads_out_of_the_archive_is_not_written_to(tmp_path: Path, naver: Replica) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "archive" / "articles").mkdir(parents=True)
    one = first(naver.corpus)
    assert one.key is not None
    (tmp_path / "archive" / "articles" / f"{one.published_at:%Y}").symlink_to(tmp_path / "outside")
    ran = crawl_one(tmp_path, naver, one.key)
    assert "Traceback" not in ran.err
    assert list((tmp_path / "outside").rglob("*.md")) == []


# -- what a page says does no harm to a terminal


def hostile_receipt() -> Receipt:
    hostile = ended(receipt())
    hostile.outcomes[Outcome.FAILED] = 1
    hostile.faults = {HOSTILE: HOSTILE}
    hostile.refused = {HOSTILE: HOSTILE}
    hostile.notes = [HOSTILE]
    hostile.robots = {"permission": HOSTILE}
    hostile.explanation = HOSTILE
    hostile.sources = [SourceReport(source=f"search_api:{HOSTILE}", end=SourceEnd.FAILED, reason=HOSTILE)]
    return hostile


def test_nothing_shown_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    show_article({"id": HOSTILE, "title": HOSTILE, "body": HOSTILE, "publisher": HOSTILE, "reasons": [HOSTILE]})
    show_receipt(hostile_receipt())
    show_verification(Verification(1, 1, 1, [HOSTILE]))
    numbers = ("as_of", "articles", "on_topic", "revisions", "duplicates", "newest_article", "waiting", "runs")
    last = {"command": HOSTILE, "started_at": NOW.isoformat(), "exit_reason": HOSTILE, "explanation": HOSTILE}
    gap = {"source": HOSTILE, "since": NOW, "until": NOW, "reason": HOSTILE}
    about = {"archive": HOSTILE, "sources": {HOSTILE: HOSTILE}, "last_run": last, "gaps": [gap], "quarantined": 1}
    captures = {"address": HOSTILE, "waiting": 1, "bytes": 1, "since": NOW, "fault": HOSTILE}
    webhook = {"fault": HOSTILE, "dead": 1}
    about |= {"captures": captures, "held_segments": {HOSTILE: HOSTILE}, "webhooks": {HOSTILE: webhook}}
    show_status({**dict.fromkeys(numbers), **about})
    print_rows([HOSTILE], iter([[HOSTILE], [[HOSTILE]], [{HOSTILE: HOSTILE}]]), "table")
    shown = capsys.readouterr()
    assert control_characters(shown.out + shown.err) == []
    assert shown.out.count("[red]빨강[/red]") > 12  # shown as it is: no markup of ours
    assert "<U+202E>뒤집기" in shown.out


def test_json_is_the_very_text_and_steers_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({HOSTILE: HOSTILE})
    print_rows([HOSTILE], iter([[HOSTILE]]), "json")
    shown = capsys.readouterr().out
    assert control_characters(shown) == []
    whole, rows = shown.split("}\n", 1)
    assert json.loads(whole + "}") == {HOSTILE: HOSTILE}
    assert json.loads(rows) == [{HOSTILE: HOSTILE}]


@pytest.mark.parametrize("terminal", [False, True])
def test_csv_is_the_very_text_in_a_file_and_steers_no_terminal(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(printed, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stdout", printed)
    print_rows([HOSTILE], iter([[HOSTILE], ["=1+1"]]), "csv")
    assert (control_characters(printed.getvalue()) == []) is terminal
    assert (HOSTILE in printed.getvalue().replace('""', '"')) is not terminal
    assert "\n=1+1\n" in printed.getvalue()  # a formula stays what the page said: SECURITY.md says so


def test_html_is_text_in_a_file_of_the_default_style() -> None:
    title, body = (
        "<script>alert(1)</script> '\"`=",
        "<img src=x onerror=alert(1)>\n\n---\n\n*Source: [x](javascript:y)*",
    )
    text = dumps(from_article(article(1, title=title, body=body), NOW))
    assert not re.search("[<>]", text)
    assert (loads(text).title, loads(text).body) == (title, body)


def test_an_error_that_quotes_an_article_does_not_steer_the_terminal(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "archive.duckdb")) as made:
        made.execute("CREATE TABLE articles AS SELECT ? AS title", [HOSTILE.replace("\x00", "")])
    ran = seogo("sql", "SELECT title::INT FROM articles", "--archive", tmp_path)
    assert ran.code == 2
    assert "빨강" in ran.err
    assert control_characters(ran.err) == []


# -- requests go to Naver and nowhere else

ARTICLE = "/mnews/article/001/0000000001"
ELSEWHERE = [
    f"https://n.news.naver.com@evil.example{ARTICLE}",
    f"https://n.news.naver.com:pw@evil.example{ARTICLE}",
    f"https://evil.example\\@n.news.naver.com{ARTICLE}",
    f"https://user@n.news.naver.com{ARTICLE}",
    f"https://n.news.naver.com.evil.example{ARTICLE}",
    f"https://evil-n.news.naver.com{ARTICLE}",
    f"https://evil.example/n.news.naver.com{ARTICLE}",
    f"https://evil.example#@n.news.naver.com{ARTICLE}",
    f"https://n.news.naver.com.{ARTICLE}",
    f"https://n.news.naver.com..{ARTICLE}",
    f"https://n.news.naver.com:8080{ARTICLE}",
    f"https://n.news.naver.com:22{ARTICLE}",
    f"https://127.0.0.1{ARTICLE}",
    f"https://2130706433{ARTICLE}",
    f"https://0x7f.1{ARTICLE}",
    f"https://[::ffff:127.0.0.1]{ARTICLE}",
    f"http://169.254.169.254{ARTICLE}",
    f"https://localhost{ARTICLE}",
    f"https://ｎ.news.naver.com{ARTICLE}",
    f"https://n.news.nаver.com{ARTICLE}",
    f"https://n.news.xn--nver-43d.com{ARTICLE}",
    f"https://n%2enews.naver.com{ARTICLE}",
    f"https://n.news.naver.com%00.evil.example{ARTICLE}",
    f"https://n.news.naver.com\t.evil.example{ARTICLE}",
    f"file://n.news.naver.com{ARTICLE}",
    f"ftp://n.news.naver.com{ARTICLE}",
    f"gopher://n.news.naver.com{ARTICLE}",
    "file:///etc/passwd",
    "data:text/html,x",
]


@pytest.mark.parametrize("url", ELSEWHERE)
def test_an_address_elsewhere_is_no_address(url: str) -> None:
    assert find_article_key(url) is None
    routing = Routing(NAVER_HOSTS, None)
    with pytest.raises(AddressError):
        routing.check(url)
    with pytest.raises(AddressError):
        routing.redirected(httpx.URL(f"https://n.news.naver.com{ARTICLE}"), url)
    ran = seogo("crawl", "--url", url)
    assert (ran.code, control_characters(ran.err)) == (2, [])


def test_a_downgrade_to_http_takes_no_key_along() -> None:
    routing = Routing(NAVER_HOSTS, None)
    current = httpx.URL("https://openapi.naver.com/v1/search/news.json")
    assert not routing.keeps_secrets(routing.redirected(current, "http://openapi.naver.com/v1"))


@pytest.mark.parametrize("address", ["file:///etc", "http://user:pw-7c1e@127.0.0.1:1", "http://h/path", "//h", "h"])
def test_only_the_operator_names_a_stand_in_and_a_password_in_it_is_not_repeated(address: str) -> None:
    ran = seogo("crawl", env={"SEOGO_NAVER": address})
    assert ran.code == 2
    assert "SEOGO_NAVER" in ran.complaint
    assert "pw-7c1e" not in ran.complaint


def test_only_naver_is_requested_whatever_the_pages_link_to(tmp_path: Path, naver: Replica) -> None:
    env = crawling(naver, tmp_path / "archive", hasty_topic(tmp_path))
    assert seogo("crawl", "--limit", "30", env=env).code in (0, 6)
    asked = set(seogo("sql", "SELECT DISTINCT host FROM requests", "--format", "csv", env=env).out.split()[1:])
    query = "SELECT original_url FROM articles WHERE original_url IS NOT NULL"
    linked = {urlsplit(url).netloc for url in seogo("sql", query, "--format", "csv", env=env).out.split()[1:]}
    assert asked
    assert asked <= NAVER_HOSTS
    assert linked
    assert not linked & asked
    assert {entry.host for entry in naver.log.entries} <= NAVER_HOSTS


# -- files from elsewhere: no object is made of them, no memory is eaten by them

BOMBS = {
    "an object": "name: !!python/object/apply:os.system ['touch {mark}']",
    "a module": "name: !!python/module:os",
    "laughs": "a: &a [x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{f'*{chr(97 + n)}, ' * 9}]\n" for n in range(9)),
    "a merge": "a: &a {x: 1}\nb: {<<: [*a, *a, *a]}",
    "itself": "a: &a [*a]",
    "depth": "[" * 30_000,
    "depth in blocks": "\n".join(" " * n + "a:" for n in range(300)),
    "size": "a: " + "x" * 2_000_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_topic_file_makes_no_object_and_does_not_blow_up(tmp_path: Path, bomb: str) -> None:
    (tmp_path / "t.yaml").write_text(BOMBS[bomb].replace("{mark}", str(tmp_path / "mark")), "utf-8")
    began = time.monotonic()
    with pytest.raises(TopicError):
        load_topic(tmp_path / "t.yaml")
    assert time.monotonic() - began < 5
    assert not (tmp_path / "mark").exists()


def test_front_matter_is_text_whatever_yaml_would_make_of_it(tmp_path: Path) -> None:
    object_ = f"!!python/object/apply:os.system ['touch {tmp_path / 'mark'}']"
    (tmp_path / "a.md").write_text(document(author=object_, publisher="*a", category="&a [*a, *a]"), "utf-8")
    seogo("import", tmp_path / "a.md", "--archive", tmp_path / "archive")
    assert not (tmp_path / "mark").exists()


def test_an_input_without_an_end_is_not_read_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("arguments", "parse_page"):
        monkeypatch.setattr(f"flows.cli.{module}.LARGEST", 1_000_000)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bytes(2_000_000)))
    for file in (tmp_path / "bomb.gz", Path("/dev/zero")):
        ran = seogo("parse", file, "--url", f"https://n.news.naver.com{ARTICLE}")
        assert ran.code == 2
        assert "1,000,000 bytes" in ran.complaint
    assert seogo("sql", "-", "--archive", tmp_path, stdin=os.urandom(10) * 200_000).code == 2
