# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The in-parameters of the methods that the lab has, by type: local WMI checks them. In WS-Management all are text.

Sources: MOF of the classes in MicrosoftDocs/win32 (StdRegProv, SoftwareLicensingService, SoftwareLicensingProduct,
Win32_Process, Msvm_VirtualSystemManagementService).
"""

from __future__ import annotations

from collections.abc import Mapping

from lab.cim import Property

_KEY = {"hDefKey": "uint32", "sSubKeyName": "string"}
_VALUE = _KEY | {"sValueName": "string"}

_DECLARED: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "StdRegProv": {
        **dict.fromkeys(("GetStringValue", "GetDWORDValue", "GetMultiStringValue", "DeleteValue"), _VALUE),
        **dict.fromkeys(("EnumValues", "EnumKey", "CreateKey"), _KEY),
        "SetStringValue": _VALUE | {"sValue": "string"},
        "SetDWORDValue": _VALUE | {"uValue": "uint32"},
    },
    "Win32_Process": {
        "Create": {"CommandLine": "string", "CurrentDirectory": "string", "ProcessStartupInformation": "instance"}
    },
    "SoftwareLicensingService": {
        "InstallProductKey": {"ProductKey": "string"},
        "RefreshLicenseStatus": {},
        "ClearProductKeyFromRegistry": {},
    },
    "SoftwareLicensingProduct": {"Activate": {}, "UninstallProductKey": {}},
    "Msvm_VirtualSystemManagementService": {
        "ModifyResourceSettings": {"ResourceSettings": "string[]"},
        "ModifyGuestServiceSettings": {"GuestServiceSettings": "string[]"},
    },
}


def declaration(class_name: str, method: str) -> tuple[Property, ...] | None:
    """The in-parameters of a method; None if the lab does not know them."""
    for known_class, methods in _DECLARED.items():
        for known, parameters in methods.items():
            if (known_class.lower(), known.lower()) == (class_name.lower(), method.lower()):
                return tuple(
                    Property(name, kind.removesuffix("[]"), kind.endswith("[]")) for name, kind in parameters.items()
                )
    return None
