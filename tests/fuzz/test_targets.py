# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Samples damaged in many ways, by hypothesis: the same at each run. `make fuzz` lets coverage find more."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.targets import TARGETS

_EXAMPLES = 1000
#: Pieces that a change may swallow, double, exchange or misplace: tags, words, and what is between them.
_PIECE = re.compile(rb"<[^<>]*>|\w+|\s+|.", re.DOTALL)
_FOREIGN = [
    *(
        b"",
        b"<",
        b">",
        b"/>",
        b"&",
        b"&#0;",
        b"&x;",
        b"]]>",
        b"<![CDATA[",
        b"<!DOCTYPE a>",
        b"<!--",
        b"<?a?>",
        b"'",
        b'"',
        b"\\",
    ),
    *(b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"\r\n", b"%", b"NULL", b"NOT", b"(", b")", b"0x", b"-1", b"1e999"),
    *(b"9" * 5000, b"9999-12-31T23:59:59-99:99", b"<a>" * 70, b'xmlns="urn:a"', b'xsi:nil="true"', b'encoding="utf-7"'),
    *("\N{ARABIC-INDIC DIGIT THREE}".encode(), "\N{FULLWIDTH APOSTROPHE}".encode(), b"\f", b"_", b"+"),
]


@st.composite
def damaged(draw: st.DrawFn, samples: list[bytes]) -> bytes:
    """One of the samples, after a few changes."""
    pieces = _PIECE.findall(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(0, 8))):
        if not pieces:
            break
        at = draw(st.integers(0, len(pieces) - 1))
        other = draw(st.one_of(st.sampled_from(pieces), st.sampled_from(_FOREIGN), st.binary(max_size=8)))
        length = draw(st.sampled_from([0, 1, 1, 2, len(pieces)]))
        pieces[at : at + length] = [other]
    return b"".join(pieces)


@pytest.mark.parametrize(("target", "samples"), TARGETS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_damaged(target: Callable[[bytes], None], samples: list[bytes]) -> None:
    for sample in samples:
        target(sample)

    @settings(max_examples=_EXAMPLES)
    @given(damaged(samples))
    def examine(data: bytes) -> None:
        target(data)

    examine()


@pytest.mark.parametrize("target", TARGETS, ids=lambda value: value.__name__)
def test_any_bytes(target: Callable[[bytes], None]) -> None:
    @settings(max_examples=_EXAMPLES)
    @given(st.binary() | st.text().map(str.encode))
    def examine(data: bytes) -> None:
        target(data)

    examine()
