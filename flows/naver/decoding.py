"""Bytes of a page to text.

Today's pages are UTF-8; the old ones and the lists are cp949 (which they call euc-kr), and copies of old pages were
often stored as UTF-8 without a change to what they declare. So the bytes decide, never the declaration.
"""

from __future__ import annotations

import codecs

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SAMPLE = 4096
_REPLACED = "\ufffd"


def decode(content: bytes) -> str:
    """The text of a page. What cannot be decoded becomes U+FFFD; never raises."""
    return content.decode(encoding_of(content), "replace")


def as_utf8(content: bytes, encoding: str) -> bytes:
    """The page in UTF-8, what cannot be decoded as U+FFFD: the very bytes where they are good UTF-8 already.

    Lexbor works on UTF-8: handing it a text would mean to decode and encode the whole page for nothing.
    """
    if encoding == "utf-8":
        try:
            content.decode()
        except UnicodeDecodeError:
            return content.decode(encoding, "replace").encode()
        return content
    return content.decode(encoding, "replace").encode()


def encoding_of(content: bytes) -> str:
    """The encoding that reads the beginning of the page with the fewest faults: a byte-order mark, UTF-8, or cp949.

    Only the beginning is looked at, unless it is plain ASCII: a few damaged bytes far down do not change the answer.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    sample = content[:_SAMPLE]
    if sample.isascii():
        sample = content
    faults = _faults(sample, "utf-8")
    return "cp949" if faults and _faults(sample, "cp949") < faults else "utf-8"


def _faults(sample: bytes, encoding: str) -> int:
    # An incremental decoder waits for the rest of a character that the sample cuts in two.
    return codecs.getincrementaldecoder(encoding)("replace").decode(sample).count(_REPLACED)
