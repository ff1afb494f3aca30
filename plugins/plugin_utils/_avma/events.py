# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event log entries of AVMA, decoded. Private to this collection."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from . import hresults
from .licenses import format_time

#: "The client has processed an Automatic VM activation response from the parent partition." (SPP-manifest)
GUEST_EVENT = 12309
#: "An Automatic VM activation request has been processed." (SPP-manifest)
HOST_EVENT = 12310

#: What came of the request, by HRESULT. The id is the same for success and failure (facts, section 4); AVMA-doc names the four
#: outcomes, and which HRESULT belongs to which is UNVERIFIED.
_OUTCOMES: Mapping[int, str] = {
    0: "success",
    hresults.IA_INVALID_VIRTUALIZATION_PLATFORM: "invalid_host",
    hresults.IA_PARENT_PARTITION_NOT_ACTIVATED: "invalid_host",
    hresults.IA_ID_MISMATCH: "denied",
}

_HRESULT = re.compile(r"0x[0-9A-Fa-f]{1,8}|-?\d+")


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
        """``success``, ``invalid_host``, ``denied`` or ``other``."""
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
    hresult = int(match[0], 0) & 0xFFFFFFFF if match else None
    return Event(event_id, record, time, tuple(strings), hresult)
