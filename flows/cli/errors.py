"""Errors of the command line, printed for people or, if JSON was asked for, for programs; pipes and disks."""

from __future__ import annotations

import errno
import io
import os
import resource
import select
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import typer

from flows.cli.exit_codes import Exit
from schemas.errors import BadInput, StorageFault

ADDRESS_SPACE = 3_000_000_000
"""Bytes of address space that a command needs. Most of it is reserved and never used: `rebuild` peaks at 2.6 GB."""

_TOO_LITTLE_MEMORY = ("can't start new thread", "failed to map segment", "Cannot allocate memory", "std::bad_alloc")
"""What Python and libraries say that cannot get memory; each with another class of error."""

DISK_FAULTS = frozenset(
    {
        *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO),
        *(errno.EMFILE, errno.ENFILE, errno.ENOMEM),
    }
)
"""The disk is full, read-only or not permitted, or the process may open no more files or gets no memory."""

# The base class of typer's errors about a command line; it has no public name.
UsageError: type[typer.BadParameter] = typer.BadParameter.__bases__[0]


def asks_for_json(words: list[str]) -> bool:
    """Whether a command line asks for JSON. Looks at the words only: the command line may be invalid."""
    options = words[: words.index("--")] if "--" in words else words
    return bool({"--json", "--format=json"} & {*options}) or ("--format", "json") in pairwise(options)


def check_words(words: Sequence[str]) -> None:
    """Raise BadInput for an empty word, which an unset variable of a script leaves. As a path, it would be `.`.

    An empty query is left to `search` and `sql`.
    """
    for before, word in pairwise(["", *words]):
        name, equals, value = word.partition("=")
        if name.startswith("--") and equals and not value:
            raise BadInput(f"{name} has an empty value: give one, or leave the option out.")
        if word == "" and before.startswith("--") and before != "--":
            raise BadInput(f"{before} has an empty value: give one, or leave the option out.")
        if word == "" and words[0] not in ("search", "sql"):
            raise BadInput("an argument is empty: give a value, or leave it out.")


def complain(kind: str, message: str, code: Exit) -> Exit:
    """Print an error on standard error; one line of JSON for programs. `kind` is a class name of schemas.errors."""
    if asks_for_json(sys.argv[1:]):
        import json  # only an error needs it

        line = json.dumps({"error": {"kind": kind, "message": message, "exit_code": code}})
    else:
        from flows.cli.show.safe import shown

        line = f"seogo: {shown(message)}"  # it may quote a page or a file name
    print(line, file=sys.stderr)  # noqa: T201
    return code


def check_address_space() -> None:
    """Raise StorageFault if the process may not have ADDRESS_SPACE. With less, DuckDB may end it by a signal."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit not in (resource.RLIM_INFINITY, -1) and limit < ADDRESS_SPACE:
        raise StorageFault(
            f"the address space is limited to {limit / 1e9:.1f} GB, and seogo needs {ADDRESS_SPACE / 1e9:.0f} GB: raise"
            " the limit (ulimit -v unlimited). For memory in use, set MemoryMax= in systemd or --memory in Docker."
        )


def is_out_of_memory(error: Exception) -> bool:
    """Whether Python, DuckDB or Arrow could not get the memory that they need."""
    # By name: this module does not import DuckDB.
    known = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryException"
    return known or any(words in str(error) for words in _TOO_LITTLE_MEMORY)


def prepare_output() -> None:
    """Make sure that standard output exists, and that every text can be printed."""
    if sys.stdout is None:  # the caller closed it (`>&-`)
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 — for as long as the process lives
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A lone surrogate, or Korean in a Latin-1 locale, is printed as an escape.
            stream.reconfigure(errors="backslashreplace")


def pipe_is_closed() -> bool:
    """Whether the reader of standard output closed the pipe (`| head`)."""
    poll = select.poll()
    poll.register(1, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def drop_output(code: Exit) -> Exit:
    """Discard what is still buffered: Python would print an error when it flushes it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return code
