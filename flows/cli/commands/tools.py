"""The commands that need no archive: parse, topic check, replica, demo."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.arguments import bytes_of
from flows.cli.options import JsonOption, TopicOption, whole
from flows.cli.run_here import finish
from flows.runs.settings import topic_from
from schemas.errors import BadInput


def parse(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A captured page or answer, plain or gzip; - reads standard input.")
    ],
    url: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Its address. Not needed if the page gives its own."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show what the parsers read from a captured page. Needs no archive."""
    from flows.cli.parse_page import article_object, own_address, parse_any, unpacked
    from flows.cli.show.article import show_article
    from schemas.article import Article

    content = unpacked(bytes_of(file), str(file))
    address = url or own_address(content)
    if address is None:
        raise BadInput(f"{file} does not say where it comes from: give its address with --url.")
    parsed = parse_any(content, address)
    if isinstance(parsed, Article):
        finish(article_object(parsed), show_article, as_json=json)
    finish(parsed, show_article, as_json=True)


def check(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="The topic file (default: --topic, else the built-in one).")
    ] = None,
    topic: TopicOption = None,
    json: JsonOption = False,
) -> None:
    """Check a topic file. Reports each mistake with file, line, key and what was expected."""
    from flows.cli.show.topic import show_topic, topic_object

    finish(topic_from(file or topic), show_topic, as_json=json, to_json=topic_object)


def replica(
    port: Annotated[
        int,
        typer.Option(parser=whole(0, 65535), metavar="PORT", help="The port on 127.0.0.1; 0 takes a free one."),
    ] = 0,
    seed: Annotated[int, typer.Option(parser=whole(0), metavar="N", help="The seed of the made-up articles.")] = 1,
    articles: Annotated[int, typer.Option(parser=whole(1), metavar="N", help="How many articles to make up.")] = 2000,
    days: Annotated[int, typer.Option(parser=whole(1), metavar="N", help="Over how many days, up to now.")] = 60,
    rewritten: Annotated[
        int,
        typer.Option(
            parser=whole(0, 100), metavar="PERCENT", help="How many of them other publishers rewrite (stories)."
        ),
    ] = 0,
) -> None:
    """Serve a made-up Naver on this machine, until Ctrl-C."""
    from flows.replica.server import serve

    serve(
        port=port, seed=seed, articles=articles, days=days, rewritten=rewritten / 100, last=datetime.now(UTC), pace=1.0
    )


def demo(
    archive: Annotated[
        Path,
        typer.Option("--archive", metavar="DIR", help="The archive to create. That of an earlier demo is replaced."),
    ] = Path("demo-archive"),
) -> None:
    """Show everything once, against a made-up Naver.

    Starts a replica, crawls it twice, and shows a file, two queries and a search. Takes a few seconds, and no network.
    """
    from flows.cli.commands.demo import run_demo

    raise typer.Exit(run_demo(archive))
