"""The articles as Naver shows them: bytes, in the layouts of several years.

articles.py      article pages in today's layouts
old_layouts.py   article pages in retired layouts, and as JSON
lists.py         lists by press office, section and day
search.py        the search page, in the layouts of three years
search_api.py    the Search API
notices.py       pages without an article, and robots.txt
padding.py       scripts and other markup around an article
"""
