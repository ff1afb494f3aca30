# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Application event log. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone

from .._avma.events import Event, decode_event
from .._session.escape import wql_literal
from .._session.session import Query, Session

#: The provider's name, and the name of the event source that it had before (SPP-manifest); which one Win32_NTLogEvent gives,
#: is UNVERIFIED.
_SOURCES = ("Microsoft-Windows-Security-SPP", "Software Protection Platform Service")

_EPOCH = datetime.fromtimestamp(0, timezone.utc)


def read_events(session: Session, event_ids: Iterable[int], limit: int, since: datetime | None = None) -> list[Event]:
    """The last entries with these ids, newest first. The log is filtered on the machine.

    That Win32_NTLogEvent gives the newest entries first, so that ``limit`` keeps those, is what it is known to do, and documented
    nowhere (UNVERIFIED).

    :param since: Leave out older entries; a moment in UTC.
    """
    rows = events_request(event_ids, limit, since).on(session)
    events = [
        decode_event(
            row.integer("EventCode") or 0,
            row.integer("RecordNumber"),
            row.datetime("TimeGenerated"),
            row.texts("InsertionStrings"),
        )
        for row in rows
    ]
    return sorted(events, key=lambda event: (event.time or _EPOCH, event.record or 0), reverse=True)


def events_request(event_ids: Iterable[int], limit: int, since: datetime | None = None) -> Query:
    """What ``read_events`` asks."""
    conditions = ["Logfile = 'Application'", _any("EventCode", event_ids), _any("SourceName", _SOURCES)]
    if since:
        # A datetime in WQL is a DMTF string (Microsoft, "Date and Time Format").
        conditions.append(f"TimeGenerated >= {wql_literal(since.strftime('%Y%m%d%H%M%S.%f+000'))}")
    return Query(
        "SELECT EventCode, RecordNumber, TimeGenerated, InsertionStrings FROM Win32_NTLogEvent WHERE "
        + " AND ".join(conditions),
        limit=limit,
    )


def _any(column: str, values: Iterable[str | int]) -> str:
    return "(" + " OR ".join(f"{column} = {wql_literal(value)}" for value in values) + ")"
