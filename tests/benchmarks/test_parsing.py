"""The benchmark of the parsers reads whatever captures there are, also such as were kept as they were sent."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

from tests.support.naver import layouts
from tests.support.paths import ROOT


def test_pages_in_cp949_are_measured(tmp_path: Path) -> None:
    key = f"{layouts.OID}_{layouts.AID}"
    (tmp_path / f"read_naver_article_{key}_202110.html.gz").write_bytes(
        gzip.compress(layouts.read_nhn().encode("cp949"))
    )
    (tmp_path / f"read_nhn_article_{key}_202009.html").write_bytes(layouts.read_nhn().encode())
    (tmp_path / f"nnews_article_{key}_202610.html").write_bytes(layouts.article().encode())
    command = [sys.executable, "-m", "benchmarks.parsing", "--captures", str(tmp_path), "--rounds", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [line.partition(":")[0] for line in done.stdout.splitlines()[-2:]] == ["today's layouts", "retired layouts"]
    assert done.stdout.count("seogo, all fields, whole page") == 4
