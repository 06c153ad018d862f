"""Naver's news search, in two forms: the Search API and the search page.

api.py       answers and error messages of the Search API
page.py      a search page: its finds, and whether there are more
results.py   the results on a search page: the link and the title of each
"""
