"""deploy/: the lock of the image, the units and the Compose file."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import yaml
from packaging.requirements import Requirement

from flows.deployed.apply import FETCHERS, FETCHERS_POOL, POOL
from flows.serving.server import check_exposure
from tests.support.paths import ROOT

UNITS = ROOT / "deploy" / "systemd"
COMPOSE = ROOT / "deploy" / "compose"


def pinned(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;]+)", lock, re.MULTILINE))


def test_the_image_has_the_locked_versions_without_the_tools() -> None:
    everything = pinned((ROOT / "requirements.lock").read_text("utf-8"))
    image = pinned((COMPOSE / "requirements.lock").read_text("utf-8"))
    assert image.items() <= everything.items()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    needed = {Requirement(one).name.lower() for one in project["project"]["dependencies"]}
    tools = {Requirement(one).name.lower() for one in project["dependency-groups"]["dev"]}
    assert needed <= image.keys()
    assert not tools & image.keys()


def test_links_of_alerts_lead_to_the_ui() -> None:
    compose = yaml.safe_load((COMPOSE / "docker-compose.yaml").read_text("utf-8"))["services"]
    server = (UNITS / "seogo-server.service").read_text("utf-8")
    assert "Environment=PREFECT_UI_URL=http://127.0.0.1:4200\n" in server
    assert compose["server"]["environment"]["PREFECT_UI_URL"] == "http://127.0.0.1:4200"


def test_the_web_site_is_open_to_this_machine_only() -> None:
    reader = yaml.safe_load((COMPOSE / "docker-compose.yaml").read_text("utf-8"))["services"]["reader"]
    assert reader["ports"] == ["127.0.0.1:8080:8080"]
    assert "--public" in reader["command"]  # without it, another interface than the container's loopback is refused
    check_exposure(reader["command"][3], sql="--sql" in reader["command"], public=True)


def test_what_depends_on_the_server_waits_for_it() -> None:
    compose = yaml.safe_load((COMPOSE / "docker-compose.yaml").read_text("utf-8"))["services"]
    assert compose["apply"]["command"] == ["python", "-m", "flows.deployed.apply", "--wait", "120"]
    assert {"server", "worker", "database", "reader"} <= {name for name, one in compose.items() if "healthcheck" in one}
    for unit, module in {"seogo-server.service": "server", "seogo-worker.service": "worker"}.items():
        assert f".venv/bin/python -m flows.deployed.{module} " in (UNITS / unit).read_text("utf-8")


def test_a_fetching_machine_runs_the_pool_of_fetchers() -> None:
    fetcher = yaml.safe_load((COMPOSE / "fetcher.yaml").read_text("utf-8"))["services"]["fetcher"]
    assert fetcher["command"][:5] == ["python", "-m", "flows.deployed.worker", "--pool", FETCHERS_POOL]
    assert fetcher["command"][-2:] == ["--limit", "1"]
    assert {"SEOGO_FETCHER", "SEOGO_SPOOL", "SEOGO_STORE", "PREFECT_API_URL"} <= fetcher["environment"].keys()
    image = pinned((COMPOSE / "requirements.lock").read_text("utf-8"))
    assert {"obstore", "psycopg"} <= image.keys()


def test_the_deployments_of_fetchers_name_flows_and_begin_switched_off() -> None:
    from prefect.flows import load_flow_from_entrypoint

    assert FETCHERS.resolve() == ROOT / "deploy" / "fetchers.yaml"
    for deployment in yaml.safe_load(FETCHERS.read_text("utf-8"))["deployments"]:
        flow: Any = load_flow_from_entrypoint(deployment["entrypoint"])
        of_a_run = {"chunk": "c"} if flow.name == "fetch" else {}
        flow.validate_parameters({**of_a_run, **deployment["parameters"]})
        assert not any(schedule["active"] for schedule in deployment.get("schedules", ()))
        pool = FETCHERS_POOL if flow.name == "fetch" else POOL
        assert (deployment["work_pool"]["name"], flow.name in deployment["tags"]) == (pool, True)
