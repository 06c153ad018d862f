"""Each package's docstring lists its files, so that a newcomer finds the place of a change."""

from __future__ import annotations

import ast
import re
from itertools import takewhile
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGES = [path.parent for room in ("flows", "storage", "schemas") for path in (ROOT / room).rglob("__init__.py")]
RUN_BY_NAME = {"__init__.py", "__main__.py"}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_package_lists_its_files(package: Path) -> None:
    text = ast.get_docstring(ast.parse((package / "__init__.py").read_text("utf-8"))) or ""
    listed = {name for line in text.splitlines() for name in takewhile(re.compile(r"\w+(\.py|/)$").match, line.split())}
    modules = {path.name for path in package.glob("*.py")} - RUN_BY_NAME
    folders = {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}
    assert listed - RUN_BY_NAME == modules | folders
