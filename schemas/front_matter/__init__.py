"""The Markdown file format of the archive: front matter and text.

document.py   Document, loads, dumps, from_article: reads and writes a whole file
header.py     reads the front matter: the order of the keys, their values, and errors with line and key
body.py       where the body ends, and whether a file is escaped
styles.py     the two styles of writing values, `seed` and `strict`, as codecs
"""

from schemas.front_matter.document import Document, dumps, from_article, in_style, loads

__all__ = ["Document", "dumps", "from_article", "in_style", "loads"]
