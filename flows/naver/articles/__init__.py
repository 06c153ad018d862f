"""The pages of articles: bytes in, an `Article` out.

layouts.py        an article page of any layout: recognizes the layout and calls its parser
nnews_page.py     the layout of n.news.naver.com
read_nhn_page.py  the retired layout of news.naver.com
sports_json.py    the JSON of sports and entertainment articles
page_parts.py     what the layouts share: title, body, byline, photos, kind
body_text.py      the markup of a body as text
bylines.py        names and e-mail addresses in bylines
"""
