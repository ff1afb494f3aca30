# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The characters of a script, one after the other."""

from __future__ import annotations

import re

from lab.powershell.errors import ParseError

_WORD = re.compile(r"[A-Za-z_]\w*")
_BLANK = re.compile(r"(?:[ \t\f\v\u00a0]|`\r?\n|<\#.*?\#>)+", re.S)


class Reader:
    """A position in a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def _peek(self, length: int = 1) -> str:
        return self._text[self._at : self._at + length]

    def _ahead(self, token: str) -> bool:
        return self._text.startswith(token, self._at)

    def _take(self, token: str) -> bool:
        if self._ahead(token):
            self._at += len(token)
            return True
        return False

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise ParseError(f"'{token}' is missing {self._where()}")

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        return pattern.match(self._text, self._at)

    def _where(self) -> str:
        line = self._text.count("\n", 0, self._at) + 1
        return f"at line {line}, before {self._text[self._at : self._at + 30]!r}"

    def _unexpected(self) -> ParseError:
        return ParseError(f"Unexpected token {self._where()}")

    def _blanks(self) -> None:
        """Skip spaces, continued lines and comments, but no end of line."""
        while True:
            found = self._match(_BLANK)
            if found:
                self._at = found.end()
            elif self._peek() == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            else:
                return

    def _lines(self, also: str = "") -> None:
        """Skip blanks and ends of lines."""
        while True:
            self._blanks()
            if self._peek() and self._peek() in "\r\n" + also:
                self._at += 1
            else:
                return

    def _word(self) -> str:
        found = self._match(_WORD)
        return found[0].lower() if found else ""

    def _take_word(self, word: str) -> bool:
        if self._word() == word:
            self._at += len(word)
            return True
        return False
