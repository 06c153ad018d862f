"""The rules for a find: every state of the archive with every kind of find, and when an article is checked again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.pipeline.decide import (
    REFRESH_STAGES,
    RETRIED,
    Decision,
    after_parse,
    before_fetch,
    next_refresh,
    next_try,
    text_loss,
)
from schemas.article import Article, ArticleKey, Outcome
from schemas.find import Known, Relevance, RevisionKind, Status

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
KEY = ArticleKey("001", "0000000001")
SCORE = Relevance(5.0)
OUT = datetime(2025, 12, 30, 9, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
moments = st.datetimes(datetime(2025, 12, 1), datetime(2026, 1, 31)).map(lambda t: t.replace(tzinfo=UTC))  # noqa: DTZ001


def article(body: str = "독자 모델을 공개했다.", title: str = "제목", key: ArticleKey = KEY) -> Article:
    return Article(key=key, title=title, body=body, publisher="가온신문", published_at=NOW, parser="test/1")


def archived(of: Article, status: Status = Status.ARCHIVED) -> Known:
    return Known(
        of.id,
        Outcome.NEW,
        status=status,
        title=of.title,
        content_hash=of.content_hash,
        revision=1,
        file="articles/a.md",
    )


def judged(found: Article, known: Known | None = None, *, relevant: bool = True, **same: dict[str, str]) -> Decision:
    return after_parse(
        found,
        known,
        SCORE,
        relevant=relevant,
        same_content=same.get("content", {}),
        same_text=same.get("text", {}),
    )


LONG = "정부는 독자 인공지능 파운데이션 모델을 만들 정예팀을 뽑는다고 밝혔다. 다음 발표회는 봄에 열린다."
texts = st.text("가나다라 마바\n", min_size=1)


class TestTextLoss:
    @pytest.mark.parametrize(
        ("body", "why"),
        [
            ("", "the page has no text, the archive has 43 characters"),
            (" \n\n", "the page has no text"),
            (LONG[:30], "the text ends after"),
            ("이 기사는 언론사의 요청으로 줄었습니다.", "the text shrank from 43 to 18 characters"),
        ],
    )
    def test_a_text_that_lost_most_of_it_is_named(self, body: str, why: str) -> None:
        assert (text_loss(LONG, body) or "").startswith(why)

    def test_a_cut_page_is_named_whatever_is_left_of_its_text(self) -> None:
        found = text_loss(LONG, LONG.replace("봄", "여름"), cut=True)
        assert found is not None
        assert "does not end with </html>" in found

    @given(texts, texts)
    def test_a_text_that_only_grows_or_changes_a_little_is_no_loss(self, before: str, more: str) -> None:
        assert text_loss(before, before + more) is None
        assert text_loss(before, more + before) is None
        assert text_loss(before, before, cut=True) is None
        assert text_loss("", more, cut=True) is None

    @given(texts.filter(str.strip), st.integers(min_value=0))
    def test_every_proper_beginning_is_a_loss(self, before: str, end: int) -> None:
        squeezed = "".join(before.split())
        assert text_loss(before, squeezed[: end % len(squeezed)]) is not None

    @given(texts)
    def test_white_space_is_no_text(self, before: str) -> None:
        assert text_loss(before, before.replace(" ", "\n\n")) is None


class TestBeforeFetch:
    def test_an_unknown_article_is_fetched(self) -> None:
        assert before_fetch(None, NOW) is None

    @pytest.mark.parametrize("state", [s for s in Outcome if s not in RETRIED])
    def test_a_known_article_costs_no_request(self, state: Outcome) -> None:
        decision = before_fetch(Known(KEY.id, state), NOW)
        assert decision is not None
        assert decision.outcome is Outcome.UNCHANGED

    def test_off_topic_is_never_fetched_again_and_says_so(self) -> None:
        decision = before_fetch(Known(KEY.id, Outcome.OFF_TOPIC), NOW)
        assert decision is not None
        assert "off_topic" in decision.reason

    @pytest.mark.parametrize("status", [Status.IMPORTED, Status.LISTED])
    def test_an_article_without_a_crawled_text_is_fetched(self, status: Status) -> None:
        assert before_fetch(Known(KEY.id, Outcome.NEW, status=status), NOW) is None

    @pytest.mark.parametrize("status", [Status.IMPORTED, Status.LISTED])
    def test_an_article_without_a_crawled_text_waits_until_it_is_due_too(self, status: Status) -> None:
        early = Known(KEY.id, Outcome.FAILED, tries=1, due_at=NOW + timedelta(seconds=1), status=status)
        waits, gone = before_fetch(early, NOW), before_fetch(Known(KEY.id, Outcome.GONE, status=status), NOW)
        assert waits is not None
        assert waits.outcome is Outcome.DEFERRED
        assert gone is not None
        assert gone.outcome is Outcome.UNCHANGED

    def test_only_what_is_in_quarantine_is_tried_for_ever_and_daily(self) -> None:
        known = Known(KEY.id, Outcome.FAILED, tries=40)
        assert next_try(known, NOW) == (41, None)
        assert next_try(known, NOW, quarantined=True) == (41, NOW + timedelta(days=1))
        assert next_try(None, NOW, quarantined=True) == next_try(None, NOW)

    @pytest.mark.parametrize("state", sorted(RETRIED))
    def test_a_fault_is_tried_again_when_it_is_due_and_not_before(self, state: Outcome) -> None:
        due = Known(KEY.id, state, tries=1, due_at=NOW - timedelta(seconds=1))
        early = Known(KEY.id, state, tries=1, due_at=NOW + timedelta(seconds=1))
        assert before_fetch(due, NOW) is None
        waits = before_fetch(early, NOW)
        assert waits is not None
        assert waits.outcome is Outcome.DEFERRED

    def test_what_was_given_up_is_not_tried_again(self) -> None:
        decision = before_fetch(Known(KEY.id, Outcome.FAILED, tries=5, due_at=None), NOW)
        assert decision is not None
        assert "given up" in decision.reason

    @given(state=st.sampled_from(Outcome), status=st.none() | st.sampled_from(Status))
    def test_a_forced_find_is_always_fetched(self, state: Outcome, status: Status | None) -> None:
        assert before_fetch(Known(KEY.id, state, status=status), NOW, force=True) is None


class TestAfterParse:
    def test_new(self) -> None:
        decision = judged(article())
        assert (decision.outcome, decision.revision_kind) == (Outcome.NEW, RevisionKind.NEW)

    def test_off_topic_stores_nothing(self) -> None:
        decision = judged(article(), relevant=False)
        assert (decision.outcome, decision.revision_kind) == (Outcome.OFF_TOPIC, None)

    def test_same_text_is_unchanged(self) -> None:
        assert judged(article(), archived(article())).outcome is Outcome.UNCHANGED

    @pytest.mark.parametrize(
        ("changed", "word"), [(article(body="다른 글이다."), "text"), (article(title="다른 제목"), "title")]
    )
    def test_another_text_under_the_same_key_is_an_edit(self, changed: Article, word: str) -> None:
        decision = judged(changed, archived(article()))
        assert (decision.outcome, decision.revision_kind) == (Outcome.EDITED, RevisionKind.EDITED)
        assert word in decision.reason

    def test_a_title_in_another_unicode_form_is_no_edit(self) -> None:
        composed, decomposed = "\uac00", "\u1100\u1161"  # 가, in both forms
        assert judged(article(title=decomposed), archived(article(title=composed))).outcome is Outcome.UNCHANGED

    def test_an_archived_article_stays_whatever_the_rules_say_now(self) -> None:
        assert judged(article(), archived(article()), relevant=False).outcome is Outcome.UNCHANGED

    def test_an_imported_text_is_replaced_and_not_called_edited(self) -> None:
        decision = judged(article(body="쪽의 글은 더 길다."), archived(article(), Status.IMPORTED))
        assert (decision.outcome, decision.revision_kind) == (Outcome.UNCHANGED, RevisionKind.RE_EXTRACTED)

    def test_a_duplicate_names_the_first(self) -> None:
        found = article()
        decision = judged(found, content={found.content_hash: "002_0000000002"})
        assert (decision.outcome, decision.duplicate_of, decision.matched_by) == (
            Outcome.DUPLICATE,
            "002_0000000002",
            "content_hash",
        )

    def test_a_text_with_other_white_space_is_a_duplicate(self) -> None:
        found = article(body="독자  모델을\n\n공개했다.")
        decision = judged(found, text={article().text_hash: "002_0000000002"})
        assert (decision.outcome, decision.matched_by) == (Outcome.DUPLICATE, "text_hash")

    def test_two_articles_without_a_text_are_no_duplicates(self) -> None:
        flash = article(body="")
        same = {flash.content_hash: "002_0000000002"}
        assert judged(flash, content=same, text={flash.text_hash: "002_0000000002"}).outcome is Outcome.NEW

    def test_an_article_is_no_duplicate_of_itself(self) -> None:
        found = article()
        assert judged(found, content={found.content_hash: found.id}).outcome is Outcome.NEW

    @given(body=st.text(), title=st.text(), relevant=st.booleans())
    def test_judging_twice_never_stores_twice(self, body: str, title: str, relevant: bool) -> None:
        found = article(body=body.strip("\n"), title=title)
        first = judged(found, relevant=relevant)
        if first.outcome is Outcome.NEW:
            again = archived(article(body=found.body, title=normalize("NFC", title)))
            assert judged(found, again, relevant=relevant).outcome is Outcome.UNCHANGED


def check_ages(first: datetime, *, modified_at: datetime | None = None) -> list[timedelta]:
    """The ages at which an article is checked, if each check takes place just when it is due."""
    ages, checked = [], first
    while (due := next_refresh(checked, published_at=OUT, modified_at=modified_at)) is not None:
        ages.append(due - OUT)
        checked = due
        assert len(ages) < 20
    return ages


class TestNextRefresh:
    def test_an_hour_a_day_and_a_week_after_it_came_out(self) -> None:
        assert check_ages(OUT + timedelta(minutes=10)) == [HOUR, DAY, 7 * DAY]

    def test_a_check_shortly_before_a_stage_counts_as_that_stage_s(self) -> None:
        assert check_ages(OUT + timedelta(minutes=50)) == [DAY, 7 * DAY]
        assert check_ages(OUT + timedelta(minutes=40)) == [HOUR, DAY, 7 * DAY]

    def test_the_stages_begin_again_with_a_modification(self) -> None:
        modified = OUT + 3 * DAY
        first = modified + timedelta(minutes=1)
        assert check_ages(first, modified_at=modified) == [3 * DAY + HOUR, 4 * DAY, 7 * DAY, 10 * DAY]

    def test_checks_that_lie_close_together_are_one(self) -> None:
        modified = OUT + timedelta(hours=5)
        assert check_ages(modified + timedelta(minutes=1), modified_at=modified) == [6 * HOUR, DAY, 7 * DAY]

    def test_an_old_article_is_not_checked(self) -> None:
        assert next_refresh(OUT + timedelta(days=400), published_at=OUT) is None
        assert next_refresh(OUT, published_at=None) is None

    def test_a_date_in_the_future_is_ignored(self) -> None:
        assert next_refresh(OUT, published_at=OUT + DAY) is None

    @given(moments, moments, st.none() | moments)
    def test_every_check_is_later_than_the_last_and_within_a_week(
        self, checked: datetime, published: datetime, modified: datetime | None
    ) -> None:
        due = next_refresh(checked, published_at=published, modified_at=modified)
        if due is not None:
            assert due > checked
            assert any(due == origin + stage for origin in (published, modified) if origin for stage in REFRESH_STAGES)
