"""The archive directory, only read: no lease is taken, no file is made, the writer's database is not opened."""

from __future__ import annotations

import json
import os
import pwd
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ValidationError

from flows.reports.text import size
from flows.runs.doctor.captures import object_store_check
from flows.runs.doctor.check import Check, error, ok, warning
from schemas.counted import counted
from schemas.errors import ArchiveDamaged, SeogoError
from schemas.receipt import ExitReason
from storage import layout
from storage.captures import open_captures
from storage.database.writer import migrations
from storage.files import sync_folder
from storage.reading.reader import open_snapshot, run_query
from storage.state import checksums, last_verify
from storage.state.holder import holder

_HOLDER = "state/holder.json"
JSON_FILES = (
    layout.LAST_RUN,
    layout.LAST_VERIFY,
    layout.UPLOADS,
    layout.BACKOFF,
    layout.BASELINE,
    checksums.CHECKSUMS,
    _HOLDER,
)

_PARTS = ("state", "captures", "articles")
_MB = 1_000_000
_SCARCE, _TIGHT = 100 * _MB, 1_000 * _MB
"""Free bytes below which a run fails, or soon will; besides, the database is copied while it is published."""
_FEW_FILES, _LITTLE_LEFT = 100, 10_000
"""Files that can still be made; each article is one."""
_SLOW_SYNC = 5.0
_LONG_RUN = timedelta(hours=12)
_LONG_AGO = timedelta(days=7)
_GOOD = (ExitReason.DONE.value, ExitReason.NOTHING_NEW.value)


class LastRun(BaseModel):
    """What the doctor reads of the last run's receipt."""

    command: str
    started_at: AwareDatetime
    finished_at: AwareDatetime | None = None
    exit_reason: str | None = None

    @property
    def ended(self) -> datetime:
        """When it ended, as far as is known."""
        return self.finished_at or self.started_at


def archive_checks(root: Path, now: datetime) -> Iterator[Check]:
    """The directory and its disk, then what is in it."""
    yield _guarded("archive", partial(_place, root))
    ground = _ground(root)
    yield _guarded("disk", partial(_disk, ground, root))
    yield _guarded("sync", partial(_sync, ground))
    with suppress(OSError):  # the check `archive` reports it
        if is_archive(root):
            yield _guarded("lock", partial(_lock, root, now))
            yield _guarded("state", partial(_state, root))
            yield _guarded("snapshot", partial(_snapshot, root, now))
            yield _guarded("last run", partial(_last_run, root, now))
            yield _guarded("last verify", partial(_last_verify, root, now))
            if (root / layout.ARCHIVE_TOML).exists():
                yield _guarded("object store", partial(object_store_check, root))


def is_archive(root: Path) -> bool:
    """Whether a directory is an archive. Raises OSError."""
    return any((root / part).is_dir() for part in ("state", "captures"))


def read_last_run(root: Path) -> LastRun | None:
    """The last run, from its receipt; None if there is none, or none that can be read."""
    try:
        return LastRun.model_validate_json((root / layout.LAST_RUN).read_bytes())
    except (OSError, ValidationError):  # the check `state` reports it
        return None


def damage(path: Path) -> str | None:
    """What is wrong with a JSON file of the archive's state; None if nothing is, or if there is no such file."""
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as fault:
        return fault.strerror
    except (ValueError, RecursionError):
        return "not JSON"
    return None if isinstance(value, dict) else "not a JSON object"


def ago(span: timedelta) -> str:
    """A time span in minutes, hours or days."""
    minutes = span.total_seconds() / 60
    if minutes < 120:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.0f} h" if minutes < 2880 else f"{minutes / 1440:.0f} days"


def _guarded(name: str, look: Callable[[], Check]) -> Check:
    """A check that cannot be carried out has failed."""
    try:
        return look()
    except SeogoError as fault:
        return error(name, str(fault), "see the message; if it names no remedy: seogo repair")
    except OSError as fault:
        found = f"{fault.filename or name} cannot be read: {fault.strerror}"
        return error(name, found, "fix the permissions or the disk, then run seogo doctor again")


# -- the directory and its disk


def _place(root: Path) -> Check:
    if root.exists() and not root.is_dir():
        return error("archive", f"{root} is not a directory", "name another with --archive DIR or SEOGO_ARCHIVE")
    if not root.exists() or not any(root.iterdir()):
        return _new(root)
    if not is_archive(root):
        found = f"{root} has other files, and neither state nor captures"
        return warning("archive", found, "name the archive with --archive DIR or SEOGO_ARCHIVE")
    if closed := [path for path in (root, *(root / part for part in _PARTS)) if path.exists() and not _writable(path)]:
        return _read_only(closed[0])
    owner = root.stat().st_uid
    if owner != os.geteuid():
        found = f"{root} belongs to {_user(owner)}, who could not change what a run by {_user(os.geteuid())} creates"
        return warning("archive", found, f"run seogo as {_user(owner)}")
    return ok("archive", f"{root} is there and writable")


def _new(root: Path) -> Check:
    ground = _ground(root)
    if not _writable(ground):
        return _read_only(ground)
    return ok("archive", f"{root} does not exist yet: the first crawl or import creates it")


def _read_only(path: Path) -> Check:
    return error("archive", f"{path} is not writable for {_user(os.geteuid())}", "fix its permissions, or the mount")


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _ground(root: Path) -> Path:
    """The directory, or the nearest one above it that exists."""
    here = root.absolute()
    return next(path for path in (here, *here.parents) if os.access(path, os.F_OK) and path.is_dir())


def _disk(ground: Path, root: Path) -> Check:
    disk, database = os.statvfs(ground), root / layout.WRITER_DATABASE
    held = database.stat().st_size if database.is_file() else 0
    free, files = disk.f_bavail * disk.f_frsize, disk.f_favail if disk.f_files else None  # Btrfs counts no files
    return disk_check(free, files, held)


def disk_check(free: int, files: int | None, database: int) -> Check:
    """Whether there is room: free bytes, files that can be made (None: any number), bytes of the database."""
    found = f"{size(free)} free" + ("" if files is None else f", room for {files:,} files")
    if free < _SCARCE + database or (files is not None and files < _FEW_FILES):
        return error("disk", f"{found}; a copy of the database takes {size(database)}", "free space before a run")
    if free < _TIGHT + 3 * database or (files is not None and files < _LITTLE_LEFT):
        return warning("disk", found, "free space soon: each article is a file, and each response is kept")
    return ok("disk", found)


def _sync(ground: Path) -> Check:
    """Whether the disk can be synced: if not, a power cut costs data."""
    began = time.monotonic()
    try:
        sync_folder(ground)
    except OSError as fault:
        found = f"{ground} cannot be synced: {fault.strerror}"
        return error("sync", found, "keep the archive on a local disk: here, a power cut can lose articles")
    seconds = time.monotonic() - began
    if seconds > _SLOW_SYNC:
        return warning("sync", f"a sync takes {seconds:.1f} s", "see what else writes to this disk")
    return ok("sync", f"works ({seconds * 1000:.0f} ms)")


# -- what is in it


def _lock(root: Path, now: datetime) -> Check:
    if (busy := holder(root / "state")) is None:
        return ok("lock", "no process writes to the archive")
    lasts = now - busy.since
    found = f"{busy} has been writing to the archive for {ago(lasts)}"
    if lasts > _LONG_RUN:
        return warning("lock", found, "see whether it still gets on: seogo status, or the run in Prefect's UI")
    return ok("lock", found)


def _state(root: Path) -> Check:
    """The files below `state` that are read without the database."""
    if not (root / layout.WRITER_DATABASE).is_file():
        if _has_content(root):
            return error("state", f"{layout.WRITER_DATABASE} is missing", "run: seogo repair")
        return ok("state", "no run has stored anything yet")
    bad = {name: fault for name in JSON_FILES if (fault := damage(root / name))}
    killed = False
    try:
        killed = bool(open_captures.read(root)) and holder(root / "state") is None
    except ArchiveDamaged:
        bad[layout.OPEN_CAPTURE] = "not a list of captures"
    if bad:
        said = ", ".join(f"{name} ({fault})" for name, fault in bad.items())
        return warning("state", f"damaged: {said}", "the next run does without them; to check the rest: seogo verify")
    if killed:
        return warning("state", "a run was killed", "the next run, or seogo verify, completes what it left")
    return ok("state", "all files can be read")


def _has_content(root: Path) -> bool:
    """Whether a run has stored anything that readers or a repair could use."""
    return (root / layout.SNAPSHOT).exists() or any((root / "captures").rglob("*.warc.gz"))


def _snapshot(root: Path, now: datetime) -> Check:
    if not _has_content(root):
        return ok("snapshot", "none yet")
    if fault := _size_fault(root):
        return error("snapshot", fault, "run: seogo repair")
    with open_snapshot(root) as connection:
        versions = "SELECT (SELECT max(version) FROM schema_version), (SELECT count(*) FROM articles)"
        version, articles = next(run_query(connection, versions)[1])
    newest = migrations()[-1].version
    age = now - datetime.fromtimestamp((root / layout.SNAPSHOT).stat().st_mtime, UTC)
    found = f"{counted(articles, 'article')}, published {ago(age)} ago"
    if version > newest:
        return error("snapshot", f"{found}, by a newer seogo (version {version} of the tables)", "upgrade seogo")
    if version < newest:
        return warning("snapshot", f"{found}, by an older seogo", "the next run upgrades it, or now: seogo publish")
    if (root / layout.UNPUBLISHED).exists() and holder(root / "state") is None:
        return warning("snapshot", f"{found}; the archive holds more than that", "run: seogo publish")
    return ok("snapshot", found)


def _size_fault(root: Path) -> str | None:
    """That the file is shorter or longer than the one that was published. Its content is for `seogo verify`."""
    if (root / layout.UNPUBLISHED).exists() or not (root / layout.SNAPSHOT).is_file():
        return None
    published = checksums.known(root).get(layout.SNAPSHOT, {}).get("bytes")
    found = (root / layout.SNAPSHOT).stat().st_size
    return None if published in (None, found) else f"{found:,} bytes long, and not {published:,} as published"


def _last_run(root: Path, now: datetime) -> Check:
    last = read_last_run(root)
    if last is None:
        return ok("last run", "none that is recorded")
    found = f"{last.command}, {ago(now - last.ended)} ago: {last.exit_reason or 'unfinished'}"
    if last.exit_reason not in _GOOD:
        return warning("last run", found, "read its explanation: seogo status")
    if now - last.ended > _LONG_AGO:
        return warning("last run", found, "if runs are scheduled: see why none came (docs/operations.md)")
    return ok("last run", found)


def _last_verify(root: Path, now: datetime) -> Check:
    found = None if damage(root / layout.LAST_VERIFY) else last_verify.last(root)
    if found is None:
        return ok("last verify", "none that is recorded")
    said = f"{ago(now - found.ended_at)} ago: {counted(found.faults, 'fault')}"
    if not found.faults:
        return ok("last verify", said)
    exports_only = found.first_fault.startswith("export ")  # they come last
    return error("last verify", said, f"run: seogo {'publish' if exports_only else 'repair'}")
