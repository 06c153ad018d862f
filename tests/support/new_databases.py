"""New databases as copies of one that was created before: creating one takes ten times as long as opening one."""

from __future__ import annotations

import shutil
from pathlib import Path

from storage.database import writer


class NewDatabases:
    """`Database.open`, with a copy of a template in place of a file that does not exist yet.

    A template is the file that `Database.open` itself creates with the same migrations and comments. `folder` keeps
    the templates.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._templates: dict[tuple[str, ...], Path] = {}
        self._create = writer.Database.open

    def open(self, path: Path, *, commented: bool = True) -> writer.Database:
        on_disk = str(path) != ":memory:"
        if on_disk and not path.exists() and not path.with_name(f"{path.name}.wal").exists():
            self._copy_template(path, commented=commented)
        return self._create(path, commented=commented)

    def _copy_template(self, path: Path, *, commented: bool) -> None:
        try:
            shutil.copyfile(self._template(commented=commented), path)
        except OSError:  # the test is about a full disk or a missing folder: `Database.open` fails by itself
            path.unlink(missing_ok=True)

    def _template(self, *, commented: bool) -> Path:
        steps = [*writer.migrations(), *([writer.comments()] if commented else [])]
        kind = tuple(step.sha256 for step in steps)
        if kind not in self._templates:
            template = self._folder / f"{len(self._templates)}.duckdb"
            self._create(template, commented=commented).close()
            self._templates[kind] = template
        return self._templates[kind]
