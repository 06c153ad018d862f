"""Parts that the layouts share: title, body, byline, photos with captions, kind, the page's own identifiers."""

from __future__ import annotations

import re
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from flows.naver.articles.body_text import lines, paragraphs
from flows.naver.lines import LONGEST_LINE
from flows.naver.nodes import (
    Scope,
    ancestors,
    attribute,
    has_class,
    one_line,
    outermost,
    required,
    shown_line,
    without_nested,
)
from flows.naver.urls import find_article_key
from schemas.article import ArticleKey, Image, Kind
from schemas.errors import LayoutChanged

CAPTION = "em.img_desc"
CAPTION_TABLE = "table.nbd_table"  # 이데일리 puts a photo and its caption into such a table
CAPTIONED = f".end_photo_org, .ab_photo, {CAPTION}, {CAPTION_TABLE}"
VIDEO = ".vod_player_wrap, ._VIDEO_AREA_WRAP"
SUBTITLE = "strong.media_end_summary"
BYLINE = ".byline"
BYLINE_LINE = ".byline_s, .b_text"  # the second until 2021
NOT_BODY = f"{CAPTIONED}, {VIDEO}, .nbd_im_w, .ab_sub_heading, {SUBTITLE}"
PAGE_URL = 'meta[property="og:url"]'
PAGE_AUTHOR = 'meta[property="og:article:author"]'

_PHOTO = re.compile(r"https?://imgnews\.pstatic\.net/")
_FLASH_TITLE = re.compile(r"\s?[\[(<〈【](?:[1-9]보|속보|긴급|긴급속보|속보 ?[1-9]보)[\])>〉】]")
_FLASH_LENGTH = 100
_MARKED = re.compile(r" ?[▶▷►☞※◎◇#@<]")  # ▶ 제보하기, #해시태그
_PROMOTION = re.compile(
    r"[▶▷☞]|^\[[^\[\]]{1,30}\]$"
    r"|제보(?:를 기다|하기|로 만들|로 함께|가 뉴스)|기사 ?문의|구독(?:하기|하세요|해 ?주세요|$)|채널 ?(?:추가|구독)"
    r"|무단 ?(?:전재|복제|배포)|저작권자|[ⓒ©]|[Cc]opyright|바로가기$|https?://"
    r"|(?:기사|보도|뉴스|소식)[가이는은]? ?(?:곧 |계속 )?(?:이어집니다|업데이트|나옵니다)"
    r"|사진 ?= ?\S|^\[?(?:카카오톡|전화|이?메일|홈페이지|사이트|유튜브) ?[\]:=]"
)
_LONGEST_PROMOTION = 120


def title_of(head: Scope, selector: str, *, url: str, layout: str) -> str:
    """The headline as people see it. Raises LayoutChanged if it is missing, empty or too long."""
    return headline(shown_line(required(head, selector, url=url, layout=layout)), selector, url=url, layout=layout)


def headline(title: str, selector: str, *, url: str, layout: str) -> str:
    """Return the headline unchanged. Raises LayoutChanged if it is empty or too long."""
    if not title:
        raise LayoutChanged(selector, url=url, layout=layout, detail="it is empty")
    if len(title) > LONGEST_LINE:
        detail = f"its text has {len(title)} characters, too many for a headline"
        raise LayoutChanged(selector, url=url, layout=layout, detail=detail)
    return title


class Body(NamedTuple):
    """The text of an article: the subtitle, if there is one, and the paragraphs."""

    subtitle: str | None
    text: str

    @property
    def whole(self) -> str:
        """The paragraphs with the subtitle as the first one, as the archive stores them."""
        return "\n\n".join(part for part in self if part)


def body_of(body: LexborNode) -> Body:
    """The text of the body's element, without captions."""
    apart = body.css(NOT_BODY)
    subtitles = [node for node in apart if node.tag == "strong" and has_class(node, SUBTITLE.partition(".")[2])]
    subtitle = "\n".join(text for node in without_nested(subtitles) if (text := lines(node)))
    return Body(subtitle or None, paragraphs(body, skip=apart))


def byline_of(frame: LexborNode | None) -> str:
    """The byline that a page shows in an element of its own; empty if there is none."""
    lines = [one_line(node) for node in outermost(frame, BYLINE_LINE)] if frame is not None else []
    return ", ".join(dict.fromkeys(line for line in lines if line))


def byline_and_categories(tree: LexborHTMLParser, categories: str) -> tuple[LexborNode | None, LexborNode | None]:
    """The elements of byline and categories. A byline after the categories belongs to another article."""
    found = tree.css(f"{BYLINE}, {categories}")
    byline = found[0] if found and has_class(found[0], BYLINE[1:]) else None
    return byline, next((node for node in found if not has_class(node, BYLINE[1:])), None)


def categories_of(frame: LexborNode | None, item: str) -> tuple[str, ...]:
    """The press office's categories, each once."""
    names = [one_line(entry) for entry in outermost(frame, item)] if frame is not None else []
    return tuple(dict.fromkeys(name for name in names if name))


def photos(body: LexborNode) -> tuple[Image, ...]:
    """The article's photos in order, each once. Tracking pixels and banners are on other hosts."""
    found: dict[str, Image] = {}
    captions: dict[int, str] = {}
    for node in body.css("img"):
        address = attribute(node, "data-src") or attribute(node, "src")
        if _PHOTO.match(address):
            found.setdefault(address, Image(address, _caption(node, body, captions)))
    return tuple(found.values())


def _caption(photo: LexborNode, body: LexborNode, captions: dict[int, str]) -> str | None:
    """The caption of the nearest frame that has one. `captions` caches the frames that were read, by `mem_id`."""
    for box in ancestors(photo):
        if box.mem_id == body.mem_id:
            return None
        if box.mem_id not in captions:
            captions[box.mem_id] = _box_caption(box)
        if caption := captions[box.mem_id]:
            return caption
    return None


def _box_caption(box: LexborNode) -> str:
    """The caption in a photo's frame, with its line breaks."""
    if has_class(box, "end_photo_org") or has_class(box, "ab_photo"):
        caption = box.css_first(CAPTION)
        return lines(caption) if caption is not None else ""
    return lines(box) if box.tag == "table" and has_class(box, "nbd_table") else ""


def kind_of(title: str, body: str, images: tuple[Image, ...], frame: LexborNode) -> Kind:
    """What an article consists of.

    video: there is a player. flash: the headline is marked [1보], [속보] … and the text has fewer than 100 characters
    without the press office's own additions, or there is neither text nor photo. photo: photos without text. text:
    everything else.
    """
    if frame.css_first(VIDEO) is not None:
        return Kind.VIDEO
    if _FLASH_TITLE.match(title) and _news_length(body) < _FLASH_LENGTH:
        return Kind.FLASH
    if body:
        return Kind.TEXT
    return Kind.PHOTO if images else Kind.FLASH


def _news_length(body: str) -> int:
    """The length of the text without calls for tips, subscription links and copyright notes."""
    return sum(len(line) for line in body.split("\n") if not _is_added(line))


def _is_added(line: str) -> bool:
    return bool(_MARKED.match(line) or (len(line) <= _LONGEST_PROMOTION and _PROMOTION.search(line)))


def own_key(key: ArticleKey, script_id: str | None, tree: LexborHTMLParser, *, url: str, layout: str) -> None:
    """Raise LayoutChanged if the page says that it is another article than the requested one.

    A record under a wrong key would be worse than none. A page without a key is accepted under its address.
    """
    meta = find_article_key(_head_meta(tree, PAGE_URL))
    for named, where in ((script_id, "var article"), (meta.id if meta else None, "og:url")):
        if named is not None and named != key.id:
            detail = f"the page's own is {named[:40]}: a redirect, or another article"
            raise LayoutChanged(f"{where} = {key.id}", url=url, layout=layout, detail=detail)


def author_meta(tree: LexborHTMLParser) -> str:
    """The press office in `og:article:author`, which reads `연합뉴스 | 네이버`."""
    name, _, site = _head_meta(tree, PAGE_AUTHOR).rpartition("|")
    return name.strip() if site.strip() == "네이버" else ""


def _head_meta(tree: LexborHTMLParser, selector: str) -> str:
    # Only the page's own head counts, and searching it alone is faster.
    node = tree.head.css_first(selector) if tree.head is not None else None
    return attribute(node, "content") if node is not None else ""
