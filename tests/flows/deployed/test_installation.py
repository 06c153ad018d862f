"""deploy/: the lock of the image, the units and the Compose file."""

from __future__ import annotations

import re
import tomllib

import yaml
from packaging.requirements import Requirement

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
