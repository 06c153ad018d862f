"""The commands `serve` and `mcp`. `flows.cli.app` registers them."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.cli.options import DEFAULT_ARCHIVE, ArchiveOption, TopicOption, whole


def serve(
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    port: Annotated[
        int, typer.Option("--port", parser=whole(0, 65535), metavar="N", help="The port; 0 takes a free one.")
    ] = 8080,
    host: Annotated[str, typer.Option("--host", metavar="IP", help="The IP address to listen on.")] = "127.0.0.1",
    public: Annotated[
        bool, typer.Option("--public", help="Other people may read it: no captures, no SQL. Needed for another --host.")
    ] = False,
    name: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="NAME", help="A host name, or https://NAME, that a proxy in front answers to."),
    ] = None,
    sql: Annotated[bool, typer.Option("--sql", help="Also answer SQL of the reader's own. Only on loopback.")] = False,
    workers: Annotated[
        int,
        typer.Option("--workers", parser=whole(1, 64), metavar="N", help="Processes that answer, for many readers."),
    ] = 1,
    topic: TopicOption = None,
) -> None:
    """Serve the archive as a web site and a JSON API, until Ctrl-C. Read-only; works while a crawl writes."""
    from flows.runs.settings import topic_from
    from flows.serving.server import serve as run

    title, names = topic_from(topic).title, name or ()
    run(archive, host=host, port=port, title=title, sql=sql, public=public, names=names, workers=workers)


def mcp(archive: ArchiveOption = DEFAULT_ARCHIVE, topic: TopicOption = None) -> None:
    """Serve the archive to an AI assistant (MCP).

    The assistant starts this command itself; docs/serving.md shows how to set it up.
    """
    from flows.runs.settings import topic_from
    from flows.serving.server import serve_assistant

    serve_assistant(archive, title=topic_from(topic).title)
