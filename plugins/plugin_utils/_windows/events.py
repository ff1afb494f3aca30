# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Application event log. Private to this collection."""

from __future__ import annotations

from .._avma.events import Event, decode_event
from .._wsman.escape import wql_literal
from .._wsman.session import Session

#: The provider's name, and the name of the event source that it had before (SPP-manifest); which one Win32_NTLogEvent gives,
#: is UNVERIFIED.
_SOURCES = ("Microsoft-Windows-Security-SPP", "Software Protection Platform Service")


def read_events(session: Session, event_id: int, limit: int) -> list[Event]:
    """The last entries with this id, newest first as Windows gives them. The log is filtered on the machine."""
    sources = " OR ".join(f"SourceName = {wql_literal(source)}" for source in _SOURCES)
    rows = session.query(
        "SELECT RecordNumber, TimeGenerated, InsertionStrings FROM Win32_NTLogEvent "
        f"WHERE Logfile = 'Application' AND EventCode = {wql_literal(event_id)} AND ({sources})",
        limit=limit,
    )
    return [
        decode_event(
            event_id, row.integer("RecordNumber"), row.datetime("TimeGenerated"), row.texts("InsertionStrings")
        )
        for row in rows
    ]
