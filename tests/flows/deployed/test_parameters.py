"""The parameters of the deployments: what is refused, what the worker's environment adds, and the names of runs."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows.deployed.flow_runs.parameters import (
    ArchiveParameters,
    BackfillParameters,
    CrawlParameters,
    ReparseParameters,
    checked,
    run_name,
)
from schemas.errors import BadInput


def test_a_time_without_a_zone_is_korean() -> None:
    since = CrawlParameters.model_validate({"since": "2025-12-28T09:30"}).since
    assert since is not None
    assert since.isoformat() == "2025-12-28T09:30:00+09:00"


@pytest.mark.parametrize(
    ("given", "days", "window"),
    [
        ({"last_days": 3}, (date(2025, 12, 29), date(2025, 12, 31)), "the last 3 days"),
        (
            {"first": "2025-12-01", "last": "2025-12-03"},
            (date(2025, 12, 1), date(2025, 12, 3)),
            "2025-12-01..2025-12-03",
        ),
        ({"first": "2025-12-01"}, (date(2025, 12, 1), date(2025, 12, 31)), "2025-12-01.."),
        ({"gaps": True}, (None, None), "the gaps"),
    ],
)
def test_days_of_a_backfill(given: dict[str, Any], days: tuple[date, date], window: str) -> None:
    parameters = BackfillParameters.model_validate(given)
    assert parameters.days(date(2025, 12, 31)) == days
    assert parameters.window == window


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (BackfillParameters, {"first": "2025-12-02", "last": "2025-12-01"}, "is before the first"),
        (BackfillParameters, {"gaps": True, "last_days": 3}, "give only one of"),
        (BackfillParameters, {"last_days": 0}, "greater than or equal to 1"),
        (ReparseParameters, {"accept": True}, "`accept` needs `quarantined`"),
        (CrawlParameters, {"naver_client_secret": "x"}, "Extra inputs are not permitted"),
    ],
)
def test_forms_that_contradict_themselves(kind: type[ArchiveParameters], given: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        checked(kind, given)


@pytest.mark.parametrize(
    ("flow", "given", "name"),
    [
        ("crawl", {"topic": "t/chips.yaml", "archive": "/srv/a"}, "crawl chips into a"),
        ("refresh", {"topic": "t/chips.yaml", "archive": "/srv/a"}, "refresh chips in a"),
        (
            "backfill",
            {"topic": "chips.yaml", "archive": "a", "last_days": 5},
            "backfill the last 5 days of chips into a",
        ),
        (
            "backfill",  # refused, and named all the same
            {"topic": "chips.yaml", "archive": "a", "first": "2025-12-02", "last": "2025-12-01"},
            "backfill 2025-12-02..2025-12-01 of chips into a",
        ),
        ("reparse", {"archive": "a", "quarantined": True}, "reparse the quarantine of a"),
        ("publish", {"archive": "a"}, "publish a"),
        ("digest", {"archive": "a", "day": "2025-12-30"}, "digest of 2025-12-30 of a"),
        ("digest", {"archive": "a", "mail": "post"}, "digest of yesterday of a"),
        ("report", {"archive": "a", "days": 3}, "report of 3 days of a"),
    ],
)
def test_a_run_is_named_after_what_it_does(flow: str, given: dict[str, Any], name: str) -> None:
    assert run_name(flow, given) == name


def test_what_a_form_leaves_empty_the_worker_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEOGO_ARCHIVE", raising=False)
    monkeypatch.delenv("SEOGO_TOPIC", raising=False)
    assert (CrawlParameters().archive_name, CrawlParameters().topic_name) == ("archive", "foundation_model")
    monkeypatch.setenv("SEOGO_ARCHIVE", "/srv/archive")
    monkeypatch.setenv("SEOGO_TOPIC", "/etc/seogo/mine.yaml")
    assert (CrawlParameters().archive_path, CrawlParameters().topic_name) == (Path("/srv/archive"), "mine")
    assert (CrawlParameters().archive_name, ArchiveParameters(archive=".").archive_name) == ("archive", ".")
    assert CrawlParameters(archive="here", topic="other.yaml").topic_name == "other"
