"""Extract names and e-mail addresses from bylines, and bylines from article texts.

A byline that the page marks as such is read leniently. A credit in the running text is accepted only if it has exactly
the form of one: better no author than a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from schemas.article import Author

_LONGEST = 300  # characters; a longer line is not a byline but a misplaced paragraph
_EMAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}")

_SURNAMES = frozenset(
    "가간갈감강개견경계고곡공곽교구국권금기길김나남노뇌누단담당대도독동두라량려류마만매맹명모목묘문미민박반방배백변"
    "복봉부비빈빙사삼상서석선설섭성소손송수순승시신심아안애야양어엄여연염엽영예오옥온옹왕요용우욱운원위유육윤은음이"
    "인임자장전점정제조종좌주준지진차창채천초총최추춘탁탄탕태판패편평포표풍피필하학한함해허현형호홍화환황후흥"
)
_LONG_SURNAMES = ("남궁", "황보", "제갈", "선우", "독고", "사공", "서문", "동방")

_TITLE = (
    "기자|특파원|논설위원|편집위원|해설위원|전문위원|객원위원|위원|앵커|아나운서|캐스터|리포터|에디터|칼럼니스트"
    "|평론가|주필|논설실장|논설주간|편집국장|국장|부장|차장|팀장|통신원|PD|작가|교수|변호사|연구원|대표|원장"
)
_MODIFIER = (
    "선임|전문|수습|인턴|객원|대|사진|영상|의학|과학|경제|문화|정치|사회|산업|국제|스포츠|연예|증권|환경|군사|법조"
)
_TITLE_WORD = re.compile(rf"(?:{_MODIFIER}){{0,3}}(?:{_TITLE})|인턴|수습|선임|객원")
_GLUED_TITLE = re.compile(rf"(?:{_MODIFIER}){{0,2}}(?:{_TITLE})$")

# Words that look like names but are places, desks or kinds of reporters.
_NO_NAME_WORDS = (
    "서울 인천 전주 제주 수원 안양 고양 성남 용인 경기 강원 전남 전북 경남 경북 충남 충북 강릉 여수 천안 안산 부천"
    " 부산 대구 대전 도쿄 하노이 방콕 파리 인턴 수습 선임 전문 객원 사진 영상 문화 경제 정치 사회 국제 산업 증권 연예"
    " 이슈 방송 현장 시민 명예 전임 담당 취재 주재 여행 교육 환경 노동 법조 군사 여론 조사 금융 공동 합동 편집 온라인"
    " 지역 전국 유통 부동산 자동차 정책 통신 과학 의학 소비자 미디어 오피니언"
)
_NO_NAMES = frozenset(_NO_NAME_WORDS.split())
_DESK = re.compile(r".*(?:부|팀|국|실|센터|본부|연구소)$")
_PRESS = re.compile(r".*(?:뉴스|일보|신문|경제|방송|닷컴|투데이|통신|타임스|저널|미디어|TV|기자단)$", re.IGNORECASE)

_SEPARATOR = re.compile(r"[,·ㆍ・/;|&、]|\s(?:및|와|과)\s")
_BRACKETS = re.compile(r"[()\[\]<>{}〈〉【】]")
_ORIGIN = re.compile(r"[(\[][^()\[\]=]{0,20}=[^()\[\]=]{0,20}[)\]]|^[^=]{0,20}=")  # (서울=연합뉴스), 글·사진=
_HANGUL_NAME = re.compile(r"[가-힣]{1,3}(?![는를에께])[가-힣]")  # `문의는`: no name ends in such a particle


def parse_byline(line: str) -> tuple[Author, ...]:
    """The people in a byline such as `조인영 기자 (ciy8100@dailian.co.kr)` or `홍길동·김철수 기자`.

    Names come without title, desk and place. Empty if the line names nobody.
    """
    text = " ".join(line.split())
    return _people(text) if 0 < len(text) <= _LONGEST else ()


@lru_cache(maxsize=1_024)  # each credit is parsed several times, and the same reporters recur
def _people(text: str) -> tuple[Author, ...]:
    emails = [match[0].rstrip(".") for match in _EMAIL.finditer(text)]
    chunks = [_names(chunk) for chunk in _EMAIL.split(text)]
    names = [name for chunk in chunks for name in chunk]
    if len(names) == len(emails):
        return _unique(Author(name, email) for name, email in zip(names, emails, strict=True))
    return _unique(_by_place(chunks, emails))


def _by_place(chunks: Sequence[list[str]], emails: Sequence[str]) -> list[Author]:
    """If there are not as many names as addresses, an address belongs to the name right before it."""
    authors: list[Author] = []
    for names, email in zip(chunks, [*emails, None], strict=True):
        authors += [Author(name) for name in names]
        if email is None:
            continue
        if names:
            authors[-1] = Author(names[-1], email)
        else:
            authors.append(Author(None, email))
    return authors


def _unique(authors: Iterable[Author]) -> tuple[Author, ...]:
    return tuple(dict.fromkeys(authors))


def _names(chunk: str) -> list[str]:
    """The names in a part of a byline between e-mail addresses."""
    bare = _BRACKETS.sub(" ", _ORIGIN.sub(" ", chunk))
    return [name for piece in _SEPARATOR.split(bare) for name in _piece_names(piece.split())]


def _piece_names(words: list[str]) -> list[str]:
    """The name before each job title: `홍길동 산업부 기자`, `워싱턴 홍길동 특파원`, `김미경기자`."""
    names: list[str] = []
    open_words: list[str] = []
    for word in words:
        if _TITLE_WORD.fullmatch(word):
            names += _pick(open_words)
            open_words = []
        elif (glued := _GLUED_TITLE.sub("", word)) != word:
            # `홍길동 의학전문기자` has its name before, `홍길동기자` inside the word.
            names += [glued] if _is_name(glued) else _pick(open_words)
            open_words = []
        else:
            open_words.append(word)
    return names + _pick(open_words)


def _pick(words: list[str]) -> list[str]:
    """The names among the words before a job title: the nearest Korean name, or a foreign name unchanged."""
    known = [word for word in words if _is_name(word)]
    if len(known) > 1:
        known = [word for word in known if not word.endswith("대")] or known  # 홍길동 한국대 교수
    if known and len(known) == len(words):
        return known if len(known) > 1 and all(len(word) == 3 for word in known) else known[-1:]
    if known:
        return known[-1:]
    name = " ".join(word for word in words if not _is_no_name(word))
    return [name] if 2 <= len(name) <= 30 and not re.search(r"[\d=@:%?!\"“”]", name) else []


def _is_no_name(word: str) -> bool:
    """Whether a word is a place, a desk or a press office."""
    return word in _NO_NAMES or (len(word) > 2 and bool(_DESK.fullmatch(word) or _PRESS.fullmatch(word)))


def _is_name(word: str) -> bool:
    """Whether a word has the form of a Korean name: 2 to 4 syllables that begin with a surname."""
    if not _HANGUL_NAME.fullmatch(word) or _is_no_name(word):
        return False
    return word.startswith(_LONG_SURNAMES) if len(word) == 4 else word[0] in _SURNAMES


# --- credits in the running text -----------------------------------------------------------------------------------

_PERSON = rf"[가-힣]{{2,4}} ?(?:(?:{_MODIFIER}) ?){{0,2}}(?:기자|특파원|논설위원|통신원|앵커|PD)"
_SHARED = rf"(?:[가-힣]{{2,4}}[·ㆍ,/ ] ?){{0,4}}{_PERSON}"
_CREDIT = rf"{_SHARED}(?:[·ㆍ,/ ] ?{_SHARED}){{0,2}}"
_MAIL = rf" ?(?:[(\[<]{_EMAIL.pattern}[)\]>]|{_EMAIL.pattern})"

_AGENCIES = ("연합뉴스", "뉴시스", "뉴스1")
_NOT_WRITTEN = "사진|영상|그래픽|촬영|자료|편집|디자인|삽화"  # [사진=홍길동 기자]

_LEADS = (
    # (서울=뉴스1) 홍길동 기자 =      [서울=뉴시스]홍길동 기자 =      [파이낸셜뉴스] 홍길동 기자 =
    re.compile(rf"[(\[【](?P<where>[^()\[\]【】\n]{{1,30}})[)\]】] ?(?P<credit>{_CREDIT}) ?="),
    # [이데일리 홍길동 기자]      [이데일리 홍길동 김철수 기자]      [헤럴드경제=홍길동 기자]
    re.compile(rf"[(\[](?P<where>(?!{_NOT_WRITTEN})[^()\[\]=\n]{{1,20}}?)[ =](?P<credit>{_CREDIT})[)\]]"),
)
_LEAD_LINES = 8  # captions, and a subtitle without an element of its own, may precede the lead

_SIGNED = rf"{_CREDIT}{_MAIL}"
_TAIL_WITH_MAIL = re.compile(rf"(?:^|[ .。”\"'\])(\[<■▶/=|｜ㅣ])(?P<credit>{_SIGNED}(?:,? {_SIGNED}){{0,3}})[)\]>]?$")
_TAIL_ALONE = re.compile(rf"[■▶/]? ?(?P<credit>{_CREDIT})")
_TAIL_LINES = 8  # a publisher's own links may follow the credit
_TAIL_REACH = 80  # characters of a line's end, for each address there
_TAIL_ALONE_LENGTH = 60

_MAILS = rf"{_EMAIL.pattern}(?:[,/·]? ?{_EMAIL.pattern}){{0,3}}"
# Addresses on a line of their own or after the last sentence, but not `이메일 : jebo@…`.
_CLOSING = re.compile(rf"(?:^|(?:[.。!?…”\"’'\])/◎]|공감언론 뉴시스) ?)[(\[<]?(?P<mails>{_MAILS})[)\]>]?$")
_DESK_MAILBOX = re.compile(
    r"(?:[a-z0-9]*jebo[a-z0-9]*|photo|news|social|web|webmaster|desk|help|info|press|opinion|editor|report|admin)@",
    re.IGNORECASE,
)


def find_byline(text: str, publisher: str = "") -> str:
    """The credit in the first or last lines of `text` (without its subtitle); empty if none is certain.

    A name in the first lines and an address at the end are joined: `홍길동 기자 hong@…`. `publisher`: a lead that names
    another news agency belongs to one of that agency's pictures and is skipped.
    """
    lines = _lines(text)
    lead = _lead(lines[:_LEAD_LINES], publisher)
    return _with_addresses(lead, lines) if lead else _tail(lines[-_TAIL_LINES:])


def authors_of(byline: str, text: str) -> tuple[Author, ...]:
    """The people in a byline. If it has no addresses, those at the end of the text are added."""
    return parse_byline(_with_addresses(byline, _lines(text)))


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line]


def _with_addresses(credit: str, lines: Sequence[str]) -> str:
    """A credit without addresses, joined with those in the last lines if there are as many as names."""
    authors = parse_byline(credit)
    if not authors or any(author.email for author in authors):
        return credit
    end = lines[-_TAIL_LINES:]
    tail = parse_byline(signed := _tail(end))
    if any(one.email for one in tail) and {one.name for one in authors} <= {one.name for one in tail}:
        return signed
    mails = _closing_addresses(end)
    return f"{credit} {' '.join(mails)}" if len(mails) == len(authors) else credit


def _lead(lines: Sequence[str], publisher: str) -> str:
    opened = (line for line in lines if line[0] in "([【")
    matches = (match for line in opened for pattern in _LEADS if (match := pattern.match(line)))
    own = (match for match in matches if not _is_anothers(match["where"], publisher))
    return next((match["credit"] for match in own if _trusted(match["credit"])), "")


def _is_anothers(where: str, publisher: str) -> bool:
    return bool(publisher) and any(agency in where and agency not in publisher for agency in _AGENCIES)


def _tail(lines: Sequence[str]) -> str:
    for line in reversed(lines):
        # The pattern is expensive, so it is tried only on lines with an address.
        match = _TAIL_WITH_MAIL.search(end) if (end := _reach(line)) else None
        if match is None and len(line) <= _TAIL_ALONE_LENGTH:
            match = _TAIL_ALONE.fullmatch(line)
        if match and _trusted(match["credit"]):
            return match["credit"]
    return ""


def _reach(line: str) -> str:
    """The end of a line that may contain credits with addresses; empty if it contains no address."""
    return line[-_TAIL_REACH * min(line.count("@", -2 * _TAIL_REACH), 3) :] if "@" in line[-_TAIL_REACH:] else ""


def _closing_addresses(lines: Sequence[str]) -> list[str]:
    """The personal addresses at the end of the last line that ends in any."""
    matches = (_CLOSING.search(end) for line in reversed(lines) if (end := _reach(line)))
    mails = next((match["mails"] for match in matches if match and not _DESK_MAILBOX.match(match["mails"])), "")
    return _EMAIL.findall(mails)


def _trusted(credit: str) -> bool:
    authors = parse_byline(credit)
    return bool(authors) and all(author.name and _is_name(author.name) for author in authors)
