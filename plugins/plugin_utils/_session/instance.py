# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances and out parameters as they came over the wire. Private to this collection."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TypeAlias

from .errors import InvalidAnswerError


@dataclass(frozen=True)
class Reference:
    """A reference to an instance (``a:EndpointReference``): its resource URI and keys."""

    resource_uri: str
    selectors: Mapping[str, str]


Value: TypeAlias = "str | Reference | None"

_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?")
_DMTF = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\.(\d{6})([+-]\d{3})")
#: What Windows says for "never" (facts: FILETIME 0).
_NEVER = datetime(1601, 1, 1, tzinfo=timezone.utc)


def parse_datetime(text: str) -> datetime | None:
    """A CIM datetime, in the ISO 8601 form of WS-Management or as DMTF string (DSP0004), in UTC; None for "never".

    :raises ValueError: It is neither.
    """
    match = _ISO.fullmatch(text.strip())
    if match:
        zone = match[8] or "Z"
        minutes = 0 if zone == "Z" else int(zone[0] + "1") * (int(zone[1:3]) * 60 + int(zone[4:6]))
    else:
        match = _DMTF.fullmatch(text.strip())
        if not match:
            raise ValueError(f"{text!r} is not a CIM datetime")
        minutes = int(match[8])
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    microsecond = int((match[7] or "0")[:6].ljust(6, "0"))
    local = datetime(year, month, day, hour, minute, second, microsecond, tzinfo=timezone.utc)
    if local - _NEVER < timedelta(days=1):
        return None
    try:
        return local - timedelta(minutes=minutes)
    except OverflowError as error:
        raise ValueError(f"{text!r} is beyond the end of time") from error


class Instance(Mapping[str, "Value | list[Value]"]):
    """Properties by name, in any case. NULL is None; a repeated element is a list, and one element may still be an array."""

    def __init__(self, class_name: str, values: Mapping[str, Value | list[Value]]) -> None:
        self.class_name = class_name
        self._values = {name.lower(): value for name, value in values.items()}

    def __getitem__(self, name: str) -> Value | list[Value]:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def _values_of(self, name: str) -> list[Value]:
        value = self._values.get(name.lower())
        return value if isinstance(value, list) else [value]

    def texts(self, name: str) -> list[str]:
        """A string array; empty for NULL or a property that is not there."""
        return [value for value in self._values_of(name) if isinstance(value, str)]

    def text(self, name: str) -> str | None:
        """A string; None for NULL or a property that is not there."""
        return next(iter(self.texts(name)), None)

    def integers(self, name: str) -> list[int]:
        """An array of integers.

        :raises InvalidAnswerError: A value is not an integer.
        """
        try:
            return [int(value) for value in self.texts(name)]
        except ValueError as error:
            raise self._invalid(name, "an integer") from error

    def integer(self, name: str) -> int | None:
        """An integer; None for NULL or a property that is not there.

        :raises InvalidAnswerError: The value is not an integer.
        """
        return next(iter(self.integers(name)), None)

    def boolean(self, name: str) -> bool | None:
        """A boolean; None for NULL or a property that is not there.

        :raises InvalidAnswerError: The value is not a boolean.
        """
        text = self.text(name)
        if text is None:
            return None
        lowered = text.strip().lower()
        if lowered not in ("true", "false"):
            raise self._invalid(name, "a boolean")
        return lowered == "true"

    def datetime(self, name: str) -> datetime | None:
        """A moment in UTC; None for NULL, "never" or a property that is not there.

        :raises InvalidAnswerError: The value is not a datetime.
        """
        text = self.text(name)
        if text is None:
            return None
        try:
            return parse_datetime(text)
        except ValueError as error:
            raise self._invalid(name, "a datetime") from error

    def reference(self, name: str) -> Reference | None:
        """A reference to an instance; None for NULL or a property that is not there."""
        return next((value for value in self._values_of(name) if isinstance(value, Reference)), None)

    def _invalid(self, name: str, kind: str) -> InvalidAnswerError:
        return InvalidAnswerError(f"{self.class_name or 'the answer'} has a {name} that is not {kind}")
