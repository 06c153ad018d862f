"""Mutations of article pages: what a redesign, a mistake or a block does to a page.

mutations   Mutation, mutations(): all of them, seeded
markup      names, elements, tags, attributes, time formats
text        body, title, bylines, JSON keys, encodings
"""
