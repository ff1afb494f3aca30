# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event log entries of AVMA, decoded. Private to this collection."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from . import hresults
from .licenses import format_time

#: "The client has processed an Automatic VM activation response from the parent partition." (SPP-manifest)
GUEST_EVENT = 12309
#: "An Automatic VM activation request has been processed." (SPP-manifest)
HOST_EVENT = 12310

#: HRESULT_FROM_WIN32(ERROR_INVALID_DATA) of winerror.h.
_INVALID_DATA = 0x8007000D

#: What came of the request, by HRESULT. The id is the same for success and failure (facts, section 4); AVMA-doc names the four
#: outcomes, and which HRESULT belongs to which is UNVERIFIED.
_OUTCOMES: Mapping[int, str] = {
    0: "success",
    hresults.IA_INVALID_VIRTUALIZATION_PLATFORM: "invalid_host",
    hresults.IA_PARENT_PARTITION_NOT_ACTIVATED: "invalid_host",
    hresults.IA_ID_MISMATCH: "denied",
    _INVALID_DATA: "invalid_data",
}

_HRESULT = re.compile(r"0x[0-9A-Fa-f]{1,8}|-?\d{1,10}")

_AGE = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Event:
    """An entry of the Application log: 12309 of a guest or 12310 of a host.

    :ivar strings: The insertion strings as logged; the first is the HRESULT, the contents of the second are not documented.
    :ivar hresult: None if the first string holds none.
    """

    id: int
    record: int | None
    time: datetime | None
    strings: tuple[str, ...]
    hresult: int | None

    @property
    def outcome(self) -> str:
        """``success``, ``invalid_host``, ``invalid_data``, ``denied`` or ``other``."""
        return "other" if self.hresult is None else _OUTCOMES.get(self.hresult, "other")

    def to_dict(self) -> dict[str, object]:
        """As the modules return it (RV(events))."""
        explained = None if self.hresult is None else hresults.explain(self.hresult)
        return {
            "id": self.id,
            "record": self.record,
            "time": format_time(self.time),
            "outcome": self.outcome,
            "hresult": explained.text if explained else None,
            "symbol": explained.symbol if explained else None,
            "strings": list(self.strings),
        }


def decode_event(event_id: int, record: int | None, time: datetime | None, strings: Sequence[str]) -> Event:
    """An entry from what the log holds of it."""
    match = _HRESULT.search(strings[0]) if strings else None
    # Always hexadecimal or decimal by its form: hr is written as 0x%08X (UNVERIFIED).
    hresult = int(match[0], 16 if match[0].startswith("0x") else 10) & 0xFFFFFFFF if match else None
    return Event(event_id, record, time, tuple(strings), hresult)


def parse_since(text: str, now: datetime) -> datetime:
    """A moment in UTC, from ISO 8601 (in UTC unless it has an offset) or from an age such as ``7d``.

    :param now: What an age counts from.
    :raises ValueError: It is neither.
    """
    age = _AGE.fullmatch(text.strip())
    try:
        if age:
            return now - timedelta(**{_UNITS[age[2]]: int(age[1])})
        # Before Python 3.11 it takes no Z.
        moment = datetime.fromisoformat(re.sub("[Zz]$", "+00:00", text.strip()))
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"{text!r} is no moment: write it as 2026-11-22T08:15:00Z, or as an age: a number and one of s, m, h, d, w"
        ) from error
