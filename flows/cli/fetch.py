"""The commands that fetch beside `crawl`: refresh and backfill. Registered in `flows.cli.app`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from flows.cli.arguments import days_from
from flows.cli.exit_codes import Verdict, exit_of_run
from flows.cli.options import DEFAULT_ARCHIVE, ArchiveOption, JsonOption, TopicOption, WaitOption, whole
from flows.runs.settings import naver_from, topic_from
from schemas.errors import BadInput
from storage.layout import check_archive

if TYPE_CHECKING:
    from flows.pipeline.stop import Stop
    from schemas.receipt import Receipt
    from schemas.topic import Topic

LimitOption = Annotated[
    int | None, typer.Option("--limit", parser=whole(1), metavar="N", help="Fetch at most this many articles.")
]


class PlainRun(Protocol):
    """A run as a plain function, its order given."""

    def __call__(self, *, stop: Stop, on_progress: Callable[[Receipt], None]) -> Coroutine[Any, Any, Receipt]: ...


def refresh(
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    topic: TopicOption = None,
    limit: LimitOption = None,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Look again at known articles, to see edits and deletions.

    An article is due about an hour, a day and a week after it was published, or after it was modified.
    """
    from flows.runs.refresh import RefreshOrder
    from flows.runs.refresh import refresh as look_again

    check_archive(archive)
    about = topic_from(topic)
    order = RefreshOrder(about, archive, most_fetches=limit, naver=naver_from(os.environ), wait=wait)
    warn_of(about, order.naver)
    end(run_here("refresh", partial(look_again, order)), as_json=json)


def backfill(
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="The first Korean day, such as 2025-12-01.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="The last day (default: today).")] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--source", metavar="NAME", help="Only this source, such as press_list or press_list:001. May repeat."
        ),
    ] = None,
    gaps: Annotated[
        bool, typer.Option("--gaps", help="Read what earlier runs could not read (`seogo status` lists it).")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Also read what was read before.")] = False,
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    topic: TopicOption = None,
    limit: LimitOption = None,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Read days of the past, source by source and day by day.

    Stopped in the middle, it goes on where it was; run again, it does nothing.
    """
    from flows.runs.backfill import BackfillOrder
    from flows.runs.backfill import backfill as read_days
    from flows.sources.api_keys import keys_from

    if gaps and (first or last or again):
        raise BadInput("--gaps says itself what is to be read: leave out --from, --to and --again.")
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
    end(run_here("backfill", partial(read_days, order)), as_json=json)


# -- what the commands that run share


def run_here(name: str, work: PlainRun) -> Receipt:
    """Run with progress in the terminal; Ctrl-C ends it in order."""
    import asyncio

    from flows.cli.show.progress import progress
    from flows.cli.signals import on_interrupt
    from flows.pipeline.stop import Stop

    async def until_interrupted() -> Receipt:
        stop, loop = Stop(), asyncio.get_running_loop()

        def end_in_order() -> None:
            print("seogo: stopping; what was fetched is being stored. Again: at once.", file=sys.stderr)  # noqa: T201
            stop.ask(by_hand=True)

        with on_interrupt(partial(loop.call_soon_threadsafe, end_in_order)), progress(name) as report:
            return await work(stop=stop, on_progress=report)

    return asyncio.run(until_interrupted())


def end(receipt: Receipt, *, as_json: bool) -> None:
    """Show the receipt, and end with its exit code."""
    from flows.cli.show.run import show_receipt
    from flows.cli.show.terminal import print_json

    Verdict.code = exit_of_run(receipt.exit_reason)
    print_json(receipt.as_json()) if as_json else show_receipt(receipt)
    raise typer.Exit(Verdict.code)


def warn_of(topic: Topic, naver: str | None) -> None:
    """Before the real Naver is asked: what makes us rude."""
    from flows.cli.show.run import topic_warnings

    for warning in [] if naver or topic.naver else topic_warnings(topic):
        print(f"seogo: warning: {warning}", file=sys.stderr)  # noqa: T201
