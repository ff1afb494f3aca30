# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The errors that the simulated Windows raises: HRESULTs with the text Windows would show.

Licensing texts are those of slerror.h as given in facts/avma.md §6; WMI's are those of wbemcli.h. The German and
Japanese texts are ours: what matters is that they are not English (UNVERIFIED).
"""

from __future__ import annotations

from lab.cim import CimError

S_OK = 0x00000000

WBEM_E_NOT_FOUND = 0x80041002
WBEM_E_ACCESS_DENIED = 0x80041003
WBEM_E_INVALID_PARAMETER = 0x80041008
WBEM_E_INVALID_NAMESPACE = 0x8004100E
WBEM_E_INVALID_CLASS = 0x80041010
WBEM_E_METHOD_NOT_IMPLEMENTED = 0x80041055
WBEM_E_INVALID_METHOD = 0x8004102E

#: The operation timed out ([MS-WSMV] 2.2.4.43), a code of WS-Management itself.
ERROR_WSMAN_OPERATION_TIMEDOUT = 0x80338029

ERROR_ACCESS_DENIED = 0x80070005
ERROR_SERVICE_DISABLED = 0x80070422

SL_E_PKEY_INVALID_CONFIG = 0xC004E016
SL_E_ACTIVATION_IN_PROGRESS = 0xC004E028
SL_E_CHPA_MAXIMUM_UNLOCK_EXCEEDED = 0xC004C008
SL_E_CHPA_DMAK_LIMIT_EXCEEDED = 0xC004C020
SL_E_GRACE_TIME_EXPIRED = 0xC004F009
SL_E_PKEY_NOT_INSTALLED = 0xC004F014
SL_E_EUL_NOT_AVAILABLE = 0xC004F034
SL_E_INVALID_PRODUCT_KEY = 0xC004F050
SL_E_MISMATCHED_PRODUCT_SKU = 0xC004F069
SL_E_NOT_GENUINE = 0xC004F200
SL_E_VL_BINDING_SERVICE_UNAVAILABLE = 0xC004F074
SL_E_IA_THROTTLE_LIMIT_EXCEEDED = 0xC004FD00
SL_E_IA_INVALID_VIRTUALIZATION_PLATFORM = 0xC004FD01
SL_E_IA_PARENT_PARTITION_NOT_ACTIVATED = 0xC004FD02
SL_E_IA_ID_MISMATCH = 0xC004FD03
SL_E_IA_MACHINE_NOT_BOUND = 0xC004FD04

SL_I_OOB_GRACE_PERIOD = 0x4004F00C
SL_I_OOT_GRACE_PERIOD = 0x4004F00D
SL_I_STORE_BASED_ACTIVATION = 0x4004F401
SL_I_TIMEBASED_VALIDITY_PERIOD = 0x4004FC04

_TEXTS = {
    WBEM_E_NOT_FOUND: "Not found ",
    WBEM_E_ACCESS_DENIED: "Access denied ",
    WBEM_E_INVALID_PARAMETER: "Invalid parameter ",
    WBEM_E_INVALID_NAMESPACE: "Invalid namespace ",
    WBEM_E_INVALID_CLASS: "Invalid class ",
    WBEM_E_METHOD_NOT_IMPLEMENTED: "This method is not implemented in any class ",
    WBEM_E_INVALID_METHOD: "Invalid method ",
    ERROR_WSMAN_OPERATION_TIMEDOUT: (
        "The WS-Management service cannot complete the operation within the time specified in OperationTimeout. "
    ),
    ERROR_ACCESS_DENIED: "Access is denied. ",
    ERROR_SERVICE_DISABLED: (
        "The service cannot be started, either because it is disabled or because it has no enabled devices associated"
        " with it. "
    ),
    SL_E_PKEY_INVALID_CONFIG: "The Software Licensing Service reported that the product key is invalid.",
    SL_E_ACTIVATION_IN_PROGRESS: (
        "The Software Licensing Service reported that there is another activation attempt in progress for this sku."
    ),
    SL_E_CHPA_MAXIMUM_UNLOCK_EXCEEDED: "The activation server reported that the product key has exceeded its unlock limit.",
    SL_E_CHPA_DMAK_LIMIT_EXCEEDED: "The activation server reported that the Multiple Activation Key has exceeded its limit.",
    SL_E_PKEY_NOT_INSTALLED: "The Software Licensing Service reported that the product key is not available.",
    SL_E_INVALID_PRODUCT_KEY: "The Software Licensing Service reported that the product key is invalid.",
    SL_E_MISMATCHED_PRODUCT_SKU: "The Software Licensing Service reported that the product SKU is not found.",
    SL_E_VL_BINDING_SERVICE_UNAVAILABLE: (
        "The Software Licensing Service reported that the product could not be activated. "
        "No Key Management Service (KMS) could be contacted. Please see the Application Event Log for additional"
        " information."
    ),
    SL_E_IA_THROTTLE_LIMIT_EXCEEDED: "You've reached the request limit for automatic virtual machine activation. Try again later.",
    SL_E_IA_INVALID_VIRTUALIZATION_PLATFORM: "Windows isn't running on a supported Microsoft Hyper-V virtualization platform.",
    SL_E_IA_PARENT_PARTITION_NOT_ACTIVATED: "Windows isn't activated on the host machine. Please contact your system administrator.",
    SL_E_IA_ID_MISMATCH: "The host machine can't activate the edition of Windows on the virtual machine.",
    SL_E_IA_MACHINE_NOT_BOUND: "Windows isn't activated.",
}

_LOCALIZED = {
    "de": "Der Vorgang wurde von Windows abgelehnt.",
    "ja": "Windows によって操作が拒否されました。",
}


def failure(hresult: int, language: str = "en-US", wmi: bool = True) -> CimError:
    """The error that carries ``hresult`` with its text in the machine's language."""
    return CimError(hresult, _LOCALIZED.get(language[:2], _TEXTS[hresult]), wmi)
