"""The page: its content, and that text from the web cannot become markup or script."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.reports import charts
from flows.reports.article_table import UNDATED, columns, listing
from flows.reports.facts import asking, facts_of
from flows.reports.page import environment, page, voices_over_time, write_page
from schemas.article import SEOUL, ArticleKey
from schemas.errors import BadInput, StorageFault
from schemas.find import Relevance
from storage.archive import open_archive
from storage.layout import path_of
from tests.support.archives import store_results
from tests.support.reports import altered
from tests.support.values import NOW, article, stored

STUB = "window.vegaEmbed = async () => {};"


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "archive"))


def page_of(root: Path, *, days: int = 7, library: str = STUB) -> str:
    with asking(root, days=days, now=NOW) as asked:
        return page(facts_of(root, asked), voices_over_time(asked), listing(asked), "archive", library)


class Reader(HTMLParser):
    """The page as a browser parses it: elements, attributes, scripts, text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.scripts: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.scripts += [""] * (tag == "script")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts[-1] += data
        else:
            self.text += data


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    return reader


def test_it_asks_nobody_for_anything(root: Path) -> None:
    found = read(page_of(root))
    fetched = {name: value for name, value in found.attributes if name in ("src", "srcset", "action", "data", "poster")}
    assert fetched == {}
    assert "@import" not in page_of(root)
    assert [value for name, value in found.attributes if value and value.startswith("default-src 'none'")]


def test_what_a_page_said_is_text(root: Path) -> None:
    found = read(page_of(root))
    assert "img" not in found.tags
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert "onerror=alert(1)" in found.text  # shown as text
    assert len(found.scripts) == 4  # the data opened none
    assert json.loads(found.scripts[1])["titles"].count("onerror") == 1


def test_every_link_leads_to_naver_or_into_the_archive(root: Path) -> None:
    links = [value or "" for name, value in read(page_of(root)).attributes if name == "href"]
    outward = [link for link in links if not link.startswith(("#", "data:,"))]
    assert outward
    for link in outward:
        assert link.startswith(("https://n.news.naver.com/mnews/article/", "archive/articles/2")), link
        if link.startswith("archive/"):
            assert (root / link.removeprefix("archive/")).is_file()


def test_figures_sections_and_charts(root: Path) -> None:
    found = read(page_of(root))
    for said in ("new in 7 days", "Coverage gaps", "The last runs", "고친 제목", "was never archived"):
        assert said in found.text
    charts = json.loads(found.scripts[0])
    assert {row["outcome"] for row in charts["daily"]["data"]["values"]} == {"new", "edited", "gone"}
    assert charts["daily"]["encoding"]["x"]["scale"]["domain"][-1] == "2026-01-02"
    assert len(charts["daily"]["encoding"]["x"]["scale"]["domain"]) == 7
    assert {row["team"] for row in charts["voices"]["data"]["values"]} == {"가온", "나루"}
    assert charts["publishers"]["data"]["values"] == [{"publisher": "가온신문", "articles": 3}]


def test_a_database_from_before_coverage(root: Path) -> None:
    altered(root, "DROP TABLE coverage", "DROP TABLE quarantine")
    assert read(page_of(root)).text.count("Not known: this database") == 2


def test_an_empty_archive(tmp_path: Path) -> None:
    with open_archive(tmp_path):
        pass
    found = read(page_of(tmp_path))
    assert json.loads(found.scripts[1])["ids"] == ""
    assert json.loads(found.scripts[0])["voices"]["data"]["values"] == []


@pytest.mark.parametrize(("days", "unit"), [(30, 1), (200, 7), (800, 28)])
def test_voices_by_day_week_or_month(tmp_path: Path, days: int, unit: int) -> None:
    with open_archive(tmp_path) as archive:
        store_results(
            archive,
            *(
                stored(
                    article(n, published_at=NOW - timedelta(days=n * days / 20)), relevance=Relevance(5, (), ("가온",))
                )
                for n in range(20)
            ),
        )
    with asking(tmp_path, days=7, now=NOW) as asked:
        rows = voices_over_time(asked)
    assert sum(row["articles"] for row in rows) == 20
    periods = sorted({row["period"] for row in rows})
    steps = [later - earlier for earlier, later in pairwise(periods)]
    assert min(steps) >= timedelta(days=unit)
    assert all((step.days % unit == 0) or unit == 28 for step in steps)


class TestWriting:
    def test_whole_or_not_at_all(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("flows.reports.page.charts_library", lambda: STUB)
        target = root.parent / "out" / "page.html"
        with pytest.raises(StorageFault, match="--html"):
            write_page(root, target, now=NOW)
        target.parent.mkdir()
        assert write_page(root, target, now=NOW) == target.stat().st_size
        assert [path.name for path in target.parent.iterdir()] == ["page.html"]
        assert "../archive/articles/2025/12/30/" in target.read_text("utf-8")

    def test_without_the_library_it_says_what_to_install(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(__import__("sys").modules, "vl_convert", None)
        with pytest.raises(BadInput, match="pip install vl-convert-python"):
            write_page(root, root.parent / "page.html")
        assert not (root.parent / "page.html").exists()

    @pytest.mark.parametrize("own", ["archive.duckdb", "articles/page.html", "page.html"])
    def test_the_archive_s_own_files_are_not_written_over(self, root: Path, own: str) -> None:
        before = (root / "archive.duckdb").read_bytes()
        with pytest.raises(BadInput, match="is inside the archive"):
            write_page(root, root / own)
        assert (root / "archive.duckdb").read_bytes() == before

    def test_a_library_cannot_end_its_own_script(self, root: Path) -> None:
        found = read(page_of(root, library='x = "</script><img><!--<script>";'))
        assert "img" not in found.tags
        assert len(found.scripts) == 4


WORDS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("<>/!-\n\u2028&"))


def embedded(value: object) -> str:
    return environment().from_string("{{ value|tojson }}").render(value=value)


@given(st.dictionaries(WORDS, WORDS | st.lists(WORDS)))
def test_embedded_values_come_back_and_end_no_script(value: dict[str, Any]) -> None:
    found = read(f"<script type=application/json>{embedded(value)}</script><p>")
    assert found.tags == ["script", "p"]
    assert json.loads(found.scripts[0]) == value


KEYS = st.builds(ArticleKey, st.from_regex(r"[0-9]{3}", fullmatch=True), st.from_regex(r"[0-9]{10}", fullmatch=True))
MOMENTS = st.none() | st.datetimes(
    datetime(2000, 1, 1),  # noqa: DTZ001  the zone is drawn
    datetime(2040, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, SEOUL]),
)
TEAMS = st.none() | st.lists(st.sampled_from(["가온", "나루", "다솜"]), unique=True)


@st.composite
def rows(draw: st.DrawFn) -> tuple[Any, ...]:
    of, published = draw(KEYS), draw(MOMENTS)
    usual = (of.id, of.url, path_of(of, published))
    name, url, file = draw(st.sampled_from([usual, (*usual[:2], None), ("text_1", None, None), (of.id, "x", "y")]))
    words = draw(st.tuples(st.none() | WORDS, st.none() | st.sampled_from(["가온신문", ""])))
    return (
        name,
        *words,
        published,
        draw(TEAMS),
        "archived",
        draw(st.integers(1, 3)),
        draw(st.integers(0, 2)),
        url,
        file,
    )


@given(st.lists(rows(), max_size=5))
def test_the_listing_loses_nothing(given_rows: list[tuple[Any, ...]]) -> None:
    found: Mapping[str, Any] = json.loads(embedded(columns(given_rows)))
    ids, titles = (found[name].split("\n") if given_rows else [] for name in ("ids", "titles"))
    assert len(ids) == len(titles) == len(given_rows)
    for n, (name, title, publisher, published, teams, status, revision, copies, url, file) in enumerate(given_rows):
        assert (ids[n], titles[n]) == (name, " ".join((title or "").split()))
        assert found["publishers"][found["publisher"][n]] == (publisher or "")
        assert [found["teams"][number] for number in found["team"][n]] == (teams or [])
        assert found["statuses"][found["status"][n]] == status
        assert found["times"][n] == (UNDATED if published is None else published.timestamp() // 60)
        assert (found["revisions"].get(str(n), 1), found["copies"].get(str(n), 0)) == (revision, copies)
        assert found["addresses"].get(str(n), usual(name, published)[0]) == url
        assert found["files"].get(str(n), usual(name, published)[1]) == file


def usual(name: str, published: datetime | None) -> tuple[str | None, str | None]:
    """Address and file as the script of the page derives them."""
    if not re.fullmatch(r"\d{3}_\d{10}", name):
        return None, None
    day = f"{published.astimezone(SEOUL):%Y/%m/%d}" if published else "undated"
    return f"https://n.news.naver.com/mnews/article/{name.replace('_', '/')}", f"articles/{day}/{name}.md"


class TestCharts:
    """The specifications are accepted by Vega-Lite, if it is installed."""

    @pytest.mark.parametrize(
        "chart",
        [
            charts.daily([{"day": "2026-01-02", "outcome": "new", "articles": 3}], [date(2026, 1, 2)]),
            charts.voices([{"period": date(2026, 1, 1), "team": "가온", "articles": 2}]),
            charts.publishers([{"publisher": "가온신문", "articles": 2}]),
        ],
    )
    def test_it_can_be_drawn(self, chart: dict[str, Any]) -> None:
        converter = pytest.importorskip("vl_convert")
        assert "<path" in converter.vegalite_to_svg({**chart, "width": 300})

    def test_unchanged_does_not_hide_the_rest(self) -> None:
        day = [{"day": "2026-01-02", "outcome": one, "articles": 3} for one in ("unchanged", "new", "gone")]
        assert [row["outcome"] for row in charts.daily(day, [])["data"]["values"]] == ["new", "gone"]
