# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry, through StdRegProv. Private to this collection.

Source: Microsoft, "StdRegProv class". Its methods are static: no keys select an instance.
"""

from __future__ import annotations

from .._session.errors import FaultError
from .._session.instance import Instance
from .._session.session import Invoke, Session

_NAMESPACE = "root/default"
_HKEY_LOCAL_MACHINE = 0x80000002
_ERROR_FILE_NOT_FOUND = 2


def read_string(session: Session, key: str, name: str) -> str | None:
    """A REG_SZ value below HKEY_LOCAL_MACHINE; None if it is not there or of another type."""
    output = string_request(key, name).on(session)
    return output.text("sValue") if output.integer("ReturnValue") == 0 else None


def read_number(session: Session, key: str, name: str) -> int | None:
    """A REG_DWORD value, or a REG_SZ one that holds a number; None if it is neither."""
    output = number_request(key, name).on(session)
    if output.integer("ReturnValue") == 0:
        return output.integer("uValue")
    text = read_string(session, key, name) or ""
    return int(text) if text.isdecimal() else None


def string_request(key: str, name: str) -> Invoke:
    """What ``read_string`` asks."""
    return Invoke("StdRegProv", "GetStringValue", _arguments(key, name), namespace=_NAMESPACE)


def number_request(key: str, name: str) -> Invoke:
    """What ``read_number`` asks first."""
    return Invoke("StdRegProv", "GetDWORDValue", _arguments(key, name), namespace=_NAMESPACE)


def _arguments(key: str, name: str) -> dict[str, str | int]:
    return {"hDefKey": _HKEY_LOCAL_MACHINE, "sSubKeyName": key, "sValueName": name}


def value_names(session: Session, key: str) -> list[str]:
    """The names of the values of a key below HKEY_LOCAL_MACHINE, the nameless default value left out; none if the key is not there.

    :raises FaultError: Windows cannot or will not read the key.
    """
    output = session.invoke(
        "StdRegProv", "EnumValues", {"hDefKey": _HKEY_LOCAL_MACHINE, "sSubKeyName": key}, namespace=_NAMESPACE
    )
    _check(output, "EnumValues")
    return [name for name in output.texts("sNames") if name]


def key_exists(session: Session, key: str) -> bool:
    """Whether there is a key below HKEY_LOCAL_MACHINE.

    :raises FaultError: Windows cannot or will not tell.
    """
    output = session.invoke(
        "StdRegProv", "EnumValues", {"hDefKey": _HKEY_LOCAL_MACHINE, "sSubKeyName": key}, namespace=_NAMESPACE
    )
    _check(output, "EnumValues")
    return output.integer("ReturnValue") != _ERROR_FILE_NOT_FOUND


def write_string(session: Session, key: str, name: str, value: str) -> None:
    """Set a REG_SZ value of a key below HKEY_LOCAL_MACHINE, and make the key if it is not there.

    :raises FaultError: Windows cannot or will not.
    """
    output = session.invoke(
        "StdRegProv", "CreateKey", {"hDefKey": _HKEY_LOCAL_MACHINE, "sSubKeyName": key}, namespace=_NAMESPACE
    )
    _check(output, "CreateKey", missing=False)
    output = session.invoke(
        "StdRegProv", "SetStringValue", {**_arguments(key, name), "sValue": value}, namespace=_NAMESPACE
    )
    _check(output, "SetStringValue", missing=False)


def delete_value(session: Session, key: str, name: str) -> None:
    """Delete a value of a key below HKEY_LOCAL_MACHINE; that it is not there is no error.

    :raises FaultError: Windows cannot or will not delete it.
    """
    output = session.invoke("StdRegProv", "DeleteValue", _arguments(key, name), namespace=_NAMESPACE)
    _check(output, "DeleteValue")


def _check(output: Instance, method: str, missing: bool = True) -> None:
    """What StdRegProv returns is an error code of WinError.h, or of WMI.

    :param missing: Whether it is no error that what was asked for is not there.
    """
    code = (output.integer("ReturnValue") or 0) & 0xFFFFFFFF
    if code not in ((0, _ERROR_FILE_NOT_FOUND) if missing else (0,)):
        # HRESULT_FROM_WIN32 (winerror.h).
        hresult = 0x80070000 | code if code <= 0xFFFF else code
        raise FaultError(f"StdRegProv.{method} returned {code}", hresults=(hresult,))
