"""Other layouts of an article: the page news.naver.com/main/read.nhn (2019, 2020), and the JSON of sports."""

from __future__ import annotations

import json
from html import escape

from flows.replica.corpus.articles import Layout, MadeArticle, Version
from flows.replica.pages.articles import View, body_markup, entities, original_link, twelve_hours
from flows.replica.pages.padding import filler

_CP949 = "cp949"


def old_page(article: MadeArticle, view: View) -> bytes:
    """The page main/read.nhn in cp949. Times have whole minutes; characters that cp949 lacks are numeric entities."""
    version = article.at(view.now)
    before, behind = filler(view.padding, _CP949)
    page = _old_header(article, version) + _old_body(article, version)
    return b"".join((_encoded(_old_head(article, version, view)), before, _encoded(page), behind, b"</body></html>\n"))


def _old_head(article: MadeArticle, version: Version, view: View) -> str:
    key, press, title = article.key, article.press.name, escape(version.title)
    assert key is not None  # noqa: S101  only hosted articles have a page
    return f"""
<!DOCTYPE HTML>
<html lang="ko">
<head>
<meta charset="euc-kr">
<title>{title} : 네이버 뉴스</title>
<meta property="me2:category1" content="{press}"/>
<meta property="og:title" content="{title}"/>
<meta property="og:url" content="https://news.naver.com/main/read.nhn?mode=LSD&mid=sec&oid={key.oid}&aid={key.aid}"/>
<meta property="og:article:author" content="{press} | 네이버"/>
</head>
<body class="chrome" data-agent="{escape(view.user_agent)}">
"""


def _old_header(article: MadeArticle, version: Version) -> str:
    press = article.press
    times = " ".join(
        f'{term} <span class="t11">{twelve_hours(moment)}</span>'
        for term, moment in (("기사입력", article.published_at), ("최종수정", version.modified_at))
        if moment is not None
    )
    return f"""<div class="article_header">
	<div class="press_logo">
		<a href="{press.site}/" target="_blank"><img height='35' alt='{press.name}' title='{press.name}' class=''
			src='https://mimgnews.pstatic.net/image/upload/office_logo/{press.oid}/logo.png'></a>
	</div>
	<div class="article_info">
		<h3 id="articleTitle">{escape(version.title)}</h3>
		<div class="sponsor">{times}
			<a href="{entities(original_link(article))}" target="_blank"
				class="btn_artialoriginal nclicks(are.ori)">기사원문</a>
		</div>
	</div>
</div>
"""


def _old_body(article: MadeArticle, version: Version) -> str:
    names = ", ".join(f'<em class="guide_categorization_item">{name}</em>' for name in article.shown_categories)
    return f"""<div class="article_body size3 font1" id="articleBody">
	<div id="articleBodyContents" class="_article_body_contents">
	<!-- 본문 내용 --><script type="text/javascript">
function _flash_removeCallback() {{}}
</script>
	{body_markup(article, version, Layout.OLD)}
	<!-- // 본문 내용 -->
	</div>
	<div class="guide_categorization"><a href="#" class="guide_categorization_link">{names}</a></div>
</div>
"""


def _encoded(text: str) -> bytes:
    return text.encode(_CP949, "xmlcharrefreplace")


def article_json(article: MadeArticle, view: View) -> bytes:
    """The response of api-gw.sports (or .entertain) to /news/article/{oid}/{aid}."""
    version, key = article.at(view.now), article.key
    assert key is not None  # noqa: S101  only hosted articles have a page
    written = {
        "officeId": key.oid,
        "articleId": key.aid,
        "type": "0",
        "title": escape(version.title, quote=False),
        "content": body_markup(article, version, article.layout),
        "serviceDatetime": f"{article.published_at:%Y-%m-%d %H:%M:%S}",
        "modifyDatetime": f"{version.modified_at or article.published_at:%Y-%m-%d %H:%M:%S}",
        "originUrl": original_link(article),
        "sections": [{"sectionId": article.section, "name": name} for name in article.categories],
    }
    cards = [{"name": author.name, "email": author.email} for author in (article.writer,) if author]
    info = {"article": written, "journalistCards": cards}
    office = {"officeId": key.oid, "hname": article.press.name}
    answer = {"code": 200, "success": True, "result": {"articleInfo": info, "officeInfo": office}}
    return json.dumps(answer, ensure_ascii=False).encode()


def script_page(article: MadeArticle, view: View) -> bytes:
    """The page of m.sports and m.entertain: a script that fetches the article, and hashed class names."""
    title = escape(article.at(view.now).title)
    return f"""<!doctype html><html lang="ko"><head><meta charset="utf-8"><title>{title}</title></head>
<body data-agent="{escape(view.user_agent)}">
<div id="root" class="Layout_wrap__3kPq7"><div class="Loading_dot__f0aBx"></div></div>
<script src="/static/js/main.{article.index:08x}.js"></script></body></html>
""".encode()
