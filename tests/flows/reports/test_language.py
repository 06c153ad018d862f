"""The catalogues: everything that pages show has its Korean, nothing is left over, and they are compiled."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from flows.reports.language import words
from schemas.article import Outcome
from schemas.find import RevisionKind, Status
from schemas.receipt import ExitReason
from storage.reading.examples import examples
from tests.support.paths import ROOT

LOCALE = ROOT / "flows" / "reports" / "locale"
KEYWORDS = {"t": None, "n": (1, 2)}
TEMPLATES = list((ROOT / "flows").glob("*/assets/*.html"))
MODULES = [path for room in ("reports", "serving") for path in (ROOT / "flows" / room).rglob("*.py")]
NAMED = [ROOT / "storage" / "database" / "migrations" / "comments.sql", *(ROOT / "flows" / "runs").glob("*.py")]
"""The values of columns that pages show."""


def catalogue(language: str) -> Catalog:
    with (LOCALE / language / "LC_MESSAGES" / "seogo.po").open("rb") as file:
        return read_po(file)


def first(message: str | tuple[str, ...] | list[str]) -> str:
    """A message, or its singular."""
    return message if isinstance(message, str) else message[0]


def extracted(path: Path, method: str) -> set[str]:
    with path.open("rb") as file:
        return {first(message) for _, message, _, _ in extract(method, file, KEYWORDS, options={"silent": "false"})}


def test_everything_that_is_shown_has_its_korean() -> None:
    shown = set().union(*(extracted(path, "jinja2.ext:babel_extract") for path in TEMPLATES))
    shown |= set().union(*(extracted(path, "python") for path in MODULES))
    shown |= {*ExitReason, *Outcome, *RevisionKind, *Status, *(one.answers for one in examples())}
    korean = {first(one.id) for one in catalogue("ko") if one.id and one.string and all(one.string)}
    assert shown - korean == set()
    used = "".join(path.read_text("utf-8") for path in [*TEMPLATES, *MODULES, *NAMED])
    assert {text for text in korean - shown if text not in used} == set()


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_compiled_catalogue_is_that_of_the_source(language: str) -> None:
    with (LOCALE / language / "LC_MESSAGES" / "seogo.mo").open("rb") as file:
        compiled = read_mo(file)
    assert texts(compiled) == texts(catalogue(language)), "run: make catalogues"


def texts(found: Catalog) -> dict[str, list[str]]:
    return {first(one.id): list(one.string or "") for one in found if one.id}


def test_numbers_and_names() -> None:
    korean, english = words("ko"), words("en")
    assert [english.n("{} article", "{} articles", number) for number in (1, 1200)] == ["1 article", "1,200 articles"]
    assert korean.n("{} article", "{} articles", 1200) == "기사 1,200건"
    assert (korean.t("gone"), english.t("gone"), korean.t("가온"), korean.t("")) == ("삭제됨", "deleted", "가온", "")
