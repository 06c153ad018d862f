"""A refresh: archived articles that are due are fetched again, to see edits and deletions.

When an article is due is decided in `flows/pipeline/decide.py` (`next_refresh`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from flows.fetching.client import Client
from flows.pipeline.batches import BATCH, Pipeline
from flows.pipeline.stop import Stop
from flows.runs.exit_reason import exit_reason_of
from flows.runs.lifecycle import Now, OnProgress, ignore_progress, utc_now
from flows.runs.pipeline_run import PipelineOrder, PipelineRun, run_pipeline
from schemas.article import ArticleKey
from schemas.receipt import Receipt


@dataclass(frozen=True, slots=True)
class RefreshOrder(PipelineOrder):
    """To check the articles that are due."""


async def refresh(
    order: RefreshOrder,
    *,
    stop: Stop | None = None,
    on_progress: OnProgress = ignore_progress,
    now: Now = utc_now,
) -> Receipt:
    """Check every article that is due, and return the receipt. Raises SeogoError where the run cannot continue."""

    async def work(run: PipelineRun, client: Client) -> None:
        async with run.pipeline(client.fetch) as pipeline:
            await _check_due(run, pipeline)

    exit_reason = partial(exit_reason_of, idle="no article is due to be checked again")
    return await run_pipeline(
        order, "refresh", work, stop=stop, on_progress=on_progress, now=now, exit_reason=exit_reason
    )


async def _check_due(run: PipelineRun, pipeline: Pipeline) -> None:
    """Check the articles in batches: each is stored, with its next due time, before the next batch is chosen."""
    checked: set[ArticleKey] = set()
    while not run.stop.requested:
        room = BATCH if run.most_fetches is None else min(run.most_fetches - len(checked), BATCH)
        refs = [ref for ref in run.archive.to_refresh(run.now(), room) if ref.key not in checked] if room > 0 else []
        if not refs:
            break
        checked.update(ref.key for ref in refs)
        await pipeline.add(refs, force=True)
        await pipeline.finish()
        run.on_progress(run.receipt)
