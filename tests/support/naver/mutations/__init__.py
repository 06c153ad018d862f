"""Mutations of article pages: what a redesign, a mistake or a block does to a page.

mutations.py   Mutation, mutations(): all of them, seeded
markup.py      names, elements, tags, attributes, time formats
text.py        body, title, bylines, JSON keys, encodings
"""
