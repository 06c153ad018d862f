"""`seogo demo`, as a user runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from storage.archive import open_archive
from tests.support.archives import archived_ids, store_new
from tests.support.command import environment, process, seogo, without_progress
from tests.support.values import key

SEOGO = str(Path(sys.executable).with_name("seogo"))


def test_the_demo_shows_it_all_in_place_of_an_earlier_one_and_leaves_nothing_running(tmp_path: Path) -> None:
    archive = tmp_path / "demo archive"
    (tmp_path / "flows").mkdir()  # a directory of the user with the name of our package
    with open_archive(archive) as earlier:
        store_new(earlier, 1)
    (archive / ".demo").touch()
    # A session of its own, so that every process that it starts can be found.
    with subprocess.Popen(
        [SEOGO, "demo", "--archive", str(archive)],
        env=environment(SEOGO_TOPIC="none.yaml", SEOGO_NAVER="nonsense", PATH="/usr/bin"),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        out, err = running.communicate(timeout=120)
    assert (running.returncode, without_progress(err)) == (0, "")
    assert processes_of(running.pid) == []
    check_shown(out)
    assert (archive / ".demo").is_file(), "the next demo would not know it"
    assert key(1).id not in archived_ids(archive)
    assert seogo("verify", "--archive", archive).code == 0


def processes_of(session: int) -> list[str]:
    """The processes of a session that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text("utf-8").rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(path.parent.name)
    return found


def check_shown(out: str) -> None:
    steps = [
        "1. crawl",
        "done: ",
        "2. crawl again",
        "nothing_new: ",
        "3. the file of an article",
        "\n---\nid: ",
        "4. a question",
        "5. who wrote it first",
        " first_id ",
        "6. a search",
        " articles, 3 shown\n",
    ]
    at = [out.find(step) for step in steps]
    assert -1 not in at
    assert at == sorted(at)
    assert "네이버클라우드" in out.partition("4. a question")[2]
    # The commands can be typed as they are shown: `seogo` is not on the path, and the name of the archive has a space.
    assert f"{SEOGO} status --archive '" in out
    assert f"{SEOGO} serve --archive '" in out.splitlines()[-2]


def test_the_demo_leaves_other_folders_alone(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "letters.md").touch()
    ran = process("demo", "--archive", own)
    assert ran.code == 2
    assert "was not made by a demo" in ran.complaint
    assert [path.name for path in own.iterdir()] == ["letters.md"]
