"""Processes that want the archive at the same moment, round after round: `two_writers.py ARCHIVE ROUNDS`.

Each holder leaves its mark in a file that must not be there yet: a second holder would find it.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path

from schemas.errors import ArchiveBusy
from storage.state.lease import lease

HELD, BUSY, TWO_WRITERS = 0, 7, 1


def want(state: Path, together: Barrier) -> None:
    """Wait for the others, then take the archive or leave."""
    together.wait(10)
    try:
        with lease(state, now=datetime.now(UTC)):
            mark = state / "mark"
            try:
                mark.touch(exist_ok=False)
            except FileExistsError:
                sys.exit(TWO_WRITERS)
            time.sleep(0.002)
            mark.unlink()
    except ArchiveBusy:
        sys.exit(BUSY)
    sys.exit(HELD)


def main(archive: Path, rounds: int) -> str:
    """All rounds. Raises AssertionError where two had the archive at once, or nobody got it."""
    state = archive / "state"
    state.mkdir(parents=True)
    context = multiprocessing.get_context("fork")
    turned_away = 0
    for number in range(rounds):
        together = context.Barrier(2)
        processes = [context.Process(target=want, args=(state, together)) for _ in range(2)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(20)
        codes = sorted(process.exitcode or 0 for process in processes)
        assert codes in ([HELD, HELD], [HELD, BUSY]), f"round {number}: {codes}"
        turned_away += codes == [HELD, BUSY]
    assert turned_away > rounds // 4, f"they met in {turned_away} of {rounds} rounds only: that proves little"
    return f"{rounds} rounds, {turned_away} times the other was turned away"


if __name__ == "__main__":
    sys.stdout.write(main(Path(sys.argv[1]), int(sys.argv[2])))
