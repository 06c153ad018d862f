"""Seeded mutations of the replica's article pages: what a redesign, a mistake or a block does to a page.

    mutations() -> [Mutation]            each for the families of pages to which it applies
    mutation.of(page, family) -> page    the same change for every page; `seed` selects new names

A family is a kind of markup: `nnews` (today's page, in four layouts), `old` (read.nhn) and `json` (sports).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from random import Random

from tests.support.naver.mutations import markup, text
from tests.support.naver.mutations.markup import OLD, Change

MAKERS = (
    markup.renames, markup.removals, markup.tags, markup.attributes, markup.dates, text.bodies, text.blocks,
    text.titles, text.texts, text.bylines, text.parts, text.keys, text.encodings,
)  # fmt: skip


@dataclass(frozen=True)
class Mutation:
    """One change. `of` returns the same page if there is nothing to change."""

    name: str
    families: tuple[str, ...]
    change: Change
    encoding: str = ""  # the encoding of the page, if not its own
    seed: int = 0

    def of(self, page: bytes, family: str) -> bytes:
        own = "cp949" if family == OLD else "utf-8"
        changed = self.change(page.decode(own), Random(f"{self.name} {self.seed}"))
        return changed.encode(self.encoding or own, "xmlcharrefreplace")


def mutations(seed: int = 0) -> list[Mutation]:
    """All mutations in a fixed order; names are unique."""
    return [Mutation(*row, seed) for row in chain.from_iterable(make() for make in MAKERS)]
