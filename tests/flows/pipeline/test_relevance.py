"""What makes an article on-topic: how a phrase is found, how a score comes about, and what the shipped rules say."""

from __future__ import annotations

import json
import time
import unicodedata
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.pipeline.relevance import LEAD, Mention, Reason, Score, mentions, score
from schemas.topic import ExcludeRule, PhraseRule, Relevance, Team, default_topic_path, load_topic
from tests.support.paths import SEEDS

TOPIC = load_topic(default_topic_path())


def found(phrase: str, text: str) -> int:
    """How often a phrase is found in a body."""
    rules = Relevance(threshold=1, phrases=(PhraseRule(phrases=(phrase,), weight=1),))
    return sum(reason.count for reason in score("", text, rules).reasons)


def named(name: str, text: str) -> bool:
    """Whether a body names a team of this name. Score and mentions say the same, of an alias and of a model."""
    alias, model = Team(name="팀", aliases=(name,)), Team(name="팀", models=((name,),))
    answers = {bool(mentions("", text, (team,))) for team in (alias, model)}
    answers |= {bool(score("", text, Relevance(threshold=1), (team,)).reasons) for team in (alias, model)}
    assert len(answers) == 1
    return answers.pop()


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
        # so are hyphens and quotation marks
        ("독자 AI 모델", '‘독자 AI’ 모델과 "독자 AI" 모델, 독자 AI-모델', 3),
        ("솔라 오픈 100B", "솔라-오픈-100B", 1),
        ("K-엑사원", "K-엑사원, K엑사원, K 엑사원, SK엑사원", 3),
        ("독파-모", "독파모", 1),
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


SYLLABLES = st.characters(min_codepoint=ord("가"), max_codepoint=ord("힣"))
NAMES = sorted({name for team in TOPIC.teams for name in (*team.aliases, *sum(team.models, ()))})
KOREAN = [name for name in NAMES if all("가" <= end <= "힣" for end in (name[0], name[-1]))]
# Which of a pair stands behind a vowel, and which behind a consonant, does not matter here.
PARTICLES = (
    *(
        "은",
        "는",
        "이",
        "가",
        "을",
        "를",
        "의",
        "에",
        "도",
        "만",
        "와",
        "과",
        "로",
        "으로",
        "에서",
        "에게",
        "까지",
        "부터",
    ),
    *(
        "처럼",
        "보다",
        "마저",
        "조차",
        "뿐",
        "이나",
        "라도",
        "이라도",
        "이란",
        "란",
        "하고",
        "에는",
        "에서는",
        "에선",
        "로는",
    ),
    *(
        "로서",
        "로부터",
        "까지도",
        "만으로도",
        "만은",
        "과의",
        "와의",
        "에서의",
        "보다는",
        "이다",
        "다",
        "이라는",
        "라고도",
    ),
    *("이며", "며", "이고", "지만", "인", "인데", "입니다", "였다", "이었던", "측", "측은", "팀", "팀의", "들이"),
)


@pytest.mark.parametrize(
    ("name", "text", "is_named"),
    [
        ("솔라", "솔라는 솔라", True),
        ("솔라", "업스테이지의 솔라가, 공개됐다", True),
        ("솔라", "‘솔라’였다", True),
        ("솔라", "솔라2를", True),
        ("솔라", "솔라시도", False),
        ("솔라", "솔라시도는", False),
        ("솔라", "솔라나와 솔라리스, 솔라도로, 솔라지도, 솔라에너지, 콘솔라, 이솔라는", False),
        ("솔라", "이솔라는 솔라를", True),
        ("옴니", "네이버의 옴니를", True),
        ("옴니", "옴니모달은 옴니버스의 옴니채널", False),
        ("업스테이지", "업스테이지팀은", True),
        ("LG AI 연구원", "LG AI연구원장은", True),
        ("LG AI 연구원", "LG AI연구원들", True),
        ("네이버 클라우드", "네이버클라우드와", True),
        ("네이버 클라우드", "네이버클라우드포럼", False),
        ("베키", "우즈베키스탄", False),
        # Latin letters and digits end a word that Hangul goes on with
        ("SKT", "SKT정예팀", True),
        ("NC AI", "NC AI대표와", True),
        ("NC AI", "SYNC AI", False),
        ("엑사원", "K엑사원 챗엑사원", True),
        ("엑사원", "챗엑사원", False),
        ("Motif-3", "모티프의 Motif 3는", True),
        ("Motif-3", "Motif-30B", False),
        # A name that ends in a mark has nothing to touch
        ("가온(주)", "가온(주)노을", True),
    ],
)
def test_a_name_is_no_part_of_a_longer_word(name: str, text: str, is_named: bool) -> None:
    assert named(name, text) is is_named


@given(
    name=st.sampled_from(KOREAN), particle=st.sampled_from(PARTICLES), before=st.sampled_from(["", "새 ", "(", "새\n"])
)
def test_particles_may_follow_a_name(name: str, particle: str, before: str) -> None:
    assert named(name, f"{before}{name}{particle} 나왔다")


@given(name=st.sampled_from(KOREAN), syllable=SYLLABLES, particle=st.sampled_from(["", *PARTICLES]))
def test_no_syllable_may_precede_a_name(name: str, syllable: str, particle: str) -> None:
    team = Team(name="팀", aliases=(name,))
    assert mentions("", f"{syllable}{name}{particle}", (team,)) == ()


@given(names=st.lists(st.sampled_from(KOREAN), min_size=2, max_size=2), tail=st.text(SYLLABLES, max_size=4))
def test_what_may_follow_a_name_does_not_depend_on_the_name(names: list[str], tail: str) -> None:
    one, other = (named(name, f"{name}{tail}.") for name in names)
    assert one == other


@given(name=st.sampled_from(KOREAN), tail=st.text(SYLLABLES, max_size=3), last=st.sampled_from("쀍꿇뷁쳔훑"))
def test_a_tail_that_is_no_particle_makes_a_longer_word(name: str, tail: str, last: str) -> None:
    # 였 may be followed by any ending.
    assert named(name, f"{name}{tail}{last}") is False or "였" in tail or "이었" in tail


@given(st.sampled_from(NAMES), st.text(max_size=20), st.text(max_size=20))
def test_a_name_on_its_own_is_found_in_any_company(name: str, before: str, after: str) -> None:
    assert named(name, f"{before} . {name} . {after}")


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


def test_a_rule_applies_only_to_its_place() -> None:
    for where, value in [("title", 1.0), ("body", 1.0), ("any", 2.0)]:
        only = Relevance.model_validate({"threshold": 1, "phrases": [{"phrases": "가", "weight": 1, "where": where}]})
        assert score("가", "가", only).value == value


def test_a_rule_can_weigh_less_after_the_lead() -> None:
    phrases = [{"phrases": ["독파모", "소버린 AI"], "weight": 2, "in_passing": 0.5, "name": "it"}]
    passing = Relevance.model_validate({"threshold": 2, "phrases": phrases})
    for start, weight in [(0, 2.0), (LEAD - 1, 2.0), (LEAD, 0.5)]:
        assert score("", "가" * start + "독파모", passing).value == weight
    # A phrase in the lead speaks for the one behind it, and a title for itself.
    assert score("", "소버린 AI " + "가" * LEAD + " 독파모", passing).value == 2
    result = score("독파모", "가" * LEAD + " 소버린 AI와 소버린 AI", passing)
    assert [str(reason) for reason in result.reasons] == [
        "+2 it: '독파모' in the title",
        "+0.5 it: '소버린 AI' in the body, 2 times, in passing",
    ]


def test_a_rule_can_have_no_weight_after_the_lead() -> None:
    rule = PhraseRule(phrases=("독파모",), weight=2, in_passing=0)
    assert score("", "가" * LEAD + "독파모", Relevance(threshold=1, phrases=(rule,))).value == 0


def test_the_threshold_itself_is_enough() -> None:
    assert score("", "독파모", rules()).relevant
    assert not score("", "독파모", rules(threshold=2.01)).relevant
    assert score("", "", Relevance(threshold=0)).relevant


def test_an_exclusion_counts_against_it() -> None:
    result = score("", "독파모와 태양광", rules(exclude=[{"phrases": "태양광", "weight": -1, "name": "solar"}]))
    assert (result.value, result.relevant) == (1.0, False)
    assert str(result.reasons[1]) == "-1 solar: '태양광' in the body"


def test_a_veto_overrides_every_score() -> None:
    veto = rules(exclude=[{"phrases": ["부고"], "weight": "veto", "where": "title"}])
    assert score("독파모 [부고]", "독파모", veto).relevant is False
    assert score("독파모", "독파모 [부고]", veto).relevant is True
    result = score("독파모 [부고]", "", veto)
    assert (result.value, str(result.reasons[-1])) == (2.0, "veto '부고' in the title")


TEAMS = (
    Team(name="업스테이지", aliases=("업스테이지", "Upstage"), models=(("솔라",),), weight=0.5),
    Team(name="NC AI", aliases=("NC AI",), models=(("바르코", "VARCO"),), weight=1),
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


def test_every_model_that_an_article_mentions_is_listed_once_in_the_topics_order() -> None:
    team = Team(name="가온", models=(("노을",), ("EXAONE",), ("K-노을",)))
    assert mentions("K-노을과 노을", "새 exaone은", (team,)) == (Mention("가온", ("노을", "EXAONE", "K-노을")),)


def test_two_spellings_of_a_model_are_one_model() -> None:
    team = Team(name="가온", models=(("노을", "Noeul"), ("K-노을", "K-Noeul")))
    assert mentions("노을(Noeul)", "NOEUL은", (team,)) == (Mention("가온", ("노을",)),)
    assert mentions("", "K-Noeul", (team,)) == (Mention("가온", ("K-노을",)),)


def test_a_longer_name_is_not_also_the_shorter_one_within() -> None:
    team = Team(name="가온", models=(("노을",), ("노을 2",), ("K-노을",), ("K-노을 2",)))
    for text, models in [
        ("K-노을 2를", ("K-노을 2",)),
        ("K노을2와 노을을", ("노을", "K-노을 2")),
        ("노을 20", ("노을",)),
        ("K-노을2, 노을2", ("노을 2", "K-노을 2")),
    ]:
        assert mentions("", text, (team,)) == (Mention("가온", models),)


def test_two_topics_do_not_get_into_each_others_way() -> None:
    one, other = rules(), Relevance(threshold=1, exclude=(ExcludeRule(phrases=("독파모",), weight=-1),))
    assert [score("", "독파모", each).value for each in (one, other, one)] == [2.0, -1.0, 2.0]


UNITS = [
    "SKT",
    "aSKT",
    "독자 ",
    "독자 AI  ",
    "\n",
    "sovereign ",
    "에이닷 엑스 K10 ",
    "솔라",
    "솔라이",
    "K-",
    "솔라였다였",
    "'",
]


@pytest.mark.parametrize("unit", UNITS)
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
    "the fourth team": (
        "모티프테크놀로지스, 네 번째 정예팀 됐다",
        "정부는 패자부활전을 거쳐 모티프테크놀로지스를 독자 AI 파운데이션 모델 사업에 합류시켰다.",
    ),
    "a nickname of what it was": ("'국대 AI' 패자부활전 열린다", "국대 AI를 한 팀 더 뽑는 공모에 두 곳이 지원했다."),
    "a second model of LG": (
        "LG AI연구원, 'K-엑사원 2.0' 내놨다",
        "LG AI연구원은 AI 모델 K-엑사원 2.0의 가중치를 누구나 쓰게 했다.",
    ),
    "a second model of SK Telecom": (
        "SKT 'A.X K2' 공장에 들어간다",
        "SK텔레콤이 초거대 언어모델 A.X K2를 제조 현장에 적용한다.",
    ),
    "a second model of Upstage": (
        "업스테이지, '솔라 오픈 2' 공개",
        "업스테이지의 AI 모델 솔라 오픈 2는 그래픽처리장치 두 장으로 돌아간다.",
    ),
    "a model of Motif": (
        "모티프테크놀로지스 'Motif-3' 성능 지표 1위",
        "모티프테크놀로지스의 대형언어모델 Motif-3가 해외 AI 평가에서 국내 모델 가운데 가장 높은 점수를 얻었다.",
    ),
    "what may come after it": (
        "'국가 최상위 AI' 법인, 아직 정해진 것 없다",
        "과기정통부는 국가 최상위 AI를 맡을 법인도, 지금 사업의 중단도 결정되지 않았다고 설명했다.",
    ),
    "with quotation marks within": ("'독자 AI' 파운데이션 모델 두 팀으로", "마지막 평가는 여섯 달 뒤다."),
    "the teams' models side by side": (
        "국산 추론 AI 네 종 성적표",
        "네이버클라우드의 하이퍼클로바X가 모티프테크놀로지스의 모티프 12.7B, LG AI연구원의 엑사원, 업스테이지의 솔라와"
        " 나란히 세계 AI 순위에 올랐다.",
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
    "named in passing": (
        "어르신 돌보는 AI 스피커 보급",
        "한 기업이 홀로 사는 어르신 집에 말동무 스피커를 놓는다. " * 10
        + "이 기업은 독자 AI 파운데이션 모델 정예팀으로 뽑힌 적이 있다.",
    ),
    "a team that is called by it": (
        "NC AI, 군과 업무협약",
        "국가대표 AI 기업 NC AI가 군과 손잡고 훈련용 3차원 모형을 만든다. 바르코 3D 기술이 쓰인다.",
    ),
    "a motif": ("달항아리를 모티프로 한 AI 전시", "작가는 달을 모티프 삼아 AI로 그림 3점을 그렸다. 모티프는 어머니다."),
    "a town called Solarseado": (
        "솔라시도에 AI 데이터센터 짓는다",
        "해남 솔라시도에 AI 데이터센터가 들어선다. SK텔레콤과 네이버클라우드가 참여를 검토한다.",
    ),
    "omnimodal models of others": (
        "해외 기업 옴니모달 AI 경쟁",
        "미국 기업들이 옴니모달 AI 모델을 잇달아 내놨다. 매개변수는 밝히지 않았다.",
    ),
    "an actors' agency": (
        "업스테이지 엔터, 한국 배우 영입",
        "미국의 업스테이지 엔터테인먼트가 AI 시대의 배우를 찾는다.",
    ),
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
    first_five = [team.name for team in TOPIC.teams if team.name != "모티프테크놀로지스"]
    assert [one.team for one in mentions("", text, TOPIC.teams)] == first_five


def test_an_article_takes_less_than_a_millisecond() -> None:
    title, body = ON_TOPIC["all five teams"]
    body = (body * 30)[:1500]  # 3 KB and more in UTF-8
    score(title, body, TOPIC.relevance, TOPIC.teams)
    started = time.process_time()
    for _ in range(200):
        score(title, body, TOPIC.relevance, TOPIC.teams)
    assert (time.process_time() - started) / 200 < 0.001  # measured: 0.0002
