"""prefect.yaml: the deployments, their parameters, queues and schedules."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.deployed import apply
from flows.deployed.flow_runs.parameters import FORMS
from tests.support.paths import ROOT

# Prefect itself uses deprecated functions of other packages.
pytestmark = pytest.mark.filterwarnings("default")

DEPLOYMENTS: list[dict[str, Any]] = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]


def name_of(deployment: dict[str, Any]) -> str:
    return f"{deployment['entrypoint'].rsplit('.')[-1]}/{deployment['name']}"


def flow_of(deployment: dict[str, Any]) -> Any:
    from prefect.flows import load_flow_from_entrypoint

    return load_flow_from_entrypoint(deployment["entrypoint"])


def test_all_deployments_are_there() -> None:
    assert [name_of(one) for one in DEPLOYMENTS] == [
        *("crawl/crawl-every-15-minutes", "refresh/refresh-hourly"),
        *("backfill/backfill-by-hand", "backfill/nightly-sweep", "backfill/backfill-gaps", "reparse/reparse-by-hand"),
        "reassess/reassess-by-hand",
        *("publish/publish-hourly", "verify/verify-weekly", "report/report-daily"),
        "digest/digest-daily",
    ]


def test_without_a_server_nothing_is_deployed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prefect would start a temporary server, and deploy to it."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        assert apply.main([]) == 2
    assert "PREFECT_API_URL is not set" in capsys.readouterr().err


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=name_of)
def test_a_deployment_names_a_flow_and_fills_in_its_form(deployment: dict[str, Any]) -> None:
    flow = flow_of(deployment)
    assert flow.name == deployment["entrypoint"].split(".")[-1] in deployment["tags"]
    assert "seogo" in deployment["tags"]  # the automations select runs by it
    validated = flow.validate_parameters(deployment["parameters"])
    assert {name: validated[name] for name in deployment["parameters"]} == deployment["parameters"]
    fields = flow.parameters.model_dump()["properties"]
    assert fields.keys() == FORMS[flow.name].model_fields.keys()
    assert all(field.get("description") for field in fields.values()), fields
    assert not any("key" in field or "secret" in field for field in fields)


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=name_of)
def test_one_writer_at_a_time_and_no_pile(deployment: dict[str, Any]) -> None:
    """Deployments that write share a queue of limit 1; scheduled ones drop a run that is due while one executes."""
    queue = deployment["work_pool"]["work_queue_name"]
    assert queue == ("reading" if {"report", "digest"} & set(deployment["tags"]) else "archive")
    assert apply.QUEUES == {"archive": 1, "reading": None}
    scheduled = bool(deployment.get("schedules"))
    assert scheduled == (not deployment["name"].endswith("by-hand"))
    if scheduled:
        assert deployment["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}


def test_schedules_are_korean_and_no_two_begin_together() -> None:
    from prefect.client.schemas.schedules import CronSchedule

    minutes = []
    for schedule in (one for deployment in DEPLOYMENTS for one in deployment.get("schedules", ())):
        assert schedule["timezone"] == "Asia/Seoul"
        assert schedule["slug"]
        CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"])
        minutes.append(schedule["cron"].split()[0])
    assert len(set(minutes)) == len(minutes)
