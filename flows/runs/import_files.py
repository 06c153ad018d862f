"""Files of an older archive -> records, checked, never rewritten.

Takes both kinds of the existing archive: documents with front matter, and plain text behind a date. Each file is kept
in the captures as it is, its `content_hash` is checked, and what is stored is what it says: author trimmed, entities
un-escaped where its dialect has any, times with their zone; comments are left out. A later crawl of an imported article
replaces its text with the page's richer one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from itertools import islice
from pathlib import Path

from flows.naver.bylines import parse_byline
from flows.pipeline.judge import Assess
from flows.runs.lifecycle import assess_by
from schemas.article import SEOUL, Article, ArticleRef, Outcome, content_hash, text_hash
from schemas.errors import BadInput, FrontMatterError
from schemas.find import FindResult, Known, PlainText, RevisionKind, Status
from schemas.front_matter import Document, loads
from schemas.plain_text import PlainDocument, loads_plain, looks_plain
from schemas.receipt import ExitReason, Receipt, run_id_at
from schemas.topic import Topic
from storage.archive import Archive, open_archive

PARSER = "import/1"
BATCH = 256
SUFFIXES = frozenset({".md", ".txt"})
LARGEST = 64 * 1024 * 1024
"""Bytes of the largest file that is taken: no article is near it, and each is read whole."""

OnProgress = Callable[[Receipt], None]


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What to import, and where to. `topic` says how much each text is about it; none is left out for that."""

    paths: tuple[Path, ...]
    archive: Path
    topic: Topic
    wait: float = 0.0


@dataclass(slots=True)
class _Batch:
    """Documents on their way in, by id; the first of two with one id counts."""

    articles: dict[str, tuple[Path, bytes, Article, datetime]] = field(default_factory=dict)
    texts: dict[str, tuple[Path, bytes, PlainDocument]] = field(default_factory=dict)


def import_files(
    order: ImportOrder,
    *,
    on_progress: OnProgress = lambda receipt: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Receipt:
    """Import, and return the receipt: `refused` says of each file that was not taken why. Raises SeogoError.

    Once `stopped` says so, the import ends behind the batch that it is at.
    """
    files = _files(order)
    now = datetime.now(UTC)
    receipt = Receipt(run_id_at(now), "import", order.topic.name, now)
    assess = assess_by(order.topic)
    with open_archive(order.archive, style=order.topic.archive.front_matter, wait=order.wait) as archive:
        receipt.notes += archive.notes
        archive.start_run(receipt)
        ended = ExitReason.INTERRUPTED, "ended before its last file; run it again to take up the rest"
        try:
            while not stopped() and (paths := list(islice(files, BATCH))):
                receipt.discovered += len(paths)
                on_progress(receipt)
                _Importer(archive, receipt, assess).take(paths)
                on_progress(receipt)
            ended = _ending(receipt) if not stopped() else ended
        finally:
            receipt.exit_reason, receipt.explanation = ended
            receipt.finished_at = datetime.now(UTC)
            archive.finish_run(receipt, {}, [])
    return receipt


def _ending(receipt: Receipt) -> tuple[ExitReason, str]:
    if receipt.refused:
        return ExitReason.PARTLY_FAILED, f"{len(receipt.refused)} files were refused; the others are in the archive"
    if not receipt.finds:
        suffixes = " or ".join(sorted(SUFFIXES))
        return ExitReason.NOTHING_DISCOVERED, f"no file with a name that ends in {suffixes} was found"
    if receipt.finds == receipt.outcomes[Outcome.UNCHANGED]:
        return ExitReason.NOTHING_NEW, "the archive holds all of them"
    return ExitReason.DONE, "every file is in the archive"


class _Importer:
    """One batch of files."""

    def __init__(self, archive: Archive, receipt: Receipt, assess: Assess) -> None:
        self._archive = archive
        self._receipt = receipt
        self._assess = assess

    def take(self, paths: Sequence[Path]) -> None:
        """Read, judge and store."""
        batch = _Batch()
        for path in paths:
            try:
                self._read(path, batch)
            except FrontMatterError as error:
                self._refuse(path, str(error))
            except OSError as error:
                self._refuse(path, f"{path} cannot be read: {error.strerror}")
        self._store(batch)

    def _read(self, path: Path, batch: _Batch) -> None:
        data = _bytes(path)
        text = _decoded(data, path)
        if looks_plain(text):
            document = loads_plain(text, file=str(path))
            self._count_dialect("plain_text")
            first, _, _ = batch.texts.setdefault(_plain_id(document), (path, data, document))
        else:
            read = loads(text, file=str(path))
            article, crawled_at = article_of(read, file=str(path))
            self._count_dialect(read.dialect)
            self._receipt.comments_dropped += read.comment_count
            first, _, twin, _ = batch.articles.setdefault(article.id, (path, data, article, crawled_at))
            if twin.content_hash != article.content_hash:
                raise FrontMatterError(
                    f"{first} in this import is another text of {article.id}", line=1, file=str(path)
                )
        if first != path:
            self._count(Outcome.UNCHANGED)

    def _store(self, batch: _Batch) -> None:
        known = self._archive.known([*batch.articles, *batch.texts])
        articles = [article for _, _, article, _ in batch.articles.values()]
        hashes = [text_hash(document.body) for _, _, document in batch.texts.values()]
        same_content, same_text = self._archive.same_text(
            [a.content_hash for a in articles], [*(a.text_hash for a in articles), *hashes]
        )
        results = []
        for id_, (path, data, article, crawled_at) in batch.articles.items():
            result = self._judge(path, article, crawled_at, known.get(id_), same_content, same_text)
            if result is None:
                continue
            if result.revision_kind is not None:
                same_content.setdefault(article.content_hash, id_)
                same_text.setdefault(article.text_hash, id_)
            results.append(self._captured(result, path, data))
        texts = [
            self._text_of(id_, path, data, document)
            for id_, (path, data, document) in batch.texts.items()
            if not self._is_known_text(id_, document, known, same_text)
        ]
        self._archive.store(self._receipt.run_id, results, (), texts)
        for result in results:
            self._count(result.outcome)
        self._count(Outcome.NEW, len(texts))

    def _judge(
        self,
        path: Path,
        article: Article,
        crawled_at: datetime,
        known: Known | None,
        same_content: dict[str, str],
        same_text: dict[str, str],
    ) -> FindResult | None:
        """The result for one document; None where it is refused."""
        ref = ArticleRef(
            article.key, article.url, f"import:{_shown(path.name)}", self._receipt.started_at, title=article.title
        )
        if known is not None and _is_held(known):
            if known.status is Status.IMPORTED and known.content_hash != article.content_hash:
                self._refuse(path, f"{path}: the archive holds another imported text of {article.id}")
                return None
            return FindResult(ref, Outcome.UNCHANGED, "the archive holds this article", known=True)
        first = same_content.get(article.content_hash) or same_text.get(article.text_hash)
        if article.body.strip() and first is not None and first != article.id:
            by = "content_hash" if article.content_hash in same_content else "text_hash"
            reason = f"the text of {first}"
            return FindResult(
                ref,
                Outcome.DUPLICATE,
                reason,
                self._assess(article.title, article.body).relevance,
                article=article,
                duplicate_of=first,
                matched_by=by,
                crawled_at=crawled_at,
            )
        return FindResult(
            ref,
            Outcome.NEW,
            f"imported from {_shown(path.name)}",
            self._assess(article.title, article.body).relevance,
            article=article,
            revision_kind=RevisionKind.IMPORTED,
            revision=(known.revision if known else 0) + 1,
            crawled_at=crawled_at,
            found_at=self._receipt.started_at,
        )

    def _captured(self, result: FindResult, path: Path, data: bytes) -> FindResult:
        if result.outcome is Outcome.UNCHANGED:
            return result
        return replace(result, capture=self._archive.capture_file(_shown(path.name), data, self._receipt.started_at))

    def _is_known_text(
        self, id_: str, document: PlainDocument, known: dict[str, Known], same_text: dict[str, str]
    ) -> bool:
        if id_ in known or text_hash(document.body) in same_text:
            self._count(Outcome.UNCHANGED)
            return True
        return False

    def _text_of(self, id_: str, path: Path, data: bytes, document: PlainDocument) -> PlainText:
        """A text without an address. It has no file of its own: the format has no place for it."""
        return PlainText(
            id=id_,
            body=document.body,
            published_at=datetime.combine(document.date, time(), SEOUL),
            source=f"import:{_shown(path.name)}",
            parser=PARSER,
            relevance=self._assess("", document.body).relevance,
            capture=self._archive.capture_file(_shown(path.name), data, self._receipt.started_at),
        )

    def _refuse(self, path: Path, reason: str) -> None:
        self._receipt.refused[_shown(str(path))] = _shown(reason)
        self._count(Outcome.FAILED)

    def _count_dialect(self, dialect: str) -> None:
        self._receipt.dialects[dialect] = self._receipt.dialects.get(dialect, 0) + 1

    def _count(self, outcome: Outcome, number: int = 1) -> None:
        self._receipt.outcomes[outcome] += number


def _is_held(known: Known) -> bool:
    """Whether the archive has the text. A find that was off topic, failed or is gone says nothing against a file."""
    return known.status in (Status.ARCHIVED, Status.IMPORTED) or known.state is Outcome.DUPLICATE


def article_of(document: Document, *, file: str) -> tuple[Article, datetime]:
    """The article that a document tells of, and when it was crawled. Raises FrontMatterError for a wrong hash."""
    body = document.body
    if content_hash(body) != document.content_hash:
        raise FrontMatterError(
            "content_hash is not that of the body: the file was altered after it was written", line=1, file=file
        )
    article = Article(
        key=document.key,
        title=document.title,
        body=body,
        publisher=document.publisher,
        published_at=document.published_at,
        parser=PARSER,
        byline=document.author,
        authors=parse_byline(document.author),
        categories=tuple(part for part in document.category.split(", ") if part),
    )
    return article, document.crawled_at


def _files(order: ImportOrder) -> Iterator[Path]:
    """The files that the paths name, folders walked in order of names. Raises BadInput for a path that is none."""
    inside = order.archive.resolve()
    for path in order.paths:
        if not path.exists():
            raise BadInput(f"{path} does not exist: name files, or folders that hold .md and .txt files.")
        if path.resolve().is_relative_to(inside):
            raise BadInput(f"{path} lies inside the archive {order.archive}: import takes files from elsewhere.")
    return (file for path in order.paths for file in _below(path, inside))


def _below(path: Path, archive: Path) -> Iterator[Path]:
    """The files of a folder and its folders, one folder's names in memory at a time; the archive's own left out."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if (Path(folder) / name).resolve() != archive)
        yield from (Path(folder) / name for name in sorted(names) if Path(name).suffix in SUFFIXES)


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        raise FrontMatterError("it is no file that can be read", line=1, file=str(path))
    size = path.stat().st_size
    if not 0 < size <= LARGEST:
        reason = f"the file has {size:,} bytes, more than {LARGEST:,}" if size else "the file is empty"
        raise FrontMatterError(reason, line=1, file=str(path))
    return path.read_bytes()


def _decoded(data: bytes, path: Path) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FrontMatterError(f"byte {error.start} is not UTF-8", line=line, file=str(path)) from error


def _shown(name: str) -> str:
    """A file's name as text: bytes in it that are not UTF-8, which a name may have, as `\\xff`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _plain_id(document: PlainDocument) -> str:
    return f"text_{content_hash(document.body)[:16]}"
