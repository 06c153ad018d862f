"""An import: the files of an older archive as records. The files are checked and never changed.

Both kinds of the existing archive are read: documents with front matter, and plain text behind a date. Each file is
captured as it is and its `content_hash` is checked. What it says is stored with the author trimmed, entities unescaped
if the document's dialect has any, times with their zone, and without comments. If a crawl finds an imported article
later, the page's richer text replaces the imported one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from pathlib import Path

from flows.naver.articles.bylines import parse_byline
from flows.pipeline.judge import Assess, assess_by
from flows.runs.lifecycle import OnProgress, Order, Run, ignore_progress, open_for_run, utc_now
from schemas.article import SEOUL, Article, ArticleRef, Outcome, content_hash, text_hash
from schemas.counted import counted
from schemas.errors import BadInput, FrontMatterError
from schemas.find import FindResult, Known, PlainText, RevisionKind, Status
from schemas.front_matter import Document, loads
from schemas.plain_text import PlainDocument, loads_plain, looks_plain
from schemas.receipt import ExitReason, Receipt
from storage.archive import Archive

PARSER = "import/1"
BATCH = 256
BATCH_BYTES = 16 * 1024 * 1024
"""Bytes of the files in one batch: DuckDB keeps a transaction in its memory."""
SUFFIXES = frozenset({".md", ".txt"})
LARGEST = BATCH_BYTES
"""Bytes of the largest file that is imported. No article is nearly as large."""


@dataclass(frozen=True, slots=True)
class ImportOrder(Order):
    """Which files and folders to import. Texts are assessed by the topic, and imported however relevant they are."""

    paths: tuple[Path, ...]


def import_files(
    order: ImportOrder,
    *,
    on_progress: OnProgress = ignore_progress,
    stopped: Callable[[], bool] = lambda: False,
) -> Receipt:
    """Import, and return the receipt: `refused` says why each file that was not imported was not. Raises SeogoError.

    Once `stopped` returns true, the import ends after the batch that it is at.
    """
    files, number = _files(order), sum(1 for _ in _files(order))
    with open_for_run(order, "import", utc_now()) as (archive, receipt):
        run = Run(archive, receipt, on_progress)
        importer = _Importer(archive, receipt, assess_by(order.topic))
        receipt.discovered = number
        with run.recorded(_exit_reason):
            for paths in _batches(files):
                if stopped():
                    break
                on_progress(receipt)
                importer.store(paths)
                on_progress(receipt)
            run.interrupted = stopped()
    return receipt


def _exit_reason(receipt: Receipt, *, interrupted: bool, broken: bool) -> tuple[ExitReason, str]:
    if interrupted or broken:
        return ExitReason.INTERRUPTED, "ended before its last file; run it again to import the rest"
    if receipt.refused:
        refused = counted(len(receipt.refused), "file was", "files were")
        others = "the others are in the archive" if receipt.finds > len(receipt.refused) else "there were no others"
        return ExitReason.PARTLY_FAILED, f"{refused} refused; {others}"
    if not receipt.finds:
        suffixes = " or ".join(sorted(SUFFIXES))
        return ExitReason.NOTHING_DISCOVERED, f"no file with a name that ends in {suffixes} was found"
    if receipt.finds == receipt.outcomes[Outcome.UNCHANGED]:
        return ExitReason.NOTHING_NEW, "the archive has all of them"
    return ExitReason.DONE, "every file is in the archive"


@dataclass(slots=True)
class _Documents:
    """The documents of a batch by id. Of several with the same id, the first counts."""

    articles: dict[str, tuple[Path, bytes, Article, datetime]] = field(default_factory=dict)
    texts: dict[str, tuple[Path, bytes, PlainDocument]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Importer:
    """Imports files, a batch at a time."""

    archive: Archive
    receipt: Receipt
    assess: Assess

    def store(self, paths: Sequence[Path]) -> None:
        """Read, judge and store the files."""
        documents = _Documents()
        for path in paths:
            try:
                self._read(path, documents)
            except FrontMatterError as error:
                self._refuse(path, str(error))
            except OSError as error:
                self._refuse(path, f"{path} cannot be read: {error.strerror}")
        self._store(documents)

    def _read(self, path: Path, documents: _Documents) -> None:
        data = _bytes(path)
        text = _decoded(data, path)
        if looks_plain(text) or (path.suffix == ".txt" and not text.startswith("---")):
            document = loads_plain(text, file=str(path))
            self._count_dialect("plain_text")
            first, _, _ = documents.texts.setdefault(_plain_id(document), (path, data, document))
        else:
            read = loads(text, file=str(path))
            article, crawled_at = article_of(read, file=str(path))
            self._count_dialect(read.dialect)
            self.receipt.comments_dropped += read.comment_count
            first, _, twin, _ = documents.articles.setdefault(article.id, (path, data, article, crawled_at))
            if twin.content_hash != article.content_hash:
                raise FrontMatterError(
                    f"{first} in the same import is another text of {article.id}", line=1, file=str(path)
                )
        if first != path:
            self._count(Outcome.UNCHANGED)

    def _store(self, documents: _Documents) -> None:
        known = self.archive.known([*documents.articles, *documents.texts])
        articles = [article for _, _, article, _ in documents.articles.values()]
        hashes = [text_hash(document.body) for _, _, document in documents.texts.values()]
        same_content, same_text = self.archive.same_text(
            [a.content_hash for a in articles], [*(a.text_hash for a in articles), *hashes]
        )
        results = []
        for id_, (path, data, article, crawled_at) in documents.articles.items():
            result = self._judge(path, article, crawled_at, known.get(id_), same_content, same_text)
            if result is None:
                continue
            if result.revision_kind is not None:
                # Later copies in the same batch are duplicates of this one.
                same_content.setdefault(article.content_hash, id_)
                same_text.setdefault(article.text_hash, id_)
            results.append(self._captured(result, path, data))
        texts = [
            self._plain_text(id_, path, data, document)
            for id_, (path, data, document) in documents.texts.items()
            if not self._is_known(id_, document, known, same_text)
        ]
        self.archive.store(self.receipt.run_id, results, (), texts)
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
        """The result for a document; None if it is refused."""
        name = _printable(path.name)
        ref = ArticleRef(article.key, article.url, f"import:{name}", self.receipt.started_at, title=article.title)
        if known is not None and _has_text(known):
            if known.status is Status.IMPORTED and known.content_hash != article.content_hash:
                self._refuse(path, f"{path}: the archive has another imported text of {article.id}")
                return None
            return FindResult(ref, Outcome.UNCHANGED, "the archive has this article", known=True)
        relevance = self.assess(article.title, article.body).relevance
        first = same_content.get(article.content_hash) or same_text.get(article.text_hash)
        if article.body.strip() and first is not None and first != article.id:
            return FindResult(
                ref,
                Outcome.DUPLICATE,
                f"the text of {first}",
                relevance,
                article=article,
                duplicate_of=first,
                matched_by="content_hash" if article.content_hash in same_content else "text_hash",
                crawled_at=crawled_at,
            )
        return FindResult(
            ref,
            Outcome.NEW,
            f"imported from {name}",
            relevance,
            article=article,
            revision_kind=RevisionKind.IMPORTED,
            revision=(known.revision if known else 0) + 1,
            crawled_at=crawled_at,
            found_at=self.receipt.started_at,
        )

    def _captured(self, result: FindResult, path: Path, data: bytes) -> FindResult:
        if result.outcome is Outcome.UNCHANGED:
            return result
        capture = self.archive.capture_file(_printable(path.name), data, self.receipt.started_at)
        return replace(result, capture=capture)

    def _is_known(self, id_: str, document: PlainDocument, known: dict[str, Known], same_text: dict[str, str]) -> bool:
        if id_ in known or text_hash(document.body) in same_text:
            self._count(Outcome.UNCHANGED)
            return True
        return False

    def _plain_text(self, id_: str, path: Path, data: bytes, document: PlainDocument) -> PlainText:
        """A text without an address. It gets no Markdown file, since the format requires an address."""
        name = _printable(path.name)
        return PlainText(
            id=id_,
            body=document.body,
            published_at=datetime.combine(document.date, time(), SEOUL),
            source=f"import:{name}",
            parser=PARSER,
            relevance=self.assess("", document.body).relevance,
            capture=self.archive.capture_file(name, data, self.receipt.started_at),
        )

    def _refuse(self, path: Path, reason: str) -> None:
        self.receipt.refused[_printable(str(path))] = _printable(reason)
        self._count(Outcome.FAILED)

    def _count_dialect(self, dialect: str) -> None:
        self.receipt.dialects[dialect] = self.receipt.dialects.get(dialect, 0) + 1

    def _count(self, outcome: Outcome, number: int = 1) -> None:
        self.receipt.outcomes[outcome] += number


def _has_text(known: Known) -> bool:
    """Whether the archive has the text. An article that was off topic, failed or gone can still be imported."""
    return known.status in (Status.ARCHIVED, Status.IMPORTED) or known.state is Outcome.DUPLICATE


def article_of(document: Document, *, file: str) -> tuple[Article, datetime]:
    """The article in a document, and when it was crawled. Raises FrontMatterError if the hash is wrong."""
    body = document.body
    if content_hash(body) != document.content_hash:
        raise FrontMatterError(
            "content_hash is not that of the body: the file was changed after it was written", line=1, file=file
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
    """The files at the paths, folders walked in the order of names. Raises BadInput for a path that cannot be used."""
    inside = order.archive.resolve()
    for path in order.paths:
        if not path.exists():
            raise BadInput(f"{path} does not exist: name files, or folders with .md and .txt files.")
        if path.resolve().is_relative_to(inside):
            raise BadInput(f"{path} lies inside the archive {order.archive}: name files from elsewhere.")
    return (file for path in order.paths for file in _below(path, inside))


def _batches(files: Iterable[Path]) -> Iterator[list[Path]]:
    paths, total = list[Path](), 0
    for path in files:
        size = _size(path)
        if paths and (len(paths) == BATCH or total + size > BATCH_BYTES):
            yield paths
            paths, total = [], 0
        paths.append(path)
        total += size
    if paths:
        yield paths


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # it is refused when it is read
        return 0


def _below(path: Path, archive: Path) -> Iterator[Path]:
    """The files in a folder and below, without those of the archive. One folder's names are in memory at a time."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if (Path(folder) / name).resolve() != archive)
        yield from (Path(folder) / name for name in sorted(names) if Path(name).suffix in SUFFIXES)


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        raise FrontMatterError("it is not a regular file", line=1, file=str(path))
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


def _printable(name: str) -> str:
    """A file's name as text: bytes in it that are not UTF-8 become `\\xff`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _plain_id(document: PlainDocument) -> str:
    return f"text_{content_hash(document.body)[:16]}"
