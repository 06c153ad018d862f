"""What the command line says when there is no result, and to whom: a person, or a machine that asked for JSON."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from itertools import pairwise
from pathlib import Path

import typer

from flows.cli.exit_codes import Exit

DISK_FAULTS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE, errno.ENFILE}
)
"""What the system says of a disk that is full, read-only or not ours, and of a process that may open no more files."""

# What all of typer's complaints about a command line are; it has no public name of its own.
UsageError: type[typer.BadParameter] = typer.BadParameter.__bases__[0]


def asks_for_json(words: list[str]) -> bool:
    """Whether a command line asks for JSON. Read off its words: it may be one that no command understands."""
    options = words[: words.index("--")] if "--" in words else words
    return bool({"--json", "--format=json"} & {*options}) or ("--format", "json") in pairwise(options)


def complain(kind: str, message: str, code: Exit) -> Exit:
    """Say on standard error, in one line for machines, why there is no result. `kind`: a name in the tree of errors."""
    if asks_for_json(sys.argv[1:]):
        import json  # only who errs waits for it

        line = json.dumps({"error": {"kind": kind, "message": message, "exit_code": code}})
    else:
        from flows.cli.show.terminal import shown

        line = f"seogo: {shown(message)}"  # it may quote a page, or a name that somebody else gave a file
    print(line, file=sys.stderr)  # noqa: T201
    return code


def prepare_output() -> None:
    """See to it that there is an output, and that it takes every text."""
    if sys.stdout is None:  # closed by who called us (`>&-`)
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 — for as long as the process lives
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What the terminal cannot show (a lone surrogate, Korean in a Latin-1 locale) is no reason to stop.
            stream.reconfigure(errors="backslashreplace")


def reader_is_gone() -> bool:
    """Whether whoever read standard output has had enough (`| head`)."""
    poll = select.poll()
    poll.register(1, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def drop_output(code: Exit) -> Exit:
    """What is still to be flushed goes nowhere, so that Python does not complain of it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return code
