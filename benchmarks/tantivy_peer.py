"""The peer of `benchmarks.search`: the same tokens in tantivy. Runs in an environment of its own.

    python -m benchmarks.tantivy_peer search.sqlite FOLDER < EXPRESSIONS

Reads texts and numbers from seogo's index, and one expression of FTS5 a line; prints its figures as JSON. An
expression's phrases and operators become tantivy's: a phrase query for each phrase of two tokens or more.
"""

from __future__ import annotations

import json
import re
import sqlite3
import sys
import time
import zlib
from functools import partial
from pathlib import Path
from typing import Any

import tantivy

from benchmarks.support import Took, timed
from storage.search.tokens import tokens

TIMES = 5
_PIECE = re.compile(r'"([^"]*)"( \*)?|\(|\)|AND|OR|NOT|title :')


def main() -> None:
    """Build, and time the searches."""
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    index = _index(folder)
    began = time.perf_counter()
    _fill(index, source)
    built = time.perf_counter() - began
    index.reload()
    searcher = index.searcher()
    figures: dict[str, list[Took]] = {"best": [], "newest": []}
    for expression in sys.stdin.read().splitlines() * TIMES:
        query = _Expression(index.schema, expression).read()
        figures["best"].append(timed(partial(searcher.search, query, 20)))
        figures["newest"].append(timed(partial(searcher.search, query, 20, order_by_field="n")))
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(json.dumps({"built": built, "bytes": size, **figures}))


def _index(folder: Path) -> Any:
    schema = tantivy.SchemaBuilder()
    schema.add_integer_field("n", stored=True, fast=True)
    for field in ("title", "body"):
        schema.add_text_field(field, tokenizer_name="whitespace", index_option="position")
    return tantivy.Index(schema.build(), path=str(folder))


def _fill(index: Any, source: Path) -> None:
    writer = index.writer(heap_size=200_000_000, num_threads=1)
    connection = sqlite3.connect(f"file:{source}?mode=ro", uri=True)
    for n, title, text in connection.execute("SELECT n, title, text FROM doc JOIN body USING (n) ORDER BY n"):
        body = tokens(zlib.decompress(text).decode())
        writer.add_document(tantivy.Document(n=n, title=tokens(title), body=body))
    writer.commit()
    writer.wait_merging_threads()


class _Expression:
    """One expression, read back: what `storage.search.query` writes, and no more."""

    def __init__(self, schema: Any, expression: str) -> None:
        self._schema = schema
        self._pieces = list(_PIECE.finditer(expression))
        self._at = 0
        self._fields: tuple[str, ...] = ("title", "body")

    def read(self) -> Any:
        """As tantivy's query."""
        parts, operator = [self._one()], ""
        while self._at < len(self._pieces) and (word := self._pieces[self._at][0]) in ("AND", "OR", "NOT"):
            self._at += 1
            operator = word
            parts.append(self._one())
        if len(parts) == 1:
            return parts[0]
        first = tantivy.Occur.Should if operator == "OR" else tantivy.Occur.Must
        rest = {"AND": tantivy.Occur.Must, "OR": tantivy.Occur.Should, "NOT": tantivy.Occur.MustNot}[operator]
        return tantivy.Query.boolean_query([(first, parts[0]), *((rest, one) for one in parts[1:])])

    def _one(self) -> Any:
        piece = self._pieces[self._at]
        self._at += 1
        if piece[0] == "(":
            query = self.read()
            self._at += 1
            return query
        if piece[0] == "title :":
            self._fields = ("title",)
            query = self._one()
            self._fields = ("title", "body")
            return query
        words = piece[1].split()
        each = [(tantivy.Occur.Should, self._phrase(field, words, piece[2])) for field in self._fields]
        return tantivy.Query.boolean_query(each)

    def _phrase(self, field: str, words: list[str], prefix: str | None) -> Any:
        if prefix and len(words) == 1:
            return tantivy.Query.regex_query(self._schema, field, f"{words[0]}.*")
        if prefix:
            return tantivy.Query.phrase_prefix_query(self._schema, field, words)
        if len(words) == 1:
            return tantivy.Query.term_query(self._schema, field, words[0])
        return tantivy.Query.phrase_query(self._schema, field, words)


if __name__ == "__main__":
    main()
