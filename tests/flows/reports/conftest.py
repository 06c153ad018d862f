"""The archive for the tests of the reports."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from schemas.article import Outcome
from schemas.find import Relevance, RevisionKind
from storage.archive import open_archive
from tests.support.archives import store_results
from tests.support.reports import EVIL, gone
from tests.support.values import PUBLISHED, article, stored


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made") / "archive"
    old = PUBLISHED - timedelta(days=90)
    with open_archive(root) as archive:
        store_results(
            archive,
            stored(article(1), relevance=Relevance(5.0, (), ("가온", "나루"))),
            stored(article(2)),
            stored(article(3, title=EVIL)),
            stored(article(4, published_at=old), relevance=Relevance(5.0, (), ("나루",)), crawled_at=old),
            gone(2),
            gone(9),
            stored(
                article(1, title="고친 제목"), outcome=Outcome.EDITED, revision_kind=RevisionKind.EDITED, revision=2
            ),
            run="20260102T040405Z-0002",
        )
    return root
