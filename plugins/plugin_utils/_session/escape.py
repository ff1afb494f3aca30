# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way in which text gets into XML and into WQL. Private to this collection."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

# XML 1.0 (fifth edition), section 2.2: every character that is not a Char.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(value: str) -> str:
    """Text as XML character data or a quoted attribute value.

    :raises ValueError: The text holds a character that XML 1.0 cannot carry.
    """
    if _NOT_XML.search(value):
        raise ValueError("the text holds a control character that XML cannot carry")
    return escape(value, {'"': "&quot;", "'": "&apos;", "\r": "&#13;"})


def wql_literal(value: str | int | bool) -> str:
    r"""A value as a WQL literal: quoted text with ``\`` and ``'`` escaped, a number, or TRUE and FALSE.

    Source: Microsoft, WQL (SQL for WMI), "WHERE clause": a backslash escapes a backslash and a quotation mark.
    """
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
