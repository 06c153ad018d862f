"""The commands that a power cut interrupts, what follows, and what must be true afterwards.

    first crawl     into a folder that does not exist yet
    crawl           hours later: new articles, edits, copies; the snapshot is published after every batch
    recovery        a crawl after one that was killed
    older database  a crawl with captures that the database does not know
    compaction      a crawl with nothing new, which compacts the database
    publish         all exports, and the change feed from the beginning
    repair          of a database with a flipped byte, and of an altered Markdown file
    rebuild         from the captures

After the cut, the next command runs, then a crawl, then `verify`. The archive must equal one without a power cut: rows,
files, exports. Every change that a reader could have seen must be in the feed, with the same number.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb

from flows.replica.server import Replica
from flows.runs.publish import PublishOrder, publish
from schemas.errors import ArchiveDamaged
from storage.archive import open_archive
from storage.exports.changes import FORMS as CHANGES
from storage.exports.changes import export_changes
from storage.exports.full import FORMS
from storage.integrity.repair import rebuild, repair, verify_archive
from storage.layout import SNAPSHOT, WRITER_DATABASE
from tests.programs import killing, torture
from tests.programs.powercut import disk
from tests.programs.powercut.recording import Kind, Recording, compiled, names_of, record
from tests.support.paths import ROOT

_BLOCKS_FROM, _BLOCK = 3 * 4096, 256 * 1024
EARLIER = torture.LAST - timedelta(hours=20)
_MAPPED = ".sqlite-shm"
"""SQLite writes this file through memory, past the recorder. It is derived: SQLite creates it again from the WAL."""

Events = list[tuple[Any, ...]]


# -- the commands, in their own process


def crawl(root: Path, site: str, now: datetime) -> None:
    torture.crawl_once(root, site, now, None)


def compaction(root: Path, site: str, now: datetime) -> None:
    with mock.patch("storage.database.publisher.is_bloated", return_value=True):
        crawl(root, site, now)


def exports(root: Path, site: str, now: datetime) -> None:
    publish(PublishOrder(root, formats=tuple(FORMS)))
    for form in CHANGES:
        export_changes(root, 0, form, root.parent / "changes")


def run_repair(root: Path, site: str, now: datetime) -> None:
    assert repair(root).left == []


def run_rebuild(root: Path, site: str, now: datetime) -> None:
    assert rebuild(root).left == []


Command = Callable[[Path, str, datetime], None]
COMMANDS: dict[str, Command] = {
    "first crawl": crawl,
    "crawl": crawl,
    "recovery": crawl,
    "older database": crawl,
    "compaction": compaction,
    "publish": exports,
    "repair": run_repair,
    "rebuild": run_rebuild,
}


def run(name: str, root: str, site: str, now: str) -> None:
    """The main function of the recorded process."""
    COMMANDS[name](Path(root), site, datetime.fromisoformat(now))


# -- recordings


@dataclass
class Scenario:
    """A recorded command, and the expected state of the archive after it and a crawl.

    `shown`: for each snapshot, the call from which on readers saw it, and its events.
    """

    name: str
    recording: Recording
    now: datetime
    expected: dict[str, Any] = field(default_factory=dict)
    exported: dict[str, bytes | None] = field(default_factory=dict)
    shown: list[tuple[int, Events]] = field(default_factory=list)


@dataclass
class Stage:
    """A replica of Naver, the recorder, a working folder, and the archives at the start of the scenarios.

    `steps`: those of the crawl from `earlier` to `later`, as counted by the torture; `expected`: the state of `later`.
    """

    naver: Replica
    recorder: Path
    work: Path
    steps: Counter[str] = field(default_factory=Counter)
    expected: dict[str, Any] = field(default_factory=dict)

    @property
    def earlier(self) -> Path:
        return self.work / "earlier"

    @property
    def later(self) -> Path:
        return self.work / "later"

    def crawl(self, root: Path, now: datetime) -> Counter[str]:
        self.naver.clock.set(now)
        return torture.run(root, self.naver, None)


@contextmanager
def stage(work: Path) -> Iterator[Stage]:
    """Set up the stage."""
    with Replica(torture.made_corpus(), now=EARLIER) as naver:
        made = Stage(naver, compiled(work), work)
        made.crawl(made.earlier, EARLIER)
        shutil.copytree(made.earlier, made.later)
        made.steps = made.crawl(made.later, torture.LAST)
        made.expected = torture.state_of(made.later)
        yield made


def _prepared(made: Stage, name: str) -> Path:
    """The folder in which a command is recorded; it contains the archive as `archive`."""
    folder = made.work / name.replace(" ", "-")
    root = folder / "archive"
    folder.mkdir()
    if name != "first crawl":
        shutil.copytree(made.earlier if name in ("crawl", "recovery") else made.later, root)
    match name:
        case "recovery":
            made.naver.clock.set(torture.LAST)
            torture.run(root, made.naver, killing.Kill("commit", 4, "before"))
        case "older database":
            shutil.copyfile(made.earlier / WRITER_DATABASE, root / WRITER_DATABASE)
        case "publish":
            exports(root, "", torture.LAST)
            made.crawl(root, torture.LAST + timedelta(hours=2))
        case "repair":
            _damage(root)
    return folder


def _damage(root: Path) -> None:
    path = root / WRITER_DATABASE
    data = bytearray(path.read_bytes())
    data[_BLOCKS_FROM + _BLOCK * (len(data) // _BLOCK // 2) + 1000] ^= 1
    path.write_bytes(data)
    (first, *_) = sorted((root / "articles").rglob("*.md"))
    first.write_bytes(b"altered")


def recorded(made: Stage, name: str) -> Scenario:
    """Record a command on a separate archive."""
    folder = _prepared(made, name)
    now = {"first crawl": EARLIER, "publish": torture.LAST + timedelta(hours=2)}.get(name, torture.LAST)
    made.naver.clock.set(now)
    root = folder / "archive"
    given = ", ".join(map(repr, (name, str(root), made.naver.url, now.isoformat())))
    code = f"from tests.programs.powercut.scenarios import run; run({given})"
    recording = record(made.recorder, folder, code, path=(ROOT,))
    found = Scenario(name, recording, now)
    check_complete(found, folder)
    found.exported = _exported(folder)
    made.crawl(root, now)
    found.expected = torture.state_of(root)
    found.shown = list(_shown(recording, made.work / "shown.duckdb"))
    shutil.rmtree(folder)
    return found


def check_complete(found: Scenario, folder: Path) -> None:
    """Check that replaying the recording gives the same folder: no write bypassed the recorder."""
    again = folder.with_name("again")
    calls = len(found.recording.calls)
    disk.materialise(found.recording, disk.killed(found.recording, calls, random.Random(0)), again)
    there, made = names_of(folder), names_of(again)
    assert there.keys() == made.keys(), f"{found.name}: {sorted(there.keys() ^ made.keys())}"
    differing = [name for name in there if there[name] != made[name] and not name.endswith(_MAPPED)]
    assert not differing, f"{found.name}: {differing}"
    shutil.rmtree(again)


def _exported(folder: Path) -> dict[str, bytes | None]:
    """The exported files. Names that begin with a dot are temporary files, possibly of a killed process."""
    every = names_of(folder)
    return {
        name: data
        for name, data in every.items()
        if name.startswith(("archive/exports", "changes")) and "/." not in name
    }


def _shown(recording: Recording, temporary: Path) -> Iterator[tuple[int, Events]]:
    """The snapshots: the call from which on each was visible, and its events."""
    before = recording.before
    if "archive" in before.folders[before.root]:
        yield 0, events(before.origins[before.find(f"archive/{SNAPSHOT}")])
    for number, call in enumerate(recording.calls):
        if call.kind is Kind.RENAMED and call.other is not None and call.other.name == SNAPSHOT:
            temporary.write_bytes(disk.content_at(recording, call.node, number))
            yield number + 1, events(temporary)


def events(database: Path) -> Events:
    """The change feed of a database."""
    with duckdb.connect(str(database), read_only=True) as connection:
        sql = "SELECT seq, changed_at, kind, id, revision, duplicate_of FROM events ORDER BY seq"
        return connection.execute(sql).fetchall()


# -- cuts


@dataclass(frozen=True)
class Cut:
    """A power cut: the scenario, the call that it precedes, the model, and the seed that selects what is lost."""

    scenario: str
    call: int
    model: str
    seed: int


def cuts(found: Scenario, model: str, number: int, seed: int) -> Iterator[Cut]:
    """`number` cuts, at calls of every kind in turn, spread over the whole command."""
    rng = random.Random(f"{seed} {model} {found.name}")
    by_kind: dict[Kind, list[int]] = {}
    for at, call in enumerate(found.recording.calls):
        by_kind.setdefault(call.kind, []).append(at)
    kinds = sorted(by_kind)
    for index in range(number):
        at = rng.choice(by_kind[kinds[index % len(kinds)]])
        yield Cut(found.name, at + rng.randint(0, 1), model, rng.randrange(2**32))


def survive(made: Stage, found: Scenario, cut: Cut) -> None:
    """Create a possible state of the disk after the cut, continue, and compare. Raises AssertionError with the cut."""
    folder = made.work / f"cut-{cut.scenario.replace(' ', '-')}-{cut.model}-{cut.call}-{cut.seed}"
    survivors = disk.MODELS[cut.model](found.recording, cut.call, random.Random(cut.seed))
    disk.materialise(found.recording, survivors, folder)
    try:
        _continue(made, found, cut, folder / "archive")
    except Exception as error:
        raise AssertionError(f"{cut}: {error}") from error
    shutil.rmtree(folder)


def _continue(made: Stage, found: Scenario, cut: Cut, root: Path) -> None:
    if found.name in ("repair", "rebuild"):
        _repeat(found, root, directly=cut.seed % 2 == 0)
    elif found.name != "older database" and root.exists() and cut.seed % 3 == 0:  # that one lacks rows until a crawl
        faults = verify_archive(root).faults
        assert faults == [], f"verify, as the next command: {faults}"
    if found.name == "publish":
        exports(root, "", found.now)
        assert _exported(root.parent) == found.exported, "exports differ"
    made.crawl(root, found.now)
    state = torture.state_of(root)
    for what, expected in found.expected.items():
        assert state[what] == expected, f"{what} differ"
    faults = verify_archive(root).faults
    assert faults == [], f"verify, after the next crawl: {faults}"
    _check_feed(found, cut, root)


def _check_feed(found: Scenario, cut: Cut, root: Path) -> None:
    """Check that every event that a reader may have seen is unchanged, and that none was inserted before its cursor."""
    seen = [shown for at, shown in found.shown if at <= cut.call]
    if seen and seen[-1]:
        newest = seen[-1][-1][0]
        now = [event for event in events(root / SNAPSHOT) if event[0] <= newest]
        differ = sorted(set(now) ^ set(seen[-1]))
        assert not differ, f"the feed differs: {differ[:3]}"


def _repeat(found: Scenario, root: Path, *, directly: bool) -> None:
    """Run the command again: at once, or if the next start requires it. A start does not notice an altered file."""
    command = partial(COMMANDS[found.name], root, "", found.now)
    if directly or found.name == "repair":
        command()
        return
    with suppress(ArchiveDamaged), open_archive(root):
        return
    command()
