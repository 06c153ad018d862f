"""The segments in the store: a fetcher puts them, the archive's writer takes them in, in the order of their numbers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import BadInput, ObjectChanged, ObjectExists
from storage.files import sha256_of
from storage.objects.store import ObjectStore

_FETCHER = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_SEGMENT = re.compile(r"inbox/([a-z0-9-]+)/(\d{6})\.warc\.gz")
_MARK = "inbox/archive"


def check_fetcher(name: str) -> str:
    """The name of a fetcher. Raises BadInput: it is part of the names of its segments."""
    if not _FETCHER.fullmatch(name):
        raise BadInput(f"{name!r} is not the name of a fetcher: use up to 32 letters a-z, digits and hyphens.")
    return name


def segment_name(fetcher: str, number: int) -> str:
    """The name of a segment in the store, such as `inbox/seoul-1/000001.warc.gz`."""
    return f"inbox/{fetcher}/{number:06}.warc.gz"


@dataclass(frozen=True, slots=True)
class Inbox:
    """The segments below one address. All methods raise the errors of `storage.objects`."""

    store: ObjectStore

    def put(self, fetcher: str, number: int, path: Path) -> str:
        """Put a sealed segment, and read it back. Returns its name; it may be there already.

        Raises BadInput if another segment has its name: two fetchers use one name.
        """
        name, is_new = segment_name(fetcher, number), True
        try:
            self.store.create(name, path)
        except ObjectExists:
            is_new = False
        try:
            self.store.check(name, path.stat().st_size, sha256_of(path))
        except ObjectChanged as error:
            if is_new:
                raise
            raise BadInput(
                f"{name} is in the store with another content than {path}: two fetchers use the name {fetcher!r},"
                " or its directory was copied. Give this one another --fetcher name, and an empty --state directory."
            ) from error
        return name

    def read(self, fetcher: str, number: int) -> bytes:
        """A segment."""
        return self.store.get(segment_name(fetcher, number))

    def sizes(self) -> dict[str, dict[int, int]]:
        """The segments that are in the store: fetcher -> number -> size in bytes."""
        found: dict[str, dict[int, int]] = defaultdict(dict)
        for item in self.store.list("inbox"):
            if match := _SEGMENT.fullmatch(item.name):
                found[match[1]][int(match[2])] = item.bytes
        return dict(sorted(found.items()))

    def newest(self, fetcher: str) -> int:
        """The number of the newest segment of a fetcher in the store; 0 if there is none."""
        return max(self.sizes().get(fetcher, {}), default=0)

    def delete(self, fetcher: str, numbers: Iterable[int]) -> None:
        """Delete segments that the archive has taken in."""
        self.store.delete([segment_name(fetcher, number) for number in numbers])

    def archive(self) -> str | None:
        """The id of the archive that takes these segments in; None if it has not looked at them yet."""
        mark = self.store.find(_MARK)
        return mark.decode("ascii", "replace").strip() if mark is not None else None

    def claim(self, archive: str) -> None:
        """Mark these segments as those of an archive. Raises BadInput if they are another one's."""
        try:
            self.store.create(_MARK, archive.encode())
        except ObjectExists:
            if (other := self.archive()) != archive:
                raise BadInput(
                    f"{self.store.address} is the store of another archive ({other}), not of this one ({archive})."
                    " Give each archive a prefix of its own."
                ) from None
