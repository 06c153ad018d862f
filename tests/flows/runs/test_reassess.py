"""A changed topic file reaches what is stored: what joins, what leaves, what arrives; without a request, for good."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.pipeline.relevance import rules_version
from flows.runs.import_files import ImportOrder, import_files
from flows.runs.reassess import Reassessed, ReassessOrder, reassess
from schemas.article import Outcome
from schemas.errors import ArchiveDamaged
from schemas.find import FindResult, Relevance
from schemas.journal import RunStarted
from schemas.receipt import ExitReason
from schemas.topic import PhraseRule, Team, Topic, load_topic
from storage.archive import open_archive
from storage.integrity.repair import rebuild, repair, verify_archive
from storage.journal.entries import load_entry
from storage.reading.changes import changes
from storage.reading.reader import newest_change, open_snapshot
from tests.support.archives import contents, rows, write_document
from tests.support.naver.small import article_page
from tests.support.paths import DEMO_TOPIC
from tests.support.values import NOW, article, ended, key, page, receipt, ref


def about(*phrases: str, threshold: float = 4.0) -> Topic:
    """A topic of texts with one of these phrases; its only team is a word of all of them."""
    topic = load_topic(DEMO_TOPIC)
    rules = tuple(PhraseRule(phrases=(phrase,), weight=5) for phrase in phrases)
    relevance = topic.relevance.model_copy(
        update={"threshold": threshold, "phrases": rules, "exclude": (), "context": ()}
    )
    team = Team(name="솔라", aliases=("솔라",), models=(("솔라 오픈",),), weight=0)
    return topic.model_copy(update={"relevance": relevance, "teams": (team,)})


MODELS, PANELS = about("독자 모델"), about("발전소")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An article on models and one on solar panels, both of which name 솔라, imported by a topic of models."""
    for number, body in ((1, "독자 모델 솔라 오픈이 공개됐다."), (2, "솔라 발전소가 문을 열었다.")):
        write_document(tmp_path / "old", article(number, title=f"소식 {number}", body=body))
    (tmp_path / "old" / "plain.txt").write_text("date 2025-12-30\n\n솔라 발전소의 독자 모델 이야기다.\n", "utf-8")
    root = tmp_path / "archive"
    import_files(ImportOrder(MODELS, root, (tmp_path / "old",)))
    return root


def again(root: Path, topic: Topic, *, dry_run: bool = False) -> Reassessed:
    return reassess(ReassessOrder(topic, root, dry_run))


def marks(root: Path) -> dict[object, tuple[object, ...]]:
    sql = "SELECT id, on_topic, len(teams), len(models), revision FROM articles WHERE oid IS NOT NULL ORDER BY id"
    return {row[0]: row[1:] for row in rows(root, sql)}


def agrees(root: Path) -> bool:
    """Nothing to complain of, and a rebuild gives the same rows."""
    assert verify_archive(root).faults == []
    before = contents(root)
    rebuild(root)
    return contents(root) == before


def test_only_texts_that_are_on_topic_have_teams(root: Path) -> None:
    assert marks(root) == {key(1).id: (True, 1, 1, 1), key(2).id: (False, 0, 0, 1)}
    assert rows(root, "SELECT DISTINCT id FROM teams WHERE id NOT LIKE 'text%'") == [(key(1).id,)]
    assert rows(root, "SELECT articles, articles_on_topic FROM archive_info") == [(3, 2)]
    assert rows(root, "SELECT version, name, threshold FROM topics") == [(rules_version(MODELS), "demo", 4.0)]
    assert agrees(root)


def test_texts_leave_and_join_with_the_topic_file(root: Path) -> None:
    with open_snapshot(root) as connection:
        cursor = newest_change(connection)
    done = again(root, PANELS)
    assert (done.read, done.left, done.joined, done.exit_reason) == (3, 1, 1, ExitReason.DONE)
    assert marks(root) == {key(1).id: (False, 0, 0, 1), key(2).id: (True, 1, 0, 1)}
    with open_snapshot(root) as connection:
        reassessed = [(one["kind"], one["id"], one["article"]["teams"]) for one in changes(connection, cursor)]
    assert {("reassessed", key(1).id, ()), ("reassessed", key(2).id, ("솔라",))} <= {
        (kind, id_, tuple(teams)) for kind, id_, teams in reassessed
    }
    assert agrees(root)
    assert again(root, PANELS).exit_reason is ExitReason.NOTHING_NEW


def test_a_dry_run_says_the_same_and_stores_nothing(root: Path) -> None:
    before = contents(root)
    dry = again(root, PANELS, dry_run=True)
    assert contents(root) == before
    done = again(root, PANELS)
    assert (dry.changed, dry.left, dry.joined, dry.fields, dry.examples) == (
        *(done.changed, done.left, done.joined, done.fields, done.examples),
    )
    assert {one.field for one in dry.examples} == {"relevance", "reasons", "teams", "models", "on_topic"}


def test_many_texts_are_assessed_alike_in_other_processes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = again(root, PANELS, dry_run=True)
    monkeypatch.setattr("flows.runs.reassess.MANY", 1)
    monkeypatch.setattr("flows.runs.reassess._CHUNK", 1)
    monkeypatch.setattr("flows.runs.reassess.REASSESSED_AT_ONCE", 2)
    assert again(root, PANELS, dry_run=True).examples == alone.examples


@pytest.fixture
def off_topic(tmp_path: Path) -> Path:
    """Three finds that were off topic: two of the same text, and one of which no capture is known."""
    with open_archive(tmp_path / "finds") as archive:
        run = receipt()
        archive.start_run(run)
        results = []
        for number in (1, 2, 3):
            found = article_page(key(number).id, body="오늘 발전소가 문을 열었다.")
            capture = archive.capture(page(key(number).url, found.encode()))
            judged = Relevance(0.0, on_topic=False if number < 3 else None)
            off = FindResult(ref(key(number)), Outcome.OFF_TOPIC, "below", judged, capture=capture, crawled_at=NOW)
            results.append(off)
        archive.store(run.run_id, results)
        archive.finish_run(ended(run), {}, [])
    return tmp_path / "finds"


def test_a_find_that_was_off_topic_arrives_as_new(off_topic: Path) -> None:
    done = again(off_topic, PANELS)
    assert (done.arrived, done.uncaptured) == ([key(1).id, key(2).id], [key(3).id])
    ((file, revision, on_topic, crawled_at),) = rows(
        off_topic, "SELECT file, revision, on_topic, crawled_at FROM articles"
    )
    assert (revision, on_topic, crawled_at) == (1, True, NOW)
    assert (off_topic / str(file)).is_file()
    assert rows(off_topic, "SELECT id, duplicate_of FROM duplicates") == [(key(2).id, key(1).id)]
    assert rows(off_topic, "SELECT kind, id FROM events ORDER BY seq") == [
        ("inserted", key(1).id),
        ("duplicate", key(2).id),
    ]
    assert agrees(off_topic)


def test_a_find_that_is_still_off_topic_stays_where_it_is(off_topic: Path) -> None:
    before = contents(off_topic)
    assert again(off_topic, about("인공위성")).exit_reason is ExitReason.NOTHING_NEW
    after = contents(off_topic)
    assert {table: after[table] for table in after if table != "runs"} == {
        table: before[table] for table in before if table != "runs"
    }


def test_articles_that_were_listed_without_a_publisher_get_their_press_office(tmp_path: Path) -> None:
    """As versions stored them that did not know the press offices' numbers. What a source named stays."""
    unknown, own, nameless = ref(key(1)), ref(key(2), publisher="가온신문"), ref(key(3, oid="999"))
    with open_archive(tmp_path) as archive:
        run = receipt()
        archive.start_run(run)
        listed = [FindResult(one, Outcome.LISTED, "forbidden", crawled_at=NOW) for one in (unknown, own, nameless)]
        archive.store(run.run_id, listed)
        archive.finish_run(ended(run), {}, [])
    assert again(tmp_path, MODELS, dry_run=True).fields["publisher"] == 1
    done = again(tmp_path, MODELS)
    assert [one.after for one in done.examples if one.field == "publisher"] == ["연합뉴스"]
    assert rows(tmp_path, "SELECT publisher FROM articles ORDER BY id") == [("연합뉴스",), ("가온신문",), (None,)]
    assert rows(tmp_path, "SELECT revision, status FROM articles GROUP BY ALL") == [(1, "listed")]
    assert agrees(tmp_path)
    assert again(tmp_path, MODELS).exit_reason is ExitReason.NOTHING_NEW


def test_a_damaged_journal_of_a_reassessment_is_repaired(root: Path) -> None:
    done = again(root, PANELS)
    assert done.receipt is not None
    before = marks(root)
    (name,) = root.glob(f"captures/**/{done.receipt.run_id}*.warc.gz")
    data = bytearray(name.read_bytes())
    data[len(data) // 2] ^= 0xFF
    name.write_bytes(bytes(data))
    assert verify_archive(root).faults
    repair(root)
    assert marks(root) == before
    rebuild(root)
    assert marks(root) == before


def test_stopped_early_it_says_so_and_goes_on_later(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.runs.reassess.REASSESSED_AT_ONCE", 1)
    done = reassess(ReassessOrder(PANELS, root), stopped=lambda: True)
    assert done.exit_reason is ExitReason.INTERRUPTED
    with open_archive(root) as archive:
        assert archive.assessed_by(but="") == {rules_version(MODELS), rules_version(PANELS)}
    again(root, PANELS)
    with open_archive(root) as archive:
        assert archive.assessed_by(but="") == {rules_version(PANELS)}
    assert agrees(root)


def test_the_version_follows_the_rules_and_nothing_else() -> None:
    topic = load_topic(DEMO_TOPIC)
    others = (MODELS, PANELS, about("독자 모델", threshold=5))
    assert len({rules_version(one) for one in (topic, *others)}) == 4
    assert rules_version(topic.model_copy(update={"title": "다른 제목", "queries": ("다른 것",)})) == rules_version(
        topic
    )


def test_an_entry_from_before_the_topic_was_recorded_is_read() -> None:
    old = b'{"run_started": {"run_id": "r", "number": 1, "command": "crawl", "topic": "t", "started_at": "%s"}}'
    entry = load_entry(old % NOW.isoformat().encode(), where="here")
    assert entry == RunStarted("r", 1, "crawl", "t", NOW)
    with pytest.raises(ArchiveDamaged):
        load_entry(b'{"texts_reassessed": {"run_id": "r"}}', where="here")
