"""Paths of an archive's files, given their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import ArchiveDamaged
from storage.files import inside


@pytest.mark.parametrize("name", ["../x.md", "/tmp/x.md", "articles/..", "out/x.md", "out/deep/x.md"])  # noqa: S108
def test_a_name_that_leads_out_is_refused_also_among_others(tmp_path: Path, name: str) -> None:
    root, elsewhere = tmp_path / "archive", tmp_path / "elsewhere"
    (root / "articles").mkdir(parents=True)
    elsewhere.mkdir()
    (root / "out").symlink_to(elsewhere)
    examined = set[Path]()
    assert inside(root, "articles/1.md", examined) == root / "articles" / "1.md"
    with pytest.raises(ArchiveDamaged, match="leads out"):
        inside(root, name)
    for _ in range(2):
        with pytest.raises(ArchiveDamaged, match="leads out"):
            inside(root, name, examined)
    assert inside(root, "articles/2.md", examined) == root / "articles" / "2.md"
