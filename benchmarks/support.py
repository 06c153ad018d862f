"""Shared by the benchmarks: measuring a command, options, a description of the machine, formatting of figures."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SEOGO: Sequence[str | Path] = (sys.executable, "-m", "flows.cli")


class Took(NamedTuple):
    """Milliseconds of one call: on the clock, and of the processor."""

    clock: float
    processor: float


_TOPIC = """\
extends: {shipped}
name: benchmark
contact: benchmark@example.org
sources: [{{type: search_page}}, {{type: section_list, sids: [105]}}]
limits: {{requests_per_second: 0, concurrency: {concurrency}}}
"""


@dataclass(frozen=True, slots=True)
class Run:
    """A completed command: its wall-clock seconds, CPU seconds, peak memory in bytes, and output."""

    seconds: float
    processor: float
    peak: int
    output: str

    @property
    def receipt(self) -> dict[str, Any]:
        """The output of `--json`."""
        receipt: dict[str, Any] = json.loads(self.output)
        return receipt


def measured(
    command: Sequence[str | Path], work: Path, variables: Mapping[str, str] | None = None, *, root: Path = ROOT
) -> Run:
    """Run a command in the folder of this checkout or of another, and measure it. Raises SystemExit if it fails.

    The figures are those of the child process as counted by the kernel. Compiled modules are cached below `work`, so
    that compilation is not measured.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPATH": str(root), "PYTHONPYCACHEPREFIX": str(work / "compiled"), **(variables or {})}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        began = time.monotonic()
        process = subprocess.Popen(list(map(str, command)), stdout=out, stderr=err, env=environment, cwd=root)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode:
            printed = (out.read() + err.read())[-2000:]
            raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{printed}")
        return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, out.read())


def timed(act: Callable[[], object]) -> Took:
    """Call it, and return how long that took."""
    began, used = time.perf_counter(), time.process_time()
    act()
    return Took(1_000 * (time.perf_counter() - began), 1_000 * (time.process_time() - used))


def topic_file(work: Path, concurrency: int = 16) -> Path:
    """The topic that ships, without throttling and with sources that need no key."""
    path = work / "topic.yaml"
    shipped = ROOT / "topics" / "foundation_model.yaml"
    path.write_text(_TOPIC.format(shipped=shipped, concurrency=concurrency), encoding="utf-8")
    return path


def options(about: str) -> argparse.ArgumentParser:
    """A parser with the options of every benchmark: `--work` and `--quick`."""
    parser = argparse.ArgumentParser(description=about.partition("\n")[0])
    parser.add_argument("--work", type=Path, metavar="DIR", help="folder for generated data, which is reused")
    parser.add_argument("--quick", action="store_true", help="a small run that only checks the benchmark")
    return parser


def work_folder(chosen: Path | None) -> Path:
    """The folder for generated data: the chosen one, or one in the system's temporary folder."""
    folder = (chosen or Path(tempfile.gettempdir()) / "seogo-benchmarks").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def spread(values: Sequence[float], form: str = ".0f") -> str:
    """`median (minimum to maximum of n)`."""
    middle, least, most = (format(value, form) for value in (statistics.median(values), min(values), max(values)))
    return f"{middle} ({least} to {most} of {len(values)})"


def introduce(what: str) -> None:
    """Print what is measured, when, and on which machine."""
    print(f"{what}\n{datetime.now(UTC):%Y-%m-%d}, {machine()}\n")


def machine() -> str:
    """`2 cores, Python 3.11.7, Debian 12, seogo 0.1.0, load 0.1 before`."""
    system = platform.freedesktop_os_release() if Path("/etc/os-release").exists() else {}
    name = system.get("PRETTY_NAME", platform.system()).removesuffix(" (bookworm)")
    busy = f"load {os.getloadavg()[0]:.1f} before"
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {name}, seogo {version('seogo')}, {busy}"
