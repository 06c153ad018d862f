"""The process of the command `seogo`: how it starts, and how it ends.

Tests that run a command in their own process call `flows.cli.app.main` instead.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys

_MOST_YOUNG = 10_000
"""Objects that are allocated between two searches for garbage: by default (700), they take a tenth of a short run."""


def main() -> None:
    """Run the command line, and end the process.

    The interpreter would then free every object, which takes another tenth of a short run: the system does that at
    once. Before, threads are waited for, and what is registered to be called at the exit is called, as always.
    """
    gc.set_threshold(_MOST_YOUNG)
    # DuckDB gives times through pytz, which otherwise opens the files of all 600 zones when it is asked for one.
    os.environ.setdefault("PYTZ_SKIPEXISTSCHECK", "1")
    end = _End()
    atexit.register(end)  # registered first, called last

    from flows.cli.app import main as run

    try:
        run()
    except SystemExit as exit_:
        end.code = exit_.code
        raise


class _End:
    """Ends the process if the command has ended with an exit code, not with a traceback."""

    code: object = None

    def __call__(self) -> None:
        if isinstance(self.code, int):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(self.code)
