"""The command `seogo`.

Thin: options in, one plain function, its value shown, an exit code out. What a command needs is imported when it runs,
so that `seogo --help` answers at once; and nothing here imports Prefect (the flows do).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from flows.exits import Exit, exit_of_error, exit_of_run
from schemas.errors import BadInput, SeogoError

if TYPE_CHECKING:
    from flows.run import CrawlOrder
    from flows.stopping import Stop
    from schemas.receipt import Receipt
    from schemas.topic import Topic

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

ArchiveOption = Annotated[
    Path, typer.Option("--archive", envvar="SEOGO_ARCHIVE", metavar="DIR", help="The archive directory.")
]
TopicOption = Annotated[
    Path | None,
    typer.Option("--topic", envvar="SEOGO_TOPIC", metavar="FILE", help="The topic file (default: the one that ships)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document, for machines.")]
WaitOption = Annotated[
    float, typer.Option("--wait", min=0, metavar="SECONDS", help="Wait this long for another process to leave.")
]
DEFAULT_ARCHIVE = Path("archive")


@app.command(epilog="Example: seogo crawl --since 2025-12-28 --archive archive")
def crawl(
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    topic: TopicOption = None,
    url: Annotated[
        list[str] | None, typer.Option("--url", help="Crawl this article and nothing else. May repeat.")
    ] = None,
    from_file: Annotated[
        Path | None, typer.Option("--from-file", metavar="FILE", help="Crawl the addresses in a file, one a line.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Read the sources anew from this Korean day or time on."),
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Fetch at most this many articles.")] = None,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Find new articles, fetch them, and archive what is on topic."""
    from flows.keys import keys_from
    from flows.run import CrawlOrder

    order = CrawlOrder(
        topic=_topic(topic),
        archive=archive,
        addresses=_addresses(url or [], from_file),
        since=_time(since),
        most_fetches=limit,
        naver=_naver(os.environ.get("SEOGO_NAVER")),
        wait=wait,
        keys=keys_from(os.environ),
    )
    _end(_crawl(order), as_json=json)


@app.command("import", epilog="Example: seogo import ~/old-archive notes/2025.txt")
def import_(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files, or folders of .md and .txt files.")],
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    topic: TopicOption = None,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Take over documents of an older archive. The originals are never changed."""
    from flows.console import progress
    from flows.importing import ImportOrder, import_files

    order = ImportOrder(tuple(paths), archive, _topic(topic).archive.front_matter, wait)
    with progress("import") as report:
        receipt = import_files(order, on_progress=report)
    _end(receipt, as_json=json)


@app.command(epilog="Example: seogo parse page.html --url https://n.news.naver.com/mnews/article/001/0000000001")
def parse(
    file: Annotated[Path, typer.Argument(help="A captured page or answer, plain or gzip; - reads standard input.")],
    url: Annotated[str | None, typer.Option(help="Its address. May be left out where the page gives its own.")] = None,
    json: JsonOption = False,
) -> None:
    """Show what the parsers read off a captured page, without any archive."""
    from flows.console import print_json, show_article
    from flows.parsing import article_object, own_address, parse_any, unpacked
    from schemas.article import Article

    content = unpacked(_bytes(file), str(file))
    address = url or own_address(content)
    if address is None:
        raise BadInput(f"{file} does not say where it comes from: give its address with --url.")
    parsed = parse_any(content, address)
    if isinstance(parsed, Article):
        fields = article_object(parsed)
        print_json(fields) if json else show_article(fields)
    else:
        print_json(parsed)


@app.command(epilog="Example: seogo show 119_0003042504")
def show(
    article: Annotated[str, typer.Argument(metavar="ID", help="An id such as 119_0003042504, or an address.")],
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    json: JsonOption = False,
) -> None:
    """Show one article of the archive."""
    from flows.console import print_json, show_article
    from storage.reader import SHOWN, open_snapshot
    from storage.reader import article as find

    article_id = _article_id(article)
    with open_snapshot(archive) as connection:
        fields = find(connection, article_id)
        if fields is None:
            raise BadInput(_why_not_there(connection, article_id))
    print_json({name: fields[name] for name in SHOWN}) if json else show_article(fields)


@app.command(epilog='Example: seogo sql "SELECT publisher, count(*) FROM articles GROUP BY ALL ORDER BY 2 DESC"')
def sql(
    query: Annotated[str, typer.Argument(help="One SQL query; - reads it from standard input.")],
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    form: Annotated[Literal["table", "csv", "json"], typer.Option("--format", help="How to print the rows.")] = "table",
) -> None:
    """Ask the archive a question. Works at any time, also while a crawl writes; cannot change anything."""
    from flows.console import print_rows
    from storage.reader import open_snapshot, run_query

    text = sys.stdin.read() if query == "-" else query
    with open_snapshot(archive) as connection:
        names, rows = run_query(connection, text)
        print_rows(names, rows, form)


@app.command(epilog="Example: seogo status --json")
def status(archive: ArchiveOption = DEFAULT_ARCHIVE, json: JsonOption = False) -> None:
    """Tell what the archive holds, how far each source was read, and how the last run ended."""
    from flows.console import print_json, show_status
    from storage.reader import open_snapshot
    from storage.reader import status as read_status

    with open_snapshot(archive) as connection:
        found = read_status(connection, archive)
    print_json(found) if json else show_status(found)


@app.command(epilog="Example: seogo verify --archive archive")
def verify(archive: ArchiveOption = DEFAULT_ARCHIVE, wait: WaitOption = 0.0, json: JsonOption = False) -> None:
    """Hold every file, row and capture against each other. Exit code 8 when they disagree."""
    from flows.console import print_json, show_verification
    from storage.archive import open_archive

    if not (archive / "state").is_dir():
        raise BadInput(f"{archive} is no archive: there is no {archive / 'state'}. Crawl or import first.")
    with open_archive(archive, wait=wait) as opened:
        found = opened.verify()
    print_json(found) if json else show_verification(found)
    raise typer.Exit(Exit.ARCHIVE_DAMAGED if found.faults else Exit.DONE)


@topic_app.command(epilog="Example: seogo topic check topics/foundation_model.yaml")
def check(
    file: Annotated[
        Path | None, typer.Argument(help="The topic file (default: --topic, else the one that ships).")
    ] = None,
    topic: TopicOption = None,
    json: JsonOption = False,
) -> None:
    """Check a topic file: each mistake with file, line, key and what was expected."""
    from flows.console import print_json, show_topic

    loaded = _topic(file or topic)
    print_json(loaded.model_dump(mode="json")) if json else show_topic(loaded)


@app.command(epilog="Example: seogo replica --port 8000, then SEOGO_NAVER=http://127.0.0.1:8000 seogo crawl")
def replica(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Listen here on 127.0.0.1; 0 takes a free port.")] = 0,
    seed: Annotated[int, typer.Option(help="Another seed gives another made-up corpus.")] = 1,
    articles: Annotated[int, typer.Option(min=1, help="How many articles to make up.")] = 2000,
    days: Annotated[int, typer.Option(min=1, help="Over how many days, up to now.")] = 60,
) -> None:
    """Serve a stand-in for Naver with a made-up corpus on this machine, until Ctrl-C."""
    from datetime import UTC

    from flows.replica.server import serve

    serve(port=port, seed=seed, articles=articles, days=days, last=datetime.now(UTC), pace=1.0)


@app.command(epilog="Example: seogo demo --archive demo-archive")
def demo(
    archive: Annotated[Path, typer.Option("--archive", metavar="DIR", help="A new archive.")] = Path("demo-archive"),
) -> None:
    """See it all once: replica, crawl, crawl again, a file, a query. Takes some seconds and no network."""
    from flows.demo import run_demo

    raise typer.Exit(run_demo(archive))


def main() -> None:
    """Run the command line; an error of ours becomes one line and an exit code."""
    try:
        app()
    except SeogoError as error:
        print(f"seogo: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(exit_of_error(error))
    except BrokenPipeError:
        # Whoever read our output has had enough; Python would complain at exit when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(Exit.DONE)


# -- what the commands share


def _crawl(order: CrawlOrder) -> Receipt:
    from flows.console import progress
    from flows.run import crawl as run_crawl
    from flows.stopping import Stop

    async def crawl_until_interrupted() -> Receipt:
        stop = Stop()
        with progress("crawl") as report:
            return await _interruptible(stop, lambda: run_crawl(order, stop=stop, on_progress=report))

    return asyncio.run(crawl_until_interrupted())


async def _interruptible(stop: Stop, work: Callable[[], Awaitable[Receipt]]) -> Receipt:
    """The first Ctrl-C (or SIGTERM) ends the run in order: what was fetched is stored. The second ends it at once."""
    loop = asyncio.get_running_loop()

    def interrupted(number: signal.Signals) -> None:
        print("seogo: stopping; what was fetched is being stored. Again: at once.", file=sys.stderr)  # noqa: T201
        stop.ask(by_hand=True)
        loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted, number)
    try:
        return await work()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _end(receipt: Receipt, *, as_json: bool) -> None:
    from flows.console import print_json, show_receipt

    print_json(receipt.as_json()) if as_json else show_receipt(receipt)
    raise typer.Exit(exit_of_run(receipt.exit_reason))


def _topic(path: Path | None) -> Topic:
    from schemas.topic import default_topic_path, load_topic

    return load_topic(path or default_topic_path())


def _naver(address: str | None) -> str | None:
    """The stand-in that SEOGO_NAVER names."""
    from schemas.topic_fields import naver_address

    try:
        return naver_address(address) if address else None
    except ValueError as error:
        raise BadInput(f"SEOGO_NAVER={address!r} is no stand-in's address: {error}.") from error


def _addresses(urls: list[str], from_file: Path | None) -> tuple[str, ...]:
    """The addresses of both options. Blank lines and lines that begin with # are left out."""
    lines = _bytes(from_file).decode("utf-8", "replace").splitlines() if from_file else []
    named = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if from_file and not named:
        raise BadInput(f"{from_file} holds no address: put one on each line.")
    return (*urls, *named)


def _time(text: str | None) -> datetime | None:
    """A day or time as people write it, in Korean time where it names no zone."""
    from schemas.article import SEOUL

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"--since {text!r} is no time: write 2025-12-28 or 2025-12-28T09:30.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=SEOUL)


def _bytes(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}.") from error


def _article_id(text: str) -> str:
    from flows.naver.urls import article_key

    return article_key(text).id if "/" in text else text


def _why_not_there(connection: Any, article_id: str) -> str:
    from storage.reader import duplicate_of, last_find

    if first := duplicate_of(connection, article_id):
        return f"{article_id} bears the text of {first}: seogo show {first}"
    if find := last_find(connection, article_id):
        return f"{article_id} was found and is not archived: {find[0]} ({find[1]})."
    return f"{article_id} is not in the archive, and no run has found it."


if __name__ == "__main__":
    main()
