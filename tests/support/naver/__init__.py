"""Naver without the replica: handwritten pages and responses.

layouts.py        article pages in Naver's layouts
search_pages.py   search pages since 2025
small.py          a small Naver of handwritten responses, and a sequence of crawls of it
sources.py        responses by URL, and one reading of a source
mutations/        mutations of article pages
"""
