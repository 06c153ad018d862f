"""The bundle for a bug report: what is in it, and, by canaries planted everywhere, what is not."""

from __future__ import annotations

import base64
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.cli.exit_codes import Exit
from flows.replica.server import Replica
from storage.layout import LAST_RUN
from tests.support.archives import import_documents, write_document
from tests.support.command import Ran, hasty_topic, seogo, small_corpus
from tests.support.naver.small import OLD, article_page, html, list_page, path_of, small_naver, small_topic
from tests.support.secrets import ECHOES, KEYS, echoing_api, leaks
from tests.support.servers.http import reply
from tests.support.values import article

CANARY = "CANARYTEXT"
ALONE = {"PREFECT_SERVER_API_PORT": "9"}
"""No Prefect server of this machine is looked for."""
PARTS = ["archive.json", "checks.json", "settings.json", "software.json"]


@pytest.fixture(scope="module")
def naver() -> Iterator[Replica]:
    with Replica(small_corpus(), pace=1.0) as running:
        yield running


def bundled(folder: Path, env: dict[str, str | Path]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The parts of a bundle, and every byte that the command left: the file, its parts, what it printed."""
    file = folder / "bundle.zip"
    ran = seogo("doctor", "--json", "--bundle", file, env=ALONE | env)
    assert ran.code in (Exit.DONE, Exit.CHECK_FAILED), ran.err
    with zipfile.ZipFile(file) as bundle:
        raw = {name: bundle.read(name) for name in sorted(bundle.namelist())}
    assert list(raw) == PARTS
    every = raw | {"the file": file.read_bytes(), "printed": said(ran)}
    return {name: json.loads(data) for name, data in raw.items()}, every


def said(ran: Ran) -> bytes:
    return f"{ran.out}{ran.err}".encode()


# -- what is in it


def test_what_a_bug_report_needs(tmp_path: Path, naver: Replica) -> None:
    root, topic = tmp_path / "archive", hasty_topic(tmp_path)
    import_documents(root, write_document(tmp_path / "old", article(1)))
    env: dict[str, str | Path] = {
        "SEOGO_NAVER": naver.url,
        "SEOGO_ARCHIVE": root,
        "SEOGO_TOPIC": topic,
        "HOME": tmp_path,
    }
    parts, _ = bundled(tmp_path, env)
    names = {check["name"] for check in parts["checks.json"]["checks"]}
    assert {"python", "archive", "robots.txt", "article", "prefect"} <= names
    assert parts["checks.json"]["made_at"].startswith("20")
    assert parts["software.json"]["packages"]["duckdb"]
    assert parts["settings.json"]["archive"] == "~/archive"
    assert parts["settings.json"]["topic"]["limits"]["tries"] == 2
    assert {"SEOGO_NAVER", "SEOGO_TOPIC"} <= set(parts["settings.json"]["environment"])
    assert parts["archive.json"]["articles"] == [["imported", 1]]
    assert parts["archive.json"]["files"]["writer.duckdb"] > 0
    ((command, _, _, reason),) = parts["archive.json"]["runs"]
    assert (command, reason) == ("import", "done")


def test_of_what_cannot_be_read_nothing_is_in_it(tmp_path: Path) -> None:
    env: dict[str, str | Path] = {"SEOGO_TOPIC": tmp_path / "none.yaml", "SEOGO_ARCHIVE": tmp_path / "none"}
    parts, _ = bundled(tmp_path, env)
    assert parts["archive.json"] == {"files": {}}
    assert parts["settings.json"]["topic"] is None
    levels = {check["name"]: check["level"] for check in parts["checks.json"]["checks"]}
    assert (levels["topic"], levels["archive"]) == ("error", "ok")


def test_a_bundle_that_cannot_be_written(tmp_path: Path) -> None:
    ran = seogo("doctor", "--bundle", tmp_path / "none" / "bundle.zip", env=ALONE | {"SEOGO_TOPIC": tmp_path / "none"})
    assert ran.code == Exit.STORAGE_FAULT
    assert "No such file or directory. Name another with --bundle FILE." in ran.complaint


# -- canaries


@pytest.mark.parametrize(("trick", "good"), [*((trick, True) for trick in ECHOES), ("nothing", False)])
def test_no_key_whatever_the_search_api_sends_back(tmp_path: Path, naver: Replica, trick: str, good: bool) -> None:
    topic = hasty_topic(tmp_path)
    sources = "".join(f"  - {{type: search_api, endpoint: {name}, name: {name}}}\n" for name in ("openapi", "apihub"))
    topic.write_text(f"{topic.read_text('utf-8')}sources:\n{sources}", "utf-8")
    with echoing_api(naver, trick, good=good) as (url, received):
        env: dict[str, str | Path] = {"SEOGO_NAVER": url, "SEOGO_TOPIC": topic, "SEOGO_ARCHIVE": tmp_path / "archive"}
        _, every = bundled(tmp_path, {**env, **KEYS})
    assert set(received) == set(KEYS.values())
    assert leaks(every) == []


def test_no_key_of_a_prefect_server(tmp_path: Path) -> None:
    secret = KEYS["NAVER_CLIENT_SECRET"]
    env: dict[str, str | Path] = {
        "PREFECT_API_URL": f"http://me:{secret}@127.0.0.1:9/api",
        "PREFECT_API_AUTH_STRING": f"me:{secret}",
        "SEOGO_TOPIC": tmp_path / "none",
    }
    parts, every = bundled(tmp_path, env)
    (check,) = [check for check in parts["checks.json"]["checks"] if check["name"] == "prefect server"]
    assert check["level"] == "error"
    assert "http://127.0.0.1:9/api" in check["found"]
    assert leaks(every) == []


def canaries(folder: Path) -> Path:
    """A topic file whose private fields hold the canary."""
    topic = small_topic(folder, tries=1)
    private = f"contact: {CANARY}@archive.kr\nrobots: permitted\npermission: {CANARY}\n"
    topic.write_text(topic.read_text("utf-8") + private, "utf-8")
    return topic


def page(article_id: str) -> str:
    """An article that says the canary wherever an article says anything."""
    return article_page(
        article_id,
        title=f'<h2 class="media_end_head_headline">독자 AI 파운데이션 모델 {CANARY}</h2>',
        body=f"독자 AI 파운데이션 모델 사업 {CANARY}.<br><br>{CANARY} 기자 {CANARY}@gaon.kr",
    )


BROKEN = {
    "an article": lambda article_id: html(page(article_id)),
    "a page of another form": lambda article_id: html(f"<html><body><p>{CANARY}</p></body></html>"),
    "a deleted article": lambda article_id: html(f"<html><body>삭제된 기사입니다 {CANARY}</body></html>"),
    "a refusal": lambda article_id: reply(CANARY.encode(), f"403 {CANARY}"),
    "a fault": lambda article_id: reply(CANARY.encode(), f"503 {CANARY}"),
    "a redirect": lambda article_id: reply(b"", f"302 {CANARY}", [f"Location: https://{CANARY}.example/{CANARY}"]),
    "no HTTP": lambda article_id: f"{CANARY}\r\n\r\n".encode(),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_no_text_whatever_lies_in_the_archive_and_on_the_pages(tmp_path: Path, fault: str) -> None:
    root, topic = tmp_path / "archive", canaries(tmp_path)
    with small_naver() as naver:
        naver.strange["/robots.txt"] = reply(f"# {CANARY}\nUser-agent: *\nDisallow: /{CANARY}\n".encode())
        naver.titles = dict.fromkeys(OLD, f"독자 AI 파운데이션 모델 {CANARY}")
        good, odd = OLD
        naver.strange[path_of(good)] = html(page(good))
        naver.strange[path_of(odd)] = BROKEN[fault](odd)
        env: dict[str, str | Path] = {"SEOGO_NAVER": naver.url, "SEOGO_ARCHIVE": root, "SEOGO_TOPIC": topic}
        seogo("crawl", env=env)
        planted = [path for path in root.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
        assert root / LAST_RUN in planted
        assert any(path.suffix == ".md" for path in planted)
        naver.strange[path_of(good)] = BROKEN[fault](good)
        naver.strange["/main/list.naver"] = html(list_page(OLD, naver.titles) + f"<p>{CANARY}</p>")
        _, every = bundled(tmp_path, env)
    assert [name for name, data in every.items() if holds_canary(data)] == []


def holds_canary(data: bytes) -> bool:
    forms = (CANARY.encode(), base64.b64encode(CANARY.encode())[:-4], CANARY.encode("utf-16-le"))
    return any(form.lower() in data.lower() for form in forms)


def test_the_search_for_canaries_finds_them() -> None:
    assert holds_canary(b"x canaryText x")
    assert holds_canary(base64.b64encode(CANARY.encode()))
    assert not holds_canary(b"canary")
