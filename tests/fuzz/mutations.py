"""Mutations of valid documents: cut, spliced, repeated, nested, with odd values in place of valid ones.

`mutate` takes its decisions from `choose`, so that hypothesis, atheris or `random` can make them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

Choose = Callable[[int], int]
"""A number from 0 to n - 1."""

LARGEST = 100_000

ODD_TEXTS = (
    b"",
    b"\x00",
    b"\x01\x08\x0b\x1b\x7f",
    b"\xff\xfe",
    b"\xed\xa0\x80",  # an encoded surrogate, as careless programs write it
    b"\xf4\x90\x80\x80",
    b"\xb0\xa1\xb3",  # cp949, and an incomplete character
    b"\\ud800",
    b"\\udfff\\ud800",
    b"\\u0000",
    b"&#xD800;&#0;&#x110000;&#99999999999;&ampamp;",
    "\u2028\u2029\x85\ufeff\u200b\u202e".encode(),
    "가\u0315\u0300\u0344".encode() * 50,
    "\U0010ffff\ufffe".encode(),
    b"\r\n\r",
    b" " * 300,
    b"---\n",
    b"'\"`=<>",
    b"%00%2e%2e/../\\",
)
ODD_NUMBERS = (b"0", b"-1", b"9" * 20, b"9" * 400, b"9" * 5000, b"1e999", b"-1e-999", b"NaN", b"0x10", "١٢٣".encode())
ODD_TIMES = (
    b"0000-00-00 00:00:00",
    b"0001-01-01 00:00:00",
    b"9999-12-31 23:59:59",
    b"2026-02-30 25:61:61",
    "0001.1.1. 오전 12:00".encode(),
    "9999.12.31. 오후 11:59".encode(),
    b"Fri, 31 Dec 9999 23:59:59 -2359",
    b"Mon, 01 Jan 0001 00:00:00 +2359",
    b"Thu, 32 Foo 99999999999 99:99:99 +99999999",
    b"2026-01-01T00:00:00+99:99",
)
ODD_JSON = (
    b"null",
    b"true",
    b"[]",
    b"{}",
    b'"\\ud800"',
    b'"\\u0000"',
    b"1e999",
    b"-0",
    b'[{"name": [[]]}]',
    b'{"":{}}',
)
MARKUP = (
    b"<table>",
    b"<td>",
    b"</div>",
    b"<b>",
    b"<a href='http://[::'>",
    b"<script>",
    b"</script>",
    b"<!--",
    b"-->",
    b"<template>",
    b"<svg><style>",
    b"<plaintext>",
    b"<select>",
    b"<br><br>",
    b"<html class=x>",
    b"]]>",
    b"<",
    b">",
    b'"',
    b"'",
)
NESTING = (b"<div>", b"<b>", b"<p><i a>", b"<table><td>", b"<ul><li>", b"[", b'{"a":', b"- ", b"&amp;", b"<svg>")
ODD = (*ODD_TEXTS, *ODD_NUMBERS, *ODD_TIMES, *MARKUP)

_QUOTED = re.compile(rb"\"[^\"\n]{0,200}\"|'[^'\n]{0,200}'")
_NUMBER = re.compile(rb"[0-9]+(?:[-.: ][0-9]+)*")
_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_-]{2,}")


def mutate(data: bytes, others: Sequence[bytes], choose: Choose) -> bytes:
    """Apply one to four mutations to `data`; `others` are documents to splice from."""
    for _ in range(1 + choose(4)):
        step = _STEPS[choose(len(_STEPS))]
        data = step(data, others, choose)[:LARGEST]
    return data


def _place(data: bytes, choose: Choose) -> int:
    return choose(len(data) + 1)


def _span(data: bytes, choose: Choose) -> tuple[int, int]:
    start = _place(data, choose)
    return start, min(len(data), start + 1 + choose(1 << (1 + choose(12))))


def _cut(data: bytes, _others: Sequence[bytes], choose: Choose) -> bytes:
    return data[: _place(data, choose)]


def _drop(data: bytes, _others: Sequence[bytes], choose: Choose) -> bytes:
    start, end = _span(data, choose)
    return data[:start] + data[end:]


def _double(data: bytes, _others: Sequence[bytes], choose: Choose) -> bytes:
    start, end = _span(data, choose)
    return data[:start] + data[start:end] * (2 + choose(20)) + data[end:]


def _splice(data: bytes, others: Sequence[bytes], choose: Choose) -> bytes:
    other = others[choose(len(others))]
    start, end = _span(other, choose)
    at = _place(data, choose)
    return data[:at] + other[start:end] + data[at:]


def _insert(data: bytes, _others: Sequence[bytes], choose: Choose) -> bytes:
    at = _place(data, choose)
    return data[:at] + ODD[choose(len(ODD))] + data[at:]


def _spoil(data: bytes, _others: Sequence[bytes], choose: Choose) -> bytes:
    at = choose(len(data)) if data else 0
    return data[:at] + bytes([choose(256)]) + data[at + 1 :]


def _nest(data: bytes, _others: Sequence[bytes], choose: Choose) -> bytes:
    at = _place(data, choose)
    return data[:at] + NESTING[choose(len(NESTING))] * (1 << choose(13)) + data[at:]


def _swap(pattern: re.Pattern[bytes], data: bytes, choose: Choose, odd: Sequence[bytes]) -> bytes:
    """Replace a match by something odd or by another match."""
    found = [match.span() for match in pattern.finditer(data)]
    if not found:
        return data
    start, end = found[choose(len(found))]
    other = found[choose(len(found))]
    pick = choose(len(odd) * 2)
    return data[:start] + (odd[pick] if pick < len(odd) else data[slice(*other)]) + data[end:]


def _swap_quoted(data: bytes, _others: Sequence[bytes], choose: Choose) -> bytes:
    quoted = tuple(b'"' + text + b'"' for text in ODD)
    return _swap(_QUOTED, data, choose, ODD_JSON if choose(2) else quoted)


def _swap_number(data: bytes, _others: Sequence[bytes], choose: Choose) -> bytes:
    return _swap(_NUMBER, data, choose, (*ODD_NUMBERS, *ODD_TIMES))


def _swap_name(data: bytes, _others: Sequence[bytes], choose: Choose) -> bytes:
    return _swap(_NAME, data, choose, ODD_TEXTS)


_STEPS = (
    _cut,
    _drop,
    _double,
    _splice,
    _insert,
    _insert,
    _spoil,
    _nest,
    _swap_quoted,
    _swap_quoted,
    _swap_number,
    _swap_name,
)
