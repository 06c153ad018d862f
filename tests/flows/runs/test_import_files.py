"""`seogo import`: what it imports, what it refuses and why, and what a later crawl does with it."""

from __future__ import annotations

import json
import os
import re
import signal
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.cli.exit_codes import Exit
from flows.cli.show.meter import Meter
from flows.replica.corpus.articles import MadeArticle
from flows.replica.server import Replica
from flows.runs import import_files
from flows.runs.import_files import BATCH
from schemas.article import SEOUL, Article, Outcome
from schemas.find import FindResult
from schemas.receipt import ExitReason, Receipt
from storage.archive import open_archive
from tests.support.archives import import_documents, write_document
from tests.support.command import crawling, ending, query, seogo, start
from tests.support.older_archive import NO_COMMENTS, older_document
from tests.support.paths import GOLDEN, SHARED
from tests.support.topics import demo_topic
from tests.support.values import NOW, article, ended, key, receipt, ref

OLDER_CRAWLER = GOLDEN / "older_crawler.md"
PLAIN = " date 2025-12-30 가온연구소가 새 모델을 내놓았다.\n\n둘째 문단이다. \n"


def check_agrees(archive: Path) -> None:
    assert seogo("verify", "--archive", archive).out.endswith("all agree\n")


# -- what is imported


def test_both_kinds_and_folders_are_imported_and_not_changed(tmp_path: Path) -> None:
    source, archive = tmp_path / "old", tmp_path / "archive"
    write_document(source / "2025" / "12", article(1))
    write_document(source, article(2))
    (source / "text.txt").write_text(PLAIN, "utf-8")
    (source / "notes.rst").write_text("not a document", "utf-8")
    before = snapshot(source)
    first = import_documents(archive, source)
    assert (first.exit_reason, first.outcomes[Outcome.NEW], first.finds) == (ExitReason.DONE, 3, 3)
    again = import_documents(archive, source)
    assert (again.exit_reason, again.outcomes[Outcome.UNCHANGED]) == (ExitReason.NOTHING_NEW, 3)
    assert snapshot(source) == before
    assert query(archive, "SELECT count(*) AS n, max(revision) AS newest FROM articles") == [{"n": 3, "newest": 1}]
    assert {path.stem for path in (archive / "articles").rglob("*.md")} == {article(1).id, article(2).id}
    check_agrees(archive)


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {str(p): (p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_record_is_trimmed_un_escaped_and_has_its_zones(tmp_path: Path) -> None:
    import_documents(tmp_path / "archive", OLDER_CRAWLER)
    (row,) = query(tmp_path / "archive", "SELECT * FROM articles")
    document = OLDER_CRAWLER.read_text("utf-8")
    assert "&#x27;" in document
    for name in ("title", "body", "byline", "publisher"):
        assert not re.search(r"&(?:amp|quot|lt|gt|#x?[0-9A-Fa-f]+);", row[name])
    assert row["byline"] == " ".join(row["byline"].split())
    assert row["authors"]
    assert row["status"] == "imported"
    assert row["revision_kind"] == "imported"
    result = re.search(r"^published_at: (.*)$", document, re.MULTILINE)
    crawled = re.search(r"^crawled_at: (.*)$", document, re.MULTILINE)
    assert result is not None
    assert crawled is not None
    assert datetime.fromisoformat(row["published_at"]) == datetime.fromisoformat(result[1]).replace(tzinfo=SEOUL)
    assert datetime.fromisoformat(row["crawled_at"]) == datetime.fromisoformat(crawled[1]).replace(tzinfo=UTC)


def test_a_text_without_an_address_is_a_record_without_one(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(PLAIN, "utf-8")
    import_documents(tmp_path / "archive", tmp_path / "text.txt")
    (row,) = query(tmp_path / "archive", "SELECT id, oid, url, title, body, published_at FROM articles")
    assert row["id"].startswith("text_")
    assert (row["oid"], row["url"], row["title"]) == (None, None, None)
    assert row["body"].startswith("가온연구소가")
    assert row["published_at"] == "2025-12-30T00:00:00+09:00"
    assert seogo("show", row["id"], "--archive", tmp_path / "archive").code == Exit.DONE


def test_the_same_text_is_a_duplicate_of_the_first(tmp_path: Path) -> None:
    first, other = article(1), article(2)
    same_content = replace(article(3), body=first.body)
    same_text = replace(article(4), body=other.body.replace(" ", "").replace("\n", ""))
    archive = tmp_path / "archive"
    for made in (first, other, same_content, same_text):
        write_document(tmp_path / "old", made)
    assert import_documents(archive, tmp_path / "old").outcomes[Outcome.DUPLICATE] == 2
    assert query(archive, "SELECT id, duplicate_of, matched_by FROM duplicates ORDER BY id") == [
        {"id": same_content.id, "duplicate_of": first.id, "matched_by": "content_hash"},
        {"id": same_text.id, "duplicate_of": other.id, "matched_by": "text_hash"},
    ]
    assert import_documents(archive, tmp_path / "old").exit_reason is ExitReason.NOTHING_NEW
    check_agrees(archive)


def test_every_dialect_is_taken_and_counted_and_comments_are_dropped(tmp_path: Path) -> None:
    old, archive = tmp_path / "old", tmp_path / "archive"
    code = article(1, title="'&lt;b&gt;' 의 뜻", body="&lt;b&gt; 는 <b> 다. 'A&B'")
    discussed = article(2, body="본문이다.\n\n---\n\n본문의 끝이다.")
    documents = {
        "escaped.md": older_document(code, escaped=True),
        "unescaped.md": older_document(replace(code, key=key(3), body=f"{code.body} 끝"), escaped=False),
        "either.md": older_document(article(4), escaped=False, comments=NO_COMMENTS),
        "comments.md": older_document(discussed, escaped=True, comments="**바람**\n\n---\n\n> '답글'", count=2),
        "text.txt": PLAIN,
    }
    old.mkdir()
    for name, text in documents.items():
        (old / name).write_bytes(text.encode())
    ran = seogo("import", old, "--json", "--archive", archive)
    assert (ran.code, ran.json["outcomes"]["new"], ran.json["refused"]) == (Exit.DONE, 5, {})
    assert ran.json["dialects"] == {"escaped": 2, "unescaped": 1, "either": 1, "plain_text": 1}
    assert ran.json["comments_dropped"] == 2
    assert query(archive, "SELECT title, body FROM articles WHERE oid IS NOT NULL ORDER BY id") == [
        {"title": code.title, "body": code.body},
        {"title": discussed.title, "body": discussed.body},
        {"title": code.title, "body": f"{code.body} 끝"},
        {"title": article(4).title, "body": article(4).body},
    ]
    shown = seogo("import", old, "--archive", archive).out
    assert "dialects of the files read: 1 either, 2 escaped, 1 plain text, 1 unescaped" in shown
    assert "2 comments dropped: articles are stored without them" in shown
    assert seogo("reparse", "--dry-run", "--json", "--archive", archive).json["changed"] == 0
    check_agrees(archive)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the existing archive's documents are not part of the project")
def test_the_documents_of_the_existing_archive(tmp_path: Path) -> None:
    seeds = sorted((SHARED / "seeds").iterdir())
    before = [path.read_bytes() for path in seeds]
    run = import_documents(tmp_path, *seeds)
    assert (run.refused, run.outcomes[Outcome.NEW]) == ({}, 3)
    assert [path.read_bytes() for path in seeds] == before
    found = query(tmp_path, "SELECT id, byline, authors, content_hash FROM articles WHERE oid IS NOT NULL ORDER BY id")
    assert [row["id"] for row in found] == ["018_0006192217", "119_0003042504"]
    assert found[1]["authors"] == [{"name": "조인영", "email": "ciy8100@dailian.co.kr"}]
    for row in found:
        assert any(row["content_hash"].encode() in content for content in before)
    assert import_documents(tmp_path, SHARED / "seeds").exit_reason is ExitReason.NOTHING_NEW
    check_agrees(tmp_path)


# -- what is refused


def altered(text: bytes) -> bytes:
    return text.replace("억원".encode(), "조원".encode())


@pytest.mark.parametrize(
    ("name", "alter", "says"),
    [
        ("hash.md", altered, "content_hash is not that of the body"),
        ("format.md", lambda text: text.replace(b"\noid: ", b"\noids: "), ":10: "),
        ("markdown.md", lambda text: b"# only markdown\n", ":1: "),
        ("bytes.md", lambda text: text + b"\xff", "is not UTF-8"),
        ("cp949.txt", lambda text: PLAIN.encode("cp949"), "is not UTF-8"),
        ("empty.md", lambda text: b"", "the file is empty"),
        ("large.md", lambda text: text + b"\n" * 5000, "more than 4,000"),
        ("plain.txt", lambda text: PLAIN.replace("12-30", "13-45").encode(), "plain.txt:1: "),
        ("notes.txt", lambda text: "날짜가 없는 글이다.\n".encode(), "does not begin with 'date YYYY-MM-DD'"),
    ],
)
@pytest.mark.every(2)
def test_what_is_refused_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, alter: Callable[[bytes], bytes], says: str
) -> None:
    monkeypatch.setattr(import_files, "LARGEST", 4000)
    good = write_document(tmp_path / "old", article(1))
    bad = tmp_path / "old" / name
    bad.write_bytes(alter(good.read_bytes()))
    ran = seogo("import", tmp_path / "old", "--json", "--archive", tmp_path / "archive")
    assert ran.code == Exit.PARTLY_FAILED
    assert list(ran.json["refused"]) == [str(bad)]
    assert ran.json["refused"][str(bad)].startswith(str(bad))
    assert says in ran.json["refused"][str(bad)]
    assert (ran.json["outcomes"]["new"], ran.json["outcomes"]["failed"]) == (1, 1)
    shown = seogo("import", bad, "--archive", tmp_path / "archive")
    assert f"refused: {bad}" in shown.out
    assert "1 file was refused; there were no others" in shown.out
    check_agrees(tmp_path / "archive")


@pytest.mark.parametrize("apart", [False, True], ids=["in one import", "one after the other"])
def test_two_files_of_one_id(tmp_path: Path, apart: bool) -> None:
    first = write_document(tmp_path, article(1), "a.md")
    other = write_document(tmp_path, replace(article(1), body="다른 글이다."), "b.md")
    copy = write_document(tmp_path, article(1), "c.md")
    archive = tmp_path / "archive"
    runs = (
        [import_documents(archive, path) for path in (first, other, copy)]
        if apart
        else [import_documents(archive, first, other, copy)]
    )
    assert {path for run in runs for path in run.refused} == {str(other)}
    assert sum(run.outcomes[Outcome.UNCHANGED] for run in runs) == 1
    assert query(archive, "SELECT body FROM articles") == [{"body": article(1).body}]


def test_a_folder_without_a_document_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    ran = seogo("import", tmp_path / "old", "--archive", tmp_path / "archive")
    assert ran.code == Exit.NOTHING_DISCOVERED
    assert "no file with a name that ends in .md or .txt was found" in ran.out


def test_progress_is_files_done_of_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_files, "BATCH", 2)
    for number in range(1, 6):
        write_document(tmp_path / "old", article(number))
    (tmp_path / "old" / "bad.md").write_text("no document", "utf-8")
    meter, lines = Meter("import", clock=lambda: 0.0), []

    def report(receipt: Receipt) -> None:
        meter.report(receipt)
        lines.append(meter.line().partition(";")[0])

    order = import_files.ImportOrder(demo_topic(), tmp_path / "archive", paths=(tmp_path / "old",))
    import_files.import_files(order, on_progress=report)
    done = [line.removeprefix("import: ") for line in dict.fromkeys(lines)]
    assert done == [f"{number} of 6 files" for number in (0, 2, 4, 6)]


def test_a_batch_of_large_files_is_smaller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB has no memory for the texts of 256 large files in one transaction."""
    sizes = [write_document(tmp_path / "old", article(number)).stat().st_size for number in range(1, 6)]
    monkeypatch.setattr(import_files, "BATCH_BYTES", 2 * max(sizes))
    done = list[int]()
    order = import_files.ImportOrder(demo_topic(), tmp_path / "archive", paths=(tmp_path / "old",))
    import_files.import_files(order, on_progress=lambda receipt: done.append(receipt.finds))
    assert sorted({*done}) == [0, 2, 4, 5]


def test_progress_goes_on_with_near_duplicates_and_the_search_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 6):
        write_document(tmp_path / "old", article(number))
    meter, lines, advance = Meter("import", clock=lambda: 0.0), [], Receipt.advance

    def followed(run: Receipt, *step: Any) -> None:
        advance(run, *step)
        lines.append(meter.line().partition(";")[0])

    monkeypatch.setattr(Receipt, "advance", followed)
    order = import_files.ImportOrder(demo_topic(), tmp_path / "archive", paths=(tmp_path / "old",))
    done = import_files.import_files(order, on_progress=meter.report)
    assert lines == ["import: near-duplicates: 0 of 5", "import: search index: 5 of 5"]
    assert "step" not in done.as_json()


def test_the_archive_is_not_imported_into_itself(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    import_documents(archive, write_document(tmp_path / "old", article(1)))
    ran = seogo("import", archive / "articles", "--archive", archive)
    assert ran.code == Exit.BAD_INPUT
    assert "lies inside the archive" in ran.complaint
    # If the archive lies inside a folder that is imported, it is left out.
    assert import_documents(archive, tmp_path).finds == 1


# -- imports and crawls of the same articles


def test_a_crawl_replaces_an_imported_text_and_calls_it_no_edit(naver: Replica, tmp_path: Path) -> None:
    made = next(a for a in naver.corpus.articles if a.key and a.on_topic and _plain(a, naver.clock.now))
    assert made.key is not None
    version = made.at(naver.clock.now)
    older = Article(
        key=made.key,
        title=version.title,
        body="".join(version.body.split("\n")),
        publisher=made.press.name,
        published_at=made.published_at.replace(hour=0, minute=0, second=0),
        parser="older",
    )
    archive = tmp_path / "archive"
    import_documents(archive, write_document(tmp_path / "old", older))
    ran = seogo("crawl", "--url", made.key.url, "--json", env=crawling(naver, archive))
    assert ran.code == Exit.DONE
    assert ran.json["outcomes"]["edited"] == ran.json["outcomes"]["new"] == 0
    assert query(archive, "SELECT revision, revision_kind, status, body FROM revisions ORDER BY revision") == [
        {"revision": 1, "revision_kind": "imported", "status": "imported", "body": older.body},
        {"revision": 2, "revision_kind": "re-extracted", "status": "archived", "body": version.body},
    ]
    assert len(list((archive / "articles").rglob("*.md"))) == 1
    # Importing it again does not bring the older text back.
    assert import_documents(archive, tmp_path / "old").exit_reason is ExitReason.NOTHING_NEW
    assert query(archive, "SELECT body FROM articles") == [{"body": version.body}]
    check_agrees(archive)


def _plain(made: MadeArticle, now: datetime) -> bool:
    return not made.subject.arena and not made.gone_at and made.copy_of is None and "\n\n" in made.at(now).body


@pytest.mark.parametrize("outcome", [Outcome.GONE, Outcome.OFF_TOPIC, Outcome.FAILED])
def test_a_file_is_imported_although_a_crawl_could_not_get_the_article(tmp_path: Path, outcome: Outcome) -> None:
    archive = tmp_path / "archive"
    with open_archive(archive) as opened:
        run = receipt()
        opened.start_run(run)
        opened.store(run.run_id, [FindResult(ref(key(1)), outcome, "an earlier run", crawled_at=NOW)])
        opened.finish_run(ended(run), {}, [])
    assert import_documents(archive, write_document(tmp_path / "old", article(1))).outcomes[Outcome.NEW] == 1
    assert query(archive, "SELECT id, status FROM articles") == [{"id": article(1).id, "status": "imported"}]


# -- many


def test_an_interrupt_ends_after_a_batch_and_the_next_import_does_the_rest(tmp_path: Path) -> None:
    many = BATCH * 6
    for number in range(many):
        write_document(tmp_path / "old", article(number))
    words = ["import", str(tmp_path / "old"), "--json", "--archive", str(tmp_path / "archive")]
    with ending(start(*words)) as running:
        stored = tmp_path / "archive" / "articles"
        until = time.monotonic() + 20
        while not stored.exists():
            assert time.monotonic() < until
            time.sleep(0.005)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=20)
    assert (running.returncode, err) == (Exit.INTERRUPTED, "")
    result = json.loads(out)
    assert result["exit_reason"] == "interrupted"
    assert 0 < result["finds"] < many
    rest = seogo(*words)
    assert rest.json["outcomes"]["new"] == many - result["finds"]
    assert query(tmp_path / "archive", "SELECT count(*) AS n FROM articles") == [{"n": many}]
    check_agrees(tmp_path / "archive")


@pytest.mark.long
def test_memory_does_not_grow_with_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_files, "BATCH", 20)
    import_documents(tmp_path / "archive-0", write_document(tmp_path / "warm", article(0)))
    peaks = []
    for many in (20, 160):
        for number in range(many):
            long = article(number, body=f"{number}번 글이다. {'긴글' * 5000}")
            write_document(tmp_path / str(many) / f"{number // 10}", long)
        tracemalloc.start()
        try:
            assert import_documents(tmp_path / f"archive-{many}", tmp_path / str(many)).finds == many
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    # Two batches may be in memory at a time (the old one and the next), but not eight.
    assert peaks[1] < 2.2 * peaks[0]


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    run = import_documents(tmp_path / "archive", tmp_path / "pipe.md")
    assert "not a regular file" in run.refused[str(tmp_path / "pipe.md")]
