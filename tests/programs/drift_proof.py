"""The full proofs of the drift alarm, which take minutes. The tests in tests/flows/drift run a part of each.

python -m tests.programs.drift_proof mutations [--batch 20]    which harmful changes of a layout are not detected
python -m tests.programs.drift_proof clean [--runs 1000]       which alarms occur in runs of clean pages
python -m tests.programs.drift_proof crawls [--seeds 5]        which alarms occur in whole crawls without faults
python -m tests.programs.drift_proof cost                      the cost of the marks, compared with parsing a page
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count, islice, product
from time import process_time
from timeit import repeat
from typing import NamedTuple

from flows.drift.alarm import DriftAlarm
from flows.naver.articles.layouts import parse_article, read_article
from flows.replica.corpus.articles import Layout
from schemas.article import Article
from schemas.errors import ParseError
from schemas.traits import Baseline, Traits
from tests.support.drift import LOOKS, Sample, family, learned, runs, samples
from tests.support.histories.crawls import SCENARIOS, crawled
from tests.support.naver.mutations.mutations import Mutation, mutations

MOST = 20
"""The number of pages within which a mutation must be detected."""
BLIND = {
    *((look, "removed player") for look in ("2022", "2024", "2026-02", "2026-10", "old")),
    ("old", "removed subtitle"),
    ("sports", "removed subtitle"),
    ("sports", "body: first paragraph gone"),
    ("sports", "title: cut to 20"),
}
"""Undetectable within 20 pages: nothing else on the page shows the correct text, and many pages lack the element."""

PAGES = 2_000
"""The number of articles in the corpus of a crawl."""


class Trial(NamedTuple):
    """The results for up to 20 mutated pages: all, unreadable, wrong, and wrong but not quarantined."""

    pages: int
    unreadable: int
    wrong: int
    passed: int
    alarmed: bool

    @property
    def harmful(self) -> bool:
        return bool(self.unreadable or self.wrong)

    @property
    def detected(self) -> bool:
        return bool(self.unreadable) or self.alarmed


def attempt(content: bytes, url: str) -> tuple[Article, Traits] | None:
    try:
        return read_article(content, url)
    except ParseError:
        return None


def struck(mutation: Mutation, look: Layout) -> Iterator[tuple[str, str, bytes, Article]]:
    """The pages that the mutation changes: id, URL, mutated content, and the correct article."""
    for page in samples(look, 12, 500):
        content = mutation.of(page.content, family(look))
        if content != page.content:
            yield page.id, page.url, content, page.article


def trial(mutation: Mutation, look: Layout, batch: int = MOST) -> Trial:
    """Check mutated pages in batches against a baseline of clean ones."""
    watch = DriftAlarm(learned(look))
    pages = list(islice(struck(mutation, look), MOST))
    unreadable = wrong = passed = 0
    for at in range(0, len(pages), batch):
        read = [(name, attempt(content, url), truth) for name, url, content, truth in pages[at : at + batch]]
        good = [(name, both, truth) for name, both, truth in read if both is not None]
        quarantined = watch.check([(name, traits) for name, (_, traits), _ in good], unread=len(read) - len(good))
        differing = [name for name, (article, _), truth in good if article != truth]
        unreadable += len(read) - len(good)
        wrong += len(differing)
        passed += sum(name not in quarantined for name in differing)
    return Trial(len(pages), unreadable, wrong, passed, bool(watch.alarms))


def chosen(every: int) -> Iterator[tuple[Layout, Mutation]]:
    for shift, look in enumerate(LOOKS):
        fitting = (one for one in mutations() if family(look) in one.families)
        yield from ((look, mutation) for at, mutation in enumerate(fitting) if (at + shift) % every == 0)


def harmful(tried: Iterable[tuple[Layout, Mutation]], batch: int = MOST) -> dict[tuple[str, str], Trial]:
    """The trials of mutations that change the parsed article. Those that affect fewer than 3 pages are omitted."""
    trials = {(look.value, mutation.name): trial(mutation, look, batch) for look, mutation in tried}
    return {name: one for name, one in trials.items() if one.harmful and one.pages >= 3}


def alarms_of(seed: int, pages: int, baseline: Baseline) -> tuple[list[str], Baseline, int]:
    """The alarms in consecutive runs of a corpus, each learning from the previous ones; and the number of runs."""
    alarms: list[str] = []
    number = 0
    for run in runs(seed, pages):
        number += 1
        watch = DriftAlarm(baseline)
        quarantined = watch.check(run)
        alarms += [*watch.alarms, *quarantined.values()]
        baseline = watch.learned()
    return alarms, baseline, number


# --- the full proofs -----------------------------------------------------------------------------------------------


def prove_mutations(wanted: argparse.Namespace) -> bool:
    tried = harmful(chosen(1), wanted.batch)
    missed = {name for name, one in tried.items() if not one.detected}
    passed = {name: one.passed for name, one in tried.items() if one.passed}
    in_detected = sum(number for name, number in passed.items() if name not in missed)
    say(f"batches of {wanted.batch}: {len(tried)} harmful changes, {len(missed)} not detected: {sorted(missed)}")
    wrong = sum(one.wrong for name, one in tried.items() if name not in missed)
    say(f"wrong articles stored despite detection: {in_detected} of {wrong}")
    return missed <= BLIND or wanted.batch < MOST


def prove_clean(wanted: argparse.Namespace) -> bool:
    baseline, done = Baseline(), 0
    alarms: list[str] = []
    for seed in count(101):
        raised, baseline, number = alarms_of(seed, 4_000, baseline)
        alarms, done = alarms + raised, done + number
        if done >= wanted.runs:
            break
    say(f"{done} clean runs: {len(alarms)} alarms and quarantined pages {alarms[:3]}")
    return not alarms


def prove_crawls(wanted: argparse.Namespace) -> bool:
    ran = []
    for seed, scenario in product(range(1, wanted.seeds + 1), SCENARIOS):
        ran.append(crawled(scenario, seed, PAGES))
        say(f"corpus {seed}, {scenario.__name__}: {ran[-1].pages} pages, {ran[-1].alarms[:2] or 'no alarm'}")
    alarms = [alarm for run in ran for alarm in run.alarms]
    pages = sum(run.pages for run in ran)
    say(f"{len(ran)} sequences of crawls, {pages} pages: {len(alarms)} alarms and quarantined pages")
    return not alarms


def prove_cost(wanted: argparse.Namespace) -> bool:
    for look in LOOKS:
        pages = samples(look, 12, 200)
        parsed, read = (_per_page(function, pages) for function in (parse_article, read_article))
        more = 100 * (read / parsed - 1)
        say(f"{look.value}: parse_article {parsed:.0f} us, read_article {read:.0f} us: +{more:.0f} %")
    return True


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _per_page(function: Callable[[bytes, str], object], pages: Sequence[Sample]) -> float:
    """The best of several measurements, in microseconds per page."""
    best = min(
        repeat(lambda: [function(one.content, one.url) for one in pages], number=1, repeat=9, timer=process_time)
    )
    return best / len(pages) * 1e6


def main() -> int:
    proofs = {"mutations": prove_mutations, "clean": prove_clean, "crawls": prove_crawls, "cost": prove_cost}
    parser = argparse.ArgumentParser(description="The full proofs of the drift alarm.")
    parser.add_argument("proof", choices=proofs)
    parser.add_argument("--batch", type=int, default=MOST, help="pages per batch (mutations)")
    parser.add_argument("--runs", type=int, default=1_000, help="number of runs (clean)")
    parser.add_argument("--seeds", type=int, default=5, help="number of corpora (crawls)")
    wanted = parser.parse_args()
    return 0 if proofs[wanted.proof](wanted) else 1


if __name__ == "__main__":
    sys.exit(main())
