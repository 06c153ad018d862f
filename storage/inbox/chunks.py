"""Chunks of finds for fetchers: `chunks/{name}.jsonl` in the store, one find per line."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress

from pydantic import TypeAdapter, ValidationError

from schemas.article import ArticleRef
from schemas.errors import BadInput, ObjectExists, ObjectMissing
from storage.objects.store import ObjectStore

_REF: TypeAdapter[ArticleRef] = TypeAdapter(ArticleRef)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")


def chunk_name(refs: Sequence[ArticleRef]) -> str:
    """A name for finds: a digest, so that the same finds have the same name."""
    return hashlib.sha256(b"\n".join(_REF.dump_json(ref) for ref in refs)).hexdigest()[:16]


def put_chunk(store: ObjectStore, refs: Sequence[ArticleRef], *, prefix: str) -> str:
    """Store finds, and return the name of the chunk: `prefix` and a digest. Raises the errors of `storage.objects`."""
    name = f"{prefix}-{chunk_name(refs)}"
    with suppress(ObjectExists):  # the same finds, since the name is their digest
        store.create(_path(name), b"".join(_REF.dump_json(ref) + b"\n" for ref in refs))
    return name


def read_chunk(store: ObjectStore, name: str) -> tuple[ArticleRef, ...]:
    """The finds of a chunk. Raises BadInput if there is no such chunk, or if it cannot be read."""
    if not _NAME.fullmatch(name):
        raise BadInput(f"{name!r} is not the name of a chunk.")
    try:
        lines = store.get(_path(name)).splitlines()
        return tuple(_REF.validate_json(line) for line in lines)
    except ObjectMissing as error:
        raise BadInput(
            f"{store.address} has no chunk {name!r}: its finds are handed out again once they are due."
        ) from error
    except ValidationError as error:
        raise BadInput(f"the chunk {name!r} in {store.address} is damaged: hand its finds out again.") from error


def delete_chunks_before(store: ObjectStore, name: str) -> None:
    """Delete the chunks with names before this one, which begin with the time of their crawl."""
    store.delete([item.name for item in store.list("chunks") if item.name < _path(name)])


def _path(name: str) -> str:
    return f"chunks/{name}.jsonl"
