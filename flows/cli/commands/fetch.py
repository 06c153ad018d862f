"""The commands that fetch from Naver: crawl, refresh, backfill."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.arguments import addresses_from, days_from, since_from
from flows.cli.options import DEFAULT_ARCHIVE, ArchiveOption, JsonOption, LimitOption, TopicOption, WaitOption
from flows.cli.run_here import end, run_here, warn_of
from flows.runs.settings import naver_from, shared_inbox, topic_from
from schemas.errors import BadInput
from storage.layout import check_archive


def crawl(
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    topic: TopicOption = None,
    url: Annotated[
        list[str] | None,
        typer.Option("--url", metavar="ADDRESS", help="Crawl only this article. May be repeated."),
    ] = None,
    from_file: Annotated[
        Path | None,
        typer.Option("--from-file", metavar="FILE", help="Crawl the addresses in a file, one per line (-: stdin)."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME",
            help="Read the sources again from this Korean day or time, such as yesterday or 7d.",
        ),
    ] = None,
    hand_out: Annotated[
        bool, typer.Option("--hand-out", help="Hand the articles out to fetchers, in the store SEOGO_STORE.")
    ] = False,
    limit: LimitOption = None,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Find new articles, and archive those that are on topic."""
    from flows.runs.crawl import CrawlOrder
    from flows.runs.crawl import crawl as run_crawl
    from flows.sources.api_keys import keys_from

    about = topic_from(topic)
    order = CrawlOrder(
        topic=about,
        archive=archive,
        addresses=addresses_from(url or [], from_file),
        since=since_from(since),
        most_fetches=limit,
        naver=naver_from(os.environ),
        wait=wait,
        keys=keys_from(os.environ),
        hand_out=shared_inbox(os.environ) if hand_out else None,
    )
    warn_of(about, order.naver)
    end(run_here("crawl", partial(run_crawl, order)), order, as_json=json)


def refresh(
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    topic: TopicOption = None,
    limit: LimitOption = None,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Fetch known articles again, to detect edits and deletions.

    An article is due about an hour, a day and a week after it was published or last modified.
    """
    from flows.runs.refresh import RefreshOrder
    from flows.runs.refresh import refresh as run_refresh

    check_archive(archive)
    about = topic_from(topic)
    order = RefreshOrder(about, archive, most_fetches=limit, naver=naver_from(os.environ), wait=wait)
    warn_of(about, order.naver)
    end(run_here("refresh", partial(run_refresh, order)), order, as_json=json)


def backfill(
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="The first Korean day, such as 2025-12-01.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="The last day (default: today).")] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--source",
            metavar="NAME",
            help="Read only this source, such as press_list or press_list:001. May be repeated.",
        ),
    ] = None,
    gaps: Annotated[
        bool, typer.Option("--gaps", help="Read what earlier runs could not read (see `seogo status`).")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Also read days that were read before.")] = False,
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    topic: TopicOption = None,
    limit: LimitOption = None,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Read past days, source by source and day by day.

    An interrupted backfill resumes where it stopped. Days that were read are not read again.
    """
    from flows.runs.backfill import BackfillOrder
    from flows.runs.backfill import backfill as run_backfill
    from flows.sources.api_keys import keys_from

    if gaps and (first or last or again):
        raise BadInput("--gaps selects the days itself: leave out --from, --to and --again.")
    if not gaps and first is None:
        raise BadInput("backfill needs --from DAY (and --to DAY), or --gaps.")
    if gaps:
        check_archive(archive)
    about = topic_from(topic)
    begin, until = (None, None) if gaps else days_from(first, last)
    order = BackfillOrder(
        topic=about,
        archive=archive,
        first=begin,
        last=until,
        sources=tuple(source or ()),
        again=again,
        gaps=gaps,
        most_fetches=limit,
        naver=naver_from(os.environ),
        wait=wait,
        keys=keys_from(os.environ),
    )
    warn_of(about, order.naver)
    end(run_here("backfill", partial(run_backfill, order)), order, as_json=json)
