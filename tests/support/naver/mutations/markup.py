"""Mutations of markup: names, elements, tags, attributes, time formats. See mutations.py."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from random import Random

Change = Callable[[str, Random], str]
"""Changes a page. The random generator makes the same choices for all pages."""
Row = tuple[str, tuple[str, ...], Change, str]
"""Name, families, change, encoding."""

NNEWS, OLD, JSON = "nnews", "old", "json"
EVERY = (NNEWS, OLD, JSON)
PAGES = (NNEWS, OLD)


def row(name: str, families: tuple[str, ...], change: Change, encoding: str = "") -> Row:
    return name, families, change, encoding


# --- names ---------------------------------------------------------------------------------------------------------

_NNEWS_NAMES = (
    "media_end_head_headline", "media_end_head_top_logo", "media_end_head_top_logo_img", "media_end_head_top_img",
    "_ARTICLE_DATE_TIME", "_ARTICLE_MODIFY_DATE_TIME", "media_end_head_journalist_name", "media_end_head_origin_link",
    "dic_area", "newsct_article", "byline", "byline_s", "media_end_categorize", "media_end_categorize_item",
    "media_end_head", "title_area", "media_end_head_info_datestamp_bunch",
)  # fmt: skip
_BODY_NAMES = (
    "media_end_summary", "end_photo_org", "img_desc", "ab_photo", "nbd_table", "nbd_im_w", "ab_sub_heading",
    "vod_player_wrap _VIDEO_AREA_WRAP",
)  # fmt: skip
_OLD_NAMES = (
    "articleTitle", "press_logo", "t11", "btn_artialoriginal", "articleBodyContents", "guide_categorization",
    "guide_categorization_item", "article_header",
)  # fmt: skip


def renames() -> Iterator[Row]:
    """A class or an id with another name: hashed, as on sports pages, or with another prefix."""
    for families, names in (((NNEWS,), _NNEWS_NAMES), (EVERY, _BODY_NAMES), ((OLD,), _OLD_NAMES)):
        for name in names:
            yield row(f"renamed {name}", families, partial(_rename, name))
    yield row("every class renamed", (NNEWS,), _rename_all)
    yield row("classes of the head renamed", (NNEWS,), lambda page, rng: page.replace("media_end_head_", "end_h_"))
    yield row("classes of photos renamed", EVERY, _rename_photos)


def _rename(name: str, page: str, rng: Random) -> str:
    new = rng.choice((f"{name.title().replace('_', '')}_wrap__{rng.getrandbits(20):05x}", f"n_{name}_v2", f"x{name}"))
    return re.sub(rf'((?:class|id)=\\?"[^"]*?)(?<![\w-]){re.escape(name)}(?![\w-])', rf"\g<1>{new}", page)


def _rename_all(page: str, rng: Random) -> str:
    return re.sub(r'class="(\w+)', lambda m: f'class="c{sum(map(ord, m[1])):x}_{rng.getrandbits(8):x}', page)


def _rename_photos(page: str, rng: Random) -> str:
    for name in ("end_photo_org", "img_desc", "nbd_im_w"):
        page = page.replace(name, f"p_{name[:3]}")
    return page


# --- removed elements ----------------------------------------------------------------------------------------------

_LOGO = r'<a href="[^"]*" class="media_end_head_top_logo">.*?</a>'
REMOVED = {
    "title": r'<h2[^>]*class="media_end_head_headline">.*?</h2>',
    "title's id": r' id="title_area"',
    "logo": _LOGO,
    "date": r'<div class="media_end_head_info_datestamp_bunch">.*?</div>(?=\s*<(?:a|div))',
    "original link": r'<a href="[^"]*" target="_blank" class="media_end_head_origin_link".*?</a>',
    "reporter": r'<div class="media_end_head_journalist">.*?</div>',
    "byline": r'<div class="byline">.*?</div>',
    "categories": r'<div class="media_end_categorize">.*?</div>',
    "category names": r'<em class="media_end_categorize_item">.*?</em>',
    "var article": r"var article = \{.*?\};",
    "var office": r"var office = \{.*?\};",
    "head of the article": r'<div class="media_end_head go_trans">.*?(?=<div id="contents")',
}
_REMOVED_EVERYWHERE = {
    "subtitle": r"<strong class=\\?\"media_end_summary\\?\">.*?</strong>",
    "captions": r"<em class=\\?\"img_desc\\?\">.*?</em>",
    "pictures": r"<img id=.*?/>",
    "photo frames": r"</?span(?: class=\\?\"end_photo_org\\?\")?>",
    "player": r"<div class=\\?\"vod_player_wrap.*?</script></div>",
    "line breaks": r"<br>",
}
_REMOVED_OLD = {
    "old title": r'<h3 id="articleTitle">.*?</h3>',
    "old logo": r'<div class="press_logo">.*?</div>',
    "old times": r'<span class="t11">.*?</span>',
    "old original link": r'<a href="[^"]*" target="_blank"\s+class="btn_artial.*?</a>',
    "old categories": r'<div class="guide_categorization">.*?</div>',
}


def removals() -> Iterator[Row]:
    for families, table in (((NNEWS,), REMOVED), (EVERY, _REMOVED_EVERYWHERE), ((OLD,), _REMOVED_OLD)):
        for what, pattern in table.items():
            yield row(f"removed {what}", families, partial(cut, pattern))
    yield row("removed byline and reporter", (NNEWS,), _no_byline)
    yield row("removed og:*", PAGES, partial(cut, r'<meta property="og:[^>]*>'))
    yield row(
        "removed og:* and logo",
        (NNEWS,),
        lambda p, _: re.sub(rf'<meta property="og:[^>]*>|{_LOGO}', "", p, flags=re.DOTALL),
    )


def cut(pattern: str, page: str, _: Random) -> str:
    return re.sub(pattern, "", page, flags=re.DOTALL)


def _no_byline(page: str, rng: Random) -> str:
    """As on pages of 2026-10: neither the byline nor the reporter in the head."""
    return cut(REMOVED["byline"], cut(REMOVED["reporter"], page, rng), rng)


# --- other tags and attributes -------------------------------------------------------------------------------------


def tags() -> Iterator[Row]:
    """An element with another tag and the same class."""
    for name, old, new in (
        ("media_end_head_headline", "h2", "h1"), ("media_end_head_headline", "h2", "strong"),
        ("_ARTICLE_DATE_TIME", "span", "time"), ("_ARTICLE_MODIFY_DATE_TIME", "span", "time"),
        ("media_end_head_journalist_name", "em", "span"), ("media_end_categorize_item", "em", "span"),
        ("byline_s", "span", "a"), ("byline_p", "p", "div"), ("media_end_head_origin_link", "a", "button"),
    ):  # fmt: skip
        yield row(f"{name}: {old} to {new}", (NNEWS,), partial(_retag, name, old, new))
    for name, old, new in (
        ("media_end_summary", "strong", "div"), ("img_desc", "em", "figcaption"), ("end_photo_org", "span", "figure"),
        ("ab_sub_heading", "span", "h3"),
    ):  # fmt: skip
        yield row(f"{name}: {old} to {new}", EVERY, partial(_retag, name, old, new))
    yield row("body: article and div swapped", (NNEWS,), _retag_body)
    yield row(
        "body: to section", (NNEWS,), lambda p, _: re.sub(r"<(/?)(?:article|div)(?= id=\"dic_area\")", r"<\1section", p)
    )
    yield row("old title: h3 to h2", (OLD,), partial(_retag, "articleTitle", "h3", "h2"))
    yield row("old times: span to em", (OLD,), partial(_retag, "t11", "span", "em"))


def _retag(name: str, old: str, new: str, page: str, _: Random) -> str:
    pattern = rf'<{old}([^<>]*(?:class|id)=\\?"[^"]*(?<!\w){name}(?!\w)[^<>]*)>((?:(?!</{old}>).)*)</{old}>'
    return re.sub(pattern, rf"<{new}\1>\2</{new}>", page, flags=re.DOTALL)


def _retag_body(page: str, _: Random) -> str:
    new = "div" if '<article id="dic_area"' in page else "article"
    return re.sub(r'<(article|div)( id="dic_area".*?)</\1>(?=\n</div>)', rf"<{new}\2</{new}>", page, flags=re.DOTALL)


def attributes() -> Iterator[Row]:
    for families, old, new in (
        ((NNEWS,), ' data-date-time="', ' data-time="'), ((NNEWS,), ' data-modify-date-time="', ' data-edited="'),
        ((NNEWS, JSON), "data-src=", "data-lazy-src="), (EVERY, "imgnews.pstatic.net", "newsimg.pstatic.net"),
        (EVERY, "https://imgnews", "//imgnews"), ((NNEWS,), ' alt="', ' title="'),
        (PAGES, 'property="og:', 'name="og:'), (PAGES, "content=", "value="),
        ((NNEWS,), "officeId:", "oid:"), ((NNEWS,), "sectionId :", "sid :"), ((OLD,), " alt='", " title='"),
        ((NNEWS,), "var article =", "window.article ="), ((NNEWS,), "var office =", "window.office ="),
        ((JSON, OLD), " src=", " data-lazy="),
    ):  # fmt: skip
        yield row(f"{old.strip()} to {new.strip()}", families, partial(replace, old, new))
    yield row("alt of the logo says logo", PAGES, _alt_logo)
    yield row(
        "alt of the logo says more", PAGES, lambda p, _: re.sub(r"(logo\.png\"? alt=[\"'][^\"']*)", r"\1 로고", p)
    )
    yield row("original link leads over Naver", PAGES, _bridged)
    yield row("original link leads home", PAGES, lambda p, _: re.sub(r"/news/view\.php\?idx[^\"]*", "/", p))


def replace(old: str, new: str, page: str, _: Random) -> str:
    return page.replace(old, new)


def _alt_logo(page: str, _: Random) -> str:
    page = re.sub(r'(logo\.png" alt=")[^"]*', r"\1언론사 로고", page)
    return re.sub(r"(<img height='35' alt=')[^']*", r"\1언론사 로고", page)


def _bridged(page: str, _: Random) -> str:
    return re.sub(r'href="[^"]*(/news/view\.php[^"]*)"', r'href="https://cr.naver.com/bridge?to\1"', page)


# --- times ---------------------------------------------------------------------------------------------------------

_STAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)")
_SHOWN = re.compile(r"(\d{4})\.(\d\d)\.(\d\d)\. (오전|오후) (\d+):(\d\d)")


def dates() -> Iterator[Row]:
    for name, new in (
        ("ISO with zone", r"\1-\2-\3T\4:\5:\6+09:00"), ("ISO", r"\1-\2-\3T\4:\5:\6"), ("dots", r"\1.\2.\3 \4:\5"),
        ("day first", r"\3-\2-\1 \4:\5:\6"), ("no time", r"\1-\2-\3"), ("Korean", r"\1년 \2월 \3일 \4:\5"),
        ("compact", r"\1\2\3\4\5\6"), ("no seconds", r"\1-\2-\3 \4:\5"), ("empty", ""),
        ("midnight", r"\1-\2-\3 00:00:00"), ("first of the year", r"\1-01-01 \4:\5:\6"),
        ("always 1970", "1970-01-01 00:00:00"),
    ):  # fmt: skip
        yield row(f"stamps: {name}", (NNEWS, JSON), partial(_stamps, new))
    yield row("stamps: nine hours back", (NNEWS,), partial(_hours, 9))
    yield row("stamps of all pages the same", (NNEWS,), partial(_stamps, "2026-10-01 09:00:00"))
    for name, new in (
        ("24 hours", r"\1.\2.\3. \5:\6"), ("two digits", r"\2.\3. \4 \5:\6"), ("relative", "3시간 전"),
        ("AM and PM", r"\1.\2.\3. AM \5:\6"),
        ("no dots", r"\1-\2-\3 \4 \5:\6"), ("year only", r"\1."),
    ):  # fmt: skip
        yield row(f"shown times: {name}", (OLD,), partial(_shown, new))
    yield row("labels of the times swapped", (NNEWS,), _swapped_times)


def _stamps(new: str, page: str, _: Random) -> str:
    return _STAMP.sub(new, page)


def _shown(new: str, page: str, _: Random) -> str:
    return _SHOWN.sub(new, page)


def _hours(back: int, page: str, _: Random) -> str:
    return _STAMP.sub(lambda m: f"{m[1]}-{m[2]}-{m[3]} {(int(m[4]) - back) % 24:02}:{m[5]}:{m[6]}", page)


def _swapped_times(page: str, _: Random) -> str:
    if "_ARTICLE_MODIFY_DATE_TIME" not in page:
        return page
    for old, new in (("_ARTICLE_DATE_TIME", "@"), ("_ARTICLE_MODIFY_DATE_TIME", "_ARTICLE_DATE_TIME")):
        page = page.replace(old, new)
    page = page.replace("@", "_ARTICLE_MODIFY_DATE_TIME").replace(' data-date-time="', ' @="')
    return page.replace(' data-modify-date-time="', ' data-date-time="').replace(' @="', ' data-modify-date-time="')
