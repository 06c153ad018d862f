"""Which part of a `seed` file is its body, and whether the file is escaped: both follow from its `content_hash`.

    end_of_body    where the body ends and the comments begin
    is_escaped     which of the two dialects of the existing archive a file is in

Pure. The hash is that of `schemas.article.content_hash`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

from schemas.article import content_hash as hash_of
from schemas.front_matter.styles import CODECS, Fields, unescape

# A look-ahead: one rule may share its blank line with the next.
_RULE = re.compile(r"(?=\n\n---\n\n)")

# Characters that no escaped file contains, because its writer (the generator or seogo) replaces each by an entity.
_NOT_ESCAPED = re.compile(r"""[<>"'`=]|&(?!(?:amp|lt|gt|quot|#x[0-9A-F]{1,6});)""")


def end_of_body(region: str, content_hash: str) -> int:
    """The number of characters between header and footer that are the body; the rest is comments.

    Body and comments may contain any line, so only the hash decides. If it matches no part, everything is the body.
    """
    stops = [*(rule.start() for rule in _RULE.finditer(region)), len(region)]
    escaped, unescaped = _hashes(region, stops, unescape), _hashes(region, stops, str)
    for stop, *hashes in zip(stops, escaped, unescaped, strict=True):
        if content_hash in hashes:
            return stop
    return len(region)


def _hashes(region: str, stops: Sequence[int], read: Callable[[str], str]) -> Iterator[str]:
    """The hash of the region up to each stop, in one pass: comments may contain any number of rules."""
    digest, at, begun, pending = sha256(), 0, False, ""
    for stop in stops:
        text = pending + read(region[at:stop])
        text = text if begun else text.lstrip("\n")
        kept = text.rstrip("\n")
        at, begun, pending = stop, begun or bool(kept), text[len(kept) :]
        digest.update(kept.encode())
        yield digest.hexdigest()


def is_escaped(fields: Fields, raw_body: str, comments: str) -> bool:
    """Whether the values and the body must be unescaped.

    They must, unless the hash is that of the raw body, and unescaping would change the body, or a text of the file
    contains a character that the escaped dialect never contains.
    """
    if hash_of(raw_body) != fields.content_hash:
        return True
    if unescape(raw_body) != raw_body:
        return False
    return not any(map(_NOT_ESCAPED.search, (*map(CODECS["seed"].show, fields), raw_body, comments)))
