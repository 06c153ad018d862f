"""The report as Markdown: its numbers are those of the archive, and text from pages stays text."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from flows.reports.markdown import report
from flows.reports.text import size
from schemas.article import SEOUL, Outcome
from schemas.errors import BadInput
from schemas.find import FindResult
from storage.archive import open_archive
from storage.integrity.repair import verify_archive
from tests.support.archives import store_results
from tests.support.prose import prose
from tests.support.reports import EVIL, altered, gone
from tests.support.values import NOW, PUBLISHED, article, key, ref, stored


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "archive"))


def sections(root: Path, days: int = 7, now: datetime = NOW) -> dict[str, str]:
    text = report(root, days=days, now=now)
    parts = text.split("\n## ")
    return {"": parts[0], **dict(part.split("\n\n", 1) for part in parts[1:])}


def cells(section: str) -> list[list[str]]:
    """The cells of a table as they are displayed."""
    rows: list[list[str]] = []
    table, _, _ = section.partition("\n\n")
    for token in MarkdownIt().enable("table").parse(table):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows:
            rows[-1].append("".join(_texts(token)))
    return rows


def _texts(token: Token) -> Iterator[str]:
    for child in token.children or ():
        assert child.type in ("text", "text_special", "link_open", "link_close", "code_inline"), child
        yield child.content


def test_articles_a_day_by_outcome(root: Path) -> None:
    assert cells(sections(root)["Articles by outcome and day of the crawl"]) == [
        ["day", "new", "edited", "gone"],
        ["2026-01-02", "4", "1", "2"],
    ]


def test_an_article_found_twice_a_day_counts_once(root: Path) -> None:
    with open_archive(root) as archive:
        store_results(archive, gone(2), run="20260103T000000Z-0003")
    assert cells(sections(root)["Articles by outcome and day of the crawl"])[1] == ["2026-01-02", "4", "1", "2"]


def test_runs_by_command_and_end(root: Path) -> None:
    assert cells(sections(root)["Runs"]) == [
        ["command", "ended", "runs", "requests", "received", "longest"],
        ["crawl", "done", "1", "", "0 B", "1.0 s"],
    ]
    assert "crawl of 2026-01-02 12:04, **done**" in sections(root)[""]


def test_a_story_is_listed_by_its_first_article_with_its_copies(tmp_path: Path) -> None:
    text, copy = article(1, body=prose(1)), article(2, body=prose(1) + "\n\n한 줄 더.", publisher="나루일보")
    same = stored(
        replace(text, key=key(5, "003")),
        outcome=Outcome.DUPLICATE,
        revision_kind=None,
        duplicate_of=text.id,
        matched_by="content_hash",
    )
    with open_archive(tmp_path) as archive:
        store_results(archive, stored(text), stored(copy), same, stored(article(3)))
    listed = [row[1:3] + row[4:] for row in cells(sections(tmp_path)["Newest stories"])[1:]]
    assert listed == [[article(3).title, "가온신문", ""], [text.title, "가온신문", "2"]]


def test_newest_stories_with_links_and_files(root: Path) -> None:
    section = sections(root)["Newest stories"]
    rows = cells(section)
    assert [row[3] for row in rows[1:]] == [
        *(f"articles/2025/12/30/{key(number).id}.md" for number in (3, 2, 1)),
        f"articles/2025/10/01/{key(4).id}.md",
    ]
    assert f"](<{key(2).url}>)" in section


def test_edits_say_what_changed(root: Path) -> None:
    assert [row[1:3] for row in cells(sections(root)["Edits"])[1:]] == [
        ["고친 제목", f"the title, before: {article(1).title}"]
    ]


def test_deletions_tell_what_is_held(root: Path) -> None:
    rows = cells(sections(root)["Deletions"])[1:]
    assert [(row[1], row[3].split("/")[0]) for row in rows] == [
        (article(2).title, "articles"),
        ("찾은 제목", "was never archived"),
    ]
    assert rows[0][2] == "the page says: 삭제된 기사"


def test_share_of_voice_lately_and_ever(root: Path) -> None:
    assert cells(sections(root)["Share of voice"]) == [
        ["team", "7 days", "share", "ever", "share of all"],
        ["가온", "3", "100.0%", "3", "75.0%"],
        ["나루", "", "0.0%", "1", "25.0%"],
    ]


@pytest.mark.parametrize(("days", "found"), [(3, False), (4, True)])
def test_days_are_korean_days_and_today_is_one_of_them(root: Path, days: int, found: bool) -> None:
    """It is the 2nd of January: three days go back to the 31st, four to the 30th."""
    voices = {row[0]: row[1] for row in cells(sections(root, days=days)["Share of voice"])[1:]}
    assert bool(voices["가온"]) is found
    almost = datetime(2026, 1, 3, 0, 30, tzinfo=SEOUL)  # the 2nd in UTC
    voices = {row[0]: row[1] for row in cells(sections(root, days=days + 1, now=almost)["Share of voice"])[1:]}
    assert bool(voices["가온"]) is found


def test_what_is_only_listed_is_marked(root: Path) -> None:
    said = ref(key(30), description="일부", publisher="나루일보", published_at=PUBLISHED + timedelta(hours=1))
    with open_archive(root) as archive:
        store_results(
            archive, FindResult(said, Outcome.LISTED, "robots.txt", crawled_at=NOW), run="20260103T000000Z-0003"
        )
    row = cells(sections(root)["Newest stories"])[1]
    assert row[2:4] == ["나루일보", "listed"]


def test_gaps_and_held_pages(root: Path) -> None:
    altered(
        root,
        "INSERT INTO coverage VALUES"
        " ('press_list:001', '2026-01-01 09:00+09', '2026-01-01 15:00+09', 'gap', '끊김', 'r'),"
        " ('press_list:001', '2026-01-01 15:00+09', '2026-01-02 15:00+09', 'closed', NULL, 'r')",
        "INSERT INTO quarantine (id, url, reason, capture_file, capture_offset, held_at, run_id)"
        f" VALUES ('{key(5).id}', '{key(5).url}', 'no body', 'c', 0, '2026-01-02 03:00+09', 'r')",
    )
    found = sections(root)
    assert cells(found["Coverage gaps"])[1:] == [["press_list:001", "2026-01-01 09:00", "2026-01-01 15:00", "끊김"]]
    assert cells(found["Quarantine"])[1:] == [["2026-01-02 03:00", key(5).id, "no body"]]


def test_gaps_that_come_from_robots_txt_are_one_row(root: Path) -> None:
    reason = "https://news.naver.com/robots.txt disallows it for seogo"
    gaps = [(f"press_list:{n:03}", f"2026-01-0{n} 09:00+09", f"2026-01-0{n + 1} 09:00+09") for n in range(1, 5)]
    values = ", ".join(f"('{source}', '{since}', '{until}', 'gap', '{reason}', 'r')" for source, since, until in gaps)
    altered(root, f"INSERT INTO coverage VALUES {values}")
    one = ["press_list:004 and 3 more", "2026-01-01 09:00", "2026-01-05 09:00", reason]
    assert cells(sections(root)["Coverage gaps"])[1:] == [one]


def test_a_database_from_before_these_tables(root: Path) -> None:
    altered(root, "DROP TABLE coverage", "DROP TABLE quarantine")
    found = sections(root)
    assert found["Coverage gaps"].startswith("Not known")
    assert found["Quarantine"].startswith("Not known")


def test_what_waits(root: Path) -> None:
    assert sections(root)["Pending"].startswith("Nothing")
    altered(root, f"UPDATE frontier SET due_at = '2026-01-03 00:00+09', state = 'failed' WHERE id = '{key(9).id}'")
    assert cells(sections(root)["Pending"])[1:] == [["failed", "1"]]


def test_sizes_are_those_of_the_disk(root: Path) -> None:
    rows = {row[0]: row[1:] for row in cells(sections(root)["Disk usage"])[1:]}
    assert rows["articles"][0] == "4"
    files = [path for path in root.rglob("*") if path.is_file()]
    assert rows["all"] == [str(len(files)), size(sum(path.stat().st_size for path in files))]


@pytest.mark.parametrize(
    ("noted", "said"),
    [
        (None, "Never verified"),
        (b"damaged", "last_verify.json is damaged"),
        (b"[3]", "last_verify.json is damaged"),
        (
            b'{"ended_at": "2026-01-02T00:00:00", "faults": 0, "articles": 1, "files": 1, "captures": 1}',
            "a time has no zone",
        ),
    ],
)
def test_a_verification_that_was_not_noted(root: Path, noted: bytes | None, said: str) -> None:
    if noted is not None:
        (root / "state" / "last_verify.json").write_bytes(noted)
    section = sections(root)["Disk usage"]
    assert said in section
    assert "run `seogo verify`" in section


def test_the_last_verification(root: Path) -> None:
    verify_archive(root)
    assert "files, rows and captures all agree" in sections(root)["Disk usage"]
    (file,) = (root / "articles").rglob(f"{key(1).id}.md")
    file.unlink()
    verify_archive(root)
    assert f"1 fault, the first: file {file.relative_to(root)}: missing" in sections(root)["Disk usage"]


def test_what_a_page_says_stays_text(root: Path) -> None:
    text = report(root, now=NOW)
    kinds = {token.type for token in MarkdownIt().enable("table").parse(text)}
    assert kinds.isdisjoint({"html_block", "fence", "code_block"})
    assert "\x1b" not in text
    (title,) = (row[1] for row in cells(sections(root)["Newest stories"]) if "onerror" in row[1])
    assert title == " ".join(EVIL.replace("\x1b", " ").split())
    linkify = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    links = [
        child.attrs.get("href") for token in linkify for child in token.children or () if child.type == "link_open"
    ]
    assert links
    assert all(str(link).startswith("https://n.news.naver.com/") for link in links)


def test_an_empty_archive_has_a_report(tmp_path: Path) -> None:
    with open_archive(tmp_path):
        pass
    text = report(tmp_path, now=NOW)
    assert text.count("None.") >= 5
    assert "None\n" not in text


@pytest.mark.parametrize("days", [0, -1, 4000])
def test_days_that_make_no_report(root: Path, days: int) -> None:
    with pytest.raises(BadInput, match="1 to 3650"):
        report(root, days=days)


def test_what_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="or crawl or import first"):
        report(tmp_path / "typo")
