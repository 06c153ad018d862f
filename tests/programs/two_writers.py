"""Two processes compete for the lease of an archive, in many rounds: `two_writers.py ARCHIVE ROUNDS`.

The holder creates a file that must not exist yet, so that a second holder would notice the first.
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

LEASED, BUSY, TWO_WRITERS = 0, 7, 1


def compete(state: Path, together: Barrier) -> None:
    """Wait for the other process, then try to get the lease."""
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
    sys.exit(LEASED)


def main(archive: Path, rounds: int) -> str:
    """Run all rounds. Raises AssertionError if both had the lease at once, or neither got it."""
    state = archive / "state"
    state.mkdir(parents=True)
    context = multiprocessing.get_context("fork")
    refused = 0
    for number in range(rounds):
        together = context.Barrier(2)
        processes = [context.Process(target=compete, args=(state, together)) for _ in range(2)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(20)
        codes = sorted(process.exitcode or 0 for process in processes)
        assert codes in ([LEASED, LEASED], [LEASED, BUSY]), f"round {number}: {codes}"
        refused += codes == [LEASED, BUSY]
    assert refused > rounds // 4, f"they competed in only {refused} of {rounds} rounds, which proves little"
    return f"{rounds} rounds, one process was refused in {refused}"


if __name__ == "__main__":
    sys.stdout.write(main(Path(sys.argv[1]), int(sys.argv[2])))
