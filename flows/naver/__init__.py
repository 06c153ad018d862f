"""Everything that is known of Naver's pages and addresses. Pure: bytes in, values out; no other package knows them.

articles/         the pages of articles, in each of their layouts
listing.py        lists by press office or section and date
search/           the Search API and the search page
urls.py           addresses: of articles, to and from their keys, and of the sources
press_offices.py  the names of press offices by their numbers
traits.py         an article page as marks for the drift alarm
hit_traits.py     the hits of a list or a search page as marks
clock.py          time formats
decoding.py       the bytes of a page as text
lines.py          headlines and summaries as single lines
nodes.py          helpers for Lexbor trees
markup_guard.py   rejects pages whose tree would take more than linear time
partial_tree.py   a tree of only the beginning of a page
"""
