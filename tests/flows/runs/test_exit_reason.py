"""Why a run ended: the worst reason wins, and finding nothing is not enough for success."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flows.runs.exit_reason import exit_reason_of
from schemas.article import Outcome
from schemas.receipt import ExitReason, SourceEnd, SourceReport
from tests.support.values import NOW, receipt

SILENT = (ExitReason.DONE, ExitReason.NOTHING_NEW)
counts = st.dictionaries(st.sampled_from(Outcome), st.integers(0, 3))
sources = st.lists(
    st.builds(
        SourceReport,
        source=st.just("search_api:q"),
        end=st.sampled_from(SourceEnd),
        reason=st.just("said so"),
        items=st.integers(0, 2),
        watermark=st.just(NOW),
    ),
    max_size=4,
)


def ended(outcomes: dict[Outcome, int], read: list[SourceReport], *, layout_faults: int = 0) -> tuple[ExitReason, str]:
    account = receipt()
    account.outcomes.update(outcomes)
    account.sources = read
    account.pages_read = account.layout_faults = layout_faults
    return exit_reason_of(account, interrupted=False)


@given(outcomes=counts, read=sources)
def test_an_exit_code_of_zero_means_that_nothing_went_wrong(
    outcomes: dict[Outcome, int], read: list[SourceReport]
) -> None:
    reason, explanation = ended(outcomes, read)
    assert explanation
    if reason in SILENT:
        assert not any(outcomes.get(bad) for bad in (Outcome.FAILED, Outcome.BLOCKED))
        bad_ends = {SourceEnd.FAILED, SourceEnd.BLOCKED, SourceEnd.LAYOUT_CHANGED, SourceEnd.NO_KEY}
        assert not {source.end for source in read} & bad_ends
        assert any(source.items for source in read) or (any(outcomes.values()) and not read)


@given(outcomes=counts, read=sources)
def test_a_changed_layout_is_worse_than_all_but_a_person_s_stop(
    outcomes: dict[Outcome, int], read: list[SourceReport]
) -> None:
    assert ended(outcomes, read, layout_faults=1)[0] is ExitReason.LAYOUT_CHANGED


def test_one_odd_page_among_many_is_a_partial_failure_and_not_a_changed_site() -> None:
    account = receipt()
    account.outcomes.update({Outcome.NEW: 40, Outcome.FAILED: 1})
    account.pages_read, account.layout_faults = 41, 1
    assert exit_reason_of(account, interrupted=False)[0] is ExitReason.PARTLY_FAILED


def test_nothing_new_says_what_was_read() -> None:
    read = [SourceReport("search_api:q", SourceEnd.OVERLAP, "read back", items=30)]
    reason, explanation = ended({Outcome.UNCHANGED: 30}, read)
    assert (reason, "1 source named 30 items" in explanation) == (ExitReason.NOTHING_NEW, True)


def test_a_quiet_night_says_why_it_is_believed() -> None:
    silent = SourceReport("press_list:001", SourceEnd.EMPTY, "empty today, and yesterday's is there", items=20)
    read = [SourceReport("press_list:002", SourceEnd.OVERLAP, "read", items=10), silent]
    reason, explanation = ended({Outcome.UNCHANGED: 30}, read)
    assert (reason, "press_list:001: empty today, and" in explanation) == (ExitReason.NOTHING_NEW, True)


def test_finds_that_waited_do_not_prove_that_silent_sources_work() -> None:
    silent = [SourceReport("press_list:001", SourceEnd.EMPTY, "empty for a week")]
    assert ended({Outcome.NEW: 1}, silent)[0] is ExitReason.NOTHING_DISCOVERED
    forbidden = [SourceReport("press_list:001", SourceEnd.FORBIDDEN, "robots.txt")]
    assert ended({Outcome.UNCHANGED: 1}, forbidden)[0] is ExitReason.BLOCKED
    assert ended({Outcome.NEW: 1}, [])[0] is ExitReason.DONE


def test_sources_that_are_all_forbidden_are_a_block_and_no_source_is_nothing_discovered() -> None:
    forbidden = [SourceReport("search_page:q", SourceEnd.FORBIDDEN, "robots.txt")]
    assert ended({}, forbidden)[0] is ExitReason.BLOCKED
    assert ended({}, [])[0] is ExitReason.NOTHING_DISCOVERED
    assert ended({}, [SourceReport("search_api:q", SourceEnd.EMPTY, "none")])[0] is ExitReason.NOTHING_DISCOVERED
