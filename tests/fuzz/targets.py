"""All parsers of external data, with valid documents to start from and the properties of their results.

A target takes any bytes. It returns, or raises an error of seogo; anything else is a bug. The result of a parser must
be storable in files and database: text that UTF-8 can encode, times that exist in UTC.
"""

from __future__ import annotations

import atexit
import gzip
import json
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from flows.fetching.backoff import LONGEST_PAUSE, retry_after_seconds
from flows.fetching.robots import read_rules
from flows.naver.articles.layouts import parse_article, parse_whole_page
from flows.naver.listing import parse_list_page, parse_section_more, parse_section_page
from flows.naver.search.api import parse_api_error, parse_search_answer
from flows.naver.search.page import parse_search_page
from flows.naver.urls import article_key, clean_original_url, find_article_key, find_link
from flows.pipeline.relevance import mentions, score
from flows.replica.corpus.articles import Corpus, Layout, MadeArticle, make_corpus
from flows.replica.pages import notices
from flows.replica.pages.articles import View, article_page
from flows.replica.pages.lists import list_page, section_json, section_page
from flows.replica.pages.old_layouts import article_json, old_page
from flows.replica.pages.search import search_page
from flows.replica.pages.search_api import ApiCall, ApiFault, api_answer, api_error
from schemas.article import Article, ArticleKey
from schemas.content_coding import Undecodable, decode
from schemas.errors import AddressError, LayoutChanged, SeogoError
from schemas.front_matter import dumps, from_article, loads
from schemas.page import CaptureRef, FetchFault
from schemas.plain_text import loads_plain, looks_plain
from schemas.topic import Topic, default_topic_path, load_topic
from storage.captures.reader import read_capture, read_page, scan
from storage.captures.writer import CaptureWriter
from storage.state.backoff import JsonBackoffStore
from tests.support import values
from tests.support.naver import layouts
from tests.support.paths import GOLDEN

HOW: dict[str, Any] = {"source": "fuzz", "seen_at": values.NOW, "url": layouts.URL}


@dataclass(frozen=True, slots=True)
class Target:
    """A parser under test. `seeds` are valid documents; at least the first one is parsed without an error."""

    name: str
    run: Callable[[bytes], object]
    seeds: Callable[[], tuple[bytes, ...]]

    def __call__(self, data: bytes) -> object:
        """The checked result of the parser, or the seogo error that it raised, with a checked message."""
        try:
            answer = self.run(data)
        except SeogoError as error:
            str(error).encode()
            return error
        check(answer)
        return answer


def check(value: object) -> None:
    """Fail if anything in the value, however deeply nested, cannot be stored."""
    for leaf in _leaves(value):
        if isinstance(leaf, str):
            leaf.encode()
        elif isinstance(leaf, datetime):
            assert leaf.tzinfo is not None, leaf
            leaf.astimezone(UTC)


def _leaves(value: object) -> Iterator[object]:
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _leaves(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for pair in value.items():
            yield from _leaves(pair)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


# --- Naver's pages -------------------------------------------------------------------------------------------------


@cache
def _corpus() -> Corpus:
    return make_corpus(seed=3, articles=120, presses=8, days=3)


@cache
def _articles() -> tuple[MadeArticle, ...]:
    return tuple(article for article in _corpus() if article.key is not None and not article.gone(_corpus().last))


def _article(data: bytes) -> Article:
    article = parse_article(data, layouts.URL)
    _write_and_read(article)
    return article


def _write_and_read(article: Article) -> None:
    """Every parsed article can be written in either style and read back."""
    for style in ("seed", "strict"):
        document = from_article(article, values.NOW, style=style)
        text = dumps(document)
        back = loads(text)
        assert back == document
        assert dumps(back) == text
        assert (back.title, back.body) == (article.title.strip(), article.body.strip("\n"))
        assert back.hash_matches


def _both_ways(data: bytes) -> object:
    """The beginning of a page and the whole page give the same article, unless the whole is refused."""
    if data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return None
    part, whole = _outcome(parse_article, data), _outcome(parse_whole_page, data)
    refused = isinstance(whole, LayoutChanged) and "cost more time" in str(whole)
    assert refused or _comparable(part) == _comparable(whole), (part, whole)
    return None


def _outcome(parse: Callable[[bytes, str], Article], data: bytes) -> Article | SeogoError:
    try:
        return parse(data, layouts.URL)
    except SeogoError as error:
        return error


def _comparable(outcome: Article | SeogoError) -> object:
    return outcome if isinstance(outcome, Article) else (type(outcome), str(outcome))


def _article_seeds() -> tuple[bytes, ...]:
    body = f"{layouts.FRAMED_PHOTO}(서울=서고) 홍길동 기자 = 첫째다.<br><br>둘째다. hong@seogo.example"
    own = layouts.article(body, byline=layouts.byline("홍길동 기자 (hong@seogo.example)"), modified=layouts.MODIFIED)
    made = _articles()[0]
    view = View(_corpus().last)
    pages = [*(article_page(made, view, layout) for layout in Layout if layout is not Layout.OLD), old_page(made, view)]
    old = layouts.read_nhn(times=("2020.09.19. 오후 8:28", "2020.09.19. 오후 9:28"))
    notes = (notices.gone_page(), notices.unavailable_page(), notices.block_page())
    return (
        own.encode(),
        old.encode("cp949", "replace"),
        old.encode(),
        *(_renamed(page, made) for page in pages),
        *notes,
    )


def _renamed(page: bytes, made: MadeArticle) -> bytes:
    """The page of a generated article, with the key that the targets expect."""
    assert made.key is not None
    page = page.replace(made.key.aid.encode(), layouts.AID.encode())
    for before, behind in (
        ("/", "/"),
        ("oid=", ""),
        ('officeId: "', '"'),
        ('"officeId":"', '"'),
        ('"officeId": "', '"'),
    ):
        old, new = (f"{before}{oid}{behind}".encode() for oid in (made.key.oid, layouts.OID))
        page = page.replace(old, new)
    return page


def _sports_seeds() -> tuple[bytes, ...]:
    sections = [{"sectionName": "야구"}, "축구", {"name": None}]
    own = layouts.sports(sections=sections, originalUrl="https://seogo.example/1?utm_source=naver")
    arena = next(article for article in _articles() if article.subject.arena)
    return (
        json.dumps(own).encode(),
        json.dumps(own, ensure_ascii=False).encode(),
        _renamed(article_json(arena, View(_corpus().last)), arena),
        b'{"code": 404, "success": false}',
    )


def _list_seeds() -> tuple[bytes, ...]:
    shown, now = _articles()[:20], _corpus().last
    made = [list_page(shown, 1, "mode=LPOD&oid=001", now, titles=titles) for titles in (True, False)]
    return (*made, list_page((), 1, "mode=LPOD", now, titles=True))


def _section_seeds() -> tuple[bytes, ...]:
    return (section_page(_articles()[:10], 77, "105", _corpus().last),)


def _more_seeds() -> tuple[bytes, ...]:
    now = _corpus().last
    return (section_json(_articles()[:10], 77, now), section_json((), None, now))


def _search_seeds() -> tuple[bytes, ...]:
    now = _corpus().last
    return (search_page("모델", _articles()[:10], now), search_page("모델", (), now))


def _api_seeds() -> tuple[bytes, ...]:
    call = ApiCall("모델", 10, 1, "date")
    return (api_answer(call, 1234, _articles()[:10], _corpus().last),)


def _api_error_seeds() -> tuple[bytes, ...]:
    fault = ApiFault(400, "SE01", "Incorrect query request (잘못된 쿼리요청입니다.)")
    return (api_error(fault, nested=False), api_error(fault, nested=True))


# --- files ---------------------------------------------------------------------------------------------------------


def _text(data: bytes) -> str:
    """The bytes as text, with surrogates for invalid UTF-8."""
    return data.decode("utf-8", "surrogateescape")


def _front_matter(data: bytes) -> object:
    document = loads(_text(data))
    assert dumps(document) == _text(data)
    fields = [getattr(document, name) for name in ("title", "category", "publisher", "author", "body")]
    return [*fields, document.key, document.published_at or values.NOW, document.crawled_at, document.hash_matches]


def _front_matter_seeds() -> tuple[bytes, ...]:
    golden = sorted(GOLDEN.glob("*.md"))
    return tuple(path.read_bytes() for path in golden)


def _plain(data: bytes) -> object:
    text = _text(data)
    try:
        document = loads_plain(text)
    except SeogoError:
        return None
    assert looks_plain(text)
    return document.body if b"\xff" not in data and data.isascii() else None


@cache
def _scratch() -> Path:
    path = Path(tempfile.mkdtemp(prefix="seogo-fuzz-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def _topic(data: bytes) -> Topic:
    path = _scratch() / "topic.yaml"
    path.write_bytes(data)
    topic = load_topic(path)
    score("독자 AI 모델", "업스테이지의 솔라 " * 20, topic.relevance, topic.teams)
    mentions("독자 AI 모델", "업스테이지의 솔라", topic.teams)
    return topic


def _topic_seeds() -> tuple[bytes, ...]:
    shipped = default_topic_path()
    return tuple(path.read_bytes() for path in (shipped, shipped.with_name("demo.yaml")))


def _relevance(data: bytes) -> object:
    topic = _shipped_topic()
    title, _, body = data.decode("utf-8", "replace").partition("\n")
    return [str(reason) for reason in score(title, body, topic.relevance, topic.teams).reasons]


@cache
def _shipped_topic() -> Topic:
    return load_topic(default_topic_path())


# --- addresses, headers, robots.txt, captures ----------------------------------------------------------------------


def _address(data: bytes) -> object:
    text = _text(data)
    key = find_article_key(text)
    if key is not None:
        assert article_key(key.url) == key == ArticleKey.from_id(key.id)
    link = find_link(layouts.URL, text)
    cleaned = clean_original_url(text)
    assert cleaned is None or clean_original_url(cleaned) == cleaned, cleaned
    return [key, link, cleaned, _raised(article_key, text), _raised(ArticleKey.from_id, text)]


def _raised(read: Callable[[str], object], text: str) -> str | None:
    try:
        read(text)
    except AddressError as error:
        return str(error)
    return None


def _address_seeds() -> tuple[bytes, ...]:
    addresses = (
        layouts.URL,
        "https://news.naver.com/main/read.nhn?mode=LSD&mid=sec&sid1=105&oid=001&aid=0000000001",
        "https://finance.naver.com/item/news_read.naver?article_id=0000000001&office_id=001",
        "https://m.sports.naver.com/kbaseball/article/001/0000000001",
        "http://사용자@seogo.example:8080/가/나;x?utm_source=naver&a=%EA%B0%80#!/b",
        "//[::1]/mnews/article/001/0000000001",
        "001_0000000001",
    )
    return tuple(address.encode() for address in addresses)


def _robots(data: bytes) -> object:
    head, _, text = data.partition(b"\n")
    status = 200 + len(head) % 400
    for code in (200, status):
        page = values.page("https://n.news.naver.com/robots.txt", text, status=code)
        rules = read_rules("n.news.naver.com", page)
        fault = rules.refusal(layouts.URL, layouts.URL)
        assert fault is None or isinstance(fault, FetchFault)
        assert 0.0 <= rules.delay <= 86_400.0
        check([rules.source.text, fault.detail if fault else ""])
    return None


def _robots_seeds() -> tuple[bytes, ...]:
    texts = [notices.robots_txt(variant)[1] for variant in notices.Robots]
    own = b"User-agent: seogo\nAllow: /mnews/*\nDisallow: /*?a=$\nCrawl-delay: 1.5\nRequest-rate: 1/10s 0800-1700\n"
    return (own + b"Visit-time: 0600-0845\nSitemap: https://n.news.naver.com/x\n", *texts)


def _headers(data: bytes) -> object:
    seconds = retry_after_seconds(_text(data), values.NOW)
    assert seconds is None or 0.0 <= seconds <= LONGEST_PAUSE
    return seconds


def _pauses(data: bytes) -> object:
    path = _scratch() / "pauses.json"
    path.write_bytes(data)
    return list(JsonBackoffStore(path).load().values())


def _header_seeds() -> tuple[bytes, ...]:
    return (b"120", b"Wed, 21 Oct 2026 07:28:00 GMT")


def _pauses_seeds() -> tuple[bytes, ...]:
    return (b'{"n.news.naver.com": "2026-10-01T03:00:00+00:00"}',)


LIMIT = 50_000


def _unpacking(data: bytes) -> object:
    coding, _, payload = data.partition(b"\n")
    content = decode(payload, coding.decode("latin-1"), LIMIT)
    if isinstance(content, Undecodable):
        return content.detail
    named = {name.strip() for name in coding.decode("latin-1").lower().split(",")} - {"", "identity"}
    assert len(content) <= LIMIT or not named
    return None


def _unpacking_seeds() -> tuple[bytes, ...]:
    text = "독자 모델 ".encode() * 200
    packed = {"gzip": gzip.compress(text, mtime=0) * 2, "deflate": zlib.compress(text)}
    both = gzip.compress(zlib.compress(text), mtime=0)
    return (*(f"{name}\n".encode() + data for name, data in packed.items()), b"deflate, gzip\n" + both, b"\n" + text)


CAPTURE = "captures/fuzz-00000.warc.gz"
READABLE = ("response", "resource", "revisit")


def _warc(data: bytes) -> object:
    archive = _scratch()
    path = archive / CAPTURE
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    met = list(scan(archive, CAPTURE))
    offsets = [item.ref.offset for item in met if not isinstance(item, str) and item.kind in READABLE]
    for offset in (len(data) // 2, *offsets[:4]):
        for read in (read_capture, read_page):
            _read_capture(read, archive, CaptureRef(CAPTURE, offset))
    return [item for item in met if isinstance(item, str)]


def _read_capture(read: Callable[[Path, CaptureRef], object], archive: Path, ref: CaptureRef) -> None:
    try:
        read(archive, ref)
    except SeogoError as error:
        str(error).encode()


def _warc_seeds() -> tuple[bytes, ...]:
    archive = _scratch() / "seeds"
    shutil.rmtree(archive, ignore_errors=True)
    (archive / "state").mkdir(parents=True)
    with CaptureWriter(archive, "20260102T030405Z-0001", software="seogo/test") as writer:
        writer.append_page(values.page(layouts.URL, layouts.article().encode()))
        writer.append_file("오래된 글.md", b"---\n", values.NOW)
    (path,) = archive.rglob("*.warc.gz")
    packed = path.read_bytes()
    # Also decompressed, so that a mutation reaches the WARC reader instead of the checksum around it.
    return (packed, gzip.decompress(packed))


def _whole_seed_texts() -> tuple[bytes, ...]:
    return (layouts.BODY.encode() + "\n독자 AI 파운데이션 모델, 업스테이지 SKT".encode(),)


TARGETS = {
    target.name: target
    for target in (
        Target("article", _article, _article_seeds),
        Target("both_ways", _both_ways, _article_seeds),
        Target("sports", _article, _sports_seeds),
        Target("list", lambda data: parse_list_page(data, **HOW), _list_seeds),
        Target("section", lambda data: parse_section_page(data, **HOW), _section_seeds),
        Target("section_more", lambda data: parse_section_more(data, **HOW), _more_seeds),
        Target("search_page", lambda data: parse_search_page(data, **HOW), _search_seeds),
        Target("search_api", lambda data: parse_search_answer(data, **HOW), _api_seeds),
        Target("api_error", lambda data: parse_api_error(data, 400), _api_error_seeds),
        Target("front_matter", _front_matter, _front_matter_seeds),
        Target("plain_text", _plain, lambda: ("date 2025-12-30\n글이다.\n".encode(),)),
        Target("topic", _topic, _topic_seeds),
        Target("relevance", _relevance, _whole_seed_texts),
        Target("address", _address, _address_seeds),
        Target("robots", _robots, _robots_seeds),
        Target("headers", _headers, _header_seeds),
        Target("pauses", _pauses, _pauses_seeds),
        Target("unpacking", _unpacking, _unpacking_seeds),
        Target("warc", _warc, _warc_seeds),
    )
}
