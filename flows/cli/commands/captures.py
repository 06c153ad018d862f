"""The command `seogo captures`: where the captures of an archive are."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.cli.options import DEFAULT_ARCHIVE, ArchiveOption, JsonOption, WaitOption
from flows.cli.run_here import finish


def move(
    to: Annotated[
        str,
        typer.Option("--to", metavar="ADDRESS", help="s3://bucket/prefix, or `directory`: that of the archive."),
    ],
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    wait: WaitOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Move all captures to an object store, or back.

    Each file is read back and compared with its checksum before the other copy is deleted. If the move is interrupted,
    run it again: it continues. Later runs upload their captures by themselves. Credentials: AWS_ACCESS_KEY_ID and
    AWS_SECRET_ACCESS_KEY in the environment (docs/object-store.md).
    """
    from flows.cli.show.archive import show_moved
    from flows.runs.move_captures import move_captures

    finish(move_captures(archive, to, wait=wait), show_moved, as_json=json, to_json=lambda done: done.as_json())
