"""The command `seogo`.

Thin: options in, one plain function, its value shown, an exit code out. What a command needs is imported when it runs,
so that `seogo --help` answers at once; and nothing here imports Prefect (the flows do).
"""

from __future__ import annotations

import os
import sys
import threading
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli import doctor as cli_doctor
from flows.cli import fetch as cli_runs
from flows.cli import maintain as cli_care
from flows.cli import publish as cli_output
from flows.cli import query as cli_show
from flows.cli import sql as cli_sql
from flows.cli.arguments import addresses_from, bytes_of, time_from
from flows.cli.errors import (
    DISK_FAULTS,
    UsageError,
    asks_for_json,
    complain,
    drop_output,
    prepare_output,
    reader_is_gone,
)
from flows.cli.exit_codes import Exit, Verdict, exit_of_error
from flows.cli.options import (
    DEFAULT_ARCHIVE,
    ArchiveOption,
    JsonOption,
    TopicOption,
    WaitOption,
    whole,
)
from flows.runs.settings import naver_from, topic_from
from schemas.errors import BadInput, SeogoError

if TYPE_CHECKING:
    pass

# Rich's help would take three times as long to show as everything else together.
app = typer.Typer(
    help="서고: crawl Naver news on one topic into an archive of Markdown files, a DuckDB database and raw captures.",
    epilog="Try it without touching Naver: `seogo demo`. Exit codes: see README.md.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
topic_app = typer.Typer(help="The topic file: what is looked for, where, and how politely.", no_args_is_help=True)
app.add_typer(topic_app, name="topic")


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"seogo {version('seogo')}")  # noqa: T201
        raise typer.Exit


@app.callback()
def seogo(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """서고: crawl Naver news on one topic into an archive of Markdown files, a DuckDB database and raw captures."""


@app.command(epilog="Example: seogo crawl --since 2025-12-28 --archive archive")
def crawl(
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    topic: TopicOption = None,
    url: Annotated[
        list[str] | None,
        typer.Option("--url", metavar="ADDRESS", help="Crawl this article and nothing else. May repeat."),
    ] = None,
    from_file: Annotated[
        Path | None,
        typer.Option("--from-file", metavar="FILE", help="Crawl the addresses in a file, one a line (- reads stdin)."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Read the sources anew from this Korean day or time on."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", parser=whole(1), metavar="N", help="Fetch at most this many articles.")
    ] = None,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Find new articles, fetch them, and archive what is on topic."""
    from flows.runs.crawl import CrawlOrder
    from flows.runs.crawl import crawl as run_crawl
    from flows.sources.api_keys import keys_from

    about = topic_from(topic)
    order = CrawlOrder(
        topic=about,
        archive=archive,
        addresses=addresses_from(url or [], from_file),
        since=time_from(since),
        most_fetches=limit,
        naver=naver_from(os.environ),
        wait=wait,
        keys=keys_from(os.environ),
    )
    cli_runs.warn_of(about, order.naver)
    cli_runs.end(cli_runs.run_here("crawl", partial(run_crawl, order)), as_json=json)


@app.command("import", epilog="Example: seogo import ~/old-archive notes/2025.txt")
def import_(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Files, or folders of .md and .txt files.")],
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    topic: TopicOption = None,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Take over documents of an older archive. The originals are never changed."""
    from flows.cli.show.progress import progress
    from flows.cli.signals import on_interrupt
    from flows.runs.import_files import ImportOrder, import_files

    order = ImportOrder(tuple(paths), archive, topic_from(topic), wait)
    stop = threading.Event()
    with on_interrupt(stop.set), progress("import") as report:
        receipt = import_files(order, on_progress=report, stopped=stop.is_set)
    cli_runs.end(receipt, as_json=json)


@app.command(epilog="Example: seogo parse page.html --url https://n.news.naver.com/mnews/article/001/0000000001")
def parse(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A captured page or answer, plain or gzip; - reads standard input.")
    ],
    url: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Its address. May be left out where the page gives its own."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show what the parsers read off a captured page. Needs no archive."""
    from flows.cli.parse_page import article_object, own_address, parse_any, unpacked
    from flows.cli.show.run import show_article
    from flows.cli.show.terminal import print_json
    from schemas.article import Article

    content = unpacked(bytes_of(file), str(file))
    address = url or own_address(content)
    if address is None:
        raise BadInput(f"{file} does not say where it comes from: give its address with --url.")
    parsed = parse_any(content, address)
    if isinstance(parsed, Article):
        fields = article_object(parsed)
        print_json(fields) if json else show_article(fields)
    else:
        print_json(parsed)


@app.command(epilog="Example: seogo status --json")
def status(archive: ArchiveOption = DEFAULT_ARCHIVE, json: JsonOption = False) -> None:
    """Tell what the archive holds, and how the last run ended.

    Also how far each source was read, and what waits to be tried again.
    """
    from flows.cli.show.run import show_status
    from flows.cli.show.terminal import print_json
    from storage.reading.reader import open_snapshot
    from storage.reading.reader import status as read_status

    with open_snapshot(archive) as connection:
        found = read_status(connection, archive)
    print_json(found) if json else show_status(found)


app.command(epilog="Example: seogo show 119_0003042504 --history")(cli_show.show)
app.command(epilog='Example: seogo sql "SELECT publisher, count(*) FROM articles GROUP BY ALL ORDER BY 2 DESC"')(
    cli_sql.sql
)
app.command(epilog="Example: seogo refresh --archive archive")(cli_runs.refresh)
app.command(epilog="Example: seogo backfill --from 2025-12-01 --to 2025-12-31 --source press_list")(cli_runs.backfill)
app.command(epilog="Example: seogo publish --archive archive")(cli_output.publish)
app.command(epilog="Example: seogo export --format jsonl --to out")(cli_output.export)
app.command(epilog="Example: seogo report --days 30 --html report.html")(cli_output.report)
app.command(epilog="Example: seogo verify --archive archive")(cli_care.verify)
app.command(epilog="Example: seogo repair --archive archive")(cli_care.repair)
app.command(epilog="Example: seogo rebuild --archive archive")(cli_care.rebuild)
app.command(epilog="Example: seogo reparse --since 2026-01-10 --dry-run")(cli_care.reparse)
app.command(epilog="Example: seogo doctor --topic my_topic.yaml --bundle report.zip")(cli_doctor.doctor)


@topic_app.command(epilog="Example: seogo topic check topics/foundation_model.yaml")
def check(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="The topic file (default: --topic, else the one that ships).")
    ] = None,
    topic: TopicOption = None,
    json: JsonOption = False,
) -> None:
    """Check a topic file. Tells each mistake with file, line, key and what was expected."""
    from flows.cli.show.run import show_topic, topic_warnings
    from flows.cli.show.terminal import print_json

    loaded = topic_from(file or topic)
    if json:
        print_json({**loaded.model_dump(mode="json"), "warnings": topic_warnings(loaded)})
    else:
        show_topic(loaded)


@app.command(
    epilog="Example: seogo replica --port 8000, and elsewhere, with the key that it prints: NAVER_CLIENT_ID=replica-id"
    " NAVER_CLIENT_SECRET=replica-secret SEOGO_NAVER=http://127.0.0.1:8000 seogo crawl --topic topics/demo.yaml"
)
def replica(
    port: Annotated[
        int,
        typer.Option(parser=whole(0, 65535), metavar="PORT", help="Listen here on 127.0.0.1; 0 takes a free port."),
    ] = 0,
    seed: Annotated[
        int, typer.Option(parser=whole(0), metavar="N", help="Another seed gives another made-up corpus.")
    ] = 1,
    articles: Annotated[int, typer.Option(parser=whole(1), metavar="N", help="How many articles to make up.")] = 2000,
    days: Annotated[int, typer.Option(parser=whole(1), metavar="N", help="Over how many days, up to now.")] = 60,
) -> None:
    """Serve a made-up Naver on this machine, until Ctrl-C."""
    from flows.replica.server import serve

    serve(port=port, seed=seed, articles=articles, days=days, last=datetime.now(UTC), pace=1.0)


@app.command(epilog="Example: seogo demo --archive demo-archive")
def demo(
    archive: Annotated[Path, typer.Option("--archive", metavar="DIR", help="A new archive.")] = Path("demo-archive"),
) -> None:
    """See it all once: replica, crawl, crawl again, a file, a query. Takes some seconds and no network."""
    from flows.cli.demo import run_demo

    raise typer.Exit(run_demo(archive))


def main() -> None:
    """Run the command line; an error of ours becomes one line, or one JSON object, and an exit code."""
    prepare_output()
    Verdict.code = Exit.DONE
    try:
        code = _run()
        sys.stdout.flush()
    except SeogoError as error:
        code = complain(type(error).__name__, str(error), exit_of_error(error))
    except BrokenPipeError:
        if not reader_is_gone():
            raise
        code = drop_output(Verdict.code)
    except OSError as error:
        if error.errno not in DISK_FAULTS:
            raise
        reason = f"{error.filename or 'the output'}: {error.strerror}."
        code = drop_output(complain("StorageFault", reason, Exit.STORAGE_FAULT))
    sys.exit(code)


def _run() -> int | str | None:
    try:
        # Errors in the command line are told by typer in its way, unless a machine is to read them.
        return app(standalone_mode=not asks_for_json(sys.argv[1:])) or Exit.DONE
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError) and reader_is_gone():
            return drop_output(Verdict.code)  # typer calls it an error when nobody reads its help to the end
        return end.code
    except UsageError as error:
        return complain("BadInput", error.format_message(), Exit.BAD_INPUT)


if __name__ == "__main__":
    main()
