"""The commands of an archive with many fetchers: fetch (without an archive) and take-in (at the archive)."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.arguments import addresses_from
from flows.cli.exit_codes import exit_of_run
from flows.cli.options import DEFAULT_ARCHIVE, ArchiveOption, JsonOption, TopicOption, WaitOption
from flows.cli.run_here import end, finish, run_here, stoppable, warn_of
from flows.runs.settings import inbox_at, naver_from, topic_from
from schemas.errors import BadInput

if TYPE_CHECKING:
    from schemas.article import ArticleRef
    from storage.inbox.inbox import Inbox

StoreOption = Annotated[
    str,
    typer.Option(
        "--store",
        envvar="SEOGO_STORE",
        metavar="ADDRESS",
        help="What fetchers and archive share: s3://bucket/prefix, or file:///path.",
    ),
]

_SKIPPED = re.compile(r"([a-z0-9-]+)/0*([1-9]\d{0,8})")


def fetch(
    store: StoreOption,
    fetcher: Annotated[
        str, typer.Option("--fetcher", envvar="SEOGO_FETCHER", metavar="NAME", help="The name of this fetcher.")
    ],
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Addresses, one per line; - reads standard input.")
    ] = None,
    chunk: Annotated[
        str | None, typer.Option("--chunk", metavar="NAME", help="Fetch a chunk that `seogo crawl --hand-out` made.")
    ] = None,
    state: Annotated[
        Path,
        typer.Option(
            "--state",
            envvar="SEOGO_SPOOL",
            metavar="DIR",
            help="The fetcher's own directory: spool, back-off, progress.",
        ),
    ] = Path("fetcher"),
    topic: TopicOption = None,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Fetch addresses without an archive, for `seogo take-in`."""
    from flows.cli.show.fetcher import show_report
    from flows.runs.fetch import FetchOrder
    from flows.runs.fetch import fetch as run_fetch

    if (file is None) == (chunk is None):
        raise BadInput("fetch needs either a FILE with addresses (-: standard input) or --chunk NAME.")
    about, inbox = topic_from(topic), inbox_at(store)
    refs = _refs(file, chunk, inbox)
    order = FetchOrder(about, inbox, fetcher, state, refs, naver_from(os.environ), wait, chunk)
    warn_of(about, order.naver)
    report = stoppable(partial(run_fetch, order))
    finish(report, show_report, as_json=json, code=exit_of_run(report.exit_reason), to_json=lambda it: it.as_json())


def take_in(
    store: StoreOption,
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    topic: TopicOption = None,
    skip: Annotated[
        list[str] | None,
        typer.Option(
            "--skip",
            metavar="FETCHER/N",
            help="Skip this segment, which is missing or damaged. May be repeated.",
        ),
    ] = None,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Store what fetchers have fetched, each segment exactly once."""
    from flows.runs.take_in import TakeInOrder
    from flows.runs.take_in import take_in as run_take_in

    skipped = tuple(_skipped(text) for text in skip or ())
    order = TakeInOrder(topic=topic_from(topic), archive=archive, inbox=inbox_at(store), skip=skipped, wait=wait)
    end(run_here("take-in", partial(run_take_in, order)), order, as_json=json)


def _refs(file: Path | None, chunk: str | None, inbox: Inbox) -> tuple[ArticleRef, ...]:
    if chunk is not None:
        from storage.inbox.chunks import read_chunk

        return read_chunk(inbox.store, chunk)
    from flows.runs.crawl import refs_of_addresses

    return refs_of_addresses(addresses_from([], file), datetime.now(UTC))


def _skipped(text: str) -> tuple[str, int]:
    match = _SKIPPED.fullmatch(text)
    if match is None:
        raise BadInput(f"--skip {text!r}: write the fetcher and the number of the segment, such as seoul-1/000012.")
    return match[1], int(match[2])
