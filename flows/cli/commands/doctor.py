"""The command `doctor`: everything that a run needs, checked without a run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.exit_codes import Exit, ExitStatus
from flows.cli.options import DEFAULT_ARCHIVE, ArchiveOption, JsonOption, TopicOption

if TYPE_CHECKING:
    from flows.runs.doctor.check import Check
    from flows.runs.doctor.examination import DoctorOrder


def doctor(
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    topic: TopicOption = None,
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", metavar="FILE", help="Also write a zip file for a bug report: no keys, no texts."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Check everything that a run needs, and say what to do about it. Exit code 11 if a check fails.

    The archive is only read; Naver is asked a dozen times, slowly, and as robots.txt allows.
    """
    from flows.cli.show.checks import checks_object, show_check, show_last_line
    from flows.cli.show.values import print_json
    from flows.runs.doctor.check import Level, worst
    from flows.runs.doctor.examination import DoctorOrder
    from flows.runs.doctor.secrets import secrets_of
    from schemas.topic import default_topic_path

    order = DoctorOrder(archive, topic or default_topic_path(), _environment())
    checks = []
    for check in _checks(order):
        checks.append(check)
        if not json:
            show_check(check)
    if bundle is not None:
        from flows.runs.doctor.bundle import pack  # it needs libraries that a check may have found missing

        pack(bundle, order, checks, secrets_of(order.environment))
    ExitStatus.code = Exit.CHECK_FAILED if worst(checks) is Level.ERROR else Exit.DONE
    print_json(checks_object(checks)) if json else show_last_line(checks, bundle)
    raise typer.Exit(ExitStatus.code)


def _environment() -> dict[str, str]:
    """The environment, with the keys that scheduled runs find in Secret blocks."""
    environment = dict(os.environ)
    if not (api := environment.get("PREFECT_API_URL", "").strip()):
        return environment
    try:
        from flows.deployed.health import key_values
    except ImportError:  # the check of the software says so
        return environment
    return {**key_values(api), **{name: value for name, value in environment.items() if value.strip()}}


def _checks(order: DoctorOrder) -> Iterator[Check]:
    """All of them, one after the other, without the secrets of the environment."""
    from flows.runs.doctor.check import without
    from flows.runs.doctor.examination import examine
    from flows.runs.doctor.secrets import secrets_of

    secrets = secrets_of(order.environment)
    for check in examine(order, partial(_prefect_checks, order.environment)):
        yield without(check, secrets)


def _prefect_checks(environment: Mapping[str, str]) -> list[Check]:
    from flows.runs.doctor.check import ok
    from flows.runs.doctor.prefect import server_of
    from flows.runs.doctor.schedule import schedule_check

    api = server_of(environment)
    if api is None:
        return [ok("prefect", "not used here: PREFECT_API_URL is not set, and no server answers on this machine")]
    from flows.deployed.health import prefect_checks  # takes seconds to import

    checks = prefect_checks(api, named=bool(environment.get("PREFECT_API_URL", "").strip()))
    return [*checks, schedule_check(api)] if checks[1:] else checks  # alone: the server does not answer
