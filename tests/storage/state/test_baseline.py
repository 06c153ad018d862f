"""The baseline's file: whole or not at all, small, and read back to the last digit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.drift.alarm import DriftAlarm
from schemas.errors import StorageFault
from schemas.traits import Baseline, LayoutMemory, MarkCounts, Traits
from storage.state.baseline import as_json, from_json, load_baseline, save_baseline
from tests.support.drift import runs

words = st.text(max_size=12)
weights = st.floats(0, 1_000).map(lambda weight: round(weight, 2))
counts = st.builds(MarkCounts, weights, st.dictionaries(words, weights, max_size=5))
sizes = st.tuples(words, st.integers(0, 10**6))


def layout_memory(layout: str) -> st.SearchStrategy[LayoutMemory]:
    lengths, sketch = st.lists(sizes, max_size=3).map(tuple), st.lists(st.integers(0, 2**32), max_size=2).map(tuple)
    traits = st.builds(Traits, st.just(layout), words, st.frozensets(words, max_size=5), lengths, sketch)
    recent = st.lists(traits, max_size=3).map(tuple)
    return st.builds(LayoutMemory, counts, st.dictionaries(words, counts, max_size=3), recent)


layouts = st.fixed_dictionaries({}, optional={name: layout_memory(name) for name in ("article_page/1", "page/2")})
readings = st.dictionaries(words, st.lists(st.integers(0, 1_000), max_size=4).map(tuple), max_size=3)


@given(st.builds(Baseline, layouts, readings))
def test_a_baseline_is_read_back_as_it_was(baseline: Baseline) -> None:
    assert from_json(json.loads(json.dumps(as_json(baseline)))) == baseline


def test_a_real_one_is_small_and_survives_the_file(tmp_path: Path) -> None:
    watch = DriftAlarm(Baseline())
    for run in runs(5, 700):
        watch.check(run)
    watch.source("search_api:독자 모델", 7)
    path = tmp_path / "state" / "baseline.json"
    save_baseline(path, watch.learned())
    assert load_baseline(path) == (watch.learned(), None)
    assert path.stat().st_size < 200_000
    assert [file.name for file in path.parent.iterdir()] == ["baseline.json"]


def test_no_file_is_an_empty_baseline(tmp_path: Path) -> None:
    assert load_baseline(tmp_path / "baseline.json") == (Baseline(), None)


whole = as_json(Baseline({"page/1": LayoutMemory(MarkCounts(3.5, {"body": 2.0}), {}, ())}, {"source": (1, 2)}))


@pytest.mark.parametrize(
    "damaged",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"version": 2}',
        json.dumps({**whole, "layouts": []}).encode(),
        json.dumps({**whole, "sources": {"source": [-1]}}).encode(),
        json.dumps({**whole, "sources": {"source": ["1"]}}).encode(),
        json.dumps(whole).replace("3.5", "NaN").encode(),
        json.dumps(whole).replace("3.5", "1e999").encode(),
        json.dumps(whole).replace("[3.5, 0", "[3.5, 9").encode(),
        json.dumps(whole).replace("[3.5, 0, 2]", "[3.5, 0]").encode(),
    ],
)  # fmt: skip
def test_a_damaged_file_is_an_empty_baseline_with_a_note(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "baseline.json"
    path.write_bytes(damaged)
    baseline, note = load_baseline(path)
    assert baseline == Baseline()
    assert note is not None
    assert "baseline.json is damaged" in note


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(["version", "layouts", "sources", "marks", "tally", "presses", "recent"]), json_values)
def test_any_content_of_the_file_is_loaded_or_noted(name: str, value: Any) -> None:
    document = json.loads(json.dumps(whole))
    (document if name in document else document["layouts"]["page/1"])[name] = value
    try:
        read = from_json(document)
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError):
        return
    assert isinstance(read, Baseline)


def test_a_file_that_cannot_be_read_or_written_is_a_storage_fault(tmp_path: Path) -> None:
    folder = tmp_path / "baseline.json"
    folder.mkdir()
    with pytest.raises(StorageFault, match="cannot be read"):
        load_baseline(folder)
    with pytest.raises(StorageFault, match="cannot be written"):
        save_baseline(folder, Baseline())
