"""An article's page at n.news.naver.com, in its layouts of 2022, 2024, 2026-02 and 2026-10.

The names in the markup are Naver's; all text is generated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from html import escape
from random import Random

from flows.replica.corpus.articles import BYLINE_LAYOUTS, Layout, MadeArticle, Version
from flows.replica.corpus.plan import Form
from flows.replica.pages.padding import filler
from schemas.article import Image

JUNK = ("?utm_source=naver&utm_medium=news", "&ref=naver", "&input=1195m", "", "&influxDiv=NAVER", "&sc=Naver")


@dataclass(frozen=True, slots=True)
class View:
    """How a page is requested: the time, the client's User-Agent (which pages repeat), the bytes of padding.

    A `serial` other than 0 is written into the page, so that no two responses have the same bytes.
    """

    now: datetime
    user_agent: str = ""
    padding: int = 0
    serial: int = 0


def article_page(article: MadeArticle, view: View, layout: Layout | None = None) -> bytes:
    """The page (UTF-8) of an article as of `view.now`, in its own layout or in another."""
    layout = layout or article.layout
    version = article.at(view.now)
    before, behind = filler(view.padding)
    parts = (
        '<div id="ct_wrap" class="ct_wrap"><div class="ct_scroll_wrapper">\n'
        '<div id="newsct" class="newsct_wrapper _GRID_TEMPLATE_COLUMN" role="main"><div id="ct" class="newsct">\n',
        _article_head(article, version, view, layout),
        '<div id="contents" class="newsct_body">\n',
        _body(article, version, layout),
        _byline(article, layout),
        _foot(article, layout),
        "</div>\n</div></div></div></div>\n",
    )
    head = _head(article, version, view).encode()
    serial = f'<script>var requestId = "{view.serial:016x}";</script>'.encode() if view.serial else b""
    return b"".join((head, before, "".join(parts).encode(), behind, serial, b"</body></html>\n"))


def original_link(article: MadeArticle) -> str:
    """The URL at the press office as Naver links it: usually with tracking parameters."""
    return article.original_url + JUNK[article.index % len(JUNK)].replace("?", "&")


def twelve_hours(moment: datetime) -> str:
    """`2026.10.07. 오전 8:49`, the format in which pages display times."""
    half = "오전" if moment.hour < 12 else "오후"
    return f"{moment:%Y.%m.%d.} {half} {moment.hour % 12 or 12}:{moment:%M}"


def entities(text: str) -> str:
    """Escaped as in Naver's templates: also quotation marks and `=`."""
    return escape(text).replace("=", "&#x3D;")


def _head(article: MadeArticle, version: Version, view: View) -> str:
    title, press, key = escape(version.title), escape(article.press.name), article.key
    assert key is not None  # noqa: S101  only hosted articles have a page
    gdid = f"88{int(key.oid):06X}_{key.aid:>024}"
    return f"""<!doctype html>
<html lang="ko" data-useragent="{escape(view.user_agent)}">
<head>
<meta charset="utf-8">
<meta property="og:title" content="{title}">
<meta property="og:type" content="article">
<meta property="og:url" content="{key.url}?sid&#x3D;{article.section}">
<meta property="og:description" content="{escape(version.body[:120])}">
<meta property="og:article:author" content="{press} | 네이버">
<meta name="twitter:creator" content="{press}">
<title>{title}</title>
<link rel="stylesheet" href="https://static-nnews.pstatic.net/css/min/news.css">
<script>
	var g_ssc = nsc = "Mnews.v2";
	var layoutName = "article";
	var article = {{
		isSubscribe: false,
		officeId: "{key.oid}",
		articleId: "{key.aid}",
		sectionId : "{article.section}",
		gdid: "{gdid}",
		type: "1",
		title: document.title
	}};
	var office = {{
		isChannel: true,
		name : "{press}",
		category : "{article.press.category}"
	}};
</script>
</head>
<body class="n_news_mnews fs2">
<ul class="Nlnb_menu_list"><li class="Nlist_item is_active"><a href="/section/104">세계</a></li></ul>
"""


def _article_head(article: MadeArticle, version: Version, view: View, layout: Layout) -> str:
    identity = "" if layout is Layout.Y2022 else ' id="title_area"'
    title = escape(version.title, quote=False)
    inner = title if layout is Layout.Y2022 else f"<span>{title}</span>"
    return f"""<div class="media_end_head go_trans">
	<div class="media_end_head_top" data-show-type="block">{_logo(article, layout)}</div>
	<div class="media_end_head_title">
		<h2{identity} class="media_end_head_headline">{inner}</h2>
	</div>
	<div class="media_end_head_info nv_notrans">
		<div class="media_end_head_info_datestamp">
{_times(version, view, article, layout)}
			<a href="{entities(original_link(article))}" target="_blank" class="media_end_head_origin_link"
				data-clk="are.ori">기사원문</a>
		</div>{_journalist(article, layout)}
	</div>
</div>
"""


def _logo(article: MadeArticle, layout: Layout) -> str:
    """The press office's logo; the class of the image changed in 2026-03."""
    press = article.press
    image = (
        f'<img data-src="https://mimgnews.pstatic.net/image/upload/office_logo/{press.oid}/logo.png" alt="{press.name}"'
    )
    if layout is Layout.Y2026_10:
        return (
            f'<a href="{press.site}/" class="media_end_head_top_logo"><div class="media_end_head_top_thumb">'
            f'{image} width="20" height="20" class="media_end_head_top_img _LAZY_LOADING"></div>'
            f'<span class="media_end_head_top_press">{press.name}</span></a>'
        )
    light, dark = (
        f'{image} title="{press.name}" class="media_end_head_top_logo_img {tone}_type">' for tone in ("light", "dark")
    )
    return f'<a href="{press.site}/" class="media_end_head_top_logo">{light}{dark}</a>'


def _times(version: Version, view: View, article: MadeArticle, layout: Layout) -> str:
    shown = [("입력", "_ARTICLE_DATE_TIME", "data-date-time", article.published_at)]
    if version.modified_at is not None:
        shown.append(("수정", "_ARTICLE_MODIFY_DATE_TIME", "data-modify-date-time", version.modified_at))
    return "\n".join(_time(*one, view=view, aged=layout not in (Layout.Y2022, Layout.Y2024)) for one in shown)


def _time(term: str, name: str, attribute: str, moment: datetime, *, view: View, aged: bool) -> str:
    minutes = int((view.now - moment).total_seconds() // 60)
    age = f' {attribute}-age-in-minutes="{minutes}"' if aged else ""
    return (
        f'<div class="media_end_head_info_datestamp_bunch"><em class="media_end_head_info_datestamp_term">{term}</em>'
        f'<span class="media_end_head_info_datestamp_time {name}" {attribute}="{moment:%Y-%m-%d %H:%M:%S}"{age}>'
        f"{twelve_hours(moment)}</span></div>"
    )


def _journalist(article: MadeArticle, layout: Layout) -> str:
    if layout not in BYLINE_LAYOUTS or layout is Layout.Y2022 or article.writer is None:
        return ""
    return (
        '<div class="media_end_head_journalist"><a href="#" class="media_end_head_journalist_box">'
        f'<em class="media_end_head_journalist_name">{article.writer.name} 기자</em></a></div>'
    )


def _byline(article: MadeArticle, layout: Layout) -> str:
    if layout not in BYLINE_LAYOUTS or article.writer is None:
        return ""
    writer = article.writer
    line = f"{writer.name}({writer.email})" if article.press.kind == "경제" else f"{writer.name} 기자({writer.email})"
    return f'<div class="byline"><p class="byline_p"><span class="byline_s">{line}</span></p></div>\n'


def _body(article: MadeArticle, version: Version, layout: Layout) -> str:
    tag = "div" if layout is Layout.Y2022 else "article"
    return (
        f'<div id="newsct_article" class="newsct_article _article_body">\n<{tag} id="dic_area" '
        f'class="go_trans _article_content">\n\t\t\t{body_markup(article, version, layout)}\n</{tag}>\n</div>\n'
    )


def body_markup(article: MadeArticle, version: Version, layout: Layout) -> str:
    """The body's markup: subtitle, pictures and video, and paragraphs separated by `<br>`."""
    lines = escape(version.text.subtitle, quote=False).replace("\n", "<br>")
    summary = f'<strong class="media_end_summary">{lines}</strong>' if lines else ""
    video = _video(article) if article.slot.form is Form.VIDEO else ""
    pictures = [_picture(article, at, image, layout) for at, image in enumerate(article.images, 1)]
    # Some press offices put spaces around line breaks.
    gap = "  <br>      <br>   " if article.press.kind == "IT" else "<br><br>"
    blocks = [_paragraph(text, at, article, layout) for at, text in enumerate(version.text.paragraphs)]
    for at, picture in enumerate(pictures):
        blocks.insert(min(2 * at, len(blocks)), picture)
    return summary + video + gap.join(blocks) + gap


def _paragraph(text: str, at: int, article: MadeArticle, layout: Layout) -> str:
    shown = escape(text, quote=False)
    if layout is Layout.Y2022 and at == 1 and len(text) > 4:
        # Naver marked words for its dictionary, sometimes only a part of a word.
        shown = f'{shown[:1]}<span data-type="ore">{shown[1:2]}</span>{shown[2:]}' if "&" not in shown[:4] else shown
    if at == 2 and article.index % 5 == 0:
        return f'<span class="ab_sub_heading">■ 소제목 {at}</span><br><br>{shown}'
    return shown


def _picture(article: MadeArticle, at: int, image: Image, layout: Layout) -> str:
    caption = escape(image.caption or "", quote=False)
    alt = f' alt="{entities((image.caption or "")[:60])}"' if layout in (Layout.Y2026_02, Layout.Y2026_10) else ""
    source = "src" if layout in (Layout.OLD, Layout.SPORTS, Layout.ENTERTAIN) else "data-src"
    shown = (
        '<div class="nbd_im_w _LAZY_LOADING_WRAP "><div class="nbd_a _LAZY_LOADING_ERROR_HIDE" '
        f'id="img_a{at}"><img id="img{at}" {source}="{image.url}?type&#x3D;w860" class="_LAZY_LOADING"{alt}'
        ' style="display: none;" /></div></div>'
    )
    if article.press.kind == "경제" and layout in (Layout.Y2024, Layout.Y2026_02, Layout.Y2026_10):
        return f'<table class="nbd_table"><tr><td>{shown}</td></tr><tr><td>{caption}</td></tr></table>'
    photo = f'<span class="end_photo_org">{shown}<em class="img_desc">{caption}</em></span>'
    if article.press.kind == "뉴스":
        return f'<div class="ab_photo photo_center"><div class="image">{photo}<span class="mask"></span></div></div>'
    return photo


def _video(article: MadeArticle) -> str:
    number = Random(article.index).getrandbits(48)
    return (
        f'<div class="vod_player_wrap _VIDEO_AREA_WRAP"><div class="_VIDEO_AREA" data-video-id="{number:012X}">'
        '<span class="vod_txt">동영상 뉴스를 불러오는 중입니다.</span></div><iframe title="player"></iframe>'
        "<script>var playerReady = true;</script></div>"
    )


def _foot(article: MadeArticle, layout: Layout) -> str:
    press = article.press.name
    names = ", ".join(f'<em class="media_end_categorize_item">{name}</em>' for name in article.shown_categories)
    sections = f"이 기사는 언론사에서 {names} 섹션으로 분류했습니다." if names else ""
    linked = "".join(
        '<li class="media_end_linked_item">'
        f'<a href="{article.press.site}/news/{at}" class="media_end_linked_item_inner">'
        f"{press}가 고른 다른 기사 {at}: 국가대표 AI 소식</a></li>"
        for at in range(1, 4)
    )
    return f"""<div class="copyright"><p class="c_text">Copyright ⓒ {press}. All rights reserved.</p></div>
<div class="media_end_categorize"><a href="#" class="media_end_categorize_link">{sections}</a></div>
<div class="media_end_linked"><h3 class="media_end_linked_title">{press} 주요뉴스</h3>
<ul class="media_end_linked_list">{linked}</ul></div>
<div class="promotion"><a href="{article.press.site}/jebo" class="p_link">{press} 제보하기</a></div>
<div class="related_issue"><a href="#">이슈 더보기: 다른 기사의 본문 일부가 여기에 보입니다.</a></div>
"""
