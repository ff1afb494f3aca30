# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parsing of XML that the network sent: no document types, no entities, bounded depth. Private to this collection."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from .errors import InvalidAnswerError

#: Deeper than any WS-Management answer (the deepest recorded has 10 levels).
MAX_DEPTH = 64


class _Builder(ET.TreeBuilder):
    """Refuses what no WS-Management answer has: a document type (and with it every entity), and endless nesting."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise InvalidAnswerError("the answer holds a document type declaration, which WS-Management does not allow")

    def start(self, tag: str, attrs: dict[str, str]) -> ET.Element:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise InvalidAnswerError(f"the answer is nested more than {MAX_DEPTH} levels deep")
        return super().start(tag, attrs)

    def end(self, tag: str) -> ET.Element:
        self._depth -= 1
        return super().end(tag)


def parse(data: bytes | str) -> ET.Element:
    """The root element of a document.

    :raises InvalidAnswerError: It is not well-formed, holds a document type or is nested too deep.
    """
    parser = ET.XMLParser(target=_Builder())
    try:
        parser.feed(data)
        root: ET.Element = parser.close()
    except (ET.ParseError, ValueError, LookupError) as error:
        # ValueError and LookupError: a declared encoding that is wrong or unknown.
        raise InvalidAnswerError(f"the answer is not well-formed XML ({error})") from error
    return root


def local_name(tag: str) -> str:
    """The name of an element without its namespace."""
    return tag.rpartition("}")[2]
