"""The progress of reading all captures: files, bytes, and the time that is left."""

from __future__ import annotations

from flows.cli.show.reading import ReadingMeter
from storage.integrity.journals.read import Progress

MB = 1_000_000


def test_it_tells_files_bytes_and_the_time_left() -> None:
    now = [100.0]
    meter = ReadingMeter("verify", clock=lambda: now[0])
    assert meter.line() == "verify: starting"
    now[0] += 10
    meter.report(Progress(10, 40, 150 * MB, 600 * MB))
    assert meter.line() == "verify: 10 of 40 files, 150 MB of 600 MB, about 0:00:30 left"
    meter.report(Progress(40, 40, 600 * MB, 600 * MB))
    assert meter.line() == "verify: 40 of 40 files, 600 MB of 600 MB; comparing"


def test_a_second_reading_has_a_time_of_its_own() -> None:
    now = [0.0]
    meter = ReadingMeter("rebuild", clock=lambda: now[0])
    meter.report(Progress(1, 1, 100 * MB, 100 * MB))
    now[0] += 1000
    meter.report(Progress(1, 2, 50 * MB, 100 * MB))
    now[0] += 5
    meter.report(Progress(1, 2, 50 * MB, 100 * MB))
    assert meter.line() == "rebuild: 1 of 2 files, 50.0 MB of 100 MB, about 0:00:05 left"
