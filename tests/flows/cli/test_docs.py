"""The documentation names every command, option and environment variable, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from flows.cli.app import app
from tests.support.paths import ROOT

COMMANDS = (ROOT / "docs" / "commands.md").read_text("utf-8")
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "benchmarks" / "README.md"]
SHARED = COMMANDS.partition("\n## Options that several commands share\n")[2].partition("\n## ")[0]


def options() -> dict[str, set[str]]:
    """Each command, as the words that name it, and its options."""
    found = {}
    for name, command in get_command(app()).commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", {"": command})
        for sub, one in below.items():
            every = {word for parameter in one.params for word in parameter.opts if word.startswith("--")}
            found[f"{name} {sub}".strip()] = every - {"--help"}
    return found


@pytest.mark.parametrize(("command", "expected"), options().items(), ids=options())
def test_a_command_has_a_section_with_its_options(command: str, expected: set[str]) -> None:
    section = re.search(rf"^### `seogo {command}\b[^\n]*\n(.*?)(?=^##|\Z)", COMMANDS, re.MULTILINE | re.DOTALL)
    assert section is not None
    named = {*re.findall(r"--[a-z-]+", section[0]), *re.findall(r"--[a-z-]+", SHARED)}
    assert expected <= named


def test_no_option_is_documented_that_is_not_there() -> None:
    there = set[str]().union(*options().values()) | {"--help"}
    assert set(re.findall(r"--[a-z][a-z-]+", COMMANDS)) <= there


def test_environment_variables() -> None:
    sources = [file.read_text("utf-8") for file in (ROOT / "flows").rglob("*.py")]
    read = {name for source in sources for name in re.findall(r'"(SEOGO_[A-Z]+)"', source)}
    assert "SEOGO_NAVER" in read
    assert read <= set(re.findall(r"SEOGO_[A-Z]+", COMMANDS))


def anchors(page: Path) -> set[str]:
    """The fragments by which a page's headings are linked."""
    headings = re.findall(r"^#+ (.*)", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|\{)([^)#]*)(?:#([^)]*))?\)", page.read_text("utf-8"))
    for target, fragment in links:
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), target
        assert not fragment or fragment in anchors(there), (target, fragment)
