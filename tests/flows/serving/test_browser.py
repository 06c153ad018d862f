"""The pages in a real browser: a search typed in Korean, the language, a phone, no errors, no other host."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.support.histories.analyst import EDITED
from tests.support.servers.browser import NEEDS_BROWSER, Tab
from tests.support.servers.serving import CAPTURED, EVIL_ID

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


def hosts(tab: Tab) -> set[str]:
    """Where the pages were asked from, and everything in them."""
    return {urlsplit(url).netloc for url in tab.requested if url.startswith("http")}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_phone_and_raises_no_error(tab: Tab, address: str, scheme: str) -> None:
    tab.resize(360, 740, phone=True)
    tab.colours(scheme)
    paths = ["/", "/search?q=모델", f"/article/{EDITED}", f"/article/{EVIL_ID}", f"/article/{CAPTURED}/capture"]
    for path in [*paths, f"/story/{EDITED}", "/team/가온", "/publisher/001", "/status", "/sql?example=newest-articles"]:
        tab.open(address + path)
        assert tab.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
        assert tab.run(UNNAMED) == [], path
        assert tab.run("document.querySelectorAll('h1').length") == 1, path
        assert tab.run(FAINT) == [], path
    assert tab.complaints == []
    assert hosts(tab) == {urlsplit(address).netloc}


UNNAMED = """[...document.querySelectorAll('a, button, input:not([type=hidden]), textarea, iframe, svg[role=img]')]
  .filter(one => !(one.textContent.trim() || one.ariaLabel || one.title || one.labels?.length))
  .map(one => one.outerHTML)"""
"""Controls without a name for a screen reader."""

FAINT = """(() => {
  const channel = value => { const c = value / 255; return c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; };
  const luminance = rgb => .2126 * channel(rgb[0]) + .7152 * channel(rgb[1]) + .0722 * channel(rgb[2]);
  const numbers = text => text.match(/[\\d.]+/g).map(Number);
  const behind = one => { for (let e = one; e; e = e.parentElement) {
    const found = numbers(getComputedStyle(e).backgroundColor); if (found.length < 4 || found[3] > 0) return found; }
    return [255, 255, 255]; };
  return [...document.querySelectorAll('main *, header *, footer *')]
    .filter(one => [...one.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) && one.offsetParent
      && !one.closest('svg') && one.tagName !== 'OPTION')
    .map(one => { const [a, b] = [luminance(numbers(getComputedStyle(one).color)), luminance(behind(one))];
      return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), one.outerHTML.slice(0, 120)]; })
    .filter(([ratio]) => ratio < 4.5).map(String);
})()"""
"""Texts whose contrast is below 4.5 to 1 (WCAG AA)."""
