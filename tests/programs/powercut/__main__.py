"""Checks a number of disk states per model, in several processes.

python -m tests.programs.powercut [--states 300] [--seed 1] [--processes 2]        (make torture)
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

from tests.programs.powercut.disk import MODELS
from tests.programs.powercut.scenarios import COMMANDS, cuts, recorded, stage, survive

Survived = Counter[tuple[str, str]]
"""The number of cuts by model and scenario."""


def cut_power(states: int, seed: int, share: tuple[int, int]) -> Survived:
    """Check `states` states per model, spread over the scenarios. `share`: the index and the number of processes.

    Raises AssertionError at the first loss.
    """
    survived, began = Survived(), time.monotonic()
    part, parts = share
    with tempfile.TemporaryDirectory(prefix="seogo-powercut-") as work, stage(Path(work)) as made:
        for number, name in enumerate(COMMANDS):
            found = recorded(made, name)
            each = states // len(COMMANDS) + (number < states % len(COMMANDS))
            for model in MODELS:
                for index, cut in enumerate(cuts(found, model, each, seed)):
                    if index % parts == part:
                        survive(made, found, cut)
                        survived[model, found.name] += 1
            print(f"{found.name}: {time.monotonic() - began:.0f} s", flush=True)
    return survived


def main() -> None:
    """Check the states, and print a summary."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--states", type=int, default=300, help="number of states per model")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    shares = [(part, given.processes) for part in range(given.processes)]
    with ProcessPoolExecutor(given.processes) as pool:
        done = pool.map(cut_power, repeat(given.states), repeat(given.seed), shares)
        survived = sum(done, Survived())
    print(
        f"{sum(survived.values())} power cuts survived: nothing lost, nothing duplicated, no published change altered."
    )
    for (model, name), number in sorted(survived.items()):
        print(f"{model}: {name} {number}")


if __name__ == "__main__":
    main()
