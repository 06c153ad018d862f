"""The finds that a crawl begins with: the addresses that a person named."""

from __future__ import annotations

import pytest

from flows.runs.crawl import refs_of_addresses
from schemas.errors import AddressError
from tests.support.values import NOW, key


def test_addresses_become_finds_once_each() -> None:
    one, other = key(1).url, f"https://news.naver.com/main/read.naver?oid=001&aid={key(1).aid}"
    (ref,) = refs_of_addresses([one, other], NOW)
    assert (ref.key, ref.source) == (key(1), "address")
    with pytest.raises(AddressError, match="evil"):
        refs_of_addresses(["https://evil.example/mnews/article/001/0000000001"], NOW)
