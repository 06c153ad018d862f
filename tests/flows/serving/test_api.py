"""The JSON API: records, cursors, the change feed, errors, its description."""

from __future__ import annotations

import os
import re
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from flows.serving.app import _API as ROUTES
from schemas.exported import ExportedArticle, ExportedChange
from tests.support.paths import ROOT
from tests.support.servers.serving import client_of, serving
from tests.support.values import key


def test_articles_are_exported_records_behind_a_cursor(web: httpx.Client) -> None:
    found: list[str] = []
    cursor = None
    while True:
        answer = web.get("/api/v1/articles", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        found += [ExportedArticle.model_validate(one).id for one in answer["articles"]]
        if not (cursor := answer["next"]):
            break
    assert len(found) == len(set(found)) == 6
    teams = web.get("/api/v1/articles", params={"team": "나래"}).json()["articles"]
    assert {one["id"] for one in teams} == {key(2).id, key(6).id}
    gone = web.get("/api/v1/articles", params={"status": "gone"}).json()["articles"]
    assert key(7).id in {one["id"] for one in gone}


def test_the_change_feed(web: httpx.Client) -> None:
    cursor, kinds = 0, []
    while True:
        answer = web.get("/api/v1/changes", params={"since": cursor, "limit": 3}).json()
        kinds += [ExportedChange.model_validate(change).kind for change in answer["changes"]]
        cursor = answer["cursor"]
        if not answer["more"]:
            break
    assert kinds.count("edited") == 2
    assert kinds.count("duplicate") == 3
    assert web.get("/api/v1/changes", params={"since": cursor}).json()["changes"] == []


def replace(root: Path, title: str) -> None:
    """Another state of the archive, put in place as a crawl does it."""
    part = root / "part.duckdb"
    shutil.copyfile(root / "archive.duckdb", part)
    with duckdb.connect(str(part)) as connection:
        connection.execute("UPDATE articles SET title = ?, publisher = ?", [title, title])
        connection.execute(
            "INSERT INTO events (seq, changed_at, kind, id, run_id)"
            " SELECT max(seq) + 1, max(changed_at), 'gone', any_value(id), any_value(run_id) FROM events"
        )
    os.replace(part, root / "archive.duckdb")  # noqa: PTH105 — atomic, as in storage.files


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    (tmp_path / "archive").mkdir()
    for name in ("archive.duckdb", "search.sqlite"):
        shutil.copyfile(root / name, tmp_path / "archive" / name)
    return tmp_path / "archive"


def test_waiting_for_a_change(copy: Path) -> None:
    with serving(copy) as url, client_of(url) as web, ThreadPoolExecutor(1) as beside:
        newest = web.get("/api/v1/health").json()["newest_change"]
        waiting = beside.submit(web.get, "/api/v1/changes", params={"since": newest, "wait": 30})
        replace(copy, "다음")
        assert [change["seq"] for change in waiting.result().json()["changes"]] == [newest + 1]
        assert "seogo_search_index_lag_changes 1.0" in web.get("/metrics").text


def test_no_request_fails_while_the_copy_is_replaced_and_each_answer_is_of_one_state(copy: Path) -> None:
    states = [f"상태 {number}" for number in range(6)]
    replace(copy, states[0])
    failed: list[object] = []
    stop = threading.Event()

    def ask(url: str) -> int:
        asked = 0
        with client_of(url) as web:
            while not stop.is_set():
                answer = web.get("/api/v1/articles", params={"all": 1})
                seen = {one["title"] for one in answer.json().get("articles", ())}
                if answer.status_code != 200 or len(seen) != 1 or not seen <= set(states):
                    failed.append((answer.status_code, answer.text[:300]))
                asked += 1
        return asked

    with serving(copy) as url, ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask, url) for _ in range(4)]
        for state in states[1:]:
            replace(copy, state)
        stop.set()
        assert sum(one.result() for one in asking) > 0
        with client_of(url) as web:
            assert states[-1] in web.get(f"/api/v1/articles/{key(1).id}").text
    assert failed == []


def test_what_is_unchanged_is_not_sent_again(web: httpx.Client) -> None:
    first = web.get("/api/v1/teams")
    again = web.get("/api/v1/teams", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/articles/001_9999999999", 404),
        ("/api/v1/stories/001_9999999999", 404),
        ("/api/v1/articles?cursor=zz", 400),
        ("/api/v1/articles?cursor=W251bGwsIDFd", 400),
        ("/api/v1/articles?limit=201", 400),
        ("/api/v1/changes?since=99999999999999", 400),
        ("/api/v1/search?q=%22", 400),
        ("/api/v1/nothing", 404),
    ],
)
def test_errors_are_problems(web: httpx.Client, path: str, status: int) -> None:
    answer = web.get(path)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["status"]) == (status, status)


def test_the_description_names_every_path_and_they_answer(web: httpx.Client) -> None:
    described = web.get("/api/v1/openapi.json").json()
    validate(described)
    served = {route.path for route in ROUTES} - {"/api/v1", "/api/v1/openapi.json"}
    assert set(described["paths"]) == served
    for path in served:
        answer = web.get(path.replace("{id}", key(1).id), params={"q": "모델"})
        assert answer.status_code == 200, path
        assert faults(described, path, answer.json()) == []
    assert web.get("/api/v1").text.count("<h2") == len(served)


def faults(described: dict[str, Any], path: str, answer: Any) -> list[str]:
    """What of an answer is not as described, also if it has something that is not described."""
    schema = described["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    closed = {**described, **schema, "unevaluatedProperties": False}
    return [f"{path} {one.json_path}: {one.message}" for one in Draft202012Validator(closed).iter_errors(answer)]


def test_the_alert_rules_are_about_metrics_that_exist(web: httpx.Client) -> None:
    groups = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text("utf-8"))["groups"]
    rules = " ".join(rule["expr"] for group in groups for rule in group["rules"])
    text = web.get("/metrics").text
    names = set(re.findall(r"\bseogo_\w+", rules))
    assert names
    assert names <= set(re.findall(r"^seogo_\w+", text, re.MULTILINE))
    for name, label in re.findall(r"(seogo_\w+)\{(\w+)=", rules):
        assert re.search(rf'^{name}\{{.*\b{label}="', text, re.MULTILINE), (name, label)


def test_metrics_count_answers_by_pattern(web: httpx.Client) -> None:
    web.get(f"/article/{key(1).id}")
    text = web.get("/metrics").text
    assert re.search(r'seogo_http_answers_total\{route="/article/\{id\}",status="200"\} [1-9]', text)
    assert 'seogo_finds{outcome="failed"} 1.0' in text
    assert "seogo_gaps 1.0" in text
    assert "seogo_search_index_lag_changes 0.0" in text
    assert key(1).id not in text
