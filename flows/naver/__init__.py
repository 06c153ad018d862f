"""Everything that is known of Naver's pages and addresses. Pure: bytes in, values out; no other package knows them.

article_page.py    an article page of any layout
nnews_page.py      the layout of n.news.naver.com
read_nhn_page.py   the retired layout of news.naver.com
sports_json.py     the JSON of sports and entertainment articles
page_parts.py      what the layouts share: title, body, byline, photos, kind
body_text.py       the markup of a body as text
bylines.py         names and e-mail addresses in bylines
listing.py         lists by press office or section and date
search/            the Search API and the search page
urls.py            addresses: of articles, to and from their keys, and of the sources
traits.py          an article page as marks for the drift alarm
hit_traits.py      the hits of a list or a search page as marks
clock.py           time formats
decoding.py        the bytes of a page as text
lines.py           headlines and summaries as single lines
nodes.py           helpers for Lexbor trees
markup_guard.py    rejects pages whose tree would take more than linear time
partial_tree.py    a tree of only the beginning of a page
"""
