"""The pages in a real browser: a search typed in Korean, the language, a phone, no errors, no other host."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from flows.serving.pages.static_page import write_page
from tests.support.histories.analyst import EDITED
from tests.support.servers.browser import NEEDS_BROWSER, Tab
from tests.support.servers.serving import CAPTURED, EVIL_ID
from tests.support.values import key

pytestmark = [
    pytest.mark.slow,
    NEEDS_BROWSER,
]


@pytest.fixture
def tab(browser: Tab, address: str) -> Tab:
    browser.visit(f"{address}/?lang=ko", 1280)
    return browser


def follow(tab: Tab, link: str, becomes: str) -> None:
    """Click a link, and wait for a page on which `becomes` is true."""
    tab.run(f"document.querySelector({link!r}).click()")
    tab.until(f"document.readyState === 'complete' && ({becomes})")


def test_a_search_typed_in_korean_leads_to_an_article(tab: Tab, address: str) -> None:
    tab.run("document.querySelector('#q').focus()")
    tab.call("Input.insertText", text="나래 모델")
    for kind in ("keyDown", "keyUp"):
        tab.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
    tab.until("location.pathname === '/search' && document.readyState === 'complete'")
    assert "나래" in tab.run("document.querySelector('.hits mark').textContent")
    follow(tab, f".hits a[href^='/article/{EDITED}']", "document.querySelector('#changes ins') !== null")
    assert "2위" in tab.run("[...document.querySelectorAll('#changes ins')].map(one => one.textContent)")
    follow(tab, ".language a[hreflang=en]", "document.documentElement.lang === 'en'")
    follow(tab, "nav a[href^='/status']", "location.pathname === '/status'")
    assert tab.run("document.querySelector('h1').textContent") == "Status"
    assert tab.complaints == []
    assert hosts(tab) == {urlsplit(address).netloc}


def test_a_story_is_followed_from_an_article(tab: Tab, address: str) -> None:
    tab.open(f"{address}/article/{key(1).id}")
    follow(tab, "aside a[href^='/story/']", "document.querySelectorAll('.timeline li').length === 3")
    follow(tab, f".timeline a[href='/article/{key(1).id}']", "document.querySelector('.cite') !== null")
    assert tab.complaints == []


def hosts(tab: Tab) -> set[str]:
    """Where the pages were asked from, and everything in them."""
    return {urlsplit(url).netloc for url in tab.requested if url.startswith("http")}


PAGES = [
    *("/", "/search?q=모델", f"/article/{EDITED}", f"/article/{EVIL_ID}", f"/article/{CAPTURED}/capture"),
    *(f"/story/{EDITED}", "/team/가온", "/publisher/001", "/publishers", "/reporter/001/김가온", "/status", "/api/v1"),
    *("/sql", "/sql?example=newest-articles", "/sql?example=share-of-voice", "/article/none"),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_phone_and_has_no_fault(tab: Tab, address: str, scheme: str) -> None:
    tab.resize(360, 740, phone=True)
    tab.colours(scheme)
    violations = {}
    for path in PAGES:
        tab.open(address + path)
        assert tab.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
        assert tab.run("document.querySelectorAll('h1').length") == 1, path
        assert tab.run("performance.getEntriesByType('navigation')[0].decodedBodySize") < LONGEST, path
        tab.run(AXE)
        violations[path] = tab.run(VIOLATIONS)
    assert {path: found for path, found in violations.items() if found} == {}
    assert [one for one in tab.complaints if "404" not in one] == []
    assert hosts(tab) == {urlsplit(address).netloc}


def test_the_page_in_a_file(tab: Tab, root: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    write_page(root, file, title="시험 주제", language="ko", days=30)
    tab.requested.clear()
    tab.resize(360, 740, phone=True)
    tab.open(file.as_uri())
    assert tab.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    tab.run(AXE)
    assert tab.run(VIOLATIONS) == []
    assert (tab.complaints, hosts(tab), file.stat().st_size < LONGEST) == ([], set(), True)


AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
VIOLATIONS = (
    "axe.run().then(found => found.violations.map(one => [one.id, ...one.nodes.map(node => node.html)].join('\\n  ')))"
)
LONGEST = 150_000
"""Bytes of the longest page."""
