"""`seogo crawl` as people and schedulers use it: exit codes, receipt, Ctrl-C, two at once."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from flows.cli.exit_codes import Exit
from flows.cli.show.meter import Meter
from flows.replica.corpus.articles import Corpus
from flows.replica.faults import Behaviour, Fault, Rule
from flows.replica.pages.notices import Robots
from flows.replica.server import Replica
from schemas.article import Outcome
from tests.support.archives import archived_ids
from tests.support.command import (
    COMMAND,
    NNEWS,
    Ran,
    crawling,
    ending,
    environment,
    hasty_topic,
    process,
    seogo,
    start,
    without_progress,
)
from tests.support.paths import ROOT
from tests.support.values import receipt

SLOW = Behaviour(rules=(Rule(Fault.SLOW, host=NNEWS, path="/article/", seconds=0.3),))


@pytest.fixture(scope="module")
def whole(server: Replica, tmp_path_factory: pytest.TempPathFactory) -> tuple[set[str], Ran]:
    """What an uninterrupted crawl archives, and how it ended."""
    archive = tmp_path_factory.mktemp("whole") / "archive"
    server.behaviour = Behaviour()
    ran = seogo("crawl", "--json", env=crawling(server, archive))
    return archived_ids(archive), ran


# -- how runs end


def test_done_and_then_nothing_new(naver: Replica, tmp_path: Path) -> None:
    env = crawling(naver, tmp_path / "archive")
    first, again = (seogo("crawl", env=env) for _ in range(2))
    assert (first.code, first.err) == (0, "")
    assert re.search(r"^ new +[1-9]", first.out, re.MULTILINE)
    assert "done: every find ended in an outcome." in first.out
    assert again.code == 0
    assert "nothing_new: " in again.out
    # Outside a terminal, lines are not wrapped.
    assert again.out.rstrip().splitlines()[-1].startswith("nothing_new: ")


def test_a_run_with_nothing_new_imports_only_what_it_needs(naver: Replica, tmp_path: Path) -> None:
    """More than half of the processor time of such a run goes into imports."""
    env = crawling(naver, tmp_path / "archive")
    assert seogo("crawl", env=env).code == 0
    words = [sys.executable, "-X", "importtime", *COMMAND[1:], "crawl", "--json"]
    again = subprocess.run(words, env=environment(**env), check=True, capture_output=True, text=True)
    assert json.loads(again.stdout)["exit_reason"] == "nothing_new"
    imported = {line.rpartition("|")[2].strip() for line in again.stderr.splitlines()}
    assert {"duckdb", "httpx", "storage.search.index"} <= imported
    assert imported.isdisjoint(
        {
            *("pyarrow", "numpy", "rich", "prefect", "uvicorn", "jinja2", "obstore"),
            *("storage.search.tokens", "storage.inbox", "flows.pipeline.hand_out", "flows.serving", "flows.replica"),
        }
    )


def test_the_receipt_is_all_that_stands_on_standard_output(whole: tuple[set[str], Ran]) -> None:
    _, ran = whole
    assert (ran.code, ran.err) == (0, "")
    assert set(ran.json["outcomes"]) == {outcome.value for outcome in Outcome}
    assert len(ran.json["outcomes"]) == 10
    assert sum(ran.json["outcomes"].values()) == ran.json["finds"] > 0
    assert ran.json["exit_reason"] == "done"


@pytest.mark.parametrize(
    ("behaviour", "code", "reason"),
    [
        (Behaviour(rules=(Rule(Fault.RENAMED, host=NNEWS, old="dic_area", new="dic_zone"),)), 4, "layout_changed"),
        (Behaviour(rules=(Rule(Fault.FORBIDDEN, host=NNEWS, path="/article/"),)), 5, "blocked"),
        (Behaviour(rules=(Rule(Fault.TOO_MANY, host=NNEWS, path="/article/", retry_after=600),)), 5, "blocked"),
        (Behaviour(rules=(Rule(Fault.SERVER_ERROR, host="search.naver.com"),)), 6, "partly_failed"),
    ],
    ids=["layout", "forbidden", "too many", "a source fails"],
)
def test_a_run_that_did_not_do_its_job_says_so(
    naver: Replica, tmp_path: Path, behaviour: Behaviour, code: int, reason: str
) -> None:
    naver.behaviour = behaviour
    ran = seogo("crawl", "--json", env=crawling(naver, tmp_path / "archive", hasty_topic(tmp_path)))
    assert (ran.code, ran.json["exit_reason"]) == (code, reason)
    assert ran.json["explanation"]


def test_sources_that_name_nothing_are_no_success(corpus: Corpus, tmp_path: Path) -> None:
    with Replica(corpus, now=corpus.first - timedelta(days=30)) as naver:
        ran = seogo("crawl", env=crawling(naver, tmp_path / "archive"))
    assert ran.code == Exit.NOTHING_DISCOVERED
    assert "nothing_discovered: no source named an article" in ran.out


def test_no_network_is_no_success(tmp_path: Path) -> None:
    topic, archive = hasty_topic(tmp_path), tmp_path / "archive"
    nowhere = {"SEOGO_NAVER": "http://127.0.0.1:9", "NAVER_CLIENT_ID": "id", "NAVER_CLIENT_SECRET": "secret"}
    ran = seogo("crawl", env={**nowhere, "SEOGO_ARCHIVE": archive, "SEOGO_TOPIC": topic})
    assert (ran.code, ran.err) == (Exit.OFFLINE, "")
    assert "offline: no host can be reached (127.0.0.1: Connection refused)" in ran.out
    assert "gap:" not in ran.out


def test_without_a_key_and_with_a_wrong_one_the_rest_is_crawled(naver: Replica, tmp_path: Path) -> None:
    env = crawling(naver, tmp_path / "archive")
    without = seogo("crawl", env={**env, "NAVER_CLIENT_SECRET": ""})
    assert without.code == Exit.PARTLY_FAILED
    # Twelve queries fail for one reason, which is printed once for the sources, and once for the gaps.
    for beginning in ("search_api:", "gap: search_api:"):
        (line,) = [line for line in without.out.splitlines() if line.startswith(beginning)]
        assert " and 11 more: " in line
    wrong = seogo("crawl", "--json", env={**env, "NAVER_CLIENT_SECRET": "canary-7431"})
    assert wrong.code == Exit.PARTLY_FAILED
    assert "canary" not in wrong.out + wrong.err


def test_a_run_of_another_topic_is_noted(naver: Replica, tmp_path: Path) -> None:
    topic = hasty_topic(tmp_path)
    env = crawling(naver, tmp_path / "archive", topic)
    assert "note:" not in seogo("crawl", "--limit", "1", env=env).out
    topic.write_text(f"{topic.read_text('utf-8')}\nname: chips\n", "utf-8")
    ran = seogo("crawl", "--limit", "1", env=env)
    assert "note: the run before this one was of the topic demo, and this one is of chips: " in ran.out
    assert "of the topic" not in seogo("crawl", "--limit", "1", env=env).out


def test_permission_is_repeated_by_every_run(naver: Replica, tmp_path: Path) -> None:
    naver.behaviour = Behaviour(robots=Robots.FORBID)
    topic = hasty_topic(tmp_path)
    topic.write_text(f"{topic.read_text('utf-8')}robots: permitted\npermission: 계약 2026-7호\n", "utf-8")
    ran = seogo("crawl", "--limit", "3", env=crawling(naver, tmp_path / "archive", topic))
    assert "by permission: 계약 2026-7호" in ran.out


def test_the_placeholder_contact_is_warned_of_only_where_naver_would_see_it(naver: Replica, tmp_path: Path) -> None:
    env = crawling(naver, tmp_path / "archive")
    assert "placeholder" not in seogo("crawl", "--limit", "1", env=env).err
    # The real Naver, never reached: a path inside a file cannot be an archive.
    (tmp_path / "file").touch()
    ran = seogo("crawl", env={**env, "SEOGO_NAVER": "", "SEOGO_ARCHIVE": tmp_path / "file" / "archive"})
    assert "seogo: warning: contact seogo-demo@example.org is a placeholder" in ran.err
    assert ran.code == Exit.STORAGE_FAULT


# -- addresses by hand


def test_addresses_by_option_and_by_file(naver: Replica, tmp_path: Path) -> None:
    keys = [one.key for one in naver.corpus.articles if one.key and not one.gone_at and not one.subject.arena][:4]
    assert len(keys) == 4
    file = tmp_path / "addresses.txt"
    file.write_bytes(f"\ufeff# by hand\n\n  {keys[2].url}?sid=105\n{keys[3].url}\r\n{keys[0].url}\n".encode())
    env = crawling(naver, tmp_path / "archive")
    words = ["--url", keys[0].url, "--url", keys[1].url.replace("/mnews", ""), "--from-file", str(file)]
    ran = seogo("crawl", "--json", *words, env=env)
    assert (ran.code, ran.json["finds"], ran.json["sources"]) == (0, 4, [])
    assert archived_ids(tmp_path / "archive") == {key.id for key in keys}
    piped = seogo("crawl", "--json", "--from-file", "-", env=env, stdin=keys[0].url.encode())
    assert (piped.json["finds"], piped.json["exit_reason"]) == (1, "nothing_new")


# -- Ctrl-C


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_an_interrupted_run_is_taken_up_where_it_was_left(
    naver: Replica, tmp_path: Path, whole: tuple[set[str], Ran], number: signal.Signals
) -> None:
    archive = tmp_path / "archive"
    code, out, err = _interrupted(naver, archive, [number])
    assert code == Exit.INTERRUPTED
    assert err == "seogo: stopping after what was fetched is stored. Interrupt again to stop now.\n"
    result = json.loads(out)
    assert (result["exit_reason"], result["outcomes"]["deferred"] > 0) == ("interrupted", True)
    _check_taken_up(naver, archive, whole[0])


def test_a_second_interrupt_ends_at_once_and_loses_nothing(
    naver: Replica, tmp_path: Path, whole: tuple[set[str], Ran]
) -> None:
    archive = tmp_path / "archive"
    code, out, err = _interrupted(naver, archive, [signal.SIGINT, signal.SIGINT])
    assert (code, out) == (Exit.INTERRUPTED, "")
    assert "Traceback" not in err
    _check_taken_up(naver, archive, whole[0])


def _interrupted(naver: Replica, archive: Path, numbers: list[signal.Signals]) -> tuple[int, str, str]:
    """Start a crawl and interrupt it while it fetches articles. Returns its exit code and its output."""
    naver.behaviour = SLOW
    asked = len(naver.log.entries)
    with ending(start("crawl", "--json", env=crawling(naver, archive))) as crawl:
        _wait(lambda: sum("/article/" in entry.target for entry in naver.log.entries[asked:]) >= 20)
        for number in numbers:
            crawl.send_signal(number)
            time.sleep(0.02)
        out, err = crawl.communicate(timeout=20)
        return crawl.returncode, out, without_progress(err)


def _check_taken_up(naver: Replica, archive: Path, expected: set[str]) -> None:
    naver.behaviour = Behaviour()
    assert seogo("crawl", env=crawling(naver, archive)).code == Exit.DONE
    assert archived_ids(archive) == expected
    assert seogo("verify", "--archive", archive).code == Exit.DONE


def _wait(met: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.01)


# -- two at once

_HOLDER = """
import sys
from pathlib import Path
from storage.archive import open_archive
with open_archive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has `tmp_path / archive` open for writing until it reads a line."""
    command = [sys.executable, "-c", _HOLDER, str(tmp_path / "archive")]
    started = subprocess.Popen(command, env=environment(), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with ending(started) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        yield other


def test_a_busy_archive_names_its_holder(naver: Replica, tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    (tmp_path / "a.md").touch()
    for words in (["crawl"], ["import", tmp_path / "a.md"], ["verify"], ["crawl", "--wait", "0.2"]):
        ran = seogo(*words, env=crawling(naver, tmp_path / "archive"))
        assert (ran.code, ran.out) == (Exit.ARCHIVE_BUSY, "")
        assert f"process {holder.pid} on " in ran.complaint
        assert re.search(r" has been writing to it since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\. ", ran.complaint)


def test_wait_outlasts_the_other(naver: Replica, tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with ending(start("crawl", "--limit", "1", "--wait", "20", env=crawling(naver, tmp_path / "archive"))) as crawl:
        time.sleep(1.0)
        assert crawl.poll() is None
        holder.communicate("leave\n", timeout=10)
        out, err = crawl.communicate(timeout=20)
    assert (crawl.returncode, without_progress(err)) == (0, "")
    assert "done: " in out


def test_reading_goes_on_while_another_writes(naver: Replica, tmp_path: Path) -> None:
    env = crawling(naver, tmp_path / "archive")
    seogo("crawl", "--limit", "3", env=env)
    naver.behaviour = SLOW
    with ending(start("crawl", "--since", "2026-01-01", env=env)) as crawl:
        _wait((tmp_path / "archive" / "state" / "open_capture").exists)
        assert seogo("sql", "SELECT count(*) AS n FROM articles", "--format", "json", env=env).json == [{"n": 3}]
        assert f"process {crawl.pid} on " in seogo("status", env=env).out
        assert seogo("status", "--json", env=env).json["writer"]["pid"] == crawl.pid
        assert crawl.poll() is None
    assert "writer" not in seogo("status", "--json", env=env).json


# -- archives that cannot be written


def test_an_archive_that_cannot_be_made(naver: Replica, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "a.md").touch()
    for words in (["crawl"], ["import", tmp_path / "a.md"]):
        for place in (tmp_path / "file", tmp_path / "file" / "archive"):
            ran = seogo(*words, env=crawling(naver, place))
            assert ran.code == Exit.STORAGE_FAULT
            assert "cannot be created" in ran.complaint


# -- progress


def test_progress_goes_to_standard_error_in_plain_lines(naver: Replica, tmp_path: Path) -> None:
    naver.behaviour = SLOW
    script = (
        "import flows.cli.show.progress, flows.cli.app, sys\n"
        "flows.cli.show.progress.FIRST_LINE_AFTER = 0.2\n"
        "sys.argv = ['seogo', 'crawl', '--json']\n"
        "flows.cli.app.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(**crawling(naver, tmp_path / "archive")),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["exit_reason"] == "done"
    lines = done.stderr.splitlines()
    assert len(lines) >= 2
    for line in lines:
        assert line.startswith("crawl: ")
        assert "\x1b" not in line
    # The last line may be about the step after the finds.
    assert any(re.search(r"\d+ of \d+ finds", line) for line in lines)


def test_the_meter_goes_on_between_the_reports_of_batches() -> None:
    now = 0.0
    meter = Meter("crawl", clock=lambda: now)
    assert meter.line() == "crawl: starting, 0:00:00"
    run = receipt()
    run.discovered = 300
    meter.report(run)
    now, run.pages_read = 10.0, 1
    assert "1 of 300 finds;" in meter.line()
    now, run.pages_read, run.requests, run.bytes = 20.0, 101, 110, 2_500_000
    assert meter.line() == "crawl: 101 of 300 finds, 10.0 per second, about 0:00:20 left; 110 requests, 2.5 MB, 0:00:20"
    run.outcomes[Outcome.NEW] = 101
    meter.report(run)
    assert meter.line().startswith("crawl: 101 of 300 finds, 10.0 per second, about 0:00:20 left; new 101;")
    run.advance("near-duplicates", 0, 101)
    assert meter.line().startswith("crawl: near-duplicates: 0 of 101; new 101;")
    run.advance("near-duplicates", 20, 101)
    assert "near-duplicates: 20 of 101;" in meter.line()
    now = 22.0
    run.advance("near-duplicates", 60, 101)
    assert "near-duplicates: 60 of 101, 20.0 per second, about 0:00:02 left;" in meter.line()


def test_the_same_topic_and_archive_by_option_as_by_environment(naver: Replica, tmp_path: Path) -> None:
    env = crawling(naver, tmp_path / "ignored", ROOT / "topics" / "foundation_model.yaml")
    words = ["--archive", str(tmp_path / "named"), "--topic", str(ROOT / "topics" / "demo.yaml")]
    assert process("crawl", "--limit", "1", *words, env=env).code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["named"]
