"""Made-up search pages in the form of search.naver.com's since 2025. Every text here is invented."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

SPOKEN = '<span class="fender-ui_0a1b2c3d">새 창 열림</span>'
"""The text that each link has contained since 2026-07, for screen readers."""


@dataclass(frozen=True)
class Look:
    """How a page looks: whether titles are marked as such (not in 2025-04), and what each link ends in."""

    marked: bool = True
    spoken: str = SPOKEN

    def link(self, address: str, target: str, text: str = "") -> str:
        mark = f' data-heatmap-target=".{target}"' if self.marked else ""
        shown = f'<span class="sds-comps-text">{text}</span>' if text else "<div><img></div>"
        return f'<a nocr="1" href="{address}" class="hash_{target}" target="_blank"{mark}>{shown}{self.spoken}</a>'


TODAY, EARLIER, UNMARKED = Look(), Look(spoken=""), Look(marked=False, spoken="")


@dataclass(frozen=True)
class Result:
    """One result; `aid` is None where Naver does not host the article. `site` is the press office's."""

    title: str
    aid: int | None = None
    site: str = "https://seogo.example"
    naver: str = "https://n.news.naver.com/mnews/article/001"
    members: tuple[Result, ...] = ()

    @property
    def original(self) -> str:
        return f"{self.site}/news/view.php?idx={crc32(self.title.encode())}"

    @property
    def hosted(self) -> str:
        return f"{self.naver}/{self.aid:010}?sid=105"


def page(*results: Result, look: Look = TODAY) -> bytes:
    """A search page with these results."""
    items = "<span class=divider></span>".join(_item(result, look) for result in results)
    return f"""<!doctype html><html lang="ko"><head><meta charset="utf-8"></head><body><div id="wrap">
<div id="lnb"><a href="https://map.example/v5/search/x">지도{look.spoken}</a></div>
<div id="main_pack"><section class="sc_new"><div class="fds-news-item-list">{items}</div>
<a href="https://news.naver.com/main/static/channelPromotion.html">언론사 선정{look.spoken}</a></section></div>
</div></body></html>""".encode()


def _item(result: Result, look: Look) -> str:
    title = look.link(result.original, "tit", result.title)
    body = look.link(result.original, "body", f"{result.title}의 첫 문장이다.")
    members = "".join(_member(member, look) for member in result.members)
    cluster = f"<div><div>{members}</div></div>" if members else ""
    return f"""<div class="item_hash">{_profile(result, look)}
<div><div>{title}{body}</div>{look.link(result.original, "img")}</div>{cluster}</div>"""


def _member(result: Result, look: Look) -> str:
    title = look.link(result.original, "tit", result.title)
    return f'<div class="member_hash">{title}{_profile(result, look, small=True)}</div>'


def _profile(result: Result, look: Look, *, small: bool = False) -> str:
    home = "https://media.naver.com/press/001" if result.aid is not None else f"{result.site}/forbes"
    press = "서고일보" if small else look.link(home, "prof") + look.link(home, "prof", "서고일보")
    naver = f"<span>{look.link(result.hosted, 'nav', '네이버뉴스')}</span>" if result.aid is not None else ""
    keep = f'<div style="display:none"><a href="https://keep.naver.com">Keep에 바로가기{look.spoken}</a></div>'
    return f'<div data-sds-comp="Profile"><span>{press}</span><span>1시간 전</span>{naver}{keep}</div>'
