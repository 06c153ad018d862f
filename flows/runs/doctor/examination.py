"""All checks in order, each as soon as it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flows.runs.doctor.check import Check, Level
from flows.runs.doctor.software import software_checks


@dataclass(frozen=True, slots=True)
class DoctorOrder:
    """What is examined: an archive, a topic file, and what the environment says."""

    archive: Path
    topic: Path
    environment: Mapping[str, str]


def examine(order: DoctorOrder, more: Callable[[], Iterable[Check]]) -> Iterator[Check]:
    """Software, archive, settings, Naver if it is clear whom to ask what, and `more`, which this room may not import.

    If a library is missing, the software is all: what follows could not be imported.
    """
    software = list(software_checks())
    yield from software
    if any(check.level is Level.ERROR for check in software):
        return
    from flows.runs.doctor.archive import archive_checks, read_last_run
    from flows.runs.doctor.naver.checks import NaverSeen, check_naver
    from flows.runs.doctor.naver.clock import clock_check
    from flows.runs.doctor.settings import read_settings
    from flows.runs.doctor.webhooks import webhook_checks

    yield from archive_checks(order.archive, datetime.now(UTC))
    settings = read_settings(order.topic, order.environment)
    yield from settings.checks
    if settings.topic is not None:
        yield from webhook_checks(settings.topic, order.archive, order.environment)
    seen = NaverSeen(())
    if settings.topic is not None:
        seen = check_naver(settings.topic, settings.naver, order.archive, order.environment)
    last = read_last_run(order.archive)
    yield clock_check(datetime.now(UTC), seen.time, last.ended if last else None)
    yield from seen.checks
    yield from more()
