"""The result of a search: for people, as rows, and as one JSON document. Imports rich: import it only when needed."""

from __future__ import annotations

import sys

from rich.text import Text

from flows.cli.show.rows import print_rows
from flows.cli.show.safe import line
from flows.cli.show.terminal import out
from flows.cli.show.values import cell, print_json
from schemas.counted import counted
from schemas.errors import BadInput
from storage.search.results import Hit, SearchResult
from storage.search.snippets import Snippet

COLUMNS = ("id", "title", "publisher", "published_at", "status", "on_topic", "story", "score", "snippet")


def check_output(form: str) -> None:
    """Raises BadInput if Parquet would be written to a terminal."""
    if form == "parquet" and sys.stdout.isatty():
        raise BadInput("--format parquet is not for a terminal: write it to a file, with > hits.parquet")


def give(found: SearchResult, form: str) -> None:
    """Print the result as `table`, `csv`, `json` or `parquet`."""
    match form:
        case "json":
            print_json(found.as_json())
        case "csv":
            print_rows(COLUMNS, (tuple(hit.as_json().values()) for hit in found.hits), "csv")
        case "parquet":
            _write_parquet(found)
        case _:
            _print_hits(found)


def _write_parquet(found: SearchResult) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types: dict[str, pa.DataType] = {
        "published_at": pa.timestamp("us", tz="UTC"),
        "on_topic": pa.bool_(),
        "score": pa.float64(),
    }
    schema = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
    rows = pa.Table.from_pylist([hit.as_json() for hit in found.hits], schema=schema)
    pq.write_table(rows, sys.stdout.buffer, compression="zstd")


# -- for people


def _print_hits(found: SearchResult) -> None:
    for hit in found.hits:
        _print_hit(hit)
    shown_of = f", {len(found.hits):,} shown" if len(found.hits) < found.total else ""
    out.print(Text(f"{counted(found.total, 'article')}{shown_of}", style="bold" if found.total else "bold yellow"))
    if found.hidden:
        out.print(Text(f"{found.hidden:,} more are imported or off topic: --all finds them, too", style="yellow"))


def _print_hit(hit: Hit) -> None:
    out.print(_marked(hit.headline if hit.title else Snippet("(no title)", ()), "bold"))
    facts = (hit.publisher, hit.published_at, "" if hit.status == "archived" else hit.status, hit.id, hit.why)
    out.print(Text(line(" · ".join(cell(one) for one in facts if one)), style="dim"))
    if hit.snippet.text:
        out.print(_marked(hit.snippet, ""))
    out.print()


def _marked(snippet: Snippet, style: str) -> Text:
    """A piece of a text with its marks in colour; between `**` if this is not a terminal."""
    if not out.is_terminal:
        return Text(line(snippet.marked()))
    text, mark, at = Text(style=style), "bold underline" if out.no_color else "bold yellow", 0
    for begin, end in snippet.marks:
        text.append(line(snippet.text[at:begin])).append(line(snippet.text[begin:end]), mark)
        at = end
    return text.append(line(snippet.text[at:]))
