"""Handwritten pages in Naver's layouts, for cases that no capture shows. All text is invented."""

from __future__ import annotations

from typing import Any

OID, AID = "123", "0000004567"
URL = f"https://n.news.naver.com/mnews/article/{OID}/{AID}"
PHOTO = f"https://imgnews.pstatic.net/image/{OID}/2026/10/01/0000004567_001.jpg?type&#x3D;w860"
BODY = "첫 문단이다.<br><br>둘째 문단이다."
LOGO = '<img data-src="https://mimgnews.pstatic.net/logo.png" alt="서고일보" class="media_end_head_top_img">'
MODIFIED = (
    '<span class="_ARTICLE_MODIFY_DATE_TIME" data-modify-date-time="2026-10-02 00:00:01">2026.10.02. 오전 12:00</span>'
)
FRAMED_PHOTO = (
    f'<span class="end_photo_org"><div class="nbd_im_w"><div class="nbd_a"><img data-src="{PHOTO}" alt="x"></div></div>'
    '<em class="img_desc">사진 설명이다.</em></span>'
)


def byline(*lines: str) -> str:
    spans = "".join(f'<span class="byline_s">{line}</span>' for line in lines)
    return f'<div class="byline"><p class="byline_p">{spans}</p></div>'


def categories(*names: str) -> str:
    items = ", ".join(f'<em class="media_end_categorize_item">{name}</em>' for name in names)
    return (
        f'<div class="media_end_categorize"><a href="#">이 기사는 언론사에서 {items} 섹션으로 분류했습니다.</a></div>'
    )


def script(oid: str = OID, aid: str = AID, sid: str = "105") -> str:
    return (
        f'<script>var article = {{ isSubscribe: false, officeId: "{oid}", articleId: "{aid}", sectionId : "{sid}",'
        f' sectionInfo: {{ firstSection: "100" }} }};\nvar office = {{ isChannel: true, name : "서고신문" }};</script>'
    )


def article(body: str = BODY, **parts: str) -> str:
    """An article page. Each part can be replaced by name; `tail` is where other articles are."""
    page = {
        "url": f'<meta property="og:url" content="{URL}?sid&#x3D;105">',
        "author": '<meta property="og:article:author" content="서고통신 | 네이버">',
        "script": script(),
        "logo": LOGO,
        "title": '<h2 id="title_area" class="media_end_head_headline"><span>서고의 하루</span></h2>',
        "published": '<span class="_ARTICLE_DATE_TIME" data-date-time="2026-10-01 09:08:07">오전 9:08</span>',
        "modified": "",
        "reporter": "",
        "original": (
            '<a href="https://seogo.example/news/77?utm_source&#x3D;naver&amp;id&#x3D;9"'
            ' class="media_end_head_origin_link">기사원문</a>'
        ),
        "open": '<article id="dic_area" class="go_trans _article_content">',
        "close": "</article>",
        "byline": "",
        "categories": categories("IT"),
        "tail": '<div class="media_end_linked"><a href="/x">다른 기사</a></div>',
        **parts,
    }
    return f"""<!doctype html>
<html lang="ko"><head><meta charset="utf-8">{page["url"]}{page["author"]}{page["script"]}</head><body>
<div id="ct"><div class="media_end_head go_trans"><div class="media_end_head_top">
<a href="https://seogo.example/" class="media_end_head_top_logo">{page["logo"]}</a></div>
<div class="media_end_head_title">{page["title"]}</div>
<div class="media_end_head_info">{page["published"]}{page["modified"]}{page["original"]}{page["reporter"]}</div></div>
<div id="contents" class="newsct_body"><div id="newsct_article">{page["open"]}
\t\t\t{body}
\t\t{page["close"]}</div>{page["byline"]}
<div class="copyright"><p>Copyright</p></div>{page["categories"]}
{page["tail"]}</div></div></body></html>"""


def read_nhn(
    body: str = BODY,
    *,
    times: tuple[str, ...] = ("2020.09.19. 오후 8:28",),
    before: str = "",
    byline: str = "",
    tail: str = '</td><!-- 옆 --> <td class="aside"><ul><li>많이 본 뉴스</li></ul></td></tr></table>',
) -> str:
    """A page in the layout of 2019 to 2021, inside a table; `before` comes right before it.

    `tail` comes after the article, in the same cell.
    """
    spans = "".join(f'<span class="t11">{time}</span>' for time in times)
    address = f"https://news.naver.com/main/read.nhn?mode=LSD&mid=sec&oid={OID}&aid={AID}&sid1=001"
    return f"""<!DOCTYPE HTML><html lang="ko"><head><meta charset="euc-kr"><meta property="og:url" content="{address}"/>
</head><body>{before}<table><tr><td class="content">
<div class="article_header"><div class="press_logo"><a><img src='x' alt='서고일보'></a></div>
<div class="article_info"><h3 id="articleTitle">똠방각하의 &#034;하루&#034;</h3>
<div class="sponsor">기사입력 {spans}
<a href="http://seogo.example/c.html?no=1&ref=naver" class="btn_artialoriginal nclicks(x)">기사원문</a>
</div></div></div>
<div id="articleBodyContents"><script>function _flash_removeCallback() {{}}</script>{body}</div><!-- [D] -->{byline}
<div class="guide_categorization"><a>이 기사는 <em class="guide_categorization_item">정치</em> 섹션</a></div>
<!-- 관련기사 --><div class="end_btn">추천</div><div class="ofhe">다른 기사</div>{tail}</body></html>"""


def sports(**changes: Any) -> dict[str, Any]:
    """The JSON of a sports or entertainment article. `changes` are fields of the article."""
    article = {
        "officeId": OID,
        "articleId": AID,
        "title": "서고 타이거즈, &quot;7연승&quot;",
        "content": f"{FRAMED_PHOTO}<br><br>▲ 전적(7일)<br>    서고 100 400 070 - 12<br><br>서고가 이겼다.<br>",
        "serviceDatetime": "2026-10-07 22:11:33",
        "modifyDatetime": "2026-10-07 22:12:20",
        **changes,
    }
    info = {"article": article, "journalistCards": [{"name": "홍길동 기자", "email": "hong@seogo.example"}]}
    return {"code": 200, "success": True, "result": {"articleInfo": info, "officeInfo": {"hname": "서고스포츠"}}}
