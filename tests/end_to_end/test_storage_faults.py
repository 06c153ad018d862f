"""The machine's faults, end to end: disk, rights, file handles, the clock, and files that somebody removed.

The same story as in `test_world_faults`: what was archived stays whole, the fault is told in one line with the exit
code that it has, and the next run goes on. A disk that is too small from the start: `test_cli_disk`.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import subprocess
import time
from asyncio import StreamWriter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.cli.exit_codes import Exit
from flows.fetching.throttle import Clock
from storage.state.backoff import JsonBackoffStore
from tests.support.command import COMMAND, Ran, ending, environment, seogo, start
from tests.support.disks import fill, mount, needs_a_disk
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
from tests.support.servers.http import NEWS, Script

LIST = "/main/list.naver"
LAST = NEW[-1]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("first")
    # One request at a time: the last article is asked for when all others are there.
    with small_naver() as naver:
        yield begun(naver, folder, small_topic(folder, concurrency=1))


@pytest.fixture
def story(first: Story, tmp_path: Path) -> Story:
    return copied(first, tmp_path)


def check_fault(ran: Ran, words: str) -> None:
    """One line, the exit code of a storage fault, and nothing for machines to mistake for a result."""
    assert (ran.code, ran.out) == (Exit.STORAGE_FAULT, ""), ran.err
    assert words in ran.complaint


def check_goes_on(story: Story) -> None:
    """Nothing of before is lost, whatever of the new is there agrees, and the next run ends with all of it."""
    verified = seogo("verify", "--archive", story.archive)
    assert (verified.code, verified.err) == (Exit.DONE, ""), verified.out
    assert set(OLD) <= story.archived_ids() <= {*OLD, *NEW}
    story.crawl_later()


# -- the disk


def when_asked(target: str, story: Story, happens: Script) -> None:
    """Let something happen at the moment of a request, which is then answered well."""
    page = list_page(story.naver.listed) if target == LIST else article_page(LAST)

    async def script(seen: object, writer: StreamWriter) -> None:
        await happens(seen, writer)  # type: ignore[arg-type]
        writer.write(html(page))

    story.naver.strange[target] = script


# How much room is left decides which step meets the end of the disk: captures, staged files, the database's log, its
# checkpoint, the file in its place, readers' copy.
@needs_a_disk
@pytest.mark.parametrize(
    ("target", "left"),
    [(LIST, 0), (LIST, 32), *((path_of(LAST), left) for left in (0, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096))],
)
@pytest.mark.every(4)
def test_a_disk_that_fills_up_in_the_middle_of_a_run(first: Story, disk: Path, target: str, left: int) -> None:
    mount(disk, "size=48m", "-t", "tmpfs")
    story = copied(first, disk)

    async def fills(_: object, __: object) -> None:
        fill(disk, left * 1024)

    when_asked(target, story, fills)
    ran = story.crawl()
    if left <= 64:
        check_fault(ran, "No space left on device")
    assert ran.code in (Exit.STORAGE_FAULT, Exit.DONE)
    (disk / "filler").unlink()
    check_goes_on(story)


@needs_a_disk
@pytest.mark.parametrize("left", [0, 1, 3, 6])
@pytest.mark.every(4)
def test_a_disk_without_room_for_another_file(first: Story, disk: Path, left: int) -> None:
    mount(disk, "size=48m,nr_inodes=10000", "-t", "tmpfs")
    story = copied(first, disk)
    info = os.statvfs(disk)
    mount(disk, f"remount,nr_inodes={info.f_files - info.f_ffree + left}")
    check_fault(story.crawl(), "No space left on device")
    mount(disk, "remount,nr_inodes=10000")
    check_goes_on(story)


@needs_a_disk
def test_a_disk_that_is_read_only_for_a_while(first: Story, disk: Path) -> None:
    mount(disk, "size=48m", "-t", "tmpfs")
    story = copied(first, disk)
    mount(disk, "remount,ro")
    check_fault(story.crawl(), "Read-only file system")
    assert story.archived_ids() == set(OLD), "reading goes on"
    mount(disk, "remount,rw")
    check_goes_on(story)


# -- rights

_WITHOUT_PRIVILEGE = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner"]


@pytest.fixture(scope="module")
def powerless(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What to put before a command so that permissions hold for it, also where the tests run as root."""
    folder = tmp_path_factory.mktemp("rights") / "closed"
    folder.mkdir(mode=0o500)
    for prefix in ([], _WITHOUT_PRIVILEGE):
        if prefix and not shutil.which(prefix[0]):
            continue
        if subprocess.run([*prefix, "test", "-w", folder], check=False).returncode == 1:
            return prefix
    pytest.skip("nothing here can be closed to this user")


RIGHTS = {
    "the archive": (".", 0o500, "archive.duckdb could not be published: Permission denied"),
    "the state": ("state", 0o500, ".json cannot be written (Permission denied)"),
    "the captures": ("captures/**/", 0o500, ".warc.gz cannot be created: Permission denied"),
    "the day's articles": ("articles/**/", 0o500, ".md: Permission denied"),
}


@pytest.mark.parametrize("what", RIGHTS)
@pytest.mark.every(4)
def test_what_may_not_be_written_to(story: Story, powerless: list[str], what: str) -> None:
    pattern, mode, words = RIGHTS[what]
    closed = [story.archive] if pattern == "." else sorted(story.archive.glob(pattern))
    modes = {path: path.stat().st_mode for path in closed}
    for path in reversed(closed):
        path.chmod(mode)
    done = subprocess.run(
        [*powerless, *COMMAND, "crawl"], env=environment(**story.env), capture_output=True, text=True, check=False
    )
    for path in closed:
        path.chmod(modes[path])
    check_fault(Ran(done.returncode, done.stdout, done.stderr), words)
    check_goes_on(story)


# -- file handles


@pytest.mark.parametrize(("target", "left"), [(LIST, 0), (path_of(LAST), 0)])
@pytest.mark.every(4)
def test_no_file_handle_is_left_in_the_middle_of_a_run(story: Story, target: str, left: int) -> None:
    pid: list[int] = []

    async def squeezes(_: object, __: object) -> None:
        squeeze(pid[0], left)

    when_asked(target, story, squeezes)
    with ending(start("crawl", env=story.env)) as running:
        pid.append(running.pid)
        out, err = running.communicate(timeout=30)
    check_fault(Ran(running.returncode, out, err), "Too many open files")
    check_goes_on(story)


def squeeze(pid: int, left: int) -> None:
    """Leave a process so many handles."""
    used = max(int(handle.name) for handle in Path(f"/proc/{pid}/fd").iterdir()) + 1
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + left, used + left))


# -- the clock


@pytest.mark.parametrize("ahead", [timedelta(hours=30), timedelta(days=400)])
@pytest.mark.parametrize("first_fails", [False, True], ids=["", "with a failure"])
@pytest.mark.every(4)
def test_a_clock_that_was_ahead_for_one_run(story: Story, ahead: timedelta, first_fails: bool) -> None:
    """Neither does a source count as read up to the wrong day, nor does a failure wait for it to come."""
    story.naver.listed = (*OLD, *NEW[:3])
    if first_fails:
        story.naver.poison(POISONED, html(""))
    story.crawl_at(datetime.now(UTC) + ahead)
    story.naver.listed = (*OLD, *NEW)
    story.crawl_later()


@pytest.mark.parametrize("behind", [timedelta(hours=30), timedelta(days=400)])
def test_a_clock_that_was_behind_for_one_run(story: Story, behind: timedelta) -> None:
    story.crawl_at(datetime.now(UTC) - behind)
    check_goes_on(story)


def test_a_pause_that_a_clock_ahead_left_behind_ends_after_a_day(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted from zero by each process, it would never end."""
    JsonBackoffStore(story.archive / "state" / "backoff.json").save(NEWS, datetime.now(UTC) + timedelta(days=400))
    ran = story.crawl()
    assert ran.code == Exit.BLOCKED
    assert f"no requests to {NEWS} until" in ran.out
    story.check_whole(OLD)
    next_day = datetime.now(UTC) + timedelta(hours=25)
    monkeypatch.setattr("flows.fetching.client.Clock", lambda: Clock(time.monotonic, lambda: next_day, asyncio.sleep))
    receipt, code = story.crawl_at(next_day)
    assert code == Exit.DONE, receipt.explanation
    story.check_whole({*OLD, *NEW})


# -- a half-deleted archive


def remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.mark.parametrize(
    "gone", [("archive.duckdb",), ("state/staged", "state/lock", "state/holder.json", "state/last_run.json")]
)
@pytest.mark.every(4)
def test_what_can_go_without_harm(story: Story, gone: tuple[str, ...]) -> None:
    for name in gone:
        remove(story.archive / name)
    ran = story.crawl()
    assert ran.code == Exit.DONE, ran.err
    story.check_whole({*OLD, *NEW})


@pytest.mark.parametrize("gone", ["articles", "articles/*", "articles/*/*/*", f"articles/*/*/*/{OLD[0]}.md"])
@pytest.mark.every(4)
def test_markdown_that_is_gone(story: Story, gone: str) -> None:
    """Each file is named; the crawl goes on around the hole; the captures give the files back."""
    missing = {path.name for found in story.archive.glob(gone) for path in (found, *found.rglob("*.md"))}
    for path in story.archive.glob(gone):
        remove(path)
    verified = seogo("verify", "--archive", story.archive)
    assert verified.code == Exit.ARCHIVE_DAMAGED
    assert all(name in verified.out for name in missing if name.endswith(".md"))
    assert story.crawl().code == Exit.DONE
    assert story.archived_ids() == {*OLD, *NEW}
    check_repaired(story)


@pytest.mark.parametrize("gone", ["captures", "captures/*/*"])
@pytest.mark.every(4)
def test_captures_that_are_gone(story: Story, gone: str) -> None:
    """Every row that lost its capture is named; texts and files are all there; nothing is reported as repaired."""
    for path in story.archive.glob(gone):
        remove(path)
    assert story.crawl().code == Exit.DONE
    verified = seogo("verify", "--archive", story.archive)
    assert verified.code == Exit.ARCHIVE_DAMAGED
    assert all(article_id in verified.out for article_id in OLD)
    assert story.archived_ids() == {*OLD, *NEW}
    assert {path.stem for path in (story.archive / "articles").rglob("*.md")} == {*OLD, *NEW}
    assert repair(story).code == Exit.ARCHIVE_DAMAGED
    assert story.archived_ids() == {*OLD, *NEW}


@pytest.mark.parametrize("gone", ["state", "state/writer.duckdb"])
@pytest.mark.every(4)
def test_a_database_that_is_gone_is_not_created_again(story: Story, gone: str) -> None:
    """All of it would be asked for again, and what Naver lists no more would be lost."""
    story.naver.listed = NEW
    remove(story.archive / gone)
    check_damaged(story.crawl(), "writer.duckdb")
    assert story.archived_ids() == set(OLD), "reading goes on"
    check_repaired(story, *OLD)
    assert story.crawl().code == Exit.DONE
    story.check_whole({*OLD, *NEW})


def _empty(data: bytes) -> bytes:
    return b""


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _other(data: bytes) -> bytes:
    return b"# not a database\n" * 1000


def _flipped(data: bytes) -> bytes:
    """Both copies of the database's own header, and the first blocks, with one bit of each page turned."""
    return bytes(byte ^ (at % 4096 == 100) for at, byte in enumerate(data))


@pytest.mark.parametrize("damage", [_empty, _cut, _other, _flipped], ids=lambda damage: damage.__name__.strip("_"))
@pytest.mark.every(4)
def test_a_database_that_is_damaged_is_called_so(story: Story, damage: Callable[[bytes], bytes]) -> None:
    database = story.archive / "state" / "writer.duckdb"
    database.write_bytes(damage(database.read_bytes()))
    check_damaged(story.crawl(), "writer.duckdb is damaged")
    assert story.archived_ids() == set(OLD), "reading goes on"
    check_repaired(story, *OLD)
    story.crawl_later()


def check_damaged(ran: Ran, words: str) -> None:
    assert (ran.code, ran.out) == (Exit.ARCHIVE_DAMAGED, ""), ran.err
    assert words in ran.complaint
    assert "seogo repair" in ran.complaint


def check_repaired(story: Story, *ids: str) -> None:
    ran = repair(story)
    assert ran.code == Exit.DONE, ran.out + ran.err
    story.check_whole(ids or {*OLD, *NEW})


def repair(story: Story) -> Ran:
    if seogo("repair", "--help").code != Exit.DONE:
        pytest.skip("there is no seogo repair yet")
    return seogo("repair", "--archive", story.archive)
