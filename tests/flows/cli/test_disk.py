"""A full disk and a read-only directory: an error of one line, and nothing is lost once there is space again."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.cli.exit_codes import Exit
from flows.replica.server import Replica
from tests.support.archives import archived_ids
from tests.support.command import Ran, crawling, seogo
from tests.support.disks import fill, mount, needs_a_disk

pytestmark = needs_a_disk


@pytest.fixture(scope="module")
def whole(server: Replica, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What a crawl with enough space archives."""
    archive = tmp_path_factory.mktemp("whole") / "archive"
    assert seogo("crawl", env=crawling(server, archive)).code == Exit.DONE
    return archived_ids(archive)


def check_said(ran: Ran) -> None:
    assert ran.code == Exit.STORAGE_FAULT, ran.err
    assert "No space left on device" in ran.complaint
    assert ran.out == ""


def check_goes_on(naver: Replica, archive: Path, expected: set[str]) -> None:
    ran = seogo("crawl", env=crawling(naver, archive))
    assert ran.code == Exit.DONE, ran.err
    assert archived_ids(archive) == expected
    assert seogo("verify", "--archive", archive).out.endswith("all agree\n")


# The size of the disk decides which step runs out of space: the sizes reach one step after another.
@pytest.mark.parametrize("kilobytes", [20, 90, 300, 600, 800, 1100, 1500, 3000])
@pytest.mark.every(4)
def test_a_crawl_onto_a_disk_that_fills_up(naver: Replica, disk: Path, whole: set[str], kilobytes: int) -> None:
    mount(disk, f"size={kilobytes}k", "-t", "tmpfs")
    check_said(seogo("crawl", "--json", env=crawling(naver, disk / "archive")))
    mount(disk, "remount,size=64m")
    check_goes_on(naver, disk / "archive", whole)


@pytest.mark.parametrize("left", [0, 8, 64, 256, 1024])
@pytest.mark.every(2)
def test_a_disk_that_is_full_before_the_second_run(naver: Replica, disk: Path, whole: set[str], left: int) -> None:
    mount(disk, "size=64m", "-t", "tmpfs")
    archive = disk / "archive"
    assert seogo("crawl", "--limit", "5", env=crawling(naver, archive)).code == Exit.DONE
    before = archived_ids(archive)
    fill(disk, left * 1024)
    check_said(seogo("crawl", env=crawling(naver, archive)))
    # Readers still have what was published.
    assert archived_ids(archive) >= before
    (disk / "filler").unlink()
    check_goes_on(naver, archive, whole)


def test_an_import_onto_a_disk_that_fills_up(naver: Replica, disk: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    seogo("crawl", "--limit", "30", env=crawling(naver, source))
    mount(disk, "size=700k", "-t", "tmpfs")
    check_said(seogo("import", source / "articles", "--archive", disk / "archive"))
    mount(disk, "remount,size=64m")
    assert seogo("import", source / "articles", "--archive", disk / "archive").code == Exit.DONE
    named = {path.stem for path in (source / "articles").rglob("*.md")}
    assert named <= archived_ids(disk / "archive")


def test_a_folder_that_is_read_only(naver: Replica, disk: Path) -> None:
    mount(disk, "size=64m", "-t", "tmpfs")
    archive = disk / "archive"
    seogo("crawl", "--limit", "1", env=crawling(naver, archive))
    mount(disk, "remount,ro")
    for ran in (
        seogo("crawl", env=crawling(naver, archive)),
        seogo("crawl", env=crawling(naver, disk / "new")),
        seogo("import", __file__, "--archive", archive),
        seogo("verify", "--archive", archive),
        seogo("demo", "--archive", disk / "demo"),
    ):
        assert ran.code == Exit.STORAGE_FAULT
        assert "Read-only file system" in ran.complaint
    # Reading needs no write permission.
    assert seogo("sql", "SELECT count(*) AS n FROM articles", "--format", "json", "--archive", archive).json == [
        {"n": 1}
    ]
    assert seogo("status", "--archive", archive).code == Exit.DONE
