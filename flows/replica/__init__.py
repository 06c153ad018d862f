"""A stand-in for Naver on loopback: the same addresses and markup, with a made-up corpus by seed.

    words, text   made-up Korean, with particles that fit
    press         the made-up press offices
    corpus        who wrote what and when: the ground truth of every page
    article_pages, old_pages, list_pages, search_answers, notices    the pages, in all known layouts
    freshness, disorder    pages that say whether they have changed; lists that do not keep still, and bursts
    faults, log, clock    what goes wrong on demand, who asked for what, and what time it is
    app, server   the ASGI application, and a server of it for tests and for `seogo replica`

Nothing but tests, benchmarks, the demo and `seogo replica` needs this room.
"""
