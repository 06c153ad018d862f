"""Fuzzes one target, guided by coverage: `python -m tests.fuzz.run TARGET [--seconds N]`.

Needs atheris, which `make fuzz` installs. Input that crashes a target is written to `crash-…` in the current directory
and ends the run; `python -m tests.fuzz.run TARGET crash-…` reproduces it. Input that reached new code is stored in
`.fuzz/TARGET/`, from which the next run continues.
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
    """Fuzz until the time is over or a crash is found."""
    parser = argparse.ArgumentParser(description="Fuzz one of seogo's parsers.")
    parser.add_argument("target", help="a target in tests/fuzz/targets.py")
    parser.add_argument("crash", nargs="?", type=Path, help="a file to run once, instead of fuzzing")
    parser.add_argument("--seconds", type=int, default=60)
    given = parser.parse_args(arguments)
    atheris: Any = importlib.import_module("atheris")  # untyped, and not needed by any other module
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
    """Run libFuzzer in this process, and exit with it."""
    from tests.fuzz.mutations import LARGEST, mutate

    seeds = target.seeds()
    corpus = CORPUS / target.name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number:02}").write_bytes(seed)

    def change(data: bytes, size: int, number: int) -> bytes:
        # Half of the mutations are libFuzzer's, which observes comparisons; half are ours, which know the documents.
        random = Random(number)
        changed = atheris.Mutate(data, size) if random.random() < 0.5 else mutate(data, seeds, random.randrange)
        return bytes(changed[:size])

    options = [f"-max_total_time={seconds}", f"-max_len={LARGEST}", "-timeout=20", "-rss_limit_mb=2048"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], target, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
