"""The first page as a file that needs no network, with the operator's facts below: `seogo report --html`."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

from markupsafe import Markup

from flows.reports.facts import Facts, facts
from flows.reports.language import Language
from flows.reports.page_file import write_page_file
from flows.serving.content import overview
from flows.serving.content.charts import Chart, colours, stacked
from flows.serving.content.subjects import Period
from flows.serving.context import View, render, web_address
from schemas.article import SEOUL, Outcome
from schemas.errors import BadInput
from storage.reading.shared import SharedSnapshot, Snapshot
from storage.search.facets import Browser


class StaticView(View):
    """The view of a page in a file: articles are at Naver, and there are no other pages."""

    is_static = True

    def __init__(self, language: Language, title: str, snapshot: Snapshot) -> None:
        super().__init__(language, title)
        self._snapshot = snapshot

    def to(self, path: str, *, fragment: str = "", **query: object) -> Markup:
        """The address of an article, or of the first one of a story, at Naver; of the status in this page."""
        if path == "/status":
            return Markup(' href="#status"')
        kind, _, name = path.removeprefix("/").partition("/")
        row = (
            self._snapshot.row("SELECT url FROM articles WHERE id = ?", [name])
            if kind in ("article", "story")
            else None
        )
        url = web_address(row["url"]) if row else None
        return Markup(' href="%s" rel="noreferrer nofollow"') % url if url else Markup()


def write_page(
    archive: Path, file: Path, *, title: str, language: Language, days: int = 7, now: datetime | None = None
) -> int:
    """Write the page of the last `days` Korean days to `file`, whole or not at all. Returns its size in bytes.

    Raises BadInput, ArchiveDamaged, StorageFault.
    """
    page = static_page(archive, title=title, language=language, days=days, now=now or datetime.now(UTC))
    return write_page_file(page, file, archive=archive)


def static_page(archive: Path, *, title: str, language: Language, days: int, now: datetime) -> str:
    """The page. Raises BadInput, ArchiveDamaged."""
    found = facts(archive, days=days, now=now)
    last = now.astimezone(SEOUL).date()
    shared = SharedSnapshot(archive)
    try:
        with shared.reading() as snapshot:
            today = overview.of_period(snapshot, Period(last - timedelta(days=days - 1), last))
            view = StaticView(language, title, snapshot)
            return render(
                view,
                "static.html",
                today=today,
                subject=today.subject,
                state=_state(snapshot, archive),
                behind=_is_behind(archive),
                facts=found,
                outcomes=_outcomes(found, today.subject.period, view),
                style=resources.files("flows.serving").joinpath("assets", "style.css").read_text("utf-8"),
            )
    finally:
        shared.close()


def _is_behind(archive: Path) -> bool | None:
    with closing(Browser(archive)) as browser:
        return browser.behind()


def _state(snapshot: Snapshot, archive: Path) -> dict[str, Any] | str:
    """The state of the archive, or why it is not known."""
    try:
        return overview.state(snapshot, archive)
    except BadInput as reason:
        return str(reason)


def _outcomes(found: Facts, period: Period, view: View) -> Chart:
    """Finds a day by outcome, without those that were known and unchanged."""
    shown = [row for row in found.daily if row["outcome"] != Outcome.UNCHANGED]
    counts = {(date.fromisoformat(row["day"]), view.words.t(row["outcome"])): row["articles"] for row in shown}
    days = [period.first + timedelta(days=n) for n in range(period.days)]
    return stacked(days, counts, colours(sorted({name for _, name in counts})))
