"""What makes an article on-topic: how a phrase is found, how a score comes about, and what the shipped rules say."""

from __future__ import annotations

import json
import time
import unicodedata
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.pipeline.relevance import Mention, Reason, Score, mentions, score
from schemas.topic import ExcludeRule, PhraseRule, Relevance, Team, default_topic_path, load_topic
from tests.support.paths import SEEDS

TOPIC = load_topic(default_topic_path())


def found(phrase: str, text: str) -> int:
    """How often a phrase is found in a body."""
    rules = Relevance(threshold=1, phrases=(PhraseRule(phrases=(phrase,), weight=1),))
    return sum(reason.count for reason in score("", text, rules).reasons)


# --- how a phrase is found -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phrase", "text", "times"),
    [
        # white space: any run of it, none too, but only where the phrase has some
        ("독자 AI 파운데이션 모델", "정부의 독자 AI 파운데이션 모델은", 1),
        ("독자 AI 파운데이션 모델", "독자AI파운데이션모델", 1),
        ("독자 AI 파운데이션 모델", "독자\u00a0AI  파운데이션\n모델", 1),
        ("독파모", "독파 모임에 갔다", 0),
        ("하이퍼클로바 X", "하이퍼클로바X, 하이퍼클로바 X", 2),
        # Latin letters and digits do not touch their like
        ("SKT", "SKT는 DESKTOP이 아니다. AskT", 1),
        ("SKT", "DESKTOP SKT", 1),
        ("SKT", "(SKT)·SKT5", 2),
        ("AI", "sKT ai를 said", 1),
        ("NC AI", "NC AI와 NCAI, sync AI, NC AIR", 2),
        ("A.X K1", "A.X K1은 A.X K10도 A.XK1도 AbX K1도 아닌", 2),
        ("K-엑사원", "LG의 k-엑사원", 1),
        ("Café", "café, cafés", 1),
        ("100B", "100B 2100B 100Bit", 1),
        # Hangul may touch anything
        ("독파모", "독파모는 독파모의", 2),
        ("솔라", "콘솔라", 1),
        # plain text, not a pattern; NFC; not case
        ("[부고]", "부고 [부고]", 1),
        ("a.*b", "a.*b axxb", 1),
        ("독파모", unicodedata.normalize("NFD", "독파모"), 1),
        ("SOVEREIGN ai", "Sovereign AI", 1),
        ("독파모", "", 0),
    ],
)
def test_a_phrase_is_found(phrase: str, text: str, times: int) -> None:
    assert found(phrase, text) == times


words = st.text(alphabet="가나다aBz1 .-", min_size=1, max_size=6).filter(lambda text: any(map(str.isalnum, text)))


@given(words=st.lists(words.map(str.strip), min_size=1, max_size=3), gaps=st.lists(st.sampled_from(["", " ", "\n\n "])))
def test_a_phrase_is_found_whatever_its_spaces(words: list[str], gaps: list[str]) -> None:
    phrase = " ".join(words)
    pieces = phrase.split()
    spaced = "".join(piece + gap for piece, gap in zip(pieces, gaps + [" "] * len(pieces), strict=False))
    assert found(phrase, f"글, {spaced.strip()}, 끝") == 1


@given(st.text(), st.text())
def test_any_text_has_a_score(title: str, body: str) -> None:
    result = score(title, body, TOPIC.relevance, TOPIC.teams)
    assert result.value == pytest.approx(sum(reason.weight for reason in result.reasons))
    json.dumps(asdict(result), allow_nan=False)
    assert {one.team for one in mentions(title, body, TOPIC.teams)} <= {team.name for team in TOPIC.teams}


# --- how a score comes about ---------------------------------------------------------------------------------------


def rules(**extra: object) -> Relevance:
    return Relevance.model_validate(
        {"threshold": 2, "phrases": [{"phrases": ["독파모", "소버린 AI"], "weight": 2}], **extra}
    )


def test_a_rule_counts_once_in_each_place() -> None:
    result = score("독파모, 소버린 AI", "독파모 독파모 소버린 AI", rules())
    assert result == Score(
        4.0, True, (Reason("독파모", "독파모", "title", 2.0, 1), Reason("독파모", "독파모", "body", 2.0, 2))
    )
    assert [str(reason) for reason in result.reasons] == [
        "+2 '독파모' in the title",
        "+2 '독파모' in the body, 2 times",
    ]


def test_a_rule_looks_where_it_is_told_to() -> None:
    for where, value in [("title", 1.0), ("body", 1.0), ("any", 2.0)]:
        only = Relevance.model_validate({"threshold": 1, "phrases": [{"phrases": "가", "weight": 1, "where": where}]})
        assert score("가", "가", only).value == value


def test_the_threshold_itself_is_enough() -> None:
    assert score("", "독파모", rules()).relevant
    assert not score("", "독파모", rules(threshold=2.01)).relevant
    assert score("", "", Relevance(threshold=0)).relevant


def test_an_exclusion_counts_against_it() -> None:
    result = score("", "독파모와 태양광", rules(exclude=[{"phrases": "태양광", "weight": -1, "name": "solar"}]))
    assert (result.value, result.relevant) == (1.0, False)
    assert str(result.reasons[1]) == "-1 solar: '태양광' in the body"


def test_a_veto_stands_above_every_score() -> None:
    veto = rules(exclude=[{"phrases": ["부고"], "weight": "veto", "where": "title"}])
    assert score("독파모 [부고]", "독파모", veto).relevant is False
    assert score("독파모", "독파모 [부고]", veto).relevant is True
    result = score("독파모 [부고]", "", veto)
    assert (result.value, str(result.reasons[-1])) == (2.0, "veto '부고' in the title")


TEAMS = (
    Team(name="업스테이지", aliases=("업스테이지", "Upstage"), models=("솔라",), weight=0.5),
    Team(name="NC AI", aliases=("NC AI",), models=("바르코",), weight=1),
)


def test_a_team_counts_for_its_aliases_and_for_its_models() -> None:
    result = score("업스테이지", "업스테이지(Upstage)의 솔라, NC AI", Relevance(threshold=1), TEAMS)
    assert [(r.name, r.phrase, r.where, r.weight) for r in result.reasons] == [
        ("업스테이지", "업스테이지", "title", 0.5),
        ("업스테이지", "업스테이지", "body", 0.5),
        ("model of 업스테이지", "솔라", "body", 0.5),
        ("NC AI", "NC AI", "body", 1.0),
    ]


def test_teams_count_only_in_their_context() -> None:
    context = Relevance(threshold=0.5, context=("LLM", "언어모델"))
    assert score("솔라 패널 설치", "지붕에 솔라를", context, TEAMS).reasons == ()
    assert score("솔라 공개", "새 언어 모델", context, TEAMS).reasons == ()  # the phrase has no space
    assert score("솔라 공개", "새 LLM", context, TEAMS).value == 0.5


def test_the_teams_of_an_article_stand_in_the_topics_order() -> None:
    assert mentions("NC AI와 upstage", "", TEAMS) == (Mention("업스테이지", ()), Mention("NC AI", ()))
    assert mentions("", "바르코", TEAMS) == (Mention("NC AI", ("바르코",)),)
    assert mentions("", "다른 회사", TEAMS) == ()


def test_every_model_that_an_article_names_is_told_once_in_the_topics_order() -> None:
    team = Team(name="가온", models=("노을", "EXAONE", "K-노을"))
    assert mentions("K-노을과 노을", "새 exaone은", (team,)) == (Mention("가온", ("노을", "EXAONE", "K-노을")),)


def test_two_topics_do_not_get_into_each_others_way() -> None:
    one, other = rules(), Relevance(threshold=1, exclude=(ExcludeRule(phrases=("독파모",), weight=-1),))
    assert [score("", "독파모", each).value for each in (one, other, one)] == [2.0, -1.0, 2.0]


@pytest.mark.parametrize("unit", ["SKT", "aSKT", "독자 ", "독자 AI  ", "\n", "sovereign ", "에이닷 엑스 K10 "])
def test_the_time_is_linear_in_the_text(unit: str) -> None:
    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        started = time.process_time()
        score(text, text, TOPIC.relevance, TOPIC.teams)
        return time.process_time() - started

    score("", "", TOPIC.relevance, TOPIC.teams)
    small, large = min(seconds(50_000) for _ in range(3)), min(seconds(400_000) for _ in range(3))
    assert large < 40 * small + 0.05  # linear: 8 times; quadratic: 64 times


# --- what the topic that ships says --------------------------------------------------------------------------------

ON_TOPIC = {
    "the project": (
        "과기정통부, 독자 AI 파운데이션 모델 1차 단계평가 결과 발표",
        "정부는 다섯 정예팀 가운데 네 팀을 다음 단계로 올렸다고 밝혔다.",
    ),
    "its short name": ("독파모는 어디로 가나", "연말 평가를 앞두고 업계의 관심이 커졌다."),
    "without spaces": ("정부 '독자AI파운데이션모델' 예산 늘린다", "국회 예산안 심사에서 증액이 논의됐다."),
    "only in the body": (
        "내년 정보통신 예산 한눈에 보기",
        "부처는 통신망 보강과 함께 독자 인공지능(AI) 파운데이션 모델 사업에도 예산을 배정했다.",
    ),
    "the national AI": ("국가대표 AI 뽑는 날, 승자는 누구", "국가대표 AI를 가리는 평가가 다음 주에 열린다."),
    "the word for the teams": (
        "소버린 AI 정예팀, 그래픽처리장치 추가 지원받는다",
        "과학기술정보통신부는 소버린 AI 확보를 위해 정예팀에 장비를 더 준다고 밝혔다.",
    ),
    "a model of SK Telecom": (
        "SKT, 'A.X K1' 오픈소스로 공개",
        "SK텔레콤은 초거대 언어모델 A.X K1의 가중치를 공개했다. 매개변수는 5190억 개다.",
    ),
    "a model of LG": (
        "LG AI연구원 'K-엑사원' 세계 순위 7위",
        "LG AI연구원의 K-엑사원이 해외 평가 기관의 AI 모델 순위에 올랐다.",
    ),
    "a model of NC": (
        "NC AI, 산업용 'VAETKI' 현장 적용",
        "NC AI는 파운데이션 모델 배키(VAETKI)를 공장 28곳에 적용했다고 밝혔다.",
    ),
    "all five teams": (
        "AI 다섯 팀의 승부수",
        "LG AI연구원은 엑사원, SK텔레콤은 A.X, 업스테이지는 솔라, 네이버클라우드는 옴니, NC AI는 바르코를 내세웠다.",
    ),
    "sovereign AI with a team and the government": (
        "소버린 AI 앞세운 네이버클라우드, 과기정통부 장관 만난다",
        "네이버클라우드는 소버린 AI 수출 전략을 과기정통부에 설명했다.",
    ),
    "the dispute about from-scratch": (
        "업스테이지 '솔라 오픈 100B' 독자성 논란",
        "업스테이지는 솔라 오픈 100B를 프롬 스크래치로 만들었다며 학습 기록을 공개했다. AI 업계의 눈이 쏠린다.",
    ),
    "shares, because of the project": (
        "[특징주] 독자 AI 파운데이션 모델 선정 소식에 급등",
        "독자 AI 파운데이션 모델 정예팀에 든 기업의 주가가 장중 크게 올랐다.",
    ),
    "an opinion piece": (
        "[기고] AI 주권, 이제 시작이다",
        "소버린 AI는 구호가 아니다. 과기정통부의 정예팀 사업은 첫걸음이다. 국가대표 AI에 투자하라.",
    ),
}

OFF_TOPIC = {
    "solar panels": (
        "지붕 위 솔라 패널 지원금 늘린다",
        "지자체가 태양광 솔라 패널 설치 보조금을 늘렸다. AI로 발전량을 예측하는 서비스도 제공한다.",
    ),
    "a coin": ("솔라나 7% 급등", "가상자산 솔라나가 AI 테마와 함께 올랐다."),
    "a hotel": ("옴니 호텔, 겨울 뷔페 새 단장", "옴니 호텔은 AI 추천 메뉴를 담은 겨울 뷔페를 선보였다."),
    "omnichannel": ("유통가 옴니채널 경쟁", "백화점들이 AI 상담과 옴니채널 배송을 강화하고 있다."),
    "a game": (
        "엔씨 신작 게임 사전 예약 200만",
        "엔씨소프트는 신작의 사전 예약자가 200만 명을 넘었다고 밝혔다. AI 동료가 함께 싸운다.",
    ),
    "baseball": (
        "NC 다이노스, LG 트윈스에 역전승",
        "NC 다이노스가 9회말 LG 트윈스를 꺾었다. AI 심판 판정이 승부를 갈랐다.",
    ),
    "football": (
        "축구 국가대표 AI 전력 분석 도입",
        "대한축구협회는 월드컵을 앞두고 축구 국가대표 AI 분석관을 도입한다.",
    ),
    "a list of stocks": (
        "[코스피 마감] 외국인 매수에 상승",
        "SK텔레콤 1.2%, LG전자 0.8%, 네이버 0.5%, 한화솔루션 2.1% 올랐다. AI 반도체주가 강세였다.",
    ),
    "a breach": (
        "SKT 유심 해킹 과징금 확정",
        "과기정통부와 개인정보위는 SK텔레콤에 과징금을 물렸다. SKT는 AI 보안을 강화하겠다고 했다.",
    ),
    "quarterly figures": (
        "SK텔레콤 3분기 영업이익 감소",
        "SK텔레콤은 AI 데이터센터 매출이 늘었지만 가입자 보상으로 이익이 줄었다고 밝혔다.",
    ),
    "sovereign AI of others": (
        "프랑스, 소버린 AI에 100억 유로 투자",
        "프랑스 정부는 유럽의 소버린 AI를 위해 데이터센터를 짓고 자국 언어모델 기업을 지원한다.",
    ),
    "another's own model": (
        "애플, 독자 AI 모델 개발 박차",
        "애플은 독자 AI 모델을 시리에 넣기로 했다. 파운데이션 모델의 매개변수는 공개하지 않았다.",
    ),
    "a policy on AI": (
        "과기정통부, AI 인재 1만 명 키운다",
        "과학기술정보통신부는 AI 3대 강국을 목표로 대학원 정원을 늘린다고 밝혔다.",
    ),
    "a team's other news": (
        "네이버클라우드, 병원에 AI 상담 도입",
        "네이버클라우드는 하이퍼클로바X 기반 상담 서비스를 대학병원에 공급한다.",
    ),
    "an obituary": (
        "[부고] 독자 AI 파운데이션 모델 연구자 모친상",
        "독자 AI 파운데이션 모델 연구에 참여한 연구자가 모친상을 당했다.",
    ),
    "a reading circle": ("소설 독파 모임 인기", "한 권을 끝까지 읽는 독파 모임이 늘고 있다. AI가 책을 골라 준다."),
    "subscribers": ("유튜브 구독자 AI 추천 강화", "구독자 AI 모델 추천 기능이 새로 들어갔다. LLM이 취향을 읽는다."),
    "the weather": ("전국 맑고 쌀쌀", "내일은 전국이 맑겠다. 아침 최저기온은 영하 3도로 예보됐다."),
}


@pytest.mark.parametrize("case", ON_TOPIC)
def test_news_of_the_project_is_on_topic(case: str) -> None:
    result = score(*ON_TOPIC[case], TOPIC.relevance, TOPIC.teams)
    assert result.relevant, "\n".join(map(str, (result.value, *result.reasons)))


@pytest.mark.parametrize("case", OFF_TOPIC)
def test_other_news_is_off_topic(case: str) -> None:
    result = score(*OFF_TOPIC[case], TOPIC.relevance, TOPIC.teams)
    assert not result.relevant, "\n".join(map(str, (result.value, *result.reasons)))


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the existing archive's documents are not here")
@pytest.mark.parametrize("number", ["000", "001", "002"])
def test_the_existing_archive_is_on_topic(number: str) -> None:
    (path,) = SEEDS.glob(f"{number}_*.txt")
    text = path.read_text(encoding="utf-8")
    result = score("", text, TOPIC.relevance, TOPIC.teams)
    assert result.relevant
    assert {"the project", "sovereign AI", "the government", "the teams together"} <= {r.name for r in result.reasons}
    assert all(reason.weight > 0 for reason in result.reasons)
    assert [one.team for one in mentions("", text, TOPIC.teams)] == [team.name for team in TOPIC.teams]


def test_an_article_takes_less_than_a_millisecond() -> None:
    title, body = ON_TOPIC["all five teams"]
    body = (body * 30)[:1500]  # 3 KB and more in UTF-8
    score(title, body, TOPIC.relevance, TOPIC.teams)
    started = time.process_time()
    for _ in range(200):
        score(title, body, TOPIC.relevance, TOPIC.teams)
    assert (time.process_time() - started) / 200 < 0.001  # measured: 0.0002
