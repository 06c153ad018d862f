"""The receipt of a run for an operator. Text from pages is displayed unchanged, even if it looks like Markdown."""

from __future__ import annotations

from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from flows.reports.run_summary import MOST, account, listing, new_articles, remarks, summary
from flows.reports.text import link, size
from schemas.receipt import SourceEnd, SourceReport
from schemas.safe_text import one_line
from tests.support.values import ended
from tests.support.values import receipt as empty_receipt

HOSTILE = (
    "[독자](https://bad.example) AI",
    "![그림](https://bad.example/x.png)",
    "<img src=x onerror=alert(1)>",
    "<https://bad.example>",
    "# 제목\n\n- 목록",
    "a | b | c",
    "**굵게** `code` ~~x~~ \\ &amp; &lt;",
    "{{ flow_run.name }}",
    "1. 하나",
    "\u202e뒤집힌\u202c 글",
)


def markdown(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").enable("strikethrough").parse(text)


def shown(tokens: list[Token]) -> str:
    """The displayed text of inline tokens."""
    return "".join(child.content for token in tokens if token.type == "inline" for child in token.children or ())


def kinds(tokens: list[Token]) -> set[str]:
    return {child.type for token in tokens if token.type == "inline" for child in token.children or ()}


def receipt(**given: Any) -> dict[str, Any]:
    return {**ended(empty_receipt()).as_json(), **given}


def article(title: str, url: str = "https://n.news.naver.com/mnews/article/001/0000000001") -> dict[str, str | None]:
    return {
        "id": "001_0000000001",
        "title": title,
        "publisher": "가온일보",
        "url": url,
        "published_at": "2025-12-30T08:20:53+09:00",
        "file": "articles/2025/12/30/001_0000000001.md",
    }


@pytest.mark.parametrize("title", HOSTILE)
def test_a_title_can_neither_add_a_link_nor_a_row(title: str) -> None:
    ended_run = receipt(newest=[article(title)], faults={"001_0000000002": title}, by_source={title: {"new": 1}})
    tokens = markdown(account(ended_run))
    links = [c.attrs["href"] for t in tokens for c in t.children or () if c.type == "link_open"]
    assert links == ["https://n.news.naver.com/mnews/article/001/0000000001"]
    assert kinds(tokens) <= {"text", "text_special", "softbreak", "link_open", "link_close", "code_inline"}
    rows = [t for t in tokens if t.type == "tr_open"]
    assert len(rows) == 2  # a head, and the one source
    assert shown(tokens).count(one_line(title)) == 3


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//bad.example", "", "file:///etc/passwd"])
def test_only_addresses_of_the_web_become_links(url: str) -> None:
    assert link("제목", url) == "제목"


def test_a_link_leads_where_the_address_does() -> None:
    url = "https://example.org/a(b)?q=독자 AI&x=<>|"
    (link_open,) = [c for t in markdown(link("제목", url)) for c in t.children or () if c.type == "link_open"]
    assert link_open.attrs["href"] == "https://example.org/a%28b%29?q=%EB%8F%85%EC%9E%90%20AI&x=%3C%3E%7C"


def test_a_run_with_nothing_to_tell_has_only_its_head() -> None:
    text = account(receipt(outcomes={}))
    assert "##" not in text
    assert text.startswith("# crawl test: done\n")
    assert "0 requests, 0 B, 1.0 s" in shown(markdown(text))
    assert "began 2026-01-02 12:04 in Korea" in text


def test_every_part_of_a_receipt_is_shown() -> None:
    ended_run = receipt(
        outcomes={"new": 3, "listed": 2, "gone": 0},
        sources=[
            {
                "source": "search_page:독자 AI",
                "end": "forbidden",
                "reason": "robots.txt: /search",
                "pages": 0,
                "items": 0,
            }
        ],
        by_source={"search_page:독자 AI": {"new": 3}, "address": {"listed": 2}},
        hosts={
            "fast.example": {"requests": 9, "bytes": 2e6, "seconds": 1.0, "slowest": 0.2},
            "slow.example": {"requests": 1, "bytes": 5e3, "seconds": 8.0, "slowest": 8.0},
        },
        drift=["n.news: `body` is 0 % of pages, was 99 %"],
        held={"001_0000000003": "looks different"},
        quarantined=70,
        gaps=["section_list:105: 2025-12-29 was not read"],
        resting={"api.example": "asks for an hour"},
        notes=["a killed run was carried out"],
        robots={"hosts": {"closed.example": {"status": None, "fault": "no connection"}}},
    )
    text = shown(markdown(account(ended_run)))
    for part in (
        *("new 3", "listed 2", "forbidden: robots.txt: /s", "8.00 s", "2.0 MB", "5.0 kB"),
        *("was 99 %", "looks different", "and 69 more", "was not read", "asks for an hour", "was carried out"),
        *("closed.example: could not be read: no connection", "2 articles are kept as what the sources said"),
    ):
        assert part in text, part
    assert text.index("slow.example") < text.index("fast.example")
    assert "gone" not in text


def test_long_lists_are_cut_and_say_so() -> None:
    text = account(receipt(notes=[f"일 {n}" for n in range(MOST + 7)]))
    assert text.count("- 일") == MOST
    assert text.endswith("- and 7 more\n")


def test_all_new_articles_are_named_or_counted() -> None:
    """A receipt contains the first fifty."""
    text = account(receipt(newest=[article(f"기사 {n}") for n in range(50)], outcomes={"new": 1234}))
    assert text.count("](<https://") == 50
    assert text.endswith("- and 1,184 more\n")
    assert "more" not in account(receipt(newest=[article("기사")], outcomes={"new": 1}))


def test_what_is_only_listed_is_marked() -> None:
    ended_run = receipt(newest=[{**article("독자 모델"), "file": None, "status": "listed"}], outcomes={"listed": 1})
    assert ") (listed)\n" in account(ended_run)
    assert new_articles(ended_run)[0]["file"] == "listed"


def test_a_title_has_no_stray_backslash() -> None:
    faults = {"001_0000000002": "no answer (503)."}
    text = account(receipt(newest=[article("[단독] 나래 모델 97.2점 (종합)")], faults=faults))
    assert "\\" not in text
    assert "- 2025-12-30 08:20 KST 가온일보: [[단독] 나래 모델 97.2점 (종합)](<https://n.news" in text


@pytest.mark.parametrize(
    ("held", "said"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (123_456, "123 kB"), (2_500_000, "2.5 MB"), (7.1e12, "7.1 TB")],
)
def test_sizes_for_people(held: float, said: str) -> None:
    assert size(held) == said


def test_the_rows_of_the_table() -> None:
    (row,) = new_articles(receipt(newest=[article("독자\n모델\x1b[2J")]))
    assert row == {
        "published": "2025-12-30 08:20 KST",
        "publisher": "가온일보",
        "title": "독자 모델 [2J",
        "url": "https://n.news.naver.com/mnews/article/001/0000000001",
        "file": "articles/2025/12/30/001_0000000001.md",
    }


def test_a_line_for_the_log() -> None:
    assert summary(receipt(outcomes={"new": 2, "gone": 0}, finds=2)) == "2 finds (new 2); 0 requests, 0 B, 1.0 s"


def test_what_an_operator_should_look_at() -> None:
    ends = {"overlap": "fine", "end": "fine", "empty": "fine", "failed": "no answer", "cap": "1,000 results"}
    sources = [{"source": "s", "end": end, "reason": why, "pages": 1, "items": 1} for end, why in ends.items()]
    ended_run = receipt(sources=sources, drift=["a drift"], gaps=["a gap"], resting={"n.news": "rests\x1b[2J"})
    assert remarks(ended_run) == ["s: failed: no answer", "s: cap: 1,000 results", "a drift", "a gap", "rests [2J"]


def test_an_account_that_is_no_receipt() -> None:
    assert listing("verify archive", "2 faults", ["a_b"]) == "# verify archive\n\n2 faults\n\n- a_b\n"


def test_a_real_receipt_is_shown_whole() -> None:
    """With the field names of Receipt, not those in this file."""
    made = ended(empty_receipt())
    made.sources.append(SourceReport("section_list:105", SourceEnd.OVERLAP, "reached the last run", 2, 40))
    made.by_source["section_list:105"] = {"new": 1}
    made.newest.append(article("독자 모델"))
    made.drift.append("a drift")
    made.held["001_0000000004"] = "held"
    made.gaps.append("a gap")
    made.hosts["n.news.naver.com"] = {"requests": 1, "bytes": 10, "seconds": 0.1, "slowest": 0.1}
    headings = [line for line in account(made.as_json()).splitlines() if line.startswith("## ")]
    assert headings == ["## Sources", "## New articles", "## Drift", "## In quarantine", "## Gaps", "## Hosts"]
