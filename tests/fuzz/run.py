"""Fuzz one target for a while, led by coverage: `python -m tests.fuzz.run TARGET [--seconds N]`.

Needs atheris, which `make fuzz` installs. What crashes a target is written to `crash-…` in the current directory and
ends the run; `python -m tests.fuzz.run TARGET crash-…` shows it again. What reached new code is kept in
`.fuzz/TARGET/`, where the next run goes on.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from random import Random
from typing import Any

CORPUS = Path(".fuzz")


def main(arguments: list[str]) -> None:
    """Fuzz until the time is over or something is found."""
    parser = argparse.ArgumentParser(description="Fuzz one of seogo's parsers.")
    parser.add_argument("target", help="a name of tests/fuzz/targets.py")
    parser.add_argument("crash", nargs="?", type=Path, help="a file to run once, instead of fuzzing")
    parser.add_argument("--seconds", type=int, default=60)
    given = parser.parse_args(arguments)
    atheris: Any = importlib.import_module("atheris")  # without types, and without it all but this file works
    with atheris.instrument_imports(include=["flows", "schemas", "storage"]):
        from tests.fuzz.targets import TARGETS
    if given.target not in TARGETS:
        parser.error(f"no target {given.target!r}: the targets are {', '.join(TARGETS)}")
    target = TARGETS[given.target]
    if given.crash:
        target(given.crash.read_bytes())
    else:
        fuzz(atheris, target, given.seconds)


def fuzz(atheris: Any, target: Any, seconds: int) -> None:
    """Run libFuzzer in this process, which ends with it."""
    from tests.fuzz.mutations import LARGEST, mutate

    seeds = target.seeds()
    corpus = CORPUS / target.name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number:02}").write_bytes(seed)

    def change(data: bytes, size: int, number: int) -> bytes:
        # Half of the changes by libFuzzer, which knows what was compared; half by us, who know what a page looks like.
        random = Random(number)
        changed = atheris.Mutate(data, size) if random.random() < 0.5 else mutate(data, seeds, random.randrange)
        return bytes(changed[:size])

    options = [f"-max_total_time={seconds}", f"-max_len={LARGEST}", "-timeout=20", "-rss_limit_mb=2048"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], target, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
