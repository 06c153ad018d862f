"""deploy/: the lock of the image, the units and the Compose file."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tomllib
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from prefect import settings

from flows.deployed.apply import FETCHERS, FETCHERS_POOL, POOL
from flows.serving.server import check_exposure
from tests.support.paths import ROOT

UNITS = ROOT / "deploy" / "systemd"
COMPOSE = ROOT / "deploy" / "compose"
COMPOSE_FILES = [COMPOSE / "docker-compose.yaml", COMPOSE / "fetcher.yaml"]
CHECKOUT = "/opt/seogo"
STATE = "/var/lib/seogo/"


def services() -> dict[str, dict[str, Any]]:
    """The services of both Compose files that run seogo's image."""
    made = [yaml.safe_load(file.read_text("utf-8"))["services"] for file in COMPOSE_FILES]
    return {name: one for of_file in made for name, one in of_file.items() if one["image"] == "seogo"}


def commands() -> list[list[str]]:
    """What units and Compose run, as words."""
    units = "".join(unit.read_text("utf-8") for unit in UNITS.glob("*.service"))
    of_units = [shlex.split(line) for line in re.findall(r"^ExecStart\w*=(.+)$", units, re.MULTILINE)]
    checks = [one["healthcheck"]["test"][1:] for one in services().values() if "healthcheck" in one]
    return [*of_units, *(one["command"] for one in services().values()), *checks]


def variables() -> set[str]:
    """The environment variables that units and Compose set, or read from .env."""
    units = "".join(unit.read_text("utf-8") for unit in UNITS.glob("*.service"))
    of_services = {name for one in services().values() for name in one["environment"]}
    read = {name for file in COMPOSE_FILES for name in re.findall(r"\$\{(\w+)", file.read_text("utf-8"))}
    return {*re.findall(r"^Environment=(\w+)=", units, re.MULTILINE), *of_services, *read}


def pinned(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;]+)", lock, re.MULTILINE))


def test_the_image_has_the_locked_versions_without_the_tools() -> None:
    lock = (COMPOSE / "requirements.lock").read_text("utf-8")
    image = pinned(lock)
    assert image.items() <= pinned((ROOT / "requirements.lock").read_text("utf-8")).items()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = project["project"]["optional-dependencies"]
    needed = [*project["project"]["dependencies"], *extras["store"], *extras["postgresql"]]
    # A tool may be there because Prefect needs it, too: not because we do.
    entries = re.split(r"^(?=[a-z])", lock, flags=re.MULTILINE)
    ours = {entry.partition("==")[0] for entry in entries if "seogo (pyproject.toml)" in entry}
    assert ours == {Requirement(one).name.lower() for one in needed}
    assert not {"pytest", "mypy", "ruff"} & image.keys()


def test_links_of_alerts_lead_to_the_ui() -> None:
    compose = yaml.safe_load((COMPOSE / "docker-compose.yaml").read_text("utf-8"))["services"]
    server = (UNITS / "seogo-server.service").read_text("utf-8")
    assert "Environment=PREFECT_UI_URL=http://127.0.0.1:4200\n" in server
    assert compose["server"]["environment"]["PREFECT_UI_URL"] == "http://127.0.0.1:4200"


def test_every_program_is_there() -> None:
    found = set()
    for program, *options in commands():
        name = program.removeprefix(f"{CHECKOUT}/.venv/bin/")
        match name, options:
            case "python", ["-c", script]:
                compile(script, "healthcheck", "exec")
            case "python", ["-m", module, *_]:
                assert find_spec(module), module
                found.add(module)
            case _:
                (entry,) = entry_points(group="console_scripts", name=name)
                found.add(entry.value)
    assert found == {
        *("flows.deployed.apply", "flows.deployed.server", "flows.deployed.worker"),
        *("flows.cli:main", "prefect.cli:app"),
    }


def test_every_variable_is_one_of_prefect_seogo_or_a_library() -> None:
    of_prefect = {name for name in variables() if name.startswith("PREFECT_")}
    assert {name for name in of_prefect if not hasattr(settings, name)} == set()
    assert not hasattr(settings, "PREFECT_NO_SUCH_SETTING")
    documented = (ROOT / "docs" / "commands.md").read_text("utf-8") + (ROOT / "README.md").read_text("utf-8")
    others = variables() - of_prefect - {"POSTGRES_PASSWORD", "SEOGO_TOPIC_FILE", "AWS_REGION"}
    assert {name for name in others if f"`{name}`" not in documented} == set()


def test_the_example_has_every_variable_that_compose_reads() -> None:
    compose = (COMPOSE / "docker-compose.yaml").read_text("utf-8")
    example = (COMPOSE / "example.env").read_text("utf-8")
    assert set(re.findall(r"^(\w+)=", example, re.MULTILINE)) == set(re.findall(r"\$\{(\w+)", compose))


def test_what_is_written_is_on_a_volume() -> None:
    """The checkout and the image are read-only for services: without it, the server has no UI."""
    server = (UNITS / "seogo-server.service").read_text("utf-8")
    of_unit = dict(re.findall(r"^Environment=(\w+)=(.*)$", server, re.MULTILINE))
    assert "\nProtectSystem=strict\n" in server
    for environment in (of_unit, services()["server"]["environment"]):
        for name in ("PREFECT_HOME", "PREFECT_SERVER_UI_STATIC_DIRECTORY"):
            assert environment[name].startswith(STATE)
    assert all(one["read_only"] for one in services().values())


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for unit in UNITS.glob("*.service"):
        (tmp_path / unit.name).write_text(unit.read_text("utf-8").replace(CHECKOUT, str(ROOT)), "utf-8")
    words = ["systemd-analyze", "verify", *map(str, tmp_path.iterdir())]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


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
