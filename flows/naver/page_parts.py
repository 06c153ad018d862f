"""What the layouts share: title, body, photos with captions, the kind of an article, the page's own identifiers."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from flows.naver.body_text import lines, paragraphs
from flows.naver.lines import LONGEST_LINE
from flows.naver.nodes import Scope, ancestors, attribute, has_class, one_line, outermost, required
from flows.naver.urls import find_article_key
from schemas.article import ArticleKey, Image, Kind
from schemas.errors import LayoutChanged

CAPTION = "em.img_desc"
CAPTION_TABLE = "table.nbd_table"  # 이데일리 puts photo and caption into a table of this class
CAPTIONED = f".end_photo_org, .ab_photo, {CAPTION}, {CAPTION_TABLE}"
VIDEO = ".vod_player_wrap, ._VIDEO_AREA_WRAP"
SUBTITLE = "strong.media_end_summary"
NOT_BODY = f"{CAPTIONED}, {VIDEO}, .nbd_im_w, .ab_sub_heading, {SUBTITLE}"
PAGE_URL = 'meta[property="og:url"]'
PAGE_AUTHOR = 'meta[property="og:article:author"]'

_PHOTO = re.compile(r"https?://imgnews\.pstatic\.net/")
_FLASH_TITLE = re.compile(r"\s?[\[(<〈【](?:[1-9]보|속보|긴급|긴급속보|속보 ?[1-9]보)[\])>〉】]")
_FLASH_LENGTH = 100


def title_of(head: Scope, selector: str, *, url: str, layout: str) -> str:
    """The headline. Raises LayoutChanged when it is missing or no headline."""
    return headline(one_line(required(head, selector, url=url, layout=layout)), selector, url=url, layout=layout)


def headline(title: str, selector: str, *, url: str, layout: str) -> str:
    """The headline as it is. Raises LayoutChanged when it is empty, or too long to be one."""
    if not title:
        raise LayoutChanged(selector, url=url, layout=layout, detail="it is empty")
    if len(title) > LONGEST_LINE:
        detail = f"what is there has {len(title)} characters and is no headline"
        raise LayoutChanged(selector, url=url, layout=layout, detail=detail)
    return title


def body_of(body: LexborNode) -> tuple[str | None, str]:
    """The subtitle, where there is one, and the paragraphs with the subtitle as the first of them."""
    subtitle = "\n".join(text for node in outermost(body, SUBTITLE) if (text := lines(node)))
    text = paragraphs(body, skip=body.css(NOT_BODY))
    return subtitle or None, "\n\n".join(part for part in (subtitle, text) if part)


def categories_of(tree: LexborHTMLParser, frame: str, item: str) -> tuple[str, ...]:
    """The press office's categories, each once, out of the first node of `frame`."""
    node = tree.css_first(frame)
    names = [one_line(entry) for entry in outermost(node, item)] if node is not None else []
    return tuple(dict.fromkeys(name for name in names if name))


def photos(body: LexborNode) -> tuple[Image, ...]:
    """The article's pictures in their order, each once. Tracking pixels and banners lie on other hosts."""
    found: dict[str, Image] = {}
    captions: dict[int, str] = {}
    for node in body.css("img"):
        address = attribute(node, "data-src") or attribute(node, "src")
        if _PHOTO.match(address):
            found.setdefault(address, Image(address, _caption(node, body, captions)))
    return tuple(found.values())


def _caption(photo: LexborNode, body: LexborNode, captions: dict[int, str]) -> str | None:
    """The caption of the nearest frame that has one. Each frame is read once, however many photos it holds."""
    for box in ancestors(photo):
        if box.mem_id == body.mem_id:
            return None
        if box.mem_id not in captions:
            captions[box.mem_id] = _box_caption(box)
        if caption := captions[box.mem_id]:
            return caption
    return None


def _box_caption(box: LexborNode) -> str:
    """The caption in a photo's frame; its lines stay lines."""
    if has_class(box, "end_photo_org") or has_class(box, "ab_photo"):
        caption = box.css_first(CAPTION)
        return lines(caption) if caption is not None else ""
    return lines(box) if box.tag == "table" and has_class(box, "nbd_table") else ""


def kind_of(title: str, body: str, images: tuple[Image, ...], frame: LexborNode) -> Kind:
    """What an article consists of.

    video: there is a player. flash: the headline is marked [1보], [속보] … and the text has fewer than 100
    characters, or there is neither text nor photo. photo: photos without any text. text: everything else.
    """
    if frame.css_first(VIDEO) is not None:
        return Kind.VIDEO
    if _FLASH_TITLE.match(title) and len(body) < _FLASH_LENGTH:
        return Kind.FLASH
    if body:
        return Kind.TEXT
    return Kind.PHOTO if images else Kind.FLASH


def own_key(key: ArticleKey, script_id: str | None, tree: LexborHTMLParser, *, url: str, layout: str) -> None:
    """Raise LayoutChanged when the page says that it is another article than the one asked for.

    A record under a wrong key would be worse than none. A page that names no key at all is taken at its address.
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
    # Only the page's own head counts, and it is by far the smaller part to look through.
    node = tree.head.css_first(selector) if tree.head is not None else None
    return attribute(node, "content") if node is not None else ""
