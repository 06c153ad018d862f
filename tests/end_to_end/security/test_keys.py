"""SECURITY.md, the promise about keys: they appear nowhere, whatever a server does with them."""

from __future__ import annotations

import gzip
import logging
import sys
from pathlib import Path

import duckdb
import pytest

from flows.replica.server import Replica
from flows.sources.api_keys import keys_from
from schemas.errors import MissingKey
from tests.support.command import Ran, hasty_topic, process, seogo
from tests.support.secrets import ECHOES, KEYS, all_bytes, echoing_api, leaks

HARMLESS = ("nothing", "a reason", "a redirect")


@pytest.mark.parametrize(
    ("echo", "good"),
    [
        ("nothing", True),
        ("nothing", False),
        ("a reason", True),
        ("a redirect", True),
        *((echo, True) for echo in ECHOES if echo not in HARMLESS),
    ],
)
def test_no_key_in_anything_that_a_crawl_leaves(
    tmp_path: Path, naver: Replica, caplog: pytest.LogCaptureFixture, echo: str, good: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    topic = api_topic(tmp_path)
    with echoing_api(naver, echo, good=good) as (url, received):
        env = KEYS | {"SEOGO_NAVER": url, "SEOGO_ARCHIVE": str(tmp_path / "archive"), "SEOGO_TOPIC": str(topic)}
        ran = seogo("crawl", "--limit", "3", env=env)
    assert set(received) == set(KEYS.values())
    status = seogo("status", env=env)
    output = f"{ran.out}{ran.err}{status.out}{status.err}{caplog.text}"
    assert leaks(all_bytes(tmp_path / "archive") | {"output": output.encode()}) == []


def api_topic(folder: Path) -> Path:
    """A topic with one query for both hosts of the Search API."""
    path = hasty_topic(folder, tries=1)
    sources = "".join(f"  - {{type: search_api, endpoint: {name}, name: {name}}}\n" for name in ("openapi", "apihub"))
    path.write_text(f"{path.read_text('utf-8')}sources:\n{sources}queries: [독자 AI 파운데이션 모델]\n", "utf-8")
    return path


def test_no_key_in_a_debug_log_or_the_traceback_of_a_bug(tmp_path: Path, naver: Replica) -> None:
    # A bug inside a run that has the keys, with the debug logs of all libraries.
    program = (
        "import logging, flows.runs.pipeline_run; logging.basicConfig(level=1); from flows.cli.app import main\n"
        "def assess_by(topic): raise RuntimeError(repr(topic)[:9])\n"
        "flows.runs.pipeline_run.assess_by = assess_by; main()"
    )
    topic = api_topic(tmp_path)
    with echoing_api(naver, "nothing") as (url, _):
        env = KEYS | {"SEOGO_NAVER": url, "SEOGO_ARCHIVE": str(tmp_path / "archive"), "PYTHONASYNCIODEBUG": "1"}
        ran = process_of(program, "crawl", "--topic", str(topic), env=env)
    assert "RuntimeError" in ran.err
    assert "DEBUG:" in ran.err
    assert leaks(all_bytes(tmp_path / "archive") | {"output": (ran.out + ran.err).encode()}) == []


def process_of(program: str, *words: str, env: dict[str, str]) -> Ran:
    from tests.support import command

    before = command.COMMAND
    try:
        command.COMMAND = (sys.executable, "-P", "-c", program)
        return process(*words, env=env)
    finally:
        command.COMMAND = before


def test_the_search_for_keys_finds_them_where_they_hide(tmp_path: Path) -> None:
    secret = KEYS["NAVER_CLIENT_SECRET"]
    (tmp_path / "plain").write_text(secret.upper(), "utf-8")
    (tmp_path / "a.warc.gz").write_bytes(gzip.compress(b"WARC/1.1\r\n" + gzip.compress(b"x" * 99 + secret.encode())))
    with duckdb.connect(str(tmp_path / "a.duckdb")) as made:
        made.execute("CREATE TABLE t AS SELECT repeat('x', 900) || ? AS body FROM range(5000)", [secret])
    assert {"a.duckdb, its rows", "a.warc.gz, unpacked", "plain"} <= {*leaks(all_bytes(tmp_path))}


def test_a_key_that_could_hide_in_an_error_is_refused_without_showing_it() -> None:
    good = {"NAVER_CLIENT_ID": " my-id\n", "NAVER_CLIENT_SECRET": "CANARY\n"}
    assert keys_from(good)["openapi"].headers("openapi")["X-Naver-Client-Secret"] == "CANARY"
    assert "CANARY" not in repr(keys_from(good))
    for odd in ("CANARY\r\nX: y", "CANARY\u200b", "CANARY&amp", 'CAN"ARY', "CAN ARY", "CAN\\ARY"):
        with pytest.raises(MissingKey, match="NAVER_CLIENT_SECRET") as raised:
            keys_from(good | {"NAVER_CLIENT_SECRET": odd})
        assert "CAN" not in str(raised.value)
