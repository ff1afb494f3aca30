# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry, through StdRegProv. Private to this collection.

Source: Microsoft, "StdRegProv class". Its methods are static: no keys select an instance.
"""

from __future__ import annotations

from .._wsman.session import Session

_NAMESPACE = "root/default"
_HKEY_LOCAL_MACHINE = 0x80000002


def read_string(session: Session, key: str, name: str) -> str | None:
    """A REG_SZ value below HKEY_LOCAL_MACHINE; None if it is not there or of another type."""
    output = session.invoke("StdRegProv", "GetStringValue", _arguments(key, name), namespace=_NAMESPACE)
    return output.text("sValue") if output.integer("ReturnValue") == 0 else None


def read_number(session: Session, key: str, name: str) -> int | None:
    """A REG_DWORD value, or a REG_SZ one that holds a number; None if it is neither."""
    output = session.invoke("StdRegProv", "GetDWORDValue", _arguments(key, name), namespace=_NAMESPACE)
    if output.integer("ReturnValue") == 0:
        return output.integer("uValue")
    text = read_string(session, key, name) or ""
    return int(text) if text.isdecimal() else None


def _arguments(key: str, name: str) -> dict[str, str | int]:
    return {"hDefKey": _HKEY_LOCAL_MACHINE, "sSubKeyName": key, "sValueName": name}
