"""All commands of `seogo`, and how the command line ends.

The module of a command is imported when it is chosen, and the command imports what it needs when it runs: so each
answers at once. Nothing here imports Prefect.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Annotated

import typer

from flows.cli.errors import (
    DISK_FAULTS,
    UsageError,
    asks_for_json,
    check_address_space,
    check_words,
    complain,
    drop_output,
    is_out_of_memory,
    pipe_is_closed,
    prepare_output,
)
from flows.cli.exit_codes import Exit, ExitStatus, exit_of_error
from schemas.errors import SeogoError

_ABOUT = "서고: crawl Naver news on one topic into an archive of Markdown files, a DuckDB database and raw captures."


def _version(is_set: bool) -> None:
    if is_set:
        from importlib.metadata import version

        print(f"seogo {version('seogo')}")  # noqa: T201
        raise typer.Exit


def seogo(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """The options of `seogo` itself."""
    check_address_space()


_COMMANDS: dict[str, str] = {
    "crawl --since 2025-12-28 --archive archive": "fetch.crawl",
    "refresh --archive archive": "fetch.refresh",
    "backfill --from 2025-12-01 --to 2025-12-31 --source press_list": "fetch.backfill",
    "fetch addresses.txt --fetcher seoul-1 --store s3://news/seogo": "fetchers.fetch",
    "take-in --archive archive --store s3://news/seogo": "fetchers.take_in",
    "import ~/old-archive notes/2025.txt": "maintain.import_",
    "parse page.html --url https://n.news.naver.com/mnews/article/001/0000000001": "tools.parse",
    "show 119_0003042504 --history": "query.show",
    "story 119_0003042504": "query.story",
    'search "업스테이지 소버린" --sort newest': "search.search",
    'sql "SELECT publisher, count(*) FROM articles GROUP BY ALL ORDER BY 2 DESC"': "query.sql",
    "publish --archive archive": "publish.publish",
    "export --format jsonl --to out": "publish.export",
    "report --days 30 --html report.html": "publish.report",
    "digest --day 2025-12-30 --html digest.html": "publish.digest",
    "serve --port 8080": "serve.serve",
    "mcp --archive archive": "serve.mcp",
    "webhooks --test dashboard": "webhooks.webhooks",
    "status --json": "query.status",
    "doctor --topic my_topic.yaml --bundle report.zip": "doctor.doctor",
    "verify --archive archive": "maintain.verify",
    "repair --archive archive": "maintain.repair",
    "rebuild --archive archive": "maintain.rebuild",
    "reparse --since 2026-01-10 --dry-run": "maintain.reparse",
    "reassess --dry-run": "maintain.reassess",
    "replica --port 8000, and elsewhere, with the key that it prints: NAVER_CLIENT_ID=replica-id"
    " NAVER_CLIENT_SECRET=replica-secret SEOGO_NAVER=http://127.0.0.1:8000"
    " seogo crawl --topic topics/demo.yaml": "tools.replica",
    "demo --archive demo-archive": "tools.demo",
}
"""The example in a command's help, which begins with its name -> the function in `flows.cli.commands`."""

_GROUPS: dict[str, tuple[str, dict[str, str]]] = {
    "topic": (
        "Check a topic file.",
        {"check topics/foundation_model.yaml": "tools.check"},
    ),
    "captures": ("Move the captures of an archive.", {"move --to s3://bucket/naver": "captures.move"}),
}
"""The commands of two words: name -> what they are about, and the same as above."""


def app(words: Sequence[str] = ()) -> typer.Typer:
    """The command line for these words: with the command that they begin with, or with all commands if with none."""
    # Rich's help would take three times as long to show as everything else together.
    built = typer.Typer(
        epilog="Try it without touching Naver: `seogo demo`. Exit codes: docs/exit-codes.md.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    built.callback(help=_ABOUT)(seogo)
    chosen = words[0] if words and words[0] in {*map(_name, _COMMANDS), *_GROUPS} else None
    _add(built, {example: path for example, path in _COMMANDS.items() if chosen in (None, _name(example))})
    for name, (about, commands) in _GROUPS.items():
        if chosen in (None, name):
            group = typer.Typer(help=about, no_args_is_help=True)
            _add(group, commands, of=f"{name} ")
            built.add_typer(group, name=name)
    return built


def _add(group: typer.Typer, commands: Mapping[str, str], *, of: str = "") -> None:
    for example, path in commands.items():
        group.command(_name(example), epilog=f"Example: seogo {of}{example}")(_function(path))


def _name(example: str) -> str:
    return example.partition(" ")[0]


def _function(path: str) -> Callable[..., None]:
    module, _, name = path.partition(".")
    found: Callable[..., None] = getattr(import_module(f"flows.cli.commands.{module}"), name)
    return found


_TOO_LITTLE_MEMORY = "there is too little memory. Nothing committed is lost: free some, or raise the limit; run again."


def main() -> None:
    """Run the command line. An error of ours becomes one line, or one JSON object, and an exit code."""
    prepare_output()
    ExitStatus.code = Exit.DONE
    try:
        code = _run()
        sys.stdout.flush()
    except SeogoError as error:
        code = complain(type(error).__name__, str(error), exit_of_error(error))
    except BrokenPipeError:
        if not pipe_is_closed():
            raise
        code = drop_output(ExitStatus.code)
    except OSError as error:
        if error.errno not in DISK_FAULTS:
            raise
        reason = f"{error.filename or 'the output'}: {error.strerror}."
        code = drop_output(complain("StorageFault", reason, Exit.STORAGE_FAULT))
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        code = complain("StorageFault", _TOO_LITTLE_MEMORY, Exit.STORAGE_FAULT)
    sys.exit(code)


def _run() -> int | str | None:
    try:
        # typer prints its own errors, unless a program is to read them.
        words = sys.argv[1:]
        check_words(words)
        return app(words)(standalone_mode=not asks_for_json(words)) or Exit.DONE
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError) and pipe_is_closed():
            return drop_output(ExitStatus.code)  # to typer it is an error if nobody reads its help to the end
        return end.code
    except UsageError as error:
        return complain("BadInput", error.format_message(), Exit.BAD_INPUT)
