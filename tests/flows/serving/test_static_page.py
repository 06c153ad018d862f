"""The page of `seogo report --html`: its content, that it asks nobody for anything, and how it is written."""

from __future__ import annotations

import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from flows.reports.language import Language
from flows.serving.pages.static_page import static_page, write_page
from schemas.article import Outcome
from schemas.errors import BadInput, StorageFault
from schemas.find import RevisionKind
from storage.archive import open_archive
from tests.support.archives import store_results
from tests.support.reports import EVIL, altered, gone
from tests.support.values import NOW, article, key, stored


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("static") / "archive"
    edit = stored(article(1, title="고친 제목"), outcome=Outcome.EDITED, revision_kind=RevisionKind.EDITED, revision=2)
    with open_archive(root) as archive:
        store_results(archive, stored(article(1)), stored(article(3, title=EVIL)), gone(9), edit)
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "archive"))


class Reader(HTMLParser):
    """The page as a browser parses it: elements, attributes, text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def page_of(root: Path, *, language: Language = "ko", days: int = 7) -> str:
    return static_page(root, title="시험 주제", language=language, days=days, now=NOW)


def test_it_asks_nobody_for_anything_and_runs_nothing(root: Path) -> None:
    found = Reader(page_of(root))
    assert [name for name, _ in found.attributes if name in ("src", "srcset", "action", "data", "poster")] == []
    assert {"script", "img", "form", "iframe"}.isdisjoint(found.tags)
    assert [name for name, _ in found.attributes if name.startswith("on")] == []
    assert "onerror=alert(1)" in found.text  # what a page said is text
    assert any(
        (value or "").startswith("default-src 'none'; style-src 'unsafe-inline'") for _, value in found.attributes
    )
    assert "url(" not in page_of(root)


def test_every_link_leads_to_naver_or_into_the_page(root: Path) -> None:
    found = Reader(page_of(root))
    links = {value for name, value in found.attributes if name == "href"} - {"data:,"}
    inward = {link for link in links if link and link.startswith("#")}
    assert links - inward == {key(1).url, key(3).url}
    names = {f"#{value}" for name, value in found.attributes if name == "id"}
    assert inward <= names


def test_what_it_tells_in_the_language_of_the_topic(root: Path) -> None:
    korean, english = Reader(page_of(root)).text, Reader(page_of(root, language="en", days=30)).text
    for said in ("이번 주 · 2025-12-27 – 2026-01-02", "고친 제목", "저장 용량", "마지막 검증: 없음"):
        assert said in korean
    for said in ("The last 30 days · 2025-12-04 – 2026-01-02", "Edited headlines", "Disk usage", "archive.duckdb"):
        assert said in english
    assert "2026-01-02 deleted 1" in english  # the chart of outcomes


def test_an_archive_of_an_older_version_and_an_empty_one(root: Path, tmp_path: Path) -> None:
    altered(root, "DROP TABLE coverage", "DROP TABLE quarantine", "DROP VIEW stories", "DROP TABLE story_members")
    page = page_of(root)
    assert "고친 제목" in page
    assert "공백을 알 수 없습니다" in page
    with open_archive(tmp_path / "empty"):
        pass
    assert "이 기간에는 기사가 없습니다" in page_of(tmp_path / "empty")


def test_it_is_written_whole_or_not_at_all(root: Path, tmp_path: Path) -> None:
    target = tmp_path / "out" / "page.html"
    with pytest.raises(StorageFault, match="--html"):
        write_page(root, target, title="시험", language="ko", now=NOW)
    target.parent.mkdir()
    assert write_page(root, target, title="시험", language="ko", now=NOW) == target.stat().st_size
    assert [path.name for path in target.parent.iterdir()] == ["page.html"]


@pytest.mark.parametrize("own", ["archive.duckdb", "articles/page.html", "page.html"])
def test_the_archive_s_own_files_are_not_written_over(root: Path, own: str) -> None:
    before = (root / "archive.duckdb").read_bytes()
    with pytest.raises(BadInput, match="is inside the archive"):
        write_page(root, root / own, title="시험", language="ko")
    assert (root / "archive.duckdb").read_bytes() == before
