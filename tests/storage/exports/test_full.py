"""Whole exports: what is in them, that they change only where the archive did, and that others can read them."""

from __future__ import annotations

import gzip
import json
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import duckdb
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest

from schemas.article import SEOUL, Article, ArticleKey, Outcome
from schemas.errors import ArchiveBusy, ArchiveDamaged, BadInput, StorageFault
from schemas.exported import COLUMNS, SCHEMA_VERSION, ExportedArticle
from schemas.find import FindResult, PlainText, Relevance, RevisionKind, TeamModel
from schemas.front_matter import loads
from schemas.page import CaptureRef
from storage.archive import open_archive
from storage.exports.folder import opened_folder
from storage.exports.full import FORMS, Exported, export
from tests.support.archives import store_new, store_results
from tests.support.command import environment
from tests.support.values import NOW, PUBLISHED, article, key, ref, stored

NOVEMBER = datetime(2025, 11, 30, 23, 59, tzinfo=SEOUL)
DECEMBER = datetime(2025, 12, 1, 0, 0, tzinfo=SEOUL)
"""A minute later, and the same month in UTC."""

KILLED = """
import os, sys
from pathlib import Path
from unittest import mock
from storage.exports.full import export

with mock.patch(sys.argv[2], side_effect=lambda _: os._exit(9)):
    export(Path(sys.argv[1]), "parquet")
"""


def listed(of: ArticleKey, relevance: Relevance | None = None, published_at: datetime | None = None) -> FindResult:
    said = ref(of, description="찾은 글의 일부", publisher="나루일보", published_at=published_at)
    return FindResult(said, Outcome.LISTED, "robots.txt", relevance, crawled_at=NOW)


def copy_of(first: Article, number: int) -> FindResult:
    of = article(number, body=first.body)
    return FindResult(
        ref(of.key), Outcome.DUPLICATE, "same text", article=of, duplicate_of=first.id, matched_by="content_hash",
        crawled_at=NOW,
    )  # fmt: skip


def edited(of: Article, revision: int = 2, **given: Any) -> FindResult:
    return stored(
        of, outcome=Outcome.EDITED, revision_kind=RevisionKind.EDITED, revision=revision, **{"crawled_at": NOW, **given}
    )


def store(root: Path, *results: FindResult, run: str = "20260102T040405Z-0002") -> None:
    with open_archive(root) as archive:
        store_results(archive, *results, run=run)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Articles of two months, one without a day, one that is only listed, a copy, an edit, and awkward text."""
    root = tmp_path_factory.mktemp("made") / "archive"
    awkward = 'a <b> & "c" | [대괄호](x) \u2028 \x07 끝'
    store(
        root,
        stored(article(1, published_at=NOVEMBER)),
        stored(article(2, published_at=DECEMBER)),
        stored(article(3, title=awkward, subtitle=awkward)),
        stored(article(4, published_at=None)),
        stored(article(5, images=(), authors=(), categories=())),
        listed(key(6)),
        copy_of(article(2), 8),
        copy_of(article(2), 7),
        edited(article(5, title="고친 제목")),
    )
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made, tmp_path / "archive"))


def files_of(folder: Path) -> dict[str, bytes]:
    """Every exported file by name; not what the folder keeps for itself."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith(".state/")}


def records(root: Path) -> dict[str, dict[str, Any]]:
    """The records of an archive's JSON lines, by id."""
    done = export(root, "jsonl")
    lines = (Path(done.folder) / "articles.jsonl").read_bytes().splitlines()
    found = [json.loads(line) for line in lines]
    assert len(found) == done.articles
    return {record["id"]: record for record in found}


def parquet_records(root: Path) -> dict[str, dict[str, Any]]:
    done = export(root, "parquet")
    names = sorted(Path(done.folder).glob("articles/month=*/articles.parquet"))
    rows = [row for name in names for row in pq.ParquetFile(name).read().to_pylist()]
    return {row["id"]: row for row in rows}


class TestRecords:
    def test_every_record_keeps_the_contract(self, root: Path) -> None:
        lines, rows = records(root), parquet_records(root)
        assert set(lines) == set(rows) == {key(number).id for number in (1, 2, 3, 4, 5, 6)}
        for number, record in lines.items():
            assert tuple(record) == tuple(rows[number]) == COLUMNS
            assert ExportedArticle.model_validate(record) == ExportedArticle.model_validate(rows[number])

    def test_json_schema_accepts_them(self, root: Path) -> None:
        jsonschema = pytest.importorskip("jsonschema")
        from schemas.exported import schema_file

        validator = jsonschema.Draft202012Validator(json.loads(schema_file("article").read_bytes()))
        found = list(records(root).values())
        assert all(validator.is_valid(record) for record in found)
        assert not validator.is_valid({**found[0], "revision": 0})
        assert not validator.is_valid({name: value for name, value in found[0].items() if name != "teams"})

    def test_a_record_says_what_the_archive_holds(self, root: Path) -> None:
        first = article(2, published_at=DECEMBER)
        assert records(root)[key(2).id] == {
            "id": first.id,
            "url": first.url,
            "original_url": None,
            "title": first.title,
            "subtitle": None,
            "body": first.body,
            "description": None,
            "publisher": "가온신문",
            "authors": [{"name": "김가온", "email": "gaon@example.org"}],
            "categories": ["IT/과학"],
            "published_at": "2025-12-01T00:00:00+09:00",
            "modified_at": None,
            "crawled_at": "2026-01-02T12:04:05+09:00",
            "gone_at": None,
            "kind": "text",
            "content_hash": first.content_hash,
            "text_hash": first.text_hash,
            "revision": 1,
            "revision_kind": "new",
            "status": "archived",
            "relevance": 5.0,
            "on_topic": None,
            "story": None,
            "reasons": ["+5 독자 모델"],
            "teams": ["가온"],
            "models": [],
            "images": [{"url": "https://imgnews.pstatic.net/1.jpg", "caption": "설명"}],
            "file": "articles/2025/12/01/001_0000000002.md",
            "duplicates": [
                {"id": key(n).id, "title": article(n).title, "publisher": "가온신문", "url": key(n).url} for n in (7, 8)
            ],
        }

    def test_a_record_says_what_is_deleted_on_topic_and_of_which_models(self, root: Path) -> None:
        named = Relevance(5.0, (), ("가온",), (TeamModel("가온", "가온 1호"),), on_topic=True)
        gone = FindResult(ref(key(1)), Outcome.GONE, "status 404", crawled_at=NOW, gone_at=NOW)
        store(root, stored(article(9), relevance=named), gone, run="20260103T000000Z-0003")
        lines, rows = records(root), parquet_records(root)
        assert lines[key(9).id]["on_topic"] is rows[key(9).id]["on_topic"] is True
        assert lines[key(9).id]["models"] == rows[key(9).id]["models"] == [{"team": "가온", "model": "가온 1호"}]
        assert lines[key(1).id]["gone_at"] == "2026-01-02T12:04:05+09:00"
        assert rows[key(1).id]["gone_at"] == NOW

    def test_an_edit_is_the_newest_text_and_a_listed_article_has_none(self, root: Path) -> None:
        found = records(root)
        assert (found[key(5).id]["title"], found[key(5).id]["revision"]) == ("고친 제목", 2)
        assert (found[key(6).id]["body"], found[key(6).id]["authors"]) == (None, [])
        assert found[key(6).id]["description"] == "찾은 글의 일부"

    def test_a_text_without_address_is_exported_too(self, tmp_path: Path) -> None:
        root = tmp_path / "archive"
        with open_archive(root) as archive:
            from tests.support.values import ended, receipt

            run = receipt()
            archive.start_run(run)
            capture = archive.capture_file("a.txt", "글".encode(), NOW)
            text = PlainText("text_1", "주소 없는 글", PUBLISHED, "import:a.txt", "plain_text/1", capture)
            assert isinstance(capture, CaptureRef)
            archive.store(run.run_id, [], texts=[text])
            archive.finish_run(ended(run), {}, [])
        (record,) = records(root).values()
        assert (record["url"], record["crawled_at"], record["body"]) == (None, None, "주소 없는 글")
        ExportedArticle.model_validate(record)
        assert export(root, "atom").articles == 0  # an entry needs an address
        assert export(root, "markdown").articles == 0  # and it has no file


class TestParquet:
    def test_a_file_for_each_korean_month(self, root: Path) -> None:
        done = export(root, "parquet")
        assert done.written == tuple(
            f"articles/month={month}/articles.parquet" for month in ("2025-11", "2025-12", "undated")
        )
        assert set(files_of(root / "exports")) == set(done.written)
        assert (done.articles, done.unchanged, done.removed) == (6, 0, ())
        assert done.bytes == sum(map(len, files_of(root / "exports").values()))

    def test_the_file_says_its_schema_and_is_packed(self, root: Path) -> None:
        export(root, "parquet")
        found = pq.ParquetFile(root / "exports/articles/month=2025-12/articles.parquet")
        assert found.schema_arrow.metadata[b"seogo.schema_version"] == str(SCHEMA_VERSION).encode()
        assert found.metadata.row_group(0).column(0).compression == "ZSTD"

    def test_its_columns_and_their_types_are_a_promise_too(self, root: Path) -> None:
        export(root, "parquet")
        schema = pq.read_schema(root / "exports/articles/month=2025-12/articles.parquet")
        words, moment = "list<element: string>", "timestamp[us, tz=UTC]"
        types = {field.name: str(field.type).replace(" not null", "") for field in schema}
        special = {
            **dict.fromkeys(("categories", "reasons", "teams"), words),
            **dict.fromkeys(("published_at", "modified_at", "crawled_at", "gone_at"), moment),
            "models": "list<element: struct<team: string, model: string>>",
            "duplicates": "list<element: struct<id: string, title: string, publisher: string, url: string>>",
            "on_topic": "bool",
            "authors": "list<element: struct<name: string, email: string>>",
            "images": "list<element: struct<url: string, caption: string>>",
            "revision": "int32",
            "relevance": "double",
        }
        assert types == {name: special.get(name, "string") for name in COLUMNS}

    def test_only_the_month_that_changed_is_written_again(self, root: Path) -> None:
        export(root, "parquet")
        before = files_of(root / "exports")
        store(root, edited(article(1, published_at=NOVEMBER, body="새 글")), run="20260103T000000Z-0003")
        done = export(root, "parquet")
        assert (done.written, done.unchanged) == (("articles/month=2025-11/articles.parquet",), 2)
        after = files_of(root / "exports")
        assert {name for name in after if after[name] != before[name]} == set(done.written)

    @pytest.mark.parametrize("change", ["duplicate", "modified_at", "teams"])
    def test_any_exported_field_is_a_change(self, root: Path, change: str) -> None:
        export(root, "parquet")
        if change == "duplicate":
            store(root, copy_of(article(1), 30), run="20260103T000000Z-0003")
        else:
            value = {"modified_at": "'2025-12-03 00:00+09'::TIMESTAMPTZ", "teams": "['다른 팀']"}[change]
            with duckdb.connect(str(root / "archive.duckdb")) as connection:
                connection.execute(f"UPDATE articles SET {change} = {value} WHERE id = '{key(1).id}'")
        assert export(root, "parquet").written == ("articles/month=2025-11/articles.parquet",)

    def test_a_month_without_articles_goes(self, root: Path) -> None:
        export(root, "parquet")
        with duckdb.connect(str(root / "archive.duckdb")) as connection:
            connection.execute(f"DELETE FROM articles WHERE id = '{key(1).id}'")
        done = export(root, "parquet")
        assert (done.written, done.removed) == ((), ("articles/month=2025-11/articles.parquet",))
        assert not (root / "exports/articles/month=2025-11").exists()

    def test_who_reads_the_tree_reads_nothing_else(self, root: Path) -> None:
        export(root, "parquet")
        table = pyarrow.dataset.dataset(root / "exports" / "articles", partitioning="hive").to_table()
        assert (table.num_rows, set(table.column("month").to_pylist())) == (6, {"2025-11", "2025-12", "undated"})
        sql = f"SELECT month, count(*) FROM '{root}/exports/**/*.parquet' GROUP BY ALL ORDER BY ALL"
        with duckdb.connect() as connection:
            found = connection.execute(sql).fetchall()
        assert found == [("2025-11", 1), ("2025-12", 3), ("undated", 2)]


class TestMarkdown:
    def test_the_files_and_an_index_whose_links_lead_to_them(self, root: Path) -> None:
        export(root, "markdown")
        with zipfile.ZipFile(root / "exports" / "articles.zip") as bundle:
            held = {name: bundle.read(name) for name in bundle.namelist()}
            assert bundle.testzip() is None
        assert set(held) == {path.relative_to(root).as_posix() for path in (root / "articles").rglob("*.md")} | {
            "index.md", *(f"index/{month}.md" for month in ("2025-11", "2025-12", "undated"))
        }  # fmt: skip
        assert all(data == (root / name).read_bytes() for name, data in held.items() if name.startswith("articles/"))
        assert "](../articles/2025/11/30/001_0000000001.md) 가온신문" in held["index/2025-11.md"].decode()
        assert f"]({key(6).url}) 나루일보 (listed)" in held["index/undated.md"].decode()
        assert "[2025-12](index/2025-12.md): 3" in held["index.md"].decode()
        assert "[undated](index/undated.md): 2" in held["index.md"].decode()

    def test_a_title_is_shown_as_it_is(self, root: Path) -> None:
        export(root, "markdown")
        with zipfile.ZipFile(root / "exports" / "articles.zip") as bundle:
            lines = bundle.read("index/2025-12.md").decode().splitlines()
        (line,) = (line for line in lines if "대괄호" in line)
        assert r"\[대괄호\](x)" in line
        assert "\x07" not in line

    def test_a_missing_file_is_damage(self, root: Path) -> None:
        next((root / "articles").rglob("*.md")).unlink()
        with pytest.raises(ArchiveDamaged, match="seogo repair"):
            export(root, "markdown")
        assert files_of(root / "exports") == {}


class TestAtom:
    NAMES = {"a": "http://www.w3.org/2005/Atom"}  # noqa: RUF012

    def entries(self, root: Path) -> list[ET.Element]:
        export(root, "atom")
        feed = ET.parse(root / "exports" / "atom.xml").getroot()  # noqa: S314  our own
        assert [feed.find(f"a:{name}", self.NAMES) is not None for name in ("id", "title", "updated")] == [True] * 3
        return feed.findall("a:entry", self.NAMES)

    def texts(self, root: Path, name: str) -> list[str | None]:
        return [entry.findtext(f"a:{name}", namespaces=self.NAMES) for entry in self.entries(root)]

    def test_the_newest_first_with_ids_titles_and_times(self, root: Path) -> None:
        assert self.texts(root, "id") == [key(number).url for number in (5, 3, 2, 1)]
        titles = self.texts(root, "title")
        assert titles[1] == 'a <b> & "c" | [대괄호](x) \u2028  끝'  # all but what XML cannot hold
        assert self.texts(root, "published")[2] == "2025-12-01T00:00:00+09:00"
        for entry in self.entries(root):
            assert entry.find("a:author/a:name", self.NAMES) is not None

    def test_an_entry_is_updated_when_the_publisher_changed_it(self, root: Path) -> None:
        published, updated = self.texts(root, "published"), self.texts(root, "updated")
        assert published[1:] == updated[1:]
        assert updated[0] == "2026-01-02T12:04:05+09:00"  # the edit
        again = stored(
            article(3), outcome=Outcome.UNCHANGED, revision_kind=RevisionKind.RE_EXTRACTED, revision=2,
            crawled_at=NOW + timedelta(days=1),
        )  # fmt: skip
        store(root, again, run="20260103T000000Z-0003")
        assert self.texts(root, "updated") == updated

    def test_what_is_only_listed_is_marked(self, root: Path) -> None:
        on_topic, off_topic = (Relevance(9.0, on_topic=decided) for decided in (True, False))
        found = [listed(key(20), on_topic, PUBLISHED), listed(key(21), off_topic, PUBLISHED)]
        store(root, *found, run="20260103T000000Z-0003")
        entry = next(one for one in self.entries(root) if one.findtext("a:id", namespaces=self.NAMES) == key(20).url)
        assert [one.get("term") for one in entry.findall("a:category", self.NAMES)] == ["listed"]
        assert entry.findtext("a:summary", namespaces=self.NAMES) == "찾은 글의 일부"
        assert entry.findtext("a:rights", namespaces=self.NAMES) == "© 나루일보"
        assert key(21).url not in self.texts(root, "id")
        held = records(root)
        assert [(held[key(n).id]["status"], held[key(n).id]["on_topic"]) for n in (20, 21)] == [
            ("listed", True), ("listed", False)
        ]  # fmt: skip

    def test_no_more_than_fifty(self, tmp_path: Path) -> None:
        with open_archive(tmp_path) as archive:
            store_new(archive, *range(60))
        ids = self.texts(tmp_path, "id")
        assert (len(ids), ids[0], ids[-1]) == (50, key(59).url, key(10).url)

    def test_an_empty_archive_has_a_feed(self, tmp_path: Path) -> None:
        store(tmp_path)
        assert self.entries(tmp_path) == []


class TestAnew:
    @pytest.fixture(params=list(FORMS))
    def form(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def test_nothing_changed(self, root: Path, form: str) -> None:
        first = export(root, form)
        assert first.changed
        for _ in range(2):
            done = export(root, form)
            assert (done.changed, done.bytes, done.articles) == (False, 0, first.articles)
            assert done.unchanged == len(first.written)

    def test_another_copy_of_the_same_articles(self, root: Path, form: str) -> None:
        """A run that found nothing new replaces the readers' database: the exports stay."""
        export(root, form)
        store(root, run="20260103T000000Z-0003")
        assert not export(root, form).changed

    def test_twice_the_same_bytes(self, root: Path, form: str, tmp_path: Path) -> None:
        done = [export(root, form, tmp_path / name) for name in ("one", "two")]
        assert files_of(tmp_path / "one") == files_of(tmp_path / "two") != {}
        assert [one.written for one in done] == [done[0].written] * 2

    def test_what_was_removed_or_cut_short_is_written_again(self, root: Path, form: str) -> None:
        first = export(root, form)
        whole = files_of(root / "exports")
        (root / "exports" / first.written[0]).unlink()
        (root / "exports" / first.written[-1]).write_bytes(b"x")
        assert export(root, form).changed
        assert files_of(root / "exports") == whole

    def test_a_manifest_that_is_lost_or_damaged(self, root: Path, form: str) -> None:
        export(root, form)
        whole = files_of(root / "exports")
        manifest = root / "exports" / ".state" / "manifest.json"
        for damaged in (b"", b"[]", b'{"%s": {"snapshot": 3}}' % form.encode(), b"\xff"):
            manifest.write_bytes(damaged)
            assert export(root, form).changed
            assert files_of(root / "exports") == whole
            assert not export(root, form).changed

    def test_the_formats_do_not_disturb_each_other(self, root: Path) -> None:
        for form in FORMS:
            export(root, form)
        assert not any(export(root, form).changed for form in FORMS)
        assert {name.split("/")[0] for name in files_of(root / "exports")} == {
            "articles", "articles.jsonl", "articles.jsonl.gz", "articles.zip", "articles-strict.zip",
            "atom.xml",
        }  # fmt: skip

    def test_other_files_of_the_folder_are_left_alone(self, root: Path, form: str, tmp_path: Path) -> None:
        mine = tmp_path / "mine"
        names = {"notes.txt", "articles/readme.txt", "articles/month=2020-01/mine.csv"}
        (mine / "articles" / "month=2020-01").mkdir(parents=True)
        for name in names:
            (mine / name).write_bytes(b"mine")
        export(root, form, mine)
        assert {name for name, data in files_of(mine).items() if data == b"mine"} == names


def test_packed_lines_are_the_lines(root: Path) -> None:
    export(root, "jsonl")
    export(root, "jsonl.gz")
    packed = (root / "exports" / "articles.jsonl.gz").read_bytes()
    assert gzip.decompress(packed) == (root / "exports" / "articles.jsonl").read_bytes()
    assert b"\xe2\x80\xa8" not in gzip.decompress(packed)  # a line for some, inside a line


class TestTrouble:
    def test_what_is_no_archive_gets_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(BadInput, match="Crawl or import first"):
            export(tmp_path / "typo", "parquet")
        assert not (tmp_path / "typo").exists()

    def test_an_unknown_format(self, root: Path) -> None:
        with pytest.raises(BadInput, match="parquet, jsonl"):
            export(root, "xlsx")

    def test_one_export_into_a_folder_at_a_time(self, root: Path) -> None:
        with opened_folder(root / "exports"), pytest.raises(ArchiveBusy, match="exports is busy"):
            export(root, "atom")
        assert export(root, "atom").changed

    def test_a_folder_that_cannot_be_made(self, root: Path, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(StorageFault, match="--to"):
            export(root, "atom", tmp_path / "file" / "below")

    def test_a_failure_on_the_way_leaves_the_old_export(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The second of two months cannot be written: neither is replaced."""
        export(root, "parquet")
        before = files_of(root / "exports")
        changes = [edited(article(n, published_at=day, body="새 글")) for n, day in ((1, NOVEMBER), (2, DECEMBER))]
        store(root, *changes, run="20260103T000000Z-0003")
        with monkeypatch.context() as patch:
            patch.setattr("storage.files.os.fsync", second_time_full())
            with pytest.raises(StorageFault, match="No space"):
                export(root, "parquet")
        assert files_of(root / "exports") == before
        assert len(export(root, "parquet").written) == 2

    @pytest.mark.parametrize("moment", ["storage.files.os.fsync", "storage.exports.folder.sync_folder"])
    def test_killed_on_the_way(self, root: Path, moment: str) -> None:
        """While the files are written, and when one of two is in its place: the next export finishes it."""
        export(root, "parquet")
        changes = [edited(article(n, published_at=day, body="새 글")) for n, day in ((1, NOVEMBER), (2, DECEMBER))]
        store(root, *changes, run="20260103T000000Z-0003")
        command = [sys.executable, "-c", KILLED, str(root), moment]
        assert subprocess.run(command, env=environment(), check=False).returncode == 9
        export(root, "parquet")
        export(root, "parquet", root.parent / "fresh")
        assert files_of(root / "exports") == files_of(root.parent / "fresh")
        assert {path.name for path in (root / "exports/.state").iterdir()} == {"holder.json", "lock", "manifest.json"}

    def test_a_quote_in_the_path(self, root: Path, tmp_path: Path) -> None:
        done: Exported = export(root, "parquet", tmp_path / "이것's {here}")
        assert len(files_of(tmp_path / "이것's {here}")) == len(done.written) == 3


def test_step_by_step_or_at_once_is_the_same(root: Path) -> None:
    """Whatever changes, an export that is kept up to date is the same as a new one."""
    choose = random.Random(4)
    ids = [key(number).id for number in range(1, 7)]
    days = ["'2025-11-02 09:00+09'::TIMESTAMPTZ", "'2025-12-31 23:59+09'::TIMESTAMPTZ", "NULL"]
    changes = [
        lambda one: f"DELETE FROM articles WHERE id = '{one}'",
        lambda one: f"UPDATE articles SET published_at = {choose.choice(days)} WHERE id = '{one}'",
        lambda one: f"UPDATE articles SET relevance = coalesce(relevance, 0) + 1 WHERE id = '{one}'",
        lambda one: f"DELETE FROM duplicates WHERE duplicate_of = '{one}'",
        lambda one: f"INSERT OR REPLACE INTO articles BY NAME SELECT * REPLACE ('{one}' AS id) FROM articles LIMIT 1",
    ]
    for step in range(12):
        with duckdb.connect(str(root / "archive.duckdb")) as connection:
            connection.execute(choose.choice(changes)(choose.choice(ids)))
        for form in ("parquet", "jsonl"):
            export(root, form)
            export(root, form, root.parent / str(step))
        assert files_of(root / "exports") == files_of(root.parent / str(step)), step


def second_time_full() -> Any:
    def calls() -> Iterator[None]:
        yield None
        raise OSError(28, "No space left on device")

    each = calls()
    return lambda descriptor: next(each)


def test_a_bundle_in_the_strict_style_has_the_same_documents(root: Path) -> None:
    for form in ("markdown", "markdown-strict"):
        assert export(root, form).articles == 5
    bundles = (zipfile.ZipFile(root / "exports" / name) for name in ("articles.zip", "articles-strict.zip"))
    with next(bundles) as seed, next(bundles) as strict:
        assert seed.namelist() == strict.namelist()
        for name in (one for one in seed.namelist() if one.startswith("articles/")):
            before, after = loads(seed.read(name).decode()), loads(strict.read(name).decode())
            assert (before.style, after.style) == ("seed", "strict")
            assert (after.title, after.body, after.published_at) == (before.title, before.body, before.published_at)
            assert after.crawled_at == before.crawled_at
