"""The cost of `seogo reassess` when every text of an archive changes, and of a second one that changes nothing.

    python -m benchmarks.reassessing [--articles N] [--runs N] [--work DIR] [--quick]

The archive is generated, with a score that no topic file gives: the first reassessment changes every row. Seconds of
all processors, those of the helper processes included.
"""

from __future__ import annotations

import shutil

from benchmarks.documents import make_archive
from benchmarks.support import SEOGO, introduce, measured, options, spread, topic_file, work_folder


def main() -> None:
    """Measure and print."""
    parser = options(__doc__ or "")
    parser.add_argument("--articles", type=int, default=100_000, metavar="N")
    parser.add_argument("--runs", type=int, default=3, metavar="N")
    given = parser.parse_args()
    articles, runs = (500, 1) if given.quick else (given.articles, given.runs)
    work = work_folder(given.work)
    made = make_archive(work / "to-reassess", articles)
    introduce(f"Reassessing {articles:,} articles")
    root = work / "reassessed"
    command = [*SEOGO, "reassess", "--archive", root, "--topic", topic_file(work)]
    found: dict[str, list[float]] = {"every row changes": [], "no row changes": []}
    for _ in range(runs):
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(made, root)
        measured([*SEOGO, "search", "--archive", root, "AI"], work)  # the index is there, as after any run
        for seconds in found.values():
            seconds.append(measured(command, work).processor)
    for name, seconds in found.items():
        print(f"  {name:<20}{spread(seconds, '.1f')} seconds of the processor")


if __name__ == "__main__":
    main()
