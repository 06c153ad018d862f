"""A change of the archive as a message, and which changes a webhook wants."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from schemas.article import SEOUL
from schemas.topic import Webhook
from storage.exports.changes import change_lines
from storage.reading.changes import Change, changes, changes_behind, newest_run_begins, teams_of
from storage.reading.reader import newest_change, open_snapshot

_AT_ONCE = 100


def body_of(change: Change) -> bytes:
    """The message: `type`, `timestamp`, and in `data` the change as in the export (change.schema.json)."""
    (line,) = change_lines([change])
    kind = json.dumps(f"article.{change['kind']}")
    at = json.dumps(change["changed_at"].astimezone(SEOUL).isoformat())
    return b'{"type":%s,"timestamp":%s,"data":%s}' % (kind.encode(), at.encode(), line.strip())


def is_wanted(webhook: Webhook, change: Change, teams: Mapping[str, list[str]]) -> bool:
    """Whether a webhook asks for this kind of change, and for one of the article's teams (`teams`: by article)."""
    if webhook.kinds and change["kind"] not in webhook.kinds:
        return False
    named = change["article"]["teams"] if change["article"] else teams.get(change["duplicate_of"] or change["id"], [])
    return not webhook.teams or not set(webhook.teams).isdisjoint(named)


def wanted_behind(archive: Path, cursor: int, webhook: Webhook) -> list[tuple[Change, bool]]:
    """The next changes behind a cursor, each with whether the webhook wants it. Raises BadInput, ArchiveDamaged."""
    with open_snapshot(archive) as connection:
        cursor = min(cursor, newest_change(connection))  # the database was restored from a backup
        found = list(islice(changes(connection, cursor, at_once=_AT_ONCE), _AT_ONCE))
        ids = [change["duplicate_of"] or change["id"] for change in found if not change["article"]]
        teams = teams_of(connection, ids) if webhook.teams else {}
    return [(change, is_wanted(webhook, change, teams)) for change in found]


def changes_of(archive: Path, numbers: list[int]) -> Iterator[Change]:
    """The changes with these numbers. Raises BadInput, ArchiveDamaged."""
    with open_snapshot(archive) as connection:
        for number in numbers:
            yield from (one for one in islice(changes(connection, number - 1, at_once=1), 1) if one["seq"] == number)


def first_cursor(archive: Path) -> int:
    """Where a new webhook begins: before the changes of the newest run that changed anything. Raises BadInput."""
    with open_snapshot(archive) as connection:
        newest_change(connection)  # raises BadInput where there is no change feed
        return newest_run_begins(connection)


def pending(archive: Path, cursors: Mapping[str, int]) -> dict[str, int]:
    """How many changes are behind each cursor."""
    with open_snapshot(archive) as connection:
        return {name: changes_behind(connection, cursor) for name, cursor in cursors.items()}
