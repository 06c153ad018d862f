"""The cost of parsing an article from a captured page, compared with building the Lexbor tree of the whole page.

    python benchmarks/parsing.py [--captures DIR] [--rounds N]

Columns: the minimum and median time of a round in ms, and the ratio of the median to that of the tree. All parsers are
timed alternately, so that a slow phase of the machine affects all of them. Other parsers (lxml, beautifulsoup4,
trafilatura) are measured if they are installed; they only read title and body, less than `parse_article`. The ratio
says little for an excerpt of a few KB, where fixed costs dominate.

The last lines sum up, for today's layouts and for the retired ones (read.nhn, read.naver). A retired page that is kept
as UTF-8 is also measured as it was sent, in cp949. Lexbor reads UTF-8 only: the tree of a page in cp949 includes
decoding.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from selectolax.lexbor import LexborHTMLParser

from flows.naver.articles.layouts import parse_article, parse_whole_page
from flows.naver.decoding import as_utf8, encoding_of

CAPTURES = Path(__file__).resolve().parents[1].parent / "shared" / "captures"
SLOW = 0.02  # seconds per call from which a tenth of the rounds is enough
TITLE_AND_BODY = {
    "dic_area": ("h2.media_end_head_headline", "#dic_area"),
    "": ("#articleTitle", "#articleBodyContents"),
}

RETIRED = b'id="articleBodyContents"'
WANTED = {False: 0.6, True: 1.2}
"""How much of the trees' time all fields may take, in today's layouts and in retired ones."""

Way = Callable[[], object]


def pages(folder: Path) -> list[tuple[str, str, bytes]]:
    """Name, URL and bytes of each captured article with a body."""
    found = []
    for path in sorted(folder.glob("*article_[0-9]*.html*")):
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        key = re.search(r"_([0-9]{3})_([0-9]{10})_", path.name)
        if key and (b'id="dic_area"' in content or RETIRED in content):
            url = f"https://n.news.naver.com/mnews/article/{key[1]}/{key[2]}"
            found.append((path.name.split(".")[0], url, content))
            if RETIRED in content and encoding_of(content) == "utf-8":
                sent = content.decode().encode("cp949", "xmlcharrefreplace")
                found.append((f"{key[0][1:-1]} as cp949, as it was sent", url, sent))
    return found


def selectors(content: bytes) -> tuple[str, str]:
    return TITLE_AND_BODY["dic_area" if b'id="dic_area"' in content else ""]


def whole_tree(content: bytes) -> LexborHTMLParser:
    encoding = encoding_of(content)
    return LexborHTMLParser(content if encoding == "utf-8" else as_utf8(content, encoding))


def selectolax_way(content: bytes) -> Way:
    title, body = selectors(content)

    def read() -> object:
        tree = whole_tree(content)
        return [node.text() for node in (tree.css_first(title), tree.css_first(body)) if node is not None]

    return read


def lxml_way(content: bytes) -> Way:
    from lxml import html

    _, body = selectors(content)

    def read() -> object:
        tree = html.fromstring(content)
        return [node.text_content() for node in tree.xpath(f'//*[@id="{body[1:]}"]')], tree.findtext(".//title")

    return read


def soup_way(content: bytes) -> Way:
    from bs4 import BeautifulSoup

    title, body = selectors(content)

    def read() -> object:
        tree = BeautifulSoup(content, "html.parser")
        return [node.get_text() for node in (tree.select_one(title), tree.select_one(body)) if node]

    return read


def trafilatura_way(content: bytes) -> Way:
    import trafilatura

    return lambda: trafilatura.bare_extraction(content)


PEERS = {
    "lxml, title and body": ("lxml", lxml_way),
    "BeautifulSoup, title and body": ("bs4", soup_way),
    "trafilatura": ("trafilatura", trafilatura_way),
}


def ways(content: bytes, url: str) -> dict[str, Way | None]:
    """Every parser to be timed; None if it is not installed."""
    ours: dict[str, Way | None] = {
        "Lexbor, whole tree": lambda: whole_tree(content),
        "seogo, all fields": lambda: parse_article(content, url),
        "seogo, all fields, whole page": lambda: parse_whole_page(content, url),
        "selectolax, title and body": selectolax_way(content),
    }
    for label, (module, way) in PEERS.items():
        ours[label] = way(content) if importlib.util.find_spec(module) else None
    return ours


def seconds(way: Way) -> float:
    began = time.perf_counter()
    way()
    return time.perf_counter() - began


def measure(timed: dict[str, Way], rounds: int) -> dict[str, list[float]]:
    """Seconds of each round; all parsers alternate, slow ones take part only in every tenth round."""
    times: dict[str, list[float]] = {label: [] for label in timed}
    slow = {label for label, way in timed.items() if min(seconds(way), seconds(way)) > SLOW}
    for number in range(rounds):
        for label, way in timed.items():
            if label not in slow or number % 10 == 0:
                times[label].append(seconds(way))
    return times


def report(name: str, content: bytes, url: str, rounds: int) -> tuple[float, float]:
    """Print the table of a page. Returns the median seconds of the tree and of seogo."""
    every = ways(content, url)
    times = measure({label: way for label, way in every.items() if way is not None}, rounds)
    tree = statistics.median(times["Lexbor, whole tree"])
    print(f"\n{name} ({len(content):,} bytes)")
    print(f"  {'':32}{'min ms':>10}{'median ms':>12}{'of the tree':>13}")
    for label in every:
        if label not in times:
            print(f"  {label:32}{'not installed':>22}")
            continue
        least, middle = min(times[label]), statistics.median(times[label])
        print(f"  {label:32}{least * 1e3:10.3f}{middle * 1e3:12.3f}{middle / tree:13.2f}")
    return tree, statistics.median(times["seogo, all fields"])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--captures", type=Path, default=CAPTURES)
    options.add_argument("--rounds", type=int, default=200)
    chosen = options.parse_args()
    found = pages(chosen.captures)
    if not found:
        sys.exit(f"no captured article in {chosen.captures}: give their folder with --captures")
    medians = [(RETIRED in content, *report(name, content, url, chosen.rounds)) for name, url, content in found]
    print()
    for retired, layouts in ((False, "today's layouts"), (True, "retired layouts")):
        trees, ours = (sum(one[at] for one in medians if one[0] is retired) * 1e3 for at in (1, 2))
        if trees:
            print(
                f"{layouts}: trees {trees:.3f} ms, seogo {ours:.3f} ms: {ours / trees:.2f} of the trees"
                f" (wanted: at most {WANTED[retired]})"
            )


if __name__ == "__main__":
    main()
