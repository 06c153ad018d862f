"""The pages for people.

views.py        the pages
article.py      the page of an article, its downloads, its capture
static_page.py  the first page as a file: `seogo report --html`
"""
