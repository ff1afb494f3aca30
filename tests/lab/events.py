# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Application log of a machine (``Win32_NTLogEvent``), with the AVMA events 12309 and 12310 (facts/avma.md §4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from lab.cim import Value
from lab.provider import Provider, cim_class

GUEST_EVENT = 12309
HOST_EVENT = 12310

_QUALIFIERS = 0x40000000
#: UNVERIFIED which of the provider's name and its EventSourceName Win32_NTLogEvent shows.
_SOURCE = "Microsoft-Windows-Security-SPP"

_MESSAGES = {
    GUEST_EVENT: "The client has processed an Automatic VM activation response from the parent partition.\r\nReturned hr={}\r\n{}",
    HOST_EVENT: "An Automatic VM activation request has been processed.\r\nReturned hr={}\r\n{}",
}

_CLASS = cim_class(
    "root/cimv2",
    "Win32_NTLogEvent",
    key="Logfile RecordNumber",
    string="CategoryString ComputerName Logfile Message SourceName Type User",
    string_array="InsertionStrings",
    uint8="EventType",
    uint8_array="Data",
    uint16="Category EventCode",
    uint32="EventIdentifier RecordNumber",
    datetime="TimeGenerated TimeWritten",
)

_TYPE_WORDS = {"de": "Informationen", "ja": "情報"}


@dataclass(frozen=True)
class Event:
    """An entry of the Application log."""

    record: int
    code: int
    source: str
    time: datetime
    strings: tuple[str, ...]
    message: str


class EventLog:
    """The Application log. ``old_events`` entries of other sources lie before everything else, one an hour."""

    def __init__(self, computer: str, language: str, old_events: int, clock: Callable[[], datetime]) -> None:
        self._computer = computer
        self._type = _TYPE_WORDS.get(language[:2], "Information")
        self._old_events = old_events
        self._clock = clock
        self._began = clock()
        self.events: list[Event] = []

    def activation(self, code: int, hresult: int, details: str) -> None:
        """Log 12309 or 12310. That %1 reads ``0x%08X``, and what %2 holds, is UNVERIFIED."""
        strings = (f"0x{hresult:08X}", details)
        record = self._old_events + len(self.events) + 1
        self.events.append(Event(record, code, _SOURCE, self._clock(), strings, _MESSAGES[code].format(*strings)))

    def provider(self) -> Provider:
        """The log as a class."""
        return Provider(_CLASS, self._rows)

    def _rows(self) -> Iterator[Mapping[str, Value]]:
        for event in reversed(self.events):
            yield self._row(event)
        for record in range(self._old_events, 0, -1):
            time = self._began - timedelta(hours=self._old_events - record + 1)
            yield self._row(Event(record, 1001, "Windows Error Reporting", time, ("", "0"), "Fault bucket , type 0"))

    def _row(self, event: Event) -> Mapping[str, Value]:
        identifier = event.code | (_QUALIFIERS if event.source == _SOURCE else 0)
        return {
            "Category": 0,
            "ComputerName": self._computer,
            "EventCode": event.code,
            "EventIdentifier": identifier,
            "EventType": 3,
            "InsertionStrings": list(event.strings),
            "Logfile": "Application",
            "Message": event.message,
            "RecordNumber": event.record,
            "SourceName": event.source,
            "TimeGenerated": event.time,
            "TimeWritten": event.time,
            "Type": self._type,
        }
