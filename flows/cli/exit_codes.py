"""The exit codes of the command line, by name. docs/exit-codes.md has the same table."""

from __future__ import annotations

from enum import IntEnum

from schemas.errors import (
    ArchiveBusy,
    ArchiveDamaged,
    ArchiveError,
    ArticleGone,
    BadInput,
    LayoutChanged,
    SeogoError,
    StorageFault,
    TemporarilyUnavailable,
)
from schemas.receipt import ExitReason


class Exit(IntEnum):
    """The exit codes of the process."""

    DONE = 0  # also: nothing new
    BUG = 1  # an error that seogo did not expect: please report it
    BAD_INPUT = 2
    NOTHING_DISCOVERED = 3
    LAYOUT_CHANGED = 4
    BLOCKED = 5
    PARTLY_FAILED = 6
    ARCHIVE_BUSY = 7
    ARCHIVE_DAMAGED = 8
    STORAGE_FAULT = 9
    NO_ARTICLE = 10  # `seogo parse`: the page says that the article is deleted, or unavailable at the moment
    CHECK_FAILED = 11  # `seogo doctor`
    OFFLINE = 12
    INTERRUPTED = 130


_BY_REASON = {
    ExitReason.DONE: Exit.DONE,
    ExitReason.NOTHING_NEW: Exit.DONE,
    ExitReason.NOTHING_DISCOVERED: Exit.NOTHING_DISCOVERED,
    ExitReason.LAYOUT_CHANGED: Exit.LAYOUT_CHANGED,
    ExitReason.SOURCE_SILENT: Exit.NOTHING_DISCOVERED,
    ExitReason.BLOCKED: Exit.BLOCKED,
    ExitReason.OFFLINE: Exit.OFFLINE,
    ExitReason.PARTLY_FAILED: Exit.PARTLY_FAILED,
    ExitReason.INTERRUPTED: Exit.INTERRUPTED,
}

_BY_ERROR: tuple[tuple[type[SeogoError], Exit], ...] = (
    (BadInput, Exit.BAD_INPUT),
    (LayoutChanged, Exit.LAYOUT_CHANGED),
    (ArticleGone, Exit.NO_ARTICLE),
    (TemporarilyUnavailable, Exit.NO_ARTICLE),
    (ArchiveBusy, Exit.ARCHIVE_BUSY),
    (ArchiveDamaged, Exit.ARCHIVE_DAMAGED),
    (StorageFault, Exit.STORAGE_FAULT),
    (ArchiveError, Exit.BAD_INPUT),
)


class ExitStatus:
    """The exit code of the command that runs. It is set before the output is printed: the reader may close the pipe."""

    code: Exit = Exit.DONE


def exit_of_run(reason: ExitReason | None) -> Exit:
    """The exit code for the reason why a run ended; BUG for none."""
    return _BY_REASON[reason] if reason is not None else Exit.BUG


def exit_of_error(error: SeogoError) -> Exit:
    """The exit code for an error that ended a command."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), Exit.BUG)
