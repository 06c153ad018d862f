"""The digests of a text."""

from __future__ import annotations

import hashlib
import sys

import pytest

from schemas.article import content_hash, text_hash


@pytest.mark.parametrize("repeated", [1, 50_000])
def test_a_digest_is_the_same_each_time(repeated: int) -> None:
    body = "\n독자 모델을 공개했다. " * repeated
    digests = content_hash(body), text_hash(body)
    assert digests == (content_hash(body), text_hash(body))
    assert digests[0] == hashlib.sha256(body.strip("\n").encode()).hexdigest()
    assert digests[1] == hashlib.sha256("".join(body.split()).encode()).hexdigest()


def test_a_long_text_is_not_kept() -> None:
    """The texts of an import may have megabytes each."""
    body = "독자 모델을 공개했다. " * 50_000
    before = sys.getrefcount(body)
    content_hash(body)
    text_hash(body)
    assert sys.getrefcount(body) == before
