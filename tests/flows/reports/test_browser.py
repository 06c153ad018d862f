"""The page in a real browser: no errors on the console, working filters, no requests."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from flows.reports.page import charts_library, write_page
from schemas.article import SEOUL, Outcome
from schemas.errors import BadInput
from schemas.find import FindResult, Relevance, RevisionKind
from storage.archive import open_archive
from tests.support.reports import EVIL
from tests.support.servers.browser import NEEDS_BROWSER, Tab
from tests.support.values import NOW, article, ended, key, receipt, stored

pytestmark = [
    pytest.mark.slow,
    NEEDS_BROWSER,
]

COUNT = 250
MIDNIGHT = datetime(2026, 1, 1, tzinfo=SEOUL)


def result(number: int) -> FindResult:
    """Article 0 is the newest; each is an hour older than the one before; every third mentions a second team."""
    teams = ("가온", "나루") if number % 3 == 0 else ("가온",)
    publisher = "나루일보" if number % 5 == 0 else "가온신문"
    made = article(number, published_at=MIDNIGHT - timedelta(hours=number), publisher=publisher)
    return stored(made, relevance=Relevance(5.0, (), teams))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page, with the real charts if their library is installed."""
    folder = tmp_path_factory.mktemp("page")
    with open_archive(folder / "archive") as archive:
        copied = article(8000, body=article(7).body)
        copy = FindResult(
            stored(copied).ref, Outcome.DUPLICATE, "same text", article=copied, duplicate_of=key(7).id,
            matched_by="content_hash", crawled_at=NOW,
        )  # fmt: skip
        again = article(5, title="고친 제목", published_at=MIDNIGHT - timedelta(hours=5))
        edit = stored(again, outcome=Outcome.EDITED, revision_kind=RevisionKind.EDITED, revision=2)
        evil = stored(article(9000, title=EVIL, published_at=MIDNIGHT - timedelta(days=400)))
        first = [result(number) for number in range(COUNT)]
        run = "20260102T040405Z-0002"
        account = receipt(run)
        archive.start_run(account)
        archive.store(run, [*first, evil])
        archive.store(run, [copy, edit])
        archive.finish_run(ended(account), {}, [])
    with pytest.MonkeyPatch.context() as patch:
        try:
            charts_library()
        except BadInput:
            patch.setattr("flows.reports.page.charts_library", lambda: "window.vegaEmbed = async () => {};")
        write_page(folder / "archive", folder / "page.html", now=NOW)
    return folder / "page.html"


@pytest.fixture
def tab(browser: Tab, file: Path) -> Tab:
    browser.visit(file.as_uri(), 1200)
    browser.until("document.readyState === 'complete' && document.documentElement.dataset.drawn")
    return browser


def titles(tab: Tab) -> list[str]:
    return list(
        tab.run("[...document.querySelectorAll('#articles tbody tr td:nth-child(2) a')].map(a => a.textContent)")
    )


def count(tab: Tab) -> str:
    return str(tab.run("document.getElementById('count').textContent"))


def put(tab: Tab, field: str, value: str, expected: str) -> None:
    """Type into a filter, and wait until the table shows the expected number."""
    tab.run(
        f"(() => {{ const field = document.getElementById('{field}'); field.value = {value!r};"
        " field.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )
    tab.until(f"document.getElementById('count').textContent.startsWith('{expected} of')")


def option(tab: Tab, field: str, word: str) -> str:
    return str(tab.run(f"[...document.getElementById('{field}').options].find(o => o.textContent === '{word}').value"))


def test_no_complaint_and_nothing_fetched(tab: Tab, file: Path) -> None:
    assert tab.complaints == []
    assert [url for url in tab.requested if not url.startswith("data:")] == [file.as_uri()]


def test_the_first_hundred_of_all_and_the_pages_behind(tab: Tab) -> None:
    assert count(tab) == "251 of 251 articles"
    assert len(titles(tab)) == 100
    for expected in ("page 2 of 3", "page 3 of 3"):
        tab.run("document.getElementById('on').click()")
        assert tab.run("document.getElementById('where').textContent") == expected
    assert tab.run("document.getElementById('on').disabled") is True
    assert len(titles(tab)) == 51


def test_filters(tab: Tab) -> None:
    put(tab, "words", "모델 117호", "1")
    assert titles(tab) == [article(117).title]
    put(tab, "words", "없는말", "0")
    assert titles(tab) == []
    put(tab, "words", key(33).id, "1")
    put(tab, "words", "", "251")
    put(tab, "team", option(tab, "team", "나루"), "84")
    put(tab, "publisher", option(tab, "publisher", "나루일보"), "17")
    tab.run("document.getElementById('filters').reset()")
    tab.until("document.getElementById('count').textContent.startsWith('251 of')")


def test_days_are_korean_days(tab: Tab) -> None:
    put(tab, "from", "2025-12-31", "25")  # the first minute of the year, and the 24 hours before
    put(tab, "to", "2025-12-31", "24")
    put(tab, "from", "2026-01-01", "0")


def test_orders_and_marks(tab: Tab) -> None:
    put(tab, "order", "copies", "251")
    row = "document.querySelector('#articles tbody tr').textContent"
    tab.until(f"{row}.includes('1 copy')")
    put(tab, "order", "revisions", "251")
    tab.until(f"{row}.includes('revision 2')")
    assert titles(tab)[0] == "고친 제목"
    put(tab, "order", "oldest", "251")
    tab.until(f"{row}.includes('onerror')")
    assert tab.run("document.querySelectorAll('img').length") == 0


def test_links_lead_to_files_that_are_there(tab: Tab, file: Path) -> None:
    links = tab.run(
        "[...document.querySelectorAll('#articles tbody tr td:last-child a')].map(a => a.getAttribute('href'))"
    )
    assert len(links) == 100
    assert all((file.parent / link).is_file() for link in links)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_need_not_be_moved_sideways(tab: Tab, scheme: str, tmp_path: Path) -> None:
    tab.colours(scheme)
    tab.resize(360, 740, phone=True)
    time.sleep(0.2)
    assert tab.run("document.documentElement.scrollWidth") <= 360
    ground = tab.run("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(21, 24, 28)"}[scheme]
    assert tab.complaints == []


def test_charts_are_drawn(tab: Tab) -> None:
    pytest.importorskip("vl_convert")
    assert tab.run("document.querySelectorAll('[data-chart] svg').length") == 3
