# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Windows says by number, in plain words. Private to this collection.

Families: [MS-ERREF] 2.1 and winerror.h for the facilities, slerror.h, wbemcli.h and wsmerror.h for their codes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from .hresult_table import ROWS
from .words import say


class Family(str, Enum):
    """Which part of Windows a code is from."""

    LICENSING = "Windows' licensing"
    WMI = "WMI"
    WS_MANAGEMENT = "WS-Management (WinRM)"
    RPC = "remote procedure calls (RPC)"
    DNS = "DNS"
    WIN32 = "Windows itself (Win32)"
    SECURITY = "Windows' security"
    COM = "COM"
    NTSTATUS = "the kernel of Windows (NTSTATUS)"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Hresult:
    """What an HRESULT says.

    :ivar symbol: None if it has none in the headers of the Windows SDK, or the code is not in the table.
    :ivar retryable: Whether the same call may succeed later with nothing changed.
    """

    code: int
    symbol: str | None
    meaning: str
    remedy: str
    retryable: bool = False

    @property
    def text(self) -> str:
        """The code as Windows writes it."""
        return format_hresult(self.code)

    def __str__(self) -> str:
        name = f"{self.text} ({self.symbol})" if self.symbol else self.text
        return f"{name}: {self.meaning}"

    def to_dict(self) -> dict[str, object]:
        """As the filter ``explain`` returns it."""
        return {
            "hresult": self.text,
            "symbol": self.symbol,
            "meaning": self.meaning,
            "remedy": self.remedy,
            "retryable": self.retryable,
        }


IA_THROTTLE_LIMIT_EXCEEDED = 0xC004FD00
IA_INVALID_VIRTUALIZATION_PLATFORM = 0xC004FD01
IA_PARENT_PARTITION_NOT_ACTIVATED = 0xC004FD02
IA_ID_MISMATCH = 0xC004FD03
IA_MACHINE_NOT_BOUND = 0xC004FD04

#: "Access is denied", whoever says it: Win32, licensing, WMI (also: a privilege is missing), the kernel, RPC, WS-Management.
DENIED = frozenset(
    {0x80070005, 0xC004F025, 0x80041003, 0x80041062, 0xC0000022, 0x8001011B, 0x80338104, 0x80338105, 0x80338106}
)

HRESULTS: Mapping[int, Hresult] = {row[0]: Hresult(*row) for row in ROWS}

#: Codes that say no more than that something failed.
_VAGUE = frozenset({0x80041001, 0x80041004, 0x8004101D, 0x80004005, 0x8000FFFF, 0x8007054F, 0x80338003})

#: By the upper half of a code. Of 0x8004 and 0x8007, which many share, the lower half decides.
_FAMILIES: Mapping[int, Family] = {
    0x4004: Family.LICENSING,
    0xC004: Family.LICENSING,
    0x0004: Family.WMI,
    0x8033: Family.WS_MANAGEMENT,
    0x8001: Family.RPC,
    0x8009: Family.SECURITY,
    0x800B: Family.SECURITY,
    0x8019: Family.WIN32,
    0x8000: Family.COM,
    0x8008: Family.COM,
    0xC000: Family.NTSTATUS,
    0xC002: Family.NTSTATUS,
}

#: Where to look a code of a family up.
_WHERE: Mapping[Family | None, str] = {
    Family.LICENSING: "Look it up with 'slui.exe 0x2a {text}' on any Windows desktop; the Application event log of the machine (source "
    "Microsoft-Windows-Security-SPP) tells more.",
    Family.WMI: "Look {text} up in Microsoft's table 'WMI Error Constants'; the event log "
    "Microsoft-Windows-WMI-Activity/Operational of the machine "
    "tells more.",
    Family.WS_MANAGEMENT: "Look it up with 'winrm helpmsg {text}' on any Windows machine; the event log "
    "Microsoft-Windows-WinRM/Operational of the "
    "machine tells more.",
    Family.RPC: "Look {text} up with 'certutil -error {text}' on any Windows machine; see that the services of the machine run.",
    Family.DNS: "Look {text} up with 'net helpmsg {number}' on any Windows machine; see what DNS servers the machine asks.",
    Family.WIN32: "Look {text} up with 'net helpmsg {number}' on any Windows machine; the event logs "
    "Application and System of the machine tell more.",
    None: "Look it up with 'certutil -error {text}' on any Windows machine; the event logs "
    "Application and System of the machine tell more.",
}


def format_hresult(code: int) -> str:
    """An HRESULT as Windows writes it: ``0xC004FD02``."""
    return f"0x{code & 0xFFFFFFFF:08X}"


# How programs write a code: with 0x, also the 16 digits that a sign makes of it; as eight digits; as a decimal number of either sign;
# by its symbol.
_CODE = re.compile(
    r"(?<![\w-])(?:0x(?:f{8}(?=[0-9a-f]{8}\b))?(?P<hex>[0-9a-f]{1,8})|(?P<digits>[0-9a-f]{8})|(?P<decimal>-?\d{1,10})|"
    r"(?P<symbol>[a-z]+_\w+|wsa[a-z]+))l?(?![\w-])",
    re.IGNORECASE,
)


def parse_hresult(value: int | str) -> int:
    """An HRESULT as an unsigned number.

    :param value: A number of either sign, or a text that holds the code: decimal, hexadecimal with or without ``0x``, or its symbol. Of a
        text that is a sentence, the first code of a failure counts, and what could be another number only if it is in the table.
    :raises ValueError: There is none in it, or it does not fit into 32 bits.
    """
    if isinstance(value, str):
        return _find_code(value)
    if not -(2**31) <= value < 2**32:
        raise ValueError(f"{value!r} does not fit into an HRESULT")
    return value & 0xFFFFFFFF


def _find_code(text: str) -> int:
    whole = _CODE.fullmatch(text.strip())
    if whole and (code := _code(whole)) is not None:
        return code
    found = [(match, code) for match in _CODE.finditer(text) if (code := _code(match)) is not None]
    for matters in (
        lambda match, code: code >= 2**31,
        lambda match, code: code in HRESULTS and code,
        lambda match, code: len(match["hex"] or "") == len("4004F00C"),
    ):
        for match, code in found:
            if matters(match, code):
                return code
    raise ValueError(f"{text!r} holds no HRESULT")


def _code(match: re.Match[str]) -> int | None:
    if match["symbol"]:
        return next((code for code, entry in HRESULTS.items() if entry.symbol == match["symbol"].upper()), None)
    if match["decimal"]:
        code = int(match["decimal"])
        return code & 0xFFFFFFFF if -(2**31) <= code < 2**32 else None
    return int(match["hex"] or match["digits"], 16)


def family(code: int) -> Family | None:
    """Which part of Windows a code is from; None if that cannot be told from its number."""
    upper, lower = divmod(code & 0xFFFFFFFF, 0x10000)
    if upper == 0x8004:
        return Family.COM if lower < 0x1000 else Family.WMI if lower < 0xD000 else Family.LICENSING
    if upper == 0x8007 or (upper == 0 and lower):
        if 1700 <= lower < 1900:
            return Family.RPC
        return Family.DNS if 9000 <= lower < 10000 else Family.WIN32
    if (upper, lower) == (0x8009, 0x2328):
        return Family.DNS
    return _FAMILIES.get(upper)


def vagueness(code: int) -> int:
    """How little a code says of what went wrong, for ordering.

    Licensing says most, then the parts of Windows that it stands on, then WMI and WS-Management, which carry the call; "failed" says least.
    """
    if code in _VAGUE:
        return 4
    return {Family.LICENSING: 0, Family.WMI: 2, Family.WS_MANAGEMENT: 3}.get(family(code) or Family.WIN32, 1)


def explain(code: int) -> Hresult:
    """What an HRESULT, or a plain Win32 code, says; of one that is not in the table, which part of Windows it is from and where to look."""
    code &= 0xFFFFFFFF
    # HRESULT_FROM_WIN32 (winerror.h).
    found = HRESULTS.get(code) or (HRESULTS.get(0x80070000 | code) if code <= 0xFFFF else None)
    if found:
        return replace(found, remedy=say(found.remedy))
    part = family(code)
    meaning = f"this code of {part} is not known to hyperv.avma" if part else "this code is not known to hyperv.avma"
    where = _WHERE.get(part, _WHERE[None]).format(text=format_hresult(code), number=code & 0xFFFF)
    return Hresult(code, None, meaning, where)
