# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HRESULTs of Windows' licensing, in plain words. Private to this collection.

Symbols and meanings: slerror.h of the Windows SDK. Remedies: Microsoft's activation error page where it has one, else what follows
from the meaning. Source: facts, section 6.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Hresult:
    """What an HRESULT says.

    :ivar symbol: None if the code is not in the table.
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
ACCESS_DENIED = 0x80070005
LUA_ACCESS_DENIED = 0xC004F025

_WRONG_KEY = (
    "Install the key of this release and edition; on evaluation media convert the edition first (DISM /Set-Edition)."
)
_KMS_CLIENT = "The machine is still a KMS client: install its AVMA key."
_ELEVATE = "Connect as an administrator of the machine; over WinRM a local account other than Administrator is filtered by UAC."

_TABLE = (
    Hresult(
        IA_THROTTLE_LIMIT_EXCEEDED,
        "SL_E_IA_THROTTLE_LIMIT_EXCEEDED",
        "the host's request limit for automatic virtual machine activation is reached",
        "Wait and try again; spread the guests of one host over time.",
        retryable=True,
    ),
    Hresult(
        IA_INVALID_VIRTUALIZATION_PLATFORM,
        "SL_E_IA_INVALID_VIRTUALIZATION_PLATFORM",
        "Windows is not running on a supported Microsoft Hyper-V platform",
        "Run the guest on Hyper-V or Azure Local; elsewhere (Azure, other hypervisors) use KMS or a key of its own.",
    ),
    Hresult(
        IA_PARENT_PARTITION_NOT_ACTIVATED,
        "SL_E_IA_PARENT_PARTITION_NOT_ACTIVATED",
        "Windows is not activated on the host machine",
        "Activate the host that runs this guest (on Azure Local: set its AVMA key or subscription), then run again.",
    ),
    Hresult(
        IA_ID_MISMATCH,
        "SL_E_IA_ID_MISMATCH",
        "the host machine cannot activate the edition of Windows on the virtual machine",
        "The host must be Datacenter and of the guest's release or newer: move the guest to one that is, or upgrade the host.",
    ),
    Hresult(
        IA_MACHINE_NOT_BOUND,
        "SL_E_IA_MACHINE_NOT_BOUND",
        "Windows is not activated: the AVMA key is installed, but no host has bound it, or the binding has expired",
        "Check that Data Exchange is on for the VM and that its host is activated, then run again.",
    ),
    Hresult(0xC004F069, "SL_E_MISMATCHED_PRODUCT_SKU", "the product SKU of the key is not found", _WRONG_KEY),
    Hresult(0xC004E016, "SL_E_PKEY_INVALID_CONFIG", "the product key is not one of this Windows image", _WRONG_KEY),
    Hresult(
        0xC004F050,
        "SL_E_INVALID_PRODUCT_KEY",
        "the product key is invalid",
        "Check the key for typing errors, for dashes changed by a word processor, and that it is of this release.",
    ),
    Hresult(
        0xC004F015,
        "SL_E_PRODUCT_SKU_NOT_INSTALLED",
        "the licence files of the key's edition are not installed",
        "Reinstall the licence files (slmgr.vbs /rilc), then run again.",
    ),
    Hresult(0xC004F014, "SL_E_PKEY_NOT_INSTALLED", "no product key is installed", "Install a product key."),
    Hresult(
        0xC004F034,
        "SL_E_EUL_NOT_AVAILABLE",
        "the licence could not be found or was invalid",
        "Usual where evaluation and volume media are mixed: check the edition (DISM /Online /Get-CurrentEdition).",
    ),
    Hresult(LUA_ACCESS_DENIED, "SL_E_LUA_ACCESSDENIED", "the action needs administrator privileges", _ELEVATE),
    Hresult(ACCESS_DENIED, "E_ACCESSDENIED", "access is denied", _ELEVATE),
    Hresult(
        0x80338029,
        "ERROR_WSMAN_OPERATION_TIMEDOUT",
        "Windows did not finish within the connection's operation timeout; what it was asked may still be done",
        "Run again; where the machine is slow for good, raise ansible_winrm_operation_timeout_sec and "
        "ansible_winrm_read_timeout_sec, or ansible_psrp_operation_timeout and ansible_psrp_read_timeout.",
    ),
    Hresult(
        0xC004F074, "SL_E_VL_BINDING_SERVICE_UNAVAILABLE", "no Key Management Service could be contacted", _KMS_CLIENT
    ),
    Hresult(0xC004F038, "SL_E_VL_NOT_ENOUGH_COUNT", "the Key Management Service counts too few machines", _KMS_CLIENT),
    Hresult(
        0xC004C008,
        "SL_E_CHPA_MAXIMUM_UNLOCK_EXCEEDED",
        "the activation server reports that the product key has exceeded its unlock limit",
        "The key is used up: use another one, or ask Microsoft's licensing service for more activations.",
    ),
    Hresult(
        0xC004C020,
        "SL_E_CHPA_DMAK_LIMIT_EXCEEDED",
        "the Multiple Activation Key has exceeded its limit",
        "Ask Microsoft's licensing service for more activations of this MAK, or use another key.",
    ),
    Hresult(0xC004F009, "SL_E_GRACE_TIME_EXPIRED", "the grace period has expired", "Activate Windows."),
    Hresult(0xC004F06C, "SL_E_VL_INVALID_TIMESTAMP", "the machine's clock differs too much", "Synchronize its clock."),
    Hresult(0xC004F200, "SL_E_NOT_GENUINE", "this copy of Windows is not genuine", "Use a genuine key and image."),
    Hresult(
        0xC004F210,
        "SL_E_EDITION_MISMATCHED",
        "the licence edition does not match the computer's edition",
        _WRONG_KEY,
    ),
    Hresult(
        0xC004F033,
        "SL_E_PRODUCT_KEY_INSTALLATION_NOT_ALLOWED",
        "this product key may not be installed",
        "See the Application event log of the machine for the reason.",
    ),
    Hresult(0xC004F061, "SL_E_PKEY_INVALID_UPGRADE", "the key is for upgrades only", "Use a full key."),
    Hresult(
        0xC004F07D, "SL_E_INVALID_PRODUCT_KEY_TYPE", "the key cannot be used for this type of activation", _WRONG_KEY
    ),
    Hresult(
        0xC004E028,
        "SL_E_ACTIVATION_IN_PROGRESS",
        "another activation is in progress",
        "Wait and try again.",
        retryable=True,
    ),
    Hresult(
        0xC004F075, "SL_E_SERVICE_STOPPING", "the licensing service is stopping", "Wait and try again.", retryable=True
    ),
    Hresult(
        0xC004F07B, "SL_E_SERVICE_RUNNING", "the licensing service is running", "Wait and try again.", retryable=True
    ),
    Hresult(
        0x80070422,
        "ERROR_SERVICE_DISABLED",
        "the service cannot be started: it is disabled",
        "Enable the Software Protection service (sppsvc) and run again.",
    ),
    Hresult(
        0x80070426,
        "ERROR_SERVICE_NOT_ACTIVE",
        "the service has not been started",
        "Start the Software Protection service (sppsvc) and run again.",
    ),
    Hresult(
        0x800706BA,
        "RPC_S_SERVER_UNAVAILABLE",
        "the RPC server is unavailable",
        "Check that the Software Protection and RPC services run on the machine.",
    ),
    Hresult(
        0x80070490,
        "ERROR_NOT_FOUND",
        "the product key did not work",
        "Known on Windows Server 2019 when a key is entered in Settings; check the key's release and edition.",
    ),
    Hresult(0x4004F00C, "SL_I_OOB_GRACE_PERIOD", "Windows is in its first grace period", "Activate Windows."),
    Hresult(
        0x4004F00D,
        "SL_I_OOT_GRACE_PERIOD",
        "Windows is in a grace period after its hardware or host changed",
        "Activate Windows.",
    ),
    Hresult(0x4004F040, "SL_E_VL_INFO_PRODUCT_USER_RIGHT", "Windows is activated", "Nothing to do."),
    Hresult(0x4004F401, "SL_I_STORE_BASED_ACTIVATION", "Windows has a digital licence", "Nothing to do."),
    Hresult(0x4004FC04, "SL_I_TIMEBASED_VALIDITY_PERIOD", "Windows is activated for a limited time", "Nothing to do."),
    Hresult(0, "S_OK", "success", "Nothing to do."),
)

HRESULTS: Mapping[int, Hresult] = {entry.code: entry for entry in _TABLE}


def format_hresult(code: int) -> str:
    """An HRESULT as Windows writes it: ``0xC004FD02``."""
    return f"0x{code & 0xFFFFFFFF:08X}"


# How programs write a code: with 0x, also the 16 digits that a sign makes of it; as eight digits; as a decimal number of either sign;
# by its symbol.
_CODE = re.compile(
    r"(?<![\w-])(?:0x(?:f{8}(?=[0-9a-f]{8}\b))?(?P<hex>[0-9a-f]{1,8})|(?P<digits>[0-9a-f]{8})|(?P<decimal>-?\d{1,10})|"
    r"(?P<symbol>(?:SL|E|S|ERROR|RPC|WBEM)_\w+))l?(?![\w-])",
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


def explain(code: int) -> Hresult:
    """What an HRESULT says; of one that is not in the table, that it is not known."""
    code &= 0xFFFFFFFF
    return HRESULTS.get(code) or Hresult(
        code,
        None,
        "this code is not known to hyperv.avma",
        f"Look it up with 'slui.exe 0x2a {format_hresult(code)}' on any Windows desktop.",
    )
