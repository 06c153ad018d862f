"""`seogo doctor` as it is used: what it prints, its exit code, and that it leaves everything as it was."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.cli.exit_codes import Exit
from flows.replica.corpus.articles import Corpus
from flows.replica.faults import Behaviour, Fault, Rule
from flows.replica.log import forbidden_fetches
from flows.replica.pages.notices import Robots
from flows.replica.server import Replica
from storage.layout import LAST_RUN, SNAPSHOT, WRITER_DATABASE
from storage.state.lease import lease
from tests.support import command
from tests.support.checks import tree
from tests.support.command import Ran, crawling, ending, process, seogo, start

ALONE = {"PREFECT_SERVER_API_PORT": "9"}
"""No Prefect server of this machine is looked for."""


@pytest.fixture(scope="module")
def server(corpus: Corpus) -> Iterator[Replica]:
    """A replica whose clock runs."""
    with Replica(corpus, pace=1.0) as replica:
        yield replica


@pytest.fixture(scope="module")
def crawled(server: Replica, tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = tmp_path_factory.mktemp("crawled") / "archive"
    assert seogo("crawl", "--limit", "5", env=crawling(server, archive)).code == Exit.DONE
    return archive


@pytest.fixture
def archive(crawled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(crawled, tmp_path / "archive"))


def doctor(naver: Replica, archive: Path, *words: str | Path, **env: str | Path) -> Ran:
    """The command; nothing of the archive is touched."""
    before = tree(archive)
    ran = seogo("doctor", *words, env={**crawling(naver, archive), **ALONE, **env})
    assert tree(archive) == before
    return ran


def levels(ran: Ran) -> dict[str, str]:
    return {check["name"]: check["level"] for check in ran.json["checks"]}


def test_all_is_well(naver: Replica, archive: Path) -> None:
    ran = doctor(naver, archive)
    assert (ran.code, ran.err) == (Exit.DONE, "")
    lines = ran.out.splitlines()
    assert all(line.startswith("ok  ") for line in lines[:-1])
    assert lines[-1] == f"{len(lines) - 1} checks: {len(lines) - 1} ok"
    assert any("5 articles, published 0 min ago" in line for line in lines)


def test_before_the_first_run_there_is_no_archive_and_none_comes_of_it(
    naver: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = doctor(naver, tmp_path / "archive")
    assert ran.code == Exit.DONE
    assert "does not exist yet: the first crawl or import creates it" in ran.out
    assert list(tmp_path.iterdir()) == []


def test_a_warning_says_what_to_do_and_is_no_failure(naver: Replica, archive: Path) -> None:
    naver.behaviour = Behaviour(robots=Robots.FORBID)
    ran = doctor(naver, archive)
    assert ran.code == Exit.DONE
    lines = ran.out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("warning  robots.txt"))
    assert "n.news.naver.com forbids articles" in lines[at]
    assert "-> runs keep what the sources say" in lines[at + 1]
    assert lines[-1].endswith(" warning")
    assert forbidden_fetches(naver.log.entries) == []


def test_an_error_is_an_exit_code(naver: Replica, archive: Path) -> None:
    naver.behaviour = Behaviour(rules=(Rule(Fault.NO_BODY, host="n.news.naver.com"),))
    ran = doctor(naver, archive)
    assert ran.code == Exit.CHECK_FAILED
    assert "error    article" in ran.out
    assert ran.out.splitlines()[-1].endswith(" ok, 1 error")


def test_for_machines(naver: Replica, archive: Path) -> None:
    (archive / WRITER_DATABASE).unlink()
    ran = doctor(naver, archive, "--json")
    assert ran.code == Exit.CHECK_FAILED
    assert ran.json["level"] == "error"
    (check,) = [check for check in ran.json["checks"] if check["level"] != "ok"]
    assert check == {
        "name": "state",
        "level": "error",
        "found": "state/writer.duckdb is missing",
        "todo": "run: seogo repair",
    }


def test_what_is_damaged_keeps_nothing_else_from_being_checked(naver: Replica, archive: Path) -> None:
    for path in (archive / "state").iterdir():
        if path.suffix == ".json":
            path.write_bytes(b"\xff" * 20)
    (archive / SNAPSHOT).write_bytes(b"\x00" * 5000)
    (archive / LAST_RUN).unlink()
    (archive / LAST_RUN).mkdir()
    ran = doctor(naver, archive, "--json")
    assert ran.code == Exit.CHECK_FAILED
    assert (levels(ran)["state"], levels(ran)["snapshot"], levels(ran)["article"]) == ("warning", "error", "ok")
    assert ran.err == ""


def test_a_mistake_in_a_topic_file_is_a_finding_without_a_request(naver: Replica, archive: Path) -> None:
    topic = archive.with_name("mine.yaml")
    topic.write_text("name: mine\n", "utf-8")
    ran = doctor(naver, archive, "--json", "--topic", topic)
    assert ran.code == Exit.CHECK_FAILED
    assert levels(ran)["topic"] == "error"
    assert {"archive", "snapshot", "clock", "prefect"} <= set(levels(ran))
    assert naver.log.entries == ()


def test_nobody_is_reached(naver: Replica, archive: Path) -> None:
    ran = doctor(naver, archive, "--json", SEOGO_NAVER="http://127.0.0.1:9")
    assert ran.code == Exit.CHECK_FAILED
    assert levels(ran)["network"] == "error"
    assert "article" not in levels(ran)


def test_missing_libraries_are_all_that_is_reported(
    naver: Replica, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = ["aiohttp", "duckdb", "fastwarc", "filelock", "httpx", "prefect", "protego", "pyarrow", "selectolax"]
    program = (
        "import importlib.metadata as installed, sys\n"
        "def version(name, real=installed.version):\n"
        f"    if name in {missing}: raise installed.PackageNotFoundError(name)\n"
        "    return real(name)\n"
        "installed.version = version\n"
        f"sys.modules.update(dict.fromkeys({missing}))\n"
        "from flows.cli.app import main; main()"
    )
    monkeypatch.setattr(command, "COMMAND", (sys.executable, "-P", "-c", program))
    ran = process("doctor", "--json", env={**crawling(naver, archive), "PREFECT_API_URL": "http://127.0.0.1:9/api"})
    assert ran.code == Exit.CHECK_FAILED, ran.err
    assert levels(ran) == {"python": "ok", "libraries": "error"}
    assert "duckdb is missing; fastwarc is missing" in ran.json["checks"][1]["found"]


def test_a_bundle_is_announced(naver: Replica, archive: Path) -> None:
    file = archive.with_name("report.zip")
    ran = doctor(naver, archive, "--bundle", file)
    assert ran.code == Exit.DONE
    assert f"for a bug report: {file}" in ran.out
    assert file.stat().st_size > 0


def test_another_process_may_write_all_the_while(naver: Replica, archive: Path) -> None:
    naver.behaviour = Behaviour(rules=(Rule(Fault.SLOW, host="search.naver.com", seconds=0.5),))
    taken = 0
    with ending(start("doctor", env={**crawling(naver, archive), **ALONE})) as running:
        while running.poll() is None:
            with lease(archive / "state", now=datetime.now(UTC)):
                taken += 1
        assert running.returncode == Exit.DONE
    assert taken > 1


def test_prefect_is_not_imported_where_it_is_not_in_use(
    naver: Replica, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = (
        "import sys; from flows.cli.app import main\n"
        "try: main()\n"
        "finally: print('prefect' in sys.modules, 'httpx' in sys.modules)"
    )
    monkeypatch.setattr(command, "COMMAND", (sys.executable, "-P", "-c", program))
    ran = process("doctor", env={**crawling(naver, archive), **ALONE})
    assert ran.code == Exit.DONE
    assert ran.out.splitlines()[-1] == "False True"
    assert "not used here" in ran.out
