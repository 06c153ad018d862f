"""Finds are handed out to fetchers instead of being fetched here, in chunks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flows.pipeline.decide import before_fetch
from flows.pipeline.visit import Find
from schemas.article import ArticleRef, Outcome
from schemas.find import FindResult
from schemas.segment import MOST_VISITED

GIVEN_BACK_AFTER = timedelta(hours=1)
"""A find that no segment has brought back by then is handed out again: its fetcher may have died."""


@dataclass(slots=True)
class HandOut:
    """Visits finds by handing them out. `put` stores a chunk and returns its name; `chunks`: the names so far."""

    put: Callable[[Sequence[ArticleRef]], Awaitable[str]]
    now: Callable[[], datetime]
    chunks: list[str] = field(default_factory=list)
    handed_out: int = 0
    _refs: list[ArticleRef] = field(default_factory=list)

    async def visit(self, find: Find) -> FindResult:
        """Hand out a find that needs a request. Its outcome is deferred until a segment brings its page."""
        decision = before_fetch(find.known, self.now(), force=find.force)
        if decision is not None:
            return FindResult(find.ref, decision.outcome, decision.reason, known=True)
        self._refs.append(find.ref)
        self.handed_out += 1
        if len(self._refs) >= MOST_VISITED:
            await self.flush()
        tries = find.known.tries if find.known else 0
        later = self.now() + GIVEN_BACK_AFTER
        return FindResult(find.ref, Outcome.DEFERRED, "handed out to a fetcher", tries=tries, retry_at=later)

    async def flush(self) -> None:
        """Store the finds that are not in a chunk yet."""
        refs, self._refs = self._refs, []
        if refs:
            self.chunks.append(await self.put(refs))
