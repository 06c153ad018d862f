"""Decode the bytes of a page.

Today's pages are UTF-8; retired ones and lists are cp949 (declared as euc-kr), and copies of retired pages were often
stored as UTF-8 with the old declaration. So the bytes decide, never the declaration.
"""

from __future__ import annotations

import codecs

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SAMPLE = 4096
_REPLACED = "\ufffd"


def decode(content: bytes) -> str:
    """The text of a page. Undecodable bytes become U+FFFD; never raises."""
    return content.decode(encoding_of(content), "replace")


def as_utf8(content: bytes, encoding: str) -> bytes:
    """The page in UTF-8, with U+FFFD for undecodable bytes. Valid UTF-8 is returned unchanged.

    Lexbor works on UTF-8, so decoding and encoding a UTF-8 page would be wasted time.
    """
    if encoding == "utf-8":
        try:
            content.decode()
        except UnicodeDecodeError:
            return content.decode(encoding, "replace").encode()
        return content
    return content.decode(encoding, "replace").encode()


def encoding_of(content: bytes) -> str:
    """The encoding by the byte-order mark, else UTF-8 or cp949, whichever has fewer errors in the page's beginning.

    The rest of the page is examined only if the beginning is plain ASCII, so a few damaged bytes do not decide.
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
    # An incremental decoder does not count a character that the end of the sample cuts in two.
    return codecs.getincrementaldecoder(encoding)("replace").decode(sample).count(_REPLACED)
