"""What the benchmarks share: the command `seogo` measured from outside, the machine in words, spreads of figures."""

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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SEOGO = (sys.executable, "-m", "flows.cli")
LONGEST = 3600.0
"""Seconds after which a measured command is given up."""

_TOPIC = """\
extends: {shipped}
name: benchmark
contact: benchmark@example.org
sources: [{{type: search_page}}, {{type: section_list, sids: [105]}}]
limits: {{requests_per_second: 0, concurrency: {concurrency}}}
"""


@dataclass(frozen=True, slots=True)
class Run:
    """A command that has ended: its seconds from start to end, of the processor, and its peak memory in bytes."""

    seconds: float
    processor: float
    peak: int
    output: str

    @property
    def receipt(self) -> dict[str, Any]:
        """What `--json` printed."""
        receipt: dict[str, Any] = json.loads(self.output)
        return receipt


def measured(command: Sequence[str | Path], work: Path, variables: Mapping[str, str] | None = None) -> Run:
    """Run a command in the project's folder and measure it. SystemExit where it fails.

    The figures are the child's own, as the kernel counts them. Compiled modules are kept below `work`: a command that
    has to compile itself at each start would be measured for that.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(work / "compiled"), **(variables or {})}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        began = time.monotonic()
        process = subprocess.Popen(list(map(str, command)), stdout=out, stderr=err, env=environment, cwd=ROOT)
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
            said = (out.read() + err.read())[-2000:]
            raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{said}")
        return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, out.read())


def topic_file(work: Path, concurrency: int = 16) -> Path:
    """The topic that ships, with the pace switched off and sources that need no key."""
    path = work / "topic.yaml"
    shipped = ROOT / "topics" / "foundation_model.yaml"
    path.write_text(_TOPIC.format(shipped=shipped, concurrency=concurrency), encoding="utf-8")
    return path


def options(about: str) -> argparse.ArgumentParser:
    """A parser with what every benchmark takes: `--work` and `--quick`."""
    parser = argparse.ArgumentParser(description=about.partition("\n")[0])
    parser.add_argument("--work", type=Path, metavar="DIR", help="keep what is generated here, for the next time")
    parser.add_argument("--quick", action="store_true", help="a small run that only shows that the benchmark works")
    return parser


def work_folder(chosen: Path | None) -> Path:
    """The folder for what is generated: the one chosen, else one in the system's place for temporary files."""
    folder = (chosen or Path(tempfile.gettempdir()) / "seogo-benchmarks").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def spread(values: Sequence[float], form: str = ".0f") -> str:
    """`median (least to most of n)`."""
    middle, least, most = (format(value, form) for value in (statistics.median(values), min(values), max(values)))
    return f"{middle} ({least} to {most} of {len(values)})"


def introduce(what: str) -> None:
    """Say what is measured, when and on what."""
    print(f"{what}\n{datetime.now(UTC):%Y-%m-%d}, {machine()}\n")


def machine() -> str:
    """`2 cores, Python 3.11.7, Debian 12, seogo 0.1.0`, and how busy it was before the run."""
    system = platform.freedesktop_os_release() if Path("/etc/os-release").exists() else {}
    name = system.get("PRETTY_NAME", platform.system()).removesuffix(" (bookworm)")
    busy = f"load {os.getloadavg()[0]:.1f} before"
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {name}, seogo {version('seogo')}, {busy}"
