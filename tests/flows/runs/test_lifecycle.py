"""How a run begins and ends: whatever happens it is recorded, and a broken run reads no window."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from flows.runs.lifecycle import Order, Run, open_for_run
from schemas.coverage import Span, WindowRead
from schemas.receipt import ExitReason, Receipt
from schemas.topic import load_topic
from tests.support.archives import rows
from tests.support.paths import DEMO_TOPIC
from tests.support.values import NOW

BEFORE = NOW - timedelta(hours=2)
SOURCE = "press_list:001"


def exit_reason(receipt: Receipt, *, interrupted: bool, broken: bool) -> tuple[ExitReason, str]:
    return (ExitReason.INTERRUPTED if interrupted or broken else ExitReason.DONE), f"{interrupted=}, {broken=}"


def recorded(root: Path, work: Callable[[Run], None]) -> Receipt:
    """A run that does this work."""
    with open_for_run(Order(load_topic(DEMO_TOPIC), root), "crawl", NOW) as (archive, receipt):
        run = Run(archive, receipt, now=lambda: NOW)
        with run.recorded(exit_reason):
            work(run)
    return receipt


def read_half(run: Run) -> None:
    """Two hours of a source, of which one could not be read."""
    gap = Span(BEFORE, BEFORE + timedelta(hours=1))
    run.coverage.append(WindowRead(SOURCE, BEFORE, NOW, (gap,), "the host failed"))
    run.watermarks[SOURCE] = NOW


def break_off(run: Run) -> None:
    read_half(run)
    raise ZeroDivisionError


def interrupt(run: Run) -> None:
    run.interrupted = True


def test_a_run_records_what_it_read_and_names_the_gaps(tmp_path: Path) -> None:
    receipt = recorded(tmp_path, read_half)
    assert receipt.exit_reason is ExitReason.DONE
    assert receipt.gaps == ["press_list:001: 2026-01-02 10:04 to 2026-01-02 11:04 was not read: the host failed"]
    assert rows(tmp_path, "SELECT command, exit_reason FROM runs") == [("crawl", "done")]
    assert rows(tmp_path, "SELECT source FROM cursors") == [(SOURCE,)]
    assert rows(tmp_path, "SELECT state FROM coverage ORDER BY since") == [("gap",), ("closed",)]


def test_a_run_that_an_error_ends_is_recorded_and_has_read_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        recorded(tmp_path, break_off)
    assert rows(tmp_path, "SELECT command, exit_reason FROM runs") == [("crawl", "interrupted")]
    assert rows(tmp_path, "SELECT source FROM cursors UNION ALL SELECT source FROM coverage") == []


def test_a_run_that_was_interrupted_says_so(tmp_path: Path) -> None:
    receipt = recorded(tmp_path, interrupt)
    assert (receipt.exit_reason, receipt.explanation) == (ExitReason.INTERRUPTED, "interrupted=True, broken=False")


def test_an_archive_that_is_only_opened_has_no_run(tmp_path: Path) -> None:
    with open_for_run(Order(load_topic(DEMO_TOPIC), tmp_path), "reparse", NOW):
        pass
    assert rows(tmp_path, "SELECT * FROM runs") == []
