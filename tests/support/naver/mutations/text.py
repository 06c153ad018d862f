"""Mutations of content: body, blocks inside it, title, bylines, JSON keys, encodings. See mutations.py."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from functools import partial
from random import Random
from typing import Any

from tests.support.naver.mutations.markup import EVERY, JSON, NNEWS, OLD, PAGES, REMOVED, Change, Row, cut, replace, row

# --- the body ------------------------------------------------------------------------------------------------------

_BODIES = (
    re.compile(r'(<(?:article|div) id="dic_area"[^>]*>)(.*?)(</(?:article|div)>\n</div>)', re.DOTALL),
    re.compile(r'(<div id="articleBodyContents"[^>]*>)(.*?)(\n\t<!-- // 본문 내용 -->\n\t</div>)', re.DOTALL),
)
_BREAK = re.compile(r"\s*<br>\s*<br>\s*")


def inside(change: Change, page: str, rng: Random) -> str:
    """Change the markup of the body."""
    if page.startswith("{"):
        answer = json.loads(page)
        article = answer["result"]["articleInfo"]["article"]
        article["content"] = change(article["content"], rng)
        return json.dumps(answer, ensure_ascii=False)
    for pattern in _BODIES:
        page = pattern.sub(lambda m: m[1] + change(m[2], rng) + m[3], page, count=1)
    return page


def _lead(inner: str) -> str:
    """The text, beginning with its first paragraph."""
    before = r'<strong.*?</strong>|<table.*?</table>|<div class="ab_photo.*?</span></div></div>'
    text = re.sub(before, "", inner, flags=re.DOTALL)
    photo = r'<span class="end_photo_org">.*?</em></span>'
    return re.sub(photo, "", text, flags=re.DOTALL).strip().removeprefix("<br><br>")


def _paragraphs(inner: str) -> list[str]:
    return _BREAK.split(_lead(inner))


def _joined(paragraphs: Iterable[str]) -> str:
    return "<br><br>".join(paragraphs)


def _each(before: str, after: str, inner: str, _: Random) -> str:
    return "".join(f"{before}{one}{after}" for one in _BREAK.split(inner) if one)


def _teaser(behind: str, inner: str, _: Random) -> str:
    """The first paragraph, and a replacement of the others."""
    return _paragraphs(inner)[0] + behind


def _wrapped(tag: str, inner: str, _: Random) -> str:
    return f"<{tag}>{inner}</{tag.partition(' ')[0]}>"


_BODY_CHANGES: dict[str, Change] = {
    "emptied": lambda inner, rng: "",
    "loaded by script": lambda inner, rng: '<div class="loading"></div><script>load("body")</script>',
    "loaded later, with a notice": lambda inner, rng: '<p class="loading">기사를 불러오는 중입니다.</p>',
    "first paragraph only": partial(_teaser, ""),
    "first two paragraphs": lambda inner, rng: _joined(_paragraphs(inner)[:2]),
    "first paragraph, then more": partial(_teaser, '<a class="more" href="#">더보기</a>'),
    "first sentence, then dots": lambda inner, rng: _paragraphs(inner)[0].partition("다.")[0] + "다. …",
    "first paragraph gone": lambda inner, rng: _joined(_paragraphs(inner)[1:]),
    "login teaser": partial(_teaser, "<br><br>로그인 후 전체 기사를 볼 수 있습니다."),
    "paywall": partial(_teaser, '<div class="paywall">구독자만 읽는 기사입니다. <a>구독</a></div>'),
    "paragraphs as <p>": partial(_each, "<p>", "</p>"),
    "paragraphs as <div>": partial(_each, '<div class="par">', "</div>"),
    "wrapped in a template": partial(_wrapped, "template"),
    "wrapped in a noscript": partial(_wrapped, "noscript"),
    "wrapped in a button": partial(_wrapped, "button"),
    "wrapped in a photo's frame": partial(_wrapped, 'span class="end_photo_org"'),
    "wrapped in a div": partial(_wrapped, 'div class="viewer"'),
    "escaped twice": lambda inner, rng: html.escape(inner),
    "all of it a comment": lambda inner, rng: f"<!--{inner.replace('--', '')}-->",
    "in reverse": lambda inner, rng: _joined(reversed(_BREAK.split(inner))),
    "text twice": lambda inner, rng: f"{inner}<div>{inner}</div>",
    "breaks as newlines": lambda inner, rng: inner.replace("<br>", "\n"),
    "breaks as spaces": lambda inner, rng: re.sub(r"(?:\s*<br>\s*)+", " ", inner),
    "breaks single": lambda inner, rng: inner.replace("<br><br>", "<br>"),
    "spaces lost": lambda inner, rng: re.sub(r"(?<=[가-힣.]) (?=[가-힣])", "", inner),
    "machine translated": lambda inner, rng: re.sub(r"[가-힣]+", "word", inner),
    "a placeholder": lambda inner, rng: "{{article.content}}",
    "undefined": lambda inner, rng: "undefined",
}


def bodies() -> Iterator[Row]:
    for name, change in _BODY_CHANGES.items():
        yield row(f"body: {name}", EVERY, partial(inside, change))
    yield row("body: split into two containers", (NNEWS,), _split_body)
    yield row("body: second half elsewhere", (NNEWS,), partial(_split_body, where="</div>\n<div class='newsct_more'>"))
    yield row("body: moved out of its container", (NNEWS,), _moved_body)


def _split_body(page: str, _: Random, where: str = "<div class='dic_area_more'>") -> str:
    def split(match: re.Match[str]) -> str:
        parts = _BREAK.split(match[2])
        half = (len(parts) + 1) // 2
        first, second = ("<br><br>".join(piece) for piece in (parts[:half], parts[half:]))
        end = match[3].partition(">")[0] + ">"
        return f"{match[1]}{first}{end}{where}{second}</div>" + match[3][len(end) :]

    return _BODIES[0].sub(split, page, count=1)


def _moved_body(page: str, _: Random) -> str:
    return _BODIES[0].sub(lambda m: f"{m[1]}{m[3][:-7]}<div class='content'>{m[2]}</div>\n</div>", page, count=1)


_RELATED = "국가대표 인공지능 다음 주 발표 전망"
_INSERTED = {
    "list of related articles": f'<ul class="related"><li><a href="#">{_RELATED}</a></li><li>{_RELATED} 2</li></ul>',
    "linked articles": f'<div class="media_end_linked"><h3>주요뉴스</h3><a href="#">{_RELATED}</a></div>',
    "promotion": '<div class="promotion"><a href="#" class="p_link">제보하기</a></div>',
    "advertisement": '<div class="ad_area"><p>광고</p><p>이 상품을 지금 확인하세요</p></div>',
    "subscription button as text": '<span class="subscribe">구독하고 메인에서 바로 보세요</span>',
    "paragraph of a promotion": "<p>▶ 앱을 내려받고 소식을 먼저 보세요</p>",
    "line of a promotion": "<br>▶ 채널을 구독하면 알림을 보내 드립니다<br>",
    "links": '<a href="#">홈페이지 바로가기</a>',
    "summary by a machine": '<section class="ai_sum"><h4>AI 요약</h4><p>자동으로 요약했습니다.</p></section>',
    "comments": '<div class="u_cbox"><span class="u_cbox_contents">좋은 기사 잘 읽었습니다</span></div>',
    "copyright": "<p>Copyright ⓒ 무단 전재 및 재배포 금지</p>",
    "poll": "<form><label>어떻게 생각하십니까?</label><label>찬성</label></form>",
}


def blocks() -> Iterator[Row]:
    """Another block inside the body: before, between or after its paragraphs."""
    for name, block in _INSERTED.items():
        for place in ("before", "between", "behind"):
            yield row(f"body: {name} {place}", EVERY, partial(inside, partial(_insert, block, place)))


def _insert(block: str, place: str, inner: str, _: Random) -> str:
    if place == "between":
        first, gap, rest = inner.partition("<br><br>")
        return f"{first}{block}{gap}{rest}" if gap else block + inner
    return block + inner if place == "before" else inner + block


# --- the title -----------------------------------------------------------------------------------------------------

_TITLES = {
    NNEWS: re.compile(r'(<h2[^>]*class="media_end_head_headline">(?:<span>)?)(.*?)((?:</span>)?</h2>)', re.DOTALL),
    OLD: re.compile(r'(<h3 id="articleTitle">)(.*?)(</h3>)', re.DOTALL),
    JSON: re.compile(r'("title": ")(.*?)(", "content")', re.DOTALL),
}


def titles() -> Iterator[Row]:
    changes: dict[str, Change] = {
        "empty": lambda title, rng: "",
        "the site's name": lambda title, rng: "뉴스",
        "ends with the site's name": lambda title, rng: f"{title} : 뉴스",
        "ends with a bar": lambda title, rng: f"{title} | 뉴스홈",
        "cut to 10": lambda title, rng: f"{title[:10]}…",
        "cut to 20": lambda title, rng: title[:20],
        "begins with a label": lambda title, rng: f"기사 제목: {title}",
        "undefined": lambda title, rng: "undefined",
        "twice": lambda title, rng: f"{title} {title}",
        "escaped twice": lambda title, rng: html.escape(html.escape(f"‘{title}’ & ‘뉴스’")),
    }
    for name, change in changes.items():
        yield row(f"title: {name}", EVERY, partial(_retitled, change))
    decoy = f'<h2 class="media_end_head_headline">{_RELATED}</h2>'
    yield row("title: another block's", (NNEWS,), partial(_before, '<div class="media_end_head_title">', decoy))
    yield row("title: of a menu in front", (NNEWS,), partial(_after, '<div class="media_end_head go_trans">', decoy))
    old = f'<h3 id="articleTitle">{_RELATED}</h3>'
    yield row("old title: another block's", (OLD,), partial(_before, '<div class="article_info">', old))
    yield row(
        "title: with a button inside", (NNEWS,), lambda p, _: p.replace("</h2>", "<button>본문 듣기</button></h2>")
    )
    yield row(
        "title: with a badge inside", (NNEWS,), lambda p, _: p.replace("</h2>", '<em class="badge">많이 본</em></h2>')
    )


def _retitled(change: Change, page: str, rng: Random) -> str:
    family = JSON if page.startswith("{") else NNEWS if "media_end_head_headline" in page else OLD
    return _TITLES[family].sub(lambda m: m[1] + change(m[2], rng).replace('"', "'") + m[3], page, count=1)


def _before(place: str, block: str, page: str, _: Random) -> str:
    return page.replace(place, block + place, 1)


def _after(place: str, block: str, page: str, _: Random) -> str:
    return page.replace(place, place + block, 1)


# --- everything else -----------------------------------------------------------------------------------------------


def texts() -> Iterator[Row]:
    """The whole page with wrong characters, or another page."""
    yield row("UTF-8 read as Latin", (NNEWS, JSON), lambda p, _: p.encode().decode("latin-1"))
    yield row("letters outside ASCII lost", EVERY, lambda p, _: re.sub(r"[^\x00-\x7f]", "?", p))
    yield row("letters replaced", EVERY, lambda p, _: re.sub(r"[뷁-힣]", "\ufffd", p))
    notice = "<!doctype html><html><body><h1>자동 입력 방지</h1><p>비정상적인 접근이 감지되었습니다.</p></body></html>"
    yield row("a block notice", PAGES, lambda p, _: notice)
    yield row("an empty page", EVERY, lambda p, _: "")
    yield row("half a page", EVERY, lambda p, _: p[: len(p) // 2])
    yield row("three quarters of a page", EVERY, lambda p, _: p[: 3 * len(p) // 4])


def bylines() -> Iterator[Row]:
    for name, text in (
        ("a desk", "디지털뉴스팀"), ("a notice", "기자 페이지"), ("empty", ""), ("a button", "구독 응원"),
        ("always the same", "홍길동 기자(hong@seogo.example)"),
    ):  # fmt: skip
        yield row(f"byline: {name}", (NNEWS,), partial(_resub, r'(<span class="byline_s">)[^<]*', text))
        yield row(
            f"category: {name}", (NNEWS,), partial(_resub, r'(<em class="media_end_categorize_item">)[^<]*', text)
        )
    yield row("byline: behind the categories", (NNEWS,), _late_byline)
    yield row("byline: inside the body", (NNEWS,), _inner_byline)
    yield row("byline: without e-mail", (NNEWS,), partial(cut, r"\(writer\d+@[^)]*\)"))


def _resub(pattern: str, text: str, page: str, _: Random) -> str:
    return re.sub(pattern, lambda m: m[1] + text, page)


def _late_byline(page: str, rng: Random) -> str:
    found = re.search(REMOVED["byline"], page)
    return _before('<div class="media_end_linked">', found[0], page.replace(found[0], ""), rng) if found else page


def _inner_byline(page: str, rng: Random) -> str:
    found = re.search(REMOVED["byline"], page)
    return inside(lambda inner, _: inner + found[0], page.replace(found[0], ""), rng) if found else page


def parts() -> Iterator[Row]:
    """Parts of the page in another order, or inside others."""
    yield row("categories before the body", (NNEWS,), partial(_moved, "categories", '<div id="newsct_article"'))
    yield row("byline before the body", (NNEWS,), partial(_moved, "byline", '<div id="newsct_article"'))
    yield row(
        "head behind the body", (NNEWS,), partial(_moved, "head of the article", '<div class="media_end_linked">')
    )
    yield row(
        "wrapped in a web component",
        (NNEWS,),
        lambda p, _: p.replace('<div id="contents"', '<n-article><div id="contents"'),
    )
    yield row("another article first", (NNEWS,), _other_first)
    yield row("another article's body behind", (NNEWS,), _other_behind)


def _moved(part: str, place: str, page: str, rng: Random) -> str:
    found = re.search(REMOVED[part], page, re.DOTALL)
    return _before(place, found[0], page.replace(found[0], ""), rng) if found else page


def _other_first(page: str, rng: Random) -> str:
    return _before('<div id="newsct_article"', f'<div id="dic_area">{_RELATED}. 다른 기사의 본문이다.</div>', page, rng)


def _other_behind(page: str, rng: Random) -> str:
    return _before(
        '<div class="media_end_linked">', f'<div id="dic_area">{_RELATED}. 다른 기사의 본문이다.</div>', page, rng
    )


_KEYS = (
    "result", "articleInfo", "article", "officeId", "articleId", "title", "content", "serviceDatetime",
    "modifyDatetime", "originUrl", "sections", "journalistCards", "officeInfo", "hname", "name", "email",
)  # fmt: skip


def keys() -> Iterator[Row]:
    for key in _KEYS:
        yield row(f"JSON: {key} renamed", (JSON,), partial(replace, f'"{key}":', f'"{key}V2":'))
        yield row(f"JSON: {key} is null", (JSON,), partial(_nulled, key))
    for key in ("sections", "journalistCards"):
        yield row(f"JSON: {key} empty", (JSON,), partial(_set, key, []))
    yield row(
        "JSON: content as a list", (JSON,), lambda p, _: re.sub(r'"content": (".*?(?<!\\)")', r'"content": [\1]', p)
    )
    yield row("JSON: content is the summary", (JSON,), partial(inside, lambda inner, _: _lead(inner)[:80]))
    yield row("JSON: code 403", (JSON,), lambda p, _: '{"code": 403, "success": false, "message": "Forbidden"}')
    yield row("JSON: names as one text", (JSON,), partial(_set, "journalistCards", "홍길동 기자"))
    yield row(
        "JSON: hname is the number",
        (JSON,),
        lambda p, _: re.sub(r'"officeId": "(\d+)", "hname": "[^"]*"', r'"officeId": "\1", "hname": "\1"', p),
    )


def _nulled(key: str, page: str, rng: Random) -> str:
    return _set(key, None, page, rng)


def _set(key: str, value: Any, page: str, _: Random) -> str:
    def within(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: value if name == key else within(one) for name, one in part.items()}
        return [within(one) for one in part] if isinstance(part, list) else part

    return json.dumps(within(json.loads(page)), ensure_ascii=False)


def encodings() -> Iterator[Row]:
    for encoding in ("cp949", "utf-16", "utf-16-le", "utf-8-sig"):
        yield row(f"sent as {encoding}", (NNEWS,), lambda page, _: page, encoding)
    yield row("old page sent as UTF-8", (OLD,), lambda page, _: page, "utf-8")
    yield row("sent as ASCII with question marks", (NNEWS,), lambda p, _: p.encode("ascii", "replace").decode())
