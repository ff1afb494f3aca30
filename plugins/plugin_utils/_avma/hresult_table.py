# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The codes that Windows may give to a request of this collection. Private to this collection.

Symbols: slerror.h, wbemcli.h, wsmerror.h, winerror.h and ntstatus.h of the Windows SDK. Remedies: Microsoft's activation error page where
it has one (err-doc; facts, section 6), else what follows from the meaning for this job: a guest that its host is to activate, or that host.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

#: Code, symbol, meaning, remedy, and whether the same call may succeed later with nothing changed.
Row: TypeAlias = "tuple[int, str | None, str, str, bool]"


def _codes(remedy: str, *rows: tuple[int, str | None, str], retryable: bool = False) -> Iterator[Row]:
    """Codes that one remedy is for."""
    for code, symbol, meaning in rows:
        yield code, symbol, meaning, remedy, retryable


_NOTHING = "Nothing to do."
_ACTIVATE = "Activate Windows: a guest with {guest_key}, a host with {host_key}."
_WRONG_KEY = (
    "Install the key of this release and edition; on evaluation media convert the edition first (DISM /Set-Edition)."
)
_TYPING_ERRORS = (
    "Check the key for typing errors, for dashes changed by a word processor, and that it is of this release."
)
_OTHER_KEY = "Use another key, or ask Microsoft's licensing service what is wrong with this one."
_USED_UP = "The key is used up: use another one, or ask Microsoft's licensing service for more activations."
_LATER = "Wait and try again."
_MICROSOFT_LATER = "Wait and try again; if it stays, ask Microsoft's licensing service."
_KMS = (
    "A guest needs its AVMA key instead of a KMS host ({guest_key}). A host that is to stay a KMS client needs one: see its DNS record "
    "_vlmcs._tcp, TCP port 1688, and the events 12288 and 12289 of its Application log."
)
_STORE = (
    "Restart the Software Protection service (sppsvc) and reinstall the licence files (slmgr.vbs /rilc); if it stays, repair Windows "
    "(DISM /Online /Cleanup-Image /RestoreHealth)."
)
_LICENCE_FILES = "Reinstall the licence files (slmgr.vbs /rilc), then run again."
_OFFLINE = (
    "This is of activation by telephone, which hyperv.avma does not do: get a new confirmation ID, or activate online."
)
_OEM = "This is of OEM activation by the firmware: use a key that is not for preinstalled Windows."
_TOKENS = (
    "This is of activation by certificates (token-based activation): install the key that fits this machine instead."
)
_GENUINE = "Use a genuine key and an unmodified image; Microsoft's licensing service helps."
_CLOCK = "Set the machine's clock right: its time source is its domain, or for a guest its host."
_ELEVATE = (
    "Connect as an administrator of the machine; over WinRM a local account other than Administrator is filtered by UAC. What a user may "
    "do when logged on at the machine is no measure: over the network, also by ssh or through a host, WMI admits administrators only."
)
_ACTIVATION_SERVER = (
    "The machine must reach Microsoft's activation servers (or its KMS host): check its DNS, "
    "proxy (netsh winhttp show proxy) and firewall. "
    "A guest with its AVMA key needs no network."
)
_WMI_REPAIR = "Restart WMI (service Winmgmt) on the machine and run again; if it stays, check its repository (winmgmt /verifyrepository)."
_WMI_CLASS = (
    "The machine's Windows is older than the feature, or the role that brings the class is not installed or is damaged "
    "(mofcomp registers it again)."
)
_BUG = "This is a mistake of hyperv.avma, or a Windows that it does not know: please report it, with a recording (docs/recording.md)."
_BUSY = "The machine is busy: wait and run again, with fewer forks if many tasks go to it at once."
_QUOTA = (
    "Too much is asked of the machine's WinRM at once: use fewer forks, or raise the quota "
    "(winrm get winrm/config/winrs, .../service)."
)
_TOO_SLOW = (
    "The machine is slow: run again, with a longer timeout of the task, or of the connection (ansible_winrm_operation_timeout_sec and "
    "ansible_winrm_read_timeout_sec, ansible_psrp_operation_timeout and ansible_psrp_read_timeout)."
)
_ENVELOPE = 'Raise what its WinRM may send: winrm set winrm/config @{MaxEnvelopeSizekb="500"} on the machine, which is the default.'
_WINRM_CONFIG = "Check the configuration of WinRM on the machine (winrm get winrm/config, winrm quickconfig)."
_WINRM_ACCESS = (
    "Give the user of the connection access to WMI over WinRM: make it an administrator of the "
    "machine, or a member of Remote Management Users "
    "with rights on the WMI namespace."
)
_LOGIN = "Correct the user and the password of the connection, or unlock the account, then run again."
_SERVICES = (
    "See that the service runs: for licences the Software Protection service (sppsvc), for "
    "virtual machines vmms, for a cluster ClusSvc."
)
_RPC = (
    "Check on the machine that the services RPC, Winmgmt and, for licences, sppsvc run; from a "
    "KMS client, that its KMS host is reached (TCP 1688)."
)
_MEMORY = "Free memory on the machine, or give it more, then run again."
_TLS = "Check the certificates and the clock of the machine: it trusts the other end no more, or not yet."

ROWS: tuple[Row, ...] = (
    # Automatic Virtual Machine Activation.
    *_codes(
        "Wait and try again; spread the guests of one host over time.",
        (
            0xC004FD00,
            "SL_E_IA_THROTTLE_LIMIT_EXCEEDED",
            "the host's request limit for automatic virtual machine activation is reached",
        ),
        retryable=True,
    ),
    *_codes(
        "Run the guest on Hyper-V or Azure Local; elsewhere (Azure, other hypervisors) use KMS or a key of its own.",
        (
            0xC004FD01,
            "SL_E_IA_INVALID_VIRTUALIZATION_PLATFORM",
            "Windows is not running on a supported Microsoft Hyper-V platform",
        ),
    ),
    *_codes(
        "{see_host} the host that runs this guest. One that is not activated needs "
        "its key ({host_key}; on Azure Local also a "
        "subscription will do). One that is, and answers this all the same, activates no guests: "
        "it is licensed by pay-as-you-go through Azure Arc, or is "
        "itself a virtual machine in Azure; use KMS or a key of the guest's own there.",
        (
            0xC004FD02,
            "SL_E_IA_PARENT_PARTITION_NOT_ACTIVATED",
            "the host says that Windows is not activated on it, or not in a way that activates guests",
        ),
    ),
    *_codes(
        "The host must be Datacenter, not for evaluation, and of the guest's release or newer; for "
        "a guest of Azure Edition it must be Azure Local. "
        "{see_host} it, and move the guest to a host that is.",
        (
            0xC004FD03,
            "SL_E_IA_ID_MISMATCH",
            "the host machine cannot activate the edition of Windows on the virtual machine",
        ),
    ),
    *_codes(
        "Check that Data Exchange is on for the VM and that its host is activated, then run again.",
        (
            0xC004FD04,
            "SL_E_IA_MACHINE_NOT_BOUND",
            "Windows is not activated: the AVMA key is installed, but no host has bound it, or the binding has expired",
        ),
    ),
    # Product keys.
    *_codes(
        _WRONG_KEY,
        (0xC004E016, "SL_E_PKEY_INVALID_CONFIG", "the product key is not one of this Windows image"),
        (0xC004E01D, "SL_E_PKEY_INVALID_KEYCHANGE2", "the new product key cannot be used on this installation"),
        (0xC004E01E, "SL_E_PKEY_INVALID_KEYCHANGE3", "the new product key cannot be used on this installation"),
        (0xC004E01C, "SL_E_PKEY_INVALID_KEYCHANGE1", "the product key is one for evaluation that is no longer valid"),
        (0xC004F004, "SL_E_MISMATCHED_PKEY_RANGE", "the product key is not of the range of the licence"),
        (0xC004F005, "SL_E_MISMATCHED_PID", "the product key is not that of the licence"),
        (0xC004F069, "SL_E_MISMATCHED_PRODUCT_SKU", "the product SKU of the key is not found"),
        (0xC004F07D, "SL_E_INVALID_PRODUCT_KEY_TYPE", "the key cannot be used for this type of activation"),
        (0xC004F210, "SL_E_EDITION_MISMATCHED", "the licence edition does not match the computer's edition"),
        (0xC004C401, "SL_E_INVALID_OS_FOR_PRODUCT_KEY", "the product key is not for this version of Windows"),
        (
            0x8004E026,
            "SL_E_INVALID_USE_OF_ADD_ON_PKEY",
            "the key is one of an add-on, where one of Windows is expected",
        ),
    ),
    *_codes(
        _TYPING_ERRORS,
        (0xC004E017, "SL_E_PKEY_INVALID_UNIQUEID", "the product key is invalid"),
        (0xC004E018, "SL_E_PKEY_INVALID_ALGORITHM", "the product key is invalid"),
        (0xC004E019, "SL_E_PKEY_INTERNAL_ERROR", "the product key could not be validated"),
        (0xC004F010, "SL_E_INVALID_PKEY", "the product key is invalid"),
        (0xC004F050, "SL_E_INVALID_PRODUCT_KEY", "the product key is invalid"),
    ),
    *_codes(
        "Install a product key: a guest gets its AVMA key from {guest_key}, a host needs one of its own ({host_key}).",
        (0xC004F014, "SL_E_PKEY_NOT_INSTALLED", "no product key is installed"),
    ),
    *_codes(
        _LICENCE_FILES,
        (0xC004F015, "SL_E_PRODUCT_SKU_NOT_INSTALLED", "the licence files of the key's edition are not installed"),
        (0xC004F003, "SL_E_USE_LICENSE_NOT_INSTALLED", "a licence that is needed is not there"),
        (0xC004F006, "SL_E_EXTERNAL_SIGNATURE_NOT_FOUND", "the signature file of the licence is not there"),
        (0xC004F007, "SL_E_RAC_NOT_AVAILABLE", "a licence is not there"),
        (0xC004F008, "SL_E_SPC_NOT_AVAILABLE", "a licence is not there"),
        (0xC004F00A, "SL_E_MISMATCHED_APPID", "the licence is of another application"),
        (0xC004F00B, "SL_E_NO_PID_CONFIG_DATA", "the product identification data is not there"),
        (
            0xC004F00E,
            "SL_E_MISMATCHED_SECURITY_PROCESSOR",
            "the licence is not for this version of the licensing service",
        ),
        (0xC004F011, "SL_E_LICENSE_FILE_NOT_INSTALLED", "the licence file is not installed"),
        (0xC004F012, "SL_E_VALUE_NOT_FOUND", "a value of the licence is not there"),
        (0xC004F017, "SL_E_PUBLISHING_LICENSE_NOT_INSTALLED", "a licence is not installed"),
        (0xC004F018, "SL_E_LICENSE_SERVER_URL_NOT_FOUND", "the licence names no activation server"),
        (0xC004F01C, "SL_E_DECRYPTION_LICENSES_NOT_AVAILABLE", "a licence is not installed"),
        (0xC004F04F, "SL_E_LICENSE_MANAGEMENT_DATA_NOT_FOUND", "the licences lack management data"),
        (0xC004F055, "SL_E_BASE_SKU_NOT_AVAILABLE", "the licence of the base edition is not there"),
        (0xC004F062, "SL_E_ISSUANCE_LICENSE_NOT_INSTALLED", "a licence that is needed is not there"),
        (0xC004F072, "SL_E_APPLICATION_POLICIES_MISSING", "the licence policies are not there"),
        (0xC004F073, "SL_E_APPLICATION_POLICIES_NOT_LOADED", "the licence policies are not loaded"),
    ),
    *_codes(
        "Usual where evaluation and volume media are mixed: check the edition (DISM /Online /Get-CurrentEdition).",
        (0xC004F034, "SL_E_EUL_NOT_AVAILABLE", "the licence could not be found or was invalid"),
    ),
    *_codes(
        "See the Application event log of the machine for the reason.",
        (0xC004F033, "SL_E_PRODUCT_KEY_INSTALLATION_NOT_ALLOWED", "this product key may not be installed"),
        (0xC004F06A, "SL_E_OPERATION_NOT_ALLOWED", "the operation is not allowed"),
        (0xC004F016, "SL_E_NOT_SUPPORTED", "the request is not supported"),
        (0xC004F013, "SL_E_RIGHT_NOT_GRANTED", "the licence gives no right to run the software"),
        (0xC004F002, "SL_E_RIGHT_NOT_CONSUMED", "the rights of the licence could not be taken"),
        (0xC004F001, "SL_E_INTERNAL_ERROR", "the licensing service has an internal error"),
    ),
    *_codes("Use a full key.", (0xC004F061, "SL_E_PKEY_INVALID_UPGRADE", "the key is for upgrades only")),
    *_codes(
        _OTHER_KEY,
        (0xC004F051, "SL_E_BLOCKED_PRODUCT_KEY", "Microsoft has blocked the product key"),
        (
            0xC004C001,
            "SL_E_CHPA_PRODUCT_KEY_OUT_OF_RANGE",
            "the activation server says that the product key is invalid",
        ),
        (0xC004C002, "SL_E_CHPA_INVALID_BINDING", "the activation server has a problem with the product key"),
        (0xC004C003, "SL_E_CHPA_PRODUCT_KEY_BLOCKED", "the activation server says that the product key is blocked"),
        (0xC004C004, "SL_E_CHPA_INVALID_PRODUCT_KEY", "the activation server says that the product key is invalid"),
        (0xC004C005, "SL_E_CHPA_BINDING_NOT_FOUND", "the activation server says that the licence is invalid"),
        (0xC004C006, "SL_E_CHPA_BINDING_MAPPING_NOT_FOUND", "the activation server says that the licence is invalid"),
        (0xC004C007, "SL_E_CHPA_UNSUPPORTED_PRODUCT_KEY", "the activation server says that the product key is invalid"),
        (0xC004C009, "SL_E_CHPA_ACTCONFIG_ID_NOT_FOUND", "the activation server says that the licence is invalid"),
        (0xC004C00A, "SL_E_CHPA_INVALID_PRODUCT_DATA_ID", "the activation server says that the licence is invalid"),
        (0xC004C00B, "SL_E_CHPA_INVALID_PRODUCT_DATA", "the activation server says that the licence is invalid"),
        (0xC004C00D, "SL_E_CHPA_INVALID_ACTCONFIG_ID", "the activation server says that the product key is invalid"),
        (
            0xC004C00E,
            "SL_E_CHPA_INVALID_PRODUCT_KEY_LENGTH",
            "the activation server says that the product key is invalid",
        ),
        (
            0xC004C00F,
            "SL_E_CHPA_INVALID_PRODUCT_KEY_FORMAT",
            "the activation server says that the product key is invalid",
        ),
        (
            0xC004C010,
            "SL_E_CHPA_INVALID_PRODUCT_KEY_CHAR",
            "the activation server says that the product key is invalid",
        ),
        (0xC004C011, "SL_E_CHPA_INVALID_BINDING_URI", "the activation server says that the licence is invalid"),
        (0xC004C016, "SL_E_CHPA_OEM_SLP_COA0", "the product key is one that cannot be activated online"),
        (0xC004C017, "SL_E_CHPA_PRODUCT_KEY_BLOCKED_IPLOCATION", "the product key is blocked where this machine is"),
        (0xC004C030, "SL_E_CHPA_TIMEBASED_ACTIVATION_BEFORE_START_DATE", "the product key cannot be activated yet"),
        (0xC004C031, "SL_E_CHPA_TIMEBASED_ACTIVATION_AFTER_END_DATE", "the product key cannot be activated any more"),
        (0xC004C032, "SL_E_CHPA_TIMEBASED_ACTIVATION_NOT_AVAILABLE", "the time of the product key cannot be extended"),
        (0xC004C033, "SL_E_CHPA_TIMEBASED_PRODUCT_KEY_NOT_CONFIGURED", "the product key is not ready for activation"),
        (0xC004C04F, "SL_E_CHPA_NO_RULES_TO_ACTIVATE", "the activation server has no rule for the product key"),
        (
            0xC004C051,
            "SL_E_CHPA_DIGITALMARKER_INVALID_BINDING",
            "the activation server says that the licence is invalid",
        ),
        (
            0xC004C052,
            "SL_E_CHPA_DIGITALMARKER_BINDING_NOT_CONFIGURED",
            "the activation server has a problem with the product key",
        ),
        (
            0xC004C060,
            "SL_E_CHPA_DYNAMICALLY_BLOCKED_PRODUCT_KEY",
            "the activation server says that the product key is blocked",
        ),
        (
            0xC004C764,
            "SL_E_CHPA_UNKNOWN_PRODUCT_KEY_TYPE",
            "the activation server does not know this type of product key",
        ),
        (0xC004C770, "SL_E_CHPA_PRODUCT_KEY_BEING_USED", "the product key is being used by someone else"),
        (0xC004B100, "SL_E_SRV_GENERAL_ERROR", "the activation server says that the computer could not be activated"),
        (0xC004B001, "SL_E_SRV_INVALID_PUBLISH_LICENSE", "the activation server says that the licence is invalid"),
        (0xC004B002, "SL_E_SRV_INVALID_PRODUCT_KEY_LICENSE", "the activation server says that the licence is invalid"),
        (
            0xC004B003,
            "SL_E_SRV_INVALID_RIGHTS_ACCOUNT_LICENSE",
            "the activation server says that the licence is invalid",
        ),
        (0xC004B004, "SL_E_SRV_INVALID_LICENSE_STRUCTURE", "the activation server says that the licence is invalid"),
        (0xC004B005, "SL_E_SRV_AUTHORIZATION_FAILED", "the activation server says that the licence is invalid"),
        (0xC004B006, "SL_E_SRV_INVALID_BINDING", "the activation server says that the licence is invalid"),
        (0xC004B008, "SL_E_SRV_INVALID_PAYLOAD", "the activation server says that the licence is invalid"),
        (
            0xC004B009,
            "SL_E_SRV_INVALID_SECURITY_PROCESSOR_LICENSE",
            "the activation server says that the licence is invalid",
        ),
        (
            0xC004B010,
            "SL_E_SRV_BUSINESS_TOKEN_ENTRY_NOT_FOUND",
            "the activation server lacks what it needs of the licence",
        ),
    ),
    *_codes(
        _USED_UP,
        (
            0xC004C008,
            "SL_E_CHPA_MAXIMUM_UNLOCK_EXCEEDED",
            "the activation server reports that the product key has exceeded its unlock limit",
        ),
    ),
    *_codes(
        "Ask Microsoft's licensing service for more activations of this MAK, or use another key.",
        (0xC004C020, "SL_E_CHPA_DMAK_LIMIT_EXCEEDED", "the Multiple Activation Key has exceeded its limit"),
        (
            0xC004C021,
            "SL_E_CHPA_DMAK_EXTENSION_LIMIT_EXCEEDED",
            "the Multiple Activation Key has exceeded its extended limit",
        ),
        (
            0xC004C022,
            "SL_E_CHPA_REISSUANCE_LIMIT_NOT_FOUND",
            "the activation server does not find how often the key may be used",
        ),
        (
            0xC004C023,
            "SL_E_CHPA_OVERRIDE_REQUEST_NOT_FOUND",
            "the activation server does not find leave to go beyond the limit",
        ),
    ),
    *_codes(
        _MICROSOFT_LATER,
        (0xC004B007, "SL_E_SRV_SERVER_PONG", "the activation server answered nothing but that it is there"),
        (0xC004C00C, "SL_E_CHPA_SYSTEM_ERROR", "the activation server has an error"),
        (0xC004C012, "SL_E_CHPA_NETWORK_ERROR", "the activation server has a network error"),
        (0xC004C013, "SL_E_CHPA_DATABASE_ERROR", "the activation server has an error"),
        (0xC004C014, "SL_E_CHPA_INVALID_ARGUMENT", "the activation server has an error"),
        (0xC004C015, "SL_E_CHPA_RESPONSE_NOT_AVAILABLE", "the activation server has an error"),
        (0xC004C050, "SL_E_CHPA_GENERAL_ERROR", "the activation server has an error"),
    ),
    # States of a licence.
    *_codes(_NOTHING, (0, "S_OK", "success")),
    *_codes(
        _NOTHING,
        (0x4004F040, "SL_E_VL_INFO_PRODUCT_USER_RIGHT", "Windows is activated"),
        (0x4004F401, "SL_I_STORE_BASED_ACTIVATION", "Windows has a digital licence"),
        (0x4004FC04, "SL_I_TIMEBASED_VALIDITY_PERIOD", "Windows is activated for a limited time"),
    ),
    *_codes(
        _ACTIVATE,
        (0x4004F00C, "SL_I_OOB_GRACE_PERIOD", "Windows is in its first grace period"),
        (0x4004F00D, "SL_I_OOT_GRACE_PERIOD", "Windows is in a grace period after its hardware or host changed"),
        (0xC004F009, "SL_E_GRACE_TIME_EXPIRED", "the grace period has expired"),
        (0xC004F00F, "SL_E_OUT_OF_TOLERANCE", "the hardware has changed too much since Windows was activated"),
        (0xC004F021, "SL_E_VALIDITY_TIME_EXPIRED", "the licence is no longer valid: its time is out"),
        (
            0xC004F056,
            "SL_E_VL_MACHINE_NOT_BOUND",
            "Windows is not activated: no Key Management Service has bound it, or the binding has expired",
        ),
        (0xC004E004, "SL_E_NOT_EVALUATED", "the licence has not been looked at yet"),
        (0xC004E005, "SL_E_NOT_ACTIVATED", "the licence is not activated"),
        (0xC004F080, "SL_E_LICENSE_NOT_BOUND", "the licence is not bound to this machine"),
    ),
    *_codes(
        _GENUINE,
        (0x4004F065, "SL_I_NONGENUINE_GRACE_PERIOD", "Windows is in a grace period because it is not genuine"),
        (0xC004F065, "SL_I_NONGENUINE_GRACE_PERIOD", "Windows is in a grace period because it is not genuine"),
        (0x4004F068, "SL_I_NONGENUINE_GRACE_PERIOD_2", "Windows is in a grace period because it is not genuine"),
        (
            0xC004F064,
            "SL_E_NONGENUINE_GRACE_TIME_EXPIRED",
            "the grace period of a Windows that is not genuine has expired",
        ),
        (
            0xC004F067,
            "SL_E_NONGENUINE_GRACE_TIME_EXPIRED_2",
            "the grace period of a Windows that is not genuine has expired",
        ),
        (0xC004F200, "SL_E_NOT_GENUINE", "this copy of Windows is not genuine"),
        (0xC004C291, "SL_E_INVALID_LICENSE_STATE_BREACH_GRACE", "the state of the licence is not genuine"),
        (0xC004C292, "SL_E_INVALID_LICENSE_STATE_BREACH_GRACE_EXPIRED", "the state of the licence is not genuine"),
        (0xC004C4A2, "SL_E_VALIDATION_BLOCKED_PRODUCT_KEY", "the product key is blocked"),
        (0xC004C4A5, "SL_E_VALIDATION_INVALID_PRODUCT_KEY", "the product key is not genuine"),
        (0xC004C4A8, "SL_E_INVALID_LICENSE_STATE", "the state of the licence is not genuine"),
        (0xC004C4AB, "SL_E_SOFTMOD_EXPLOIT_DETECTED", "an exploit of Windows' licensing was found"),
        (0xC004C4AD, "SL_E_HEALTH_CHECK_FAILED_NEUTRAL_FILES", "files of Windows were tampered with"),
        (0xC004C4B1, "SL_E_ENGINE_DETECTED_EXPLOIT", "an exploit of Windows' licensing was found"),
        (0xC004C531, "SL_E_NOTIFICATION_BREACH_DETECTED", "an exploit of Windows' licensing was found"),
        (0xC004C532, "SL_E_NOTIFICATION_GRACE_EXPIRED", "the grace period has expired"),
        (0xC004C533, "SL_E_NOTIFICATION_OTHER_REASONS", "the licence is in notification"),
        (0xC004C600, "SL_E_NON_GENUINE_STATUS_LAST", "this copy of Windows is not genuine"),
    ),
    *_codes(
        "Reinstall Windows from genuine media: language packs that its edition does not allow, "
        "malware or damaged system files may have done this.",
        (0x8004FE21, None, "this computer is not running genuine Windows"),
    ),
    # Key Management Service and Active Directory.
    *_codes(
        _KMS,
        (0xC004F074, "SL_E_VL_BINDING_SERVICE_UNAVAILABLE", "no Key Management Service could be contacted"),
        (0xC004F038, "SL_E_VL_NOT_ENOUGH_COUNT", "the Key Management Service counts too few machines"),
        (
            0xC004F039,
            "SL_E_VL_BINDING_SERVICE_NOT_ENABLED",
            "the Key Management Service did not answer, or is not enabled",
        ),
        (
            0xC004F041,
            "SL_E_VL_KEY_MANAGEMENT_SERVICE_NOT_ACTIVATED",
            "the Key Management Service is not activated itself",
        ),
        (
            0xC004F042,
            "SL_E_VL_KEY_MANAGEMENT_SERVICE_ID_MISMATCH",
            "the Key Management Service that answered is not one for this Windows",
        ),
        (
            0xC004F06B,
            "SL_E_VL_KEY_MANAGEMENT_SERVICE_VM_NOT_SUPPORTED",
            "the Key Management Service may not run in a virtual machine",
        ),
        (0xC004F081, "SL_E_VL_AD_AO_NOT_FOUND", "the domain has no activation object for this Windows"),
        (0xC004F082, "SL_E_VL_AD_AO_NAME_TOO_LONG", "the name of the domain's activation object is too long"),
        (
            0xC004F083,
            "SL_E_VL_AD_SCHEMA_VERSION_NOT_SUPPORTED",
            "the domain's schema is too old for activation by Active Directory",
        ),
    ),
    *_codes(
        "Use a MAK or a retail key: this volume key is for upgrades of Windows that came with the computer.",
        (
            0xC004F035,
            "SL_E_VL_NOT_WINDOWS_SLP",
            "this computer has no Windows of its manufacturer that the volume key could upgrade",
        ),
    ),
    *_codes(
        _CLOCK,
        (0xC004F06C, "SL_E_VL_INVALID_TIMESTAMP", "the machine's clock differs too much"),
        (0xC004B011, "SL_E_SRV_CLIENT_CLOCK_OUT_OF_SYNC", "the machine's clock is wrong"),
        (
            0x8004D102,
            "SL_REMAPPING_SP_STATUS_SYSTEM_TIME_SKEWED",
            "the machine's clock does not agree with its trusted time",
        ),
        (0x80070576, "ERROR_TIME_SKEW", "the clocks of client and server differ too much"),
        (0x80090324, "SEC_E_TIME_SKEW", "the clocks of client and server differ too much"),
        (
            0xC0000133,
            "STATUS_TIME_DIFFERENCE_AT_DC",
            "the clocks of the machine and of its domain controller differ too much",
        ),
    ),
    # The licensing service.
    *_codes(
        _LATER,
        (0xC004E028, "SL_E_ACTIVATION_IN_PROGRESS", "another activation is in progress"),
        (0xC004F075, "SL_E_SERVICE_STOPPING", "the licensing service is stopping"),
        (0xC004F07B, "SL_E_SERVICE_RUNNING", "the licensing service is running"),
        retryable=True,
    ),
    *_codes(
        _STORE,
        (0xC004E001, "SL_E_INVALID_CONTEXT", "the licensing service was given an invalid context"),
        (0xC004E002, "SL_E_TOKEN_STORE_INVALID_STATE", "the licence store contradicts itself"),
        (0xC004E003, "SL_E_EVALUATION_FAILED", "the licences could not be evaluated"),
        (0xC004E006, "SL_E_INVALID_GUID", "the licence holds invalid data"),
        (0xC004E007, "SL_E_TOKSTO_TOKEN_NOT_FOUND", "the licence store lacks a licence"),
        (0xC004E008, "SL_E_TOKSTO_NO_PROPERTIES", "a property of a licence is invalid"),
        (0xC004E009, "SL_E_TOKSTO_NOT_INITIALIZED", "the licence store is not ready"),
        (0xC004E00B, "SL_E_TOKSTO_NO_ID_SET", "a property of a licence is invalid"),
        (0xC004E00C, "SL_E_TOKSTO_CANT_CREATE_FILE", "a licence could not be opened or created"),
        (0xC004E00D, "SL_E_TOKSTO_CANT_WRITE_TO_FILE", "a licence could not be written"),
        (0xC004E00E, "SL_E_TOKSTO_CANT_READ_FILE", "a licence could not be read"),
        (0xC004E00F, "SL_E_TOKSTO_CANT_PARSE_PROPERTIES", "a property of a licence is damaged"),
        (0xC004E010, "SL_E_TOKSTO_PROPERTY_NOT_FOUND", "a property of a licence is missing"),
        (0xC004E011, "SL_E_TOKSTO_INVALID_FILE", "the licence store holds an invalid file"),
        (0xC004E012, "SL_E_TOKSTO_CANT_CREATE_MUTEX", "the licence store could not be locked"),
        (0xC004E013, "SL_E_TOKSTO_CANT_ACQUIRE_MUTEX", "the licence store could not be locked"),
        (0xC004E014, "SL_E_TOKSTO_NO_TOKEN_DATA", "a property of a licence is invalid"),
        (0xC004E015, "SL_E_EUL_CONSUMPTION_FAILED", "the licence could not be used"),
        (0xC004E01A, "SL_E_LICENSE_INVALID_ADDON_INFO", "the licence says something invalid of add-ons"),
        (0xC004E01B, "SL_E_HWID_ERROR", "the licensing service could not read all of the hardware"),
        (0xC004E020, "SL_E_POLICY_OTHERINFO_MISMATCH", "the licence contradicts itself"),
        (0xC004E021, "SL_E_PRODUCT_UNIQUENESS_GROUP_ID_INVALID", "the licence contradicts itself"),
        (0xC004E022, "SL_E_SECURE_STORE_ID_MISMATCH", "the licence is of another licence store"),
        (0xC004E024, "SL_E_INVALID_CONTEXT_DATA", "what the licensing service was told of the machine is invalid"),
        (0xC004E025, "SL_E_INVALID_HASH", "the hash of a licence is wrong"),
        (0xC004E027, "SL_E_WINDOWS_VERSION_MISMATCH", "the licensing service is of another version than its licences"),
        (0xC004F01D, "SL_E_LICENSE_SIGNATURE_VERIFICATION_FAILED", "a licence could not be verified"),
        (0xC004F01E, "SL_E_DATATYPE_MISMATCHED", "a value of a licence has another type than was asked for"),
        (0xC004F01F, "SL_E_INVALID_LICENSE", "a licence is invalid"),
        (0xC004F020, "SL_E_INVALID_PACKAGE", "a licence package is invalid"),
        (0xC004F022, "SL_E_LICENSE_AUTHORIZATION_FAILED", "a licence was not authorized"),
        (0xC004F023, "SL_E_LICENSE_DECRYPTION_FAILED", "a licence is invalid"),
        (0xC004F024, "SL_E_WINDOWS_INVALID_LICENSE_STATE", "a licence is invalid"),
        (0xC004F026, "SL_E_PROXY_KEY_NOT_FOUND", "what the licensing service needs is not there"),
        (0xC004F027, "SL_E_TAMPER_DETECTED", "a licence was tampered with"),
        (0xC004F028, "SL_E_POLICY_CACHE_INVALID", "the policy cache is invalid"),
        (0xC004F02A, "SL_E_SLP_NOT_SIGNED", "a licence is invalid"),
        (0xC004F032, "SL_E_INVALID_BINDING_BLOB", "the binding of a licence is invalid"),
        (0xC004F047, "SL_E_PROXY_POLICY_NOT_UPDATED", "the policies were not updated"),
        (0xC004F052, "SL_E_DUPLICATE_POLICY", "the licences hold a property twice"),
        (0xC004F053, "SL_E_MISSING_OVERRIDE_ONLY_ATTRIBUTE", "a policy of a licence is not configured properly"),
        (0xC004F054, "SL_E_LICENSE_MANAGEMENT_DATA_DUPLICATED", "the licences hold management data twice"),
        (0xC004F060, "SL_E_INVALID_PACKAGE_VERSION", "the licence package is of an invalid version"),
        (0xC004F066, "SL_E_DEPENDENT_PROPERTY_NOT_SET", "a property that another one needs is not set"),
        (0xC004F071, "SL_E_PLUGIN_INVALID_MANIFEST", "the manifest of a licensing plug-in is wrong"),
        (0xC004F076, "SL_E_PLUGIN_NOT_REGISTERED", "a licensing plug-in is not registered"),
        (0xC004D101, "SL_REMAPPING_SP_PUB_GENERAL_NOT_INITIALIZED", "the security processor could not start"),
        (0xC004D103, "SL_REMAPPING_SP_STATUS_GENERIC_FAILURE", "the security processor has an error"),
        (0xC004D104, "SL_REMAPPING_SP_STATUS_INVALIDARG", "the security processor was given invalid data"),
        (0xC004D108, "SL_REMAPPING_SP_STATUS_INVALIDDATA", "the security processor was given invalid data"),
        (0xC004D301, "SL_REMAPPING_SP_PUB_TS_TAMPERED", "the trusted store was tampered with"),
        (0xC004D302, "SL_REMAPPING_SP_PUB_TS_REARMED", "the trusted store was rearmed: restart the machine"),
        (0xC004D303, "SL_REMAPPING_SP_PUB_TS_RECREATED", "the trusted store was made anew"),
        (0xC004D304, "SL_REMAPPING_SP_PUB_TS_ENTRY_KEY_NOT_FOUND", "an entry of the trusted store is missing"),
        (
            0xC004D309,
            "SL_REMAPPING_SP_PUB_TS_INVALID_HW_BINDING",
            "the hardware has changed too much for the trusted store",
        ),
        (0xC004D30E, "SL_REMAPPING_SP_PUB_TS_FULL", "the trusted store is full"),
        (0xC004D314, "SL_REMAPPING_SP_PUB_TS_ACCESS_DENIED", "the trusted store may not be accessed"),
        (0xC004D401, "SL_REMAPPING_SP_PUB_TAMPER_MODULE_AUTHENTICATION", "files of the licensing service do not match"),
        (
            0xC004D402,
            "SL_REMAPPING_SP_PUB_TAMPER_SECURITY_PROCESSOR_PATCHED",
            "files of the licensing service do not match",
        ),
        (0xC004D501, "SL_REMAPPING_SP_PUB_KM_CACHE_TAMPER", "the licensing data of the kernel is damaged"),
        (
            0xC004D502,
            "SL_REMAPPING_SP_PUB_KM_CACHE_TAMPER_RESTORE_FAILED",
            "the licensing data of the kernel is damaged",
        ),
        (0x8004E101, "SL_E_SFS_INVALID_FS_VERSION", "the licence store is of an invalid version"),
        (0x8004E102, "SL_E_SFS_INVALID_FD_TABLE", "the licence store is damaged"),
        (0x8004E103, "SL_E_SFS_INVALID_SYNC", "the licence store is damaged"),
        (0x8004E107, "SL_E_SFS_TOKEN_SIZE_MISMATCH", "the licence store is damaged"),
        (0x8004E108, "SL_E_SFS_INVALID_TOKEN_DATA_HASH", "the licence store is damaged"),
        (0x8004E109, "SL_E_SFS_FILE_READ_ERROR", "the licence store could not be read"),
        (0x8004E10A, "SL_E_SFS_FILE_WRITE_ERROR", "the licence store could not be written"),
        (0x8004E10D, "SL_E_SFS_INVALID_FS_HEADER", "the licence store is damaged"),
        (0x8004E10E, "SL_E_SFS_INVALID_TOKEN_DESCRIPTOR", "the licence store is damaged"),
    ),
    *_codes(
        "Reinstall Windows, or make the image anew: it was rearmed as often as it may be.",
        (0xC004D307, "SL_REMAPPING_SP_PUB_TS_MAX_REARM_REACHED", "Windows was rearmed too often"),
    ),
    *_codes(
        "Start Windows normally, not in safe mode, then run again.",
        (0xC004F029, "SL_E_INVALID_RUNNING_MODE", "the licensing service cannot run in this mode of Windows"),
    ),
    *_codes(
        _OFFLINE,
        (0xC004F02C, "SL_E_CIDIID_INVALID_DATA", "the offline activation data has the wrong format"),
        (0xC004F02D, "SL_E_CIDIID_INVALID_VERSION", "the confirmation ID is of a wrong version"),
        (0xC004F02E, "SL_E_CIDIID_VERSION_NOT_SUPPORTED", "the confirmation ID is of a version that is not supported"),
        (0xC004F02F, "SL_E_CIDIID_INVALID_DATA_LENGTH", "the confirmation ID has the wrong length"),
        (0xC004F030, "SL_E_CIDIID_NOT_DEPOSITED", "the installation ID or the confirmation ID could not be saved"),
        (0xC004F031, "SL_E_CIDIID_MISMATCHED", "the installation ID and the confirmation ID do not match"),
        (0xC004F04D, "SL_E_CIDIID_INVALID_CHECK_DIGITS", "the installation ID or the confirmation ID is invalid"),
        (
            0xC004F07E,
            "SL_E_CIDIID_MISMATCHED_PKEY",
            "the installation ID and the confirmation ID do not match the product key",
        ),
        (0xC004F07F, "SL_E_CIDIID_NOT_BOUND", "the installation ID and the confirmation ID are not of this machine"),
    ),
    *_codes(
        _OEM,
        (0xC004F057, "SL_E_SLP_MISSING_ACPI_SLIC", "the firmware lacks a licence"),
        (0xC004F058, "SL_E_SLP_MISSING_SLP_MARKER", "the firmware lacks a licence"),
        (0xC004F059, "SL_E_SLP_BAD_FORMAT", "a licence of the firmware is invalid"),
        (0xC004F063, "SL_E_SLP_OEM_CERT_MISSING", "the OEM licence is missing"),
        (0xC004F07C, "SL_E_SLP_INVALID_MARKER_VERSION", "the licence of the firmware is of an invalid version"),
    ),
    *_codes(
        _TOKENS,
        (0xC004F301, "SL_E_TKA_CHALLENGE_EXPIRED", "the token-based activation took too long"),
        (0xC004F302, "SL_E_TKA_SILENT_ACTIVATION_FAILURE", "no certificate can activate Windows without a person"),
        (0xC004F303, "SL_E_TKA_INVALID_CERT_CHAIN", "the certificate chain is not valid"),
        (0xC004F304, "SL_E_TKA_GRANT_NOT_FOUND", "the licence for token-based activation is missing"),
        (0xC004F305, "SL_E_TKA_CERT_NOT_FOUND", "no certificate can activate Windows"),
        (0xC004F306, "SL_E_TKA_INVALID_SKU_ID", "this edition cannot be activated by certificates"),
        (0xC004F307, "SL_E_TKA_INVALID_BLOB", "the data of the token-based activation is invalid"),
    ),
    # Access.
    *_codes(
        _ELEVATE,
        (0xC004F025, "SL_E_LUA_ACCESSDENIED", "the action needs administrator privileges"),
        (0x80070005, "E_ACCESSDENIED", "access is denied"),
        (0x80041003, "WBEM_E_ACCESS_DENIED", "the user has no right to do this by WMI"),
        (0x80041062, "WBEM_E_PRIVILEGE_NOT_HELD", "the user lacks a privilege that this takes"),
        (0x80070522, "ERROR_PRIVILEGE_NOT_HELD", "the user lacks a privilege that this takes"),
        (0xC0000022, "STATUS_ACCESS_DENIED", "access is denied"),
        (0xC0000061, "STATUS_PRIVILEGE_NOT_HELD", "the user lacks a privilege that this takes"),
        (0x8001011B, "RPC_E_ACCESS_DENIED", "access is denied"),
    ),
    *_codes(
        _WINRM_ACCESS,
        (0x80338104, "ERROR_WSMAN_WMI_SVC_ACCESS_DENIED", "the user may not use WMI by WinRM"),
        (0x80338105, "ERROR_WSMAN_WMI_PROVIDER_ACCESS_DENIED", "the provider of the WMI class refuses the user"),
        (0x80338106, "ERROR_WSMAN_WMI_CANNOT_CONNECT_ACCESS_DENIED", "the user may not use this WMI namespace"),
        (0x80338036, "ERROR_WSMAN_FAILED_AUTHENTICATION", "WinRM does not accept the login"),
        (0x8033809D, "ERROR_WSMAN_SECURITY_UNMAPPED", "WinRM does not know the user"),
        (0x803381A9, "ERROR_WSMAN_DIFFERENT_AUTHZ_TOKEN", "the session belongs to another user"),
    ),
    *_codes(
        _LOGIN,
        (0x8007052E, "ERROR_LOGON_FAILURE", "the user name or the password is wrong"),
        (0x8007052F, "ERROR_ACCOUNT_RESTRICTION", "the account may not log in so"),
        (0x80070530, "ERROR_INVALID_LOGON_HOURS", "the account may not log in at this time"),
        (0x80070532, "ERROR_PASSWORD_EXPIRED", "the password has expired"),
        (0x80070533, "ERROR_ACCOUNT_DISABLED", "the account is disabled"),
        (0x80070569, "ERROR_LOGON_TYPE_NOT_GRANTED", "the account may not log in over the network"),
        (0x80070773, "ERROR_PASSWORD_MUST_CHANGE", "the password must be changed first"),
        (0x80070775, "ERROR_ACCOUNT_LOCKED_OUT", "the account is locked"),
        (0x8009030C, "SEC_E_LOGON_DENIED", "the login was refused"),
        (0x8009030E, "SEC_E_NO_CREDENTIALS", "there are no credentials to log in with"),
        (0xC000006D, "STATUS_LOGON_FAILURE", "the user name or the password is wrong"),
        (0xC000006E, "STATUS_ACCOUNT_RESTRICTION", "the account may not log in so"),
        (0xC0000071, "STATUS_PASSWORD_EXPIRED", "the password has expired"),
        (0xC0000072, "STATUS_ACCOUNT_DISABLED", "the account is disabled"),
        (0xC0000234, "STATUS_ACCOUNT_LOCKED_OUT", "the account is locked"),
    ),
    *_codes(
        "See that the machine reaches a domain controller, and that its account in the domain is sound (Test-ComputerSecureChannel).",
        (0x8007051F, "ERROR_NO_LOGON_SERVERS", "no domain controller answers"),
        (0x8007054B, "ERROR_NO_SUCH_DOMAIN", "the domain is not there, or cannot be reached"),
        (0x800706FC, "ERROR_TRUSTED_DOMAIN_FAILURE", "the trust between the domains is broken"),
        (0x800706FD, "ERROR_TRUSTED_RELATIONSHIP_FAILURE", "the trust between the machine and its domain is broken"),
        (0x80070574, "ERROR_WRONG_TARGET_NAME", "the service principal name is that of another account"),
        (0x80090311, "SEC_E_NO_AUTHENTICATING_AUTHORITY", "no domain controller answers"),
        (0x80090322, "SEC_E_WRONG_PRINCIPAL", "the service principal name is that of another account"),
        (0xC000005E, "STATUS_NO_LOGON_SERVERS", "no domain controller answers"),
    ),
    # WMI.
    *_codes(
        _WMI_REPAIR,
        (0x80041001, "WBEM_E_FAILED", "the call failed, and WMI says no more"),
        (0x80041004, "WBEM_E_PROVIDER_FAILURE", "the provider of the WMI class failed"),
        (0x8004100A, "WBEM_E_CRITICAL_ERROR", "a serious error of WMI"),
        (0x80041014, "WBEM_E_INITIALIZATION_FAILURE", "a part of WMI could not start"),
        (0x80041015, "WBEM_E_TRANSPORT_FAILURE", "the connection to WMI broke"),
        (0x8004101D, "WBEM_E_UNEXPECTED", "something that WMI did not expect"),
        (0x80041007, "WBEM_E_INVALID_CONTEXT", "the context of the call is not valid"),
        (0x8004100F, "WBEM_E_INVALID_OBJECT", "an object of WMI is not valid"),
        (0x80041009, "WBEM_E_NOT_AVAILABLE", "what was asked for is not available now"),
        (0x80041013, "WBEM_E_PROVIDER_LOAD_FAILURE", "the provider of the WMI class could not be loaded"),
        (
            0x80041012,
            "WBEM_E_INVALID_PROVIDER_REGISTRATION",
            "the provider of the WMI class is not registered properly",
        ),
        (0x80041011, "WBEM_E_PROVIDER_NOT_FOUND", "the provider of the WMI class is not there"),
        (0x80041071, "WBEM_E_CONNECTION_FAILED", "the connection to WMI failed"),
        (0x80041081, "WBEM_E_PROVIDER_SUSPENDED", "the provider of the WMI class is suspended"),
        (0x80041085, "WBEM_E_PROVIDER_NOT_REGISTERED", "the provider of the WMI class is not registered"),
        (0x80041086, "WBEM_E_FATAL_TRANSPORT_ERROR", "the connection to WMI broke"),
        (0x8004108A, "WBEM_E_PROVIDER_DISABLED", "the provider of the WMI class is disabled"),
        (0x80041060, "WBEM_E_BACKUP_RESTORE_WINMGMT_RUNNING", "the repository is being backed up or restored"),
        (0x80041078, "WBEM_E_DATABASE_VER_MISMATCH", "the repository is of another version"),
        (0x80041033, "WBEM_E_SHUTTING_DOWN", "the machine, or its WMI, is shutting down"),
        (0x80041032, "WBEM_E_CALL_CANCELLED", "the call was cancelled"),
    ),
    *_codes(
        _WMI_CLASS,
        (0x80041002, "WBEM_E_NOT_FOUND", "what was asked for is not there"),
        (0x8004100C, "WBEM_E_NOT_SUPPORTED", "this is not supported"),
        (0x8004100E, "WBEM_E_INVALID_NAMESPACE", "the WMI namespace is not there"),
        (0x80041010, "WBEM_E_INVALID_CLASS", "the WMI class is not there"),
        (0x80041024, "WBEM_E_PROVIDER_NOT_CAPABLE", "the provider of the WMI class cannot do this"),
        (0x80041027, "WBEM_E_QUERY_NOT_IMPLEMENTED", "the provider of the WMI class takes no queries"),
        (0x8004102E, "WBEM_E_INVALID_METHOD", "the method is not there"),
        (0x80041031, "WBEM_E_INVALID_PROPERTY", "the property is not there"),
        (0x80041055, "WBEM_E_METHOD_NOT_IMPLEMENTED", "the method is not implemented"),
        (0x80041056, "WBEM_E_METHOD_DISABLED", "the method is disabled"),
        (0x80040154, "REGDB_E_CLASSNOTREG", "a part of Windows is not registered"),
    ),
    *_codes(
        _BUG,
        (0x80041005, "WBEM_E_TYPE_MISMATCH", "a value has the wrong type"),
        (0x80041008, "WBEM_E_INVALID_PARAMETER", "a parameter is not valid"),
        (0x80041016, "WBEM_E_INVALID_OPERATION", "the operation is not valid"),
        (0x80041017, "WBEM_E_INVALID_QUERY", "the query is not valid on this machine"),
        (0x80041018, "WBEM_E_INVALID_QUERY_TYPE", "the query language is not known"),
        (0x8004101E, "WBEM_E_ILLEGAL_OPERATION", "the operation is not allowed in this place"),
        (0x80041021, "WBEM_E_INVALID_SYNTAX", "the syntax of a query is not valid"),
        (0x80041023, "WBEM_E_READ_ONLY", "the property cannot be changed"),
        (0x80041028, "WBEM_E_ILLEGAL_NULL", "a value that must be there is missing"),
        (0x8004102B, "WBEM_E_VALUE_OUT_OF_RANGE", "a value is out of range"),
        (0x8004102D, "WBEM_E_INVALID_CIM_TYPE", "a value has a type that is not known"),
        (0x8004102F, "WBEM_E_INVALID_METHOD_PARAMETERS", "the parameters of the method are not valid"),
        (0x80041035, "WBEM_E_UNSUPPORTED_PARAMETER", "a parameter is not supported"),
        (0x8004103A, "WBEM_E_INVALID_OBJECT_PATH", "the path of an object is not valid"),
        (0x80041058, "WBEM_E_UNPARSABLE_QUERY", "the query cannot be read"),
        (0x8004105F, "WBEM_E_UNINTERPRETABLE_PROVIDER_QUERY", "the provider does not understand the query"),
        (0x80041063, "WBEM_E_INVALID_OPERATOR", "an operator of the query is not valid"),
        (0x80070057, "E_INVALIDARG", "a parameter is not valid"),
        (0x80004001, "E_NOTIMPL", "this is not implemented"),
        (0x80004003, "E_POINTER", "a value that must be there is missing"),
    ),
    *_codes(
        _MEMORY,
        (0x80041006, "WBEM_E_OUT_OF_MEMORY", "the machine has not enough memory"),
        (0x8004103B, "WBEM_E_OUT_OF_DISK_SPACE", "the machine's disk is full"),
        (0x80041044, "WBEM_E_TOO_MUCH_DATA", "there is more data than WMI takes"),
        (0x8004106C, "WBEM_E_QUOTA_VIOLATION", "the call takes more of the machine than WMI may"),
        (0x8007000E, "E_OUTOFMEMORY", "the machine has not enough memory"),
        (0x80070008, "ERROR_NOT_ENOUGH_MEMORY", "the machine has not enough memory"),
        (0x800705AA, "ERROR_NO_SYSTEM_RESOURCES", "the machine has not enough resources"),
        (0x800705AF, "ERROR_COMMITMENT_LIMIT", "the machine's paging file is too small"),
        (0x80070070, "ERROR_DISK_FULL", "the machine's disk is full"),
        (0xC0000017, "STATUS_NO_MEMORY", "the machine has not enough memory"),
        (0xC000009A, "STATUS_INSUFFICIENT_RESOURCES", "the machine has not enough resources"),
    ),
    *_codes(
        _BUSY,
        (0x80041045, "WBEM_E_SERVER_TOO_BUSY", "the machine is too busy"),
        (0x80041057, "WBEM_E_REFRESHER_BUSY", "another refresh is going on"),
        (0x80041061, "WBEM_E_QUEUE_OVERFLOW", "the machine has more events than it can deliver"),
        (0x80041067, "WBEM_E_CLIENT_TOO_SLOW", "the answers were not fetched in time"),
        (0x80041077, "WBEM_E_RERUN_COMMAND", "the call must be made again"),
        (0x80043001, "WBEM_E_RETRY_LATER", "the call must be made again later"),
        (0x80043002, "WBEM_E_RESOURCE_CONTENTION", "the machine is too busy"),
        (0x80338006, "ERROR_WSMAN_PULL_IN_PROGRESS", "the pull before has not ended"),
        (0x80338078, "ERROR_WSMAN_ENUMERATION_INITIALIZING", "the enumeration has not begun yet"),
        (0x800706BB, "RPC_S_SERVER_TOO_BUSY", "the RPC server is too busy"),
        (0x8001010A, "RPC_E_SERVERCALL_RETRYLATER", "the RPC server is too busy"),
        (0x80010001, "RPC_E_CALL_REJECTED", "the RPC server rejected the call"),
        (0x800700AA, "ERROR_BUSY", "what was asked for is in use"),
    ),
    *_codes(
        _TOO_SLOW,
        (0x80338029, "ERROR_WSMAN_OPERATION_TIMEDOUT", "the machine did not finish in the time that a request has"),
        (0x80338126, "ERROR_WSMAN_NETWORK_TIMEDOUT", "the machine did not answer in time"),
        (0x8033801C, "ERROR_WSMAN_ENUMERATE_TIMED_OUT", "the enumeration has timed out"),
        (0x803381DC, "ERROR_WSMAN_SEMANTICCALLBACK_TIMEDOUT", "a part of the machine did not answer in time"),
        (0x80041069, "WBEM_E_TIMED_OUT", "the call has timed out"),
        (0x80041088, "WBEM_E_PROVIDER_TIMED_OUT", "the provider of the WMI class did not answer in time"),
        (0x800705B4, "ERROR_TIMEOUT", "the time for the operation is out"),
        (0x80070102, "WAIT_TIMEOUT", "the time for the operation is out"),
        (0x8007041D, "ERROR_SERVICE_REQUEST_TIMEOUT", "the service did not start in time"),
        (0x8001011F, "RPC_E_TIMEOUT", "the operation was not finished in time"),
        (0xC00000B5, "STATUS_IO_TIMEOUT", "the time for the operation is out"),
    ),
    # WS-Management.
    *_codes(
        _QUOTA,
        (0x8033803F, "ERROR_WSMAN_QUOTA_LIMIT", "a quota of WinRM is exceeded"),
        (0x803381A5, "ERROR_WSMAN_QUOTA_MAX_SHELLS", "the user has too many shells open"),
        (0x803381A6, "ERROR_WSMAN_QUOTA_MAX_OPERATIONS", "the user has too many operations going on"),
        (0x803381A7, "ERROR_WSMAN_QUOTA_USER", "the user asks too much of WinRM"),
        (0x803381A8, "ERROR_WSMAN_QUOTA_SYSTEM", "all users together ask too much of WinRM"),
        (0x803381AB, "ERROR_WSMAN_QUOTA_MAX_SHELLUSERS", "too many users have shells open"),
        (0x803381E4, "ERROR_WSMAN_QUOTA_MAX_SHELLS_PPQ", "too many shells of the plug-in are open"),
        (0x803381E5, "ERROR_WSMAN_QUOTA_MAX_USERS_PPQ", "too many users use the plug-in"),
        (0x803381E6, "ERROR_WSMAN_QUOTA_MAX_PLUGINSHELLS_PPQ", "too many shells of the plug-in are open"),
        (0x803381E7, "ERROR_WSMAN_QUOTA_MAX_PLUGINOPERATIONS_PPQ", "the plug-in has too many operations going on"),
        (
            0x803381E8,
            "ERROR_WSMAN_QUOTA_MAX_OPERATIONS_USER_PPQ",
            "the user has too many operations of the plug-in going on",
        ),
        (0x803381E9, "ERROR_WSMAN_QUOTA_MAX_COMMANDS_PER_SHELL_PPQ", "too many commands run in the shell"),
        retryable=True,
    ),
    *_codes(
        _ENVELOPE,
        (0x80338026, "ERROR_WSMAN_ENVELOPE_TOO_LARGE", "the request is larger than WinRM takes"),
        (0x80338047, "ERROR_WSMAN_MAX_ENVELOPE_SIZE", "the largest size of an answer is too small"),
        (0x80338048, "ERROR_WSMAN_MAX_ENVELOPE_SIZE_EXCEEDED", "the answer is larger than it may be"),
        (0x80338049, "ERROR_WSMAN_SERVER_ENVELOPE_LIMIT", "the answer is larger than WinRM may send"),
        (0x80338035, "ERROR_WSMAN_ENCODING_LIMIT", "the answer is larger than it may be"),
    ),
    *_codes(
        "Run again: the machine has forgotten the query that was being read.",
        (0x80338007, "ERROR_WSMAN_ENUMERATION_CLOSED", "the enumeration is closed"),
        (0x8033801B, "ERROR_WSMAN_ENUMERATE_INVALID_ENUMERATION_CONTEXT", "the enumeration is not known any more"),
        (0x80338084, "ERROR_WSMAN_ENUMERATION_INVALID", "the enumeration is not valid"),
        (0x803381DE, "ERROR_WSMAN_SERVICE_STREAM_DISCONNECTED", "the stream is disconnected"),
        (0x80338032, "ERROR_WSMAN_CONCURRENCY", "another request changed the same thing at the same time"),
    ),
    *_codes(
        _WMI_CLASS,
        (0x80338000, "ERROR_WSMAN_RESOURCE_NOT_FOUND", "what was asked for is not there"),
        (
            0x8033801A,
            "ERROR_WSMAN_ENUMERATE_CANNOT_PROCESS_FILTER",
            "the query cannot be answered: the machine may lack the class that it is about",
        ),
        (0x8033803B, "ERROR_WSMAN_INVALID_RESOURCE_URI", "WinRM does not know the resource"),
        (0x80338001, "ERROR_WSMAN_INVALID_ACTIONURI", "the action is not known, or the class lacks the method"),
        (0x80338042, "ERROR_WSMAN_UNSUPPORTED_FEATURE", "WinRM does not support this"),
        (0x80338018, "ERROR_WSMAN_ENUMERATE_FILTERING_NOT_SUPPORTED", "the resource takes no queries"),
        (0x80338102, "ERROR_WSMAN_WMI_PROVIDER_NOT_CAPABLE", "the provider of the WMI class cannot do this"),
    ),
    *_codes(
        _BUG,
        (0x80338002, "ERROR_WSMAN_INVALID_URI", "the URI is not valid"),
        (0x8033800C, "ERROR_WSMAN_UNSUPPORTED_TIMEOUT", "the timeout is not one that WinRM takes"),
        (0x8033800D, "ERROR_WSMAN_SOAP_VERSION_MISMATCH", "the version of SOAP is not supported"),
        (0x8033800F, "ERROR_WSMAN_INVALID_MESSAGE_INFORMATION_HEADER", "a header of the request is not valid"),
        (0x80338010, "ERROR_WSMAN_SOAP_FAULT_MUST_UNDERSTAND", "WinRM does not know a header that it must understand"),
        (0x80338011, "ERROR_WSMAN_MESSAGE_INFORMATION_HEADER_REQUIRED", "a header of the request is missing"),
        (0x80338015, "ERROR_WSMAN_INVALID_REPRESENTATION", "the body of the request is not valid"),
        (0x80338019, "ERROR_WSMAN_ENUMERATE_FILTER_DIALECT_REQUESTED_UNAVAILABLE", "the query language is not known"),
        (0x80338027, "ERROR_WSMAN_INVALID_SOAP_BODY", "the body of the request is not valid"),
        (0x8033803A, "ERROR_WSMAN_INVALID_PARAMETER", "a parameter is not valid"),
        (0x8033803D, "ERROR_WSMAN_INVALID_SELECTORS", "the keys of the instance are not valid"),
        (0x80338041, "ERROR_WSMAN_SCHEMA_VALIDATION_ERROR", "the request does not fit its schema"),
        (0x80338043, "ERROR_WSMAN_INVALID_XML", "the request is no valid XML"),
        (0x80338054, "ERROR_WSMAN_PARAMETER_TYPE_MISMATCH", "a parameter has the wrong type"),
        (0x80338055, "ERROR_WSMAN_INVALID_PARAMETER_NAME", "the name of a parameter is not known"),
        (0x80338056, "ERROR_WSMAN_INVALID_XML_VALUES", "a value of the request is not valid"),
        (0x8033805A, "ERROR_WSMAN_INSUFFCIENT_SELECTORS", "keys of the instance are missing"),
        (0x8033805B, "ERROR_WSMAN_UNEXPECTED_SELECTORS", "there are keys that the instance does not have"),
        (0x8033805D, "ERROR_WSMAN_INVALID_SELECTOR_VALUE", "a key of the instance is not valid"),
        (0x803380FB, "ERROR_WSMAN_INVALID_URI_WMI_ENUM_WQL", "the resource of a query is not valid"),
        (0x80338103, "ERROR_WSMAN_WMI_INVALID_VALUE", "a value is not valid for its WMI type"),
        (
            0x8033811E,
            "ERROR_WSMAN_WMI_PROVIDER_INVALID_PARAMETER",
            "the provider of the WMI class does not take a parameter",
        ),
    ),
    *_codes(
        _WINRM_CONFIG,
        (0x80338003, "ERROR_WSMAN_PROVIDER_FAILURE", "the plug-in of WinRM failed"),
        (0x80338005, "ERROR_WSMAN_CONFIG_CORRUPTED", "the configuration of WinRM is damaged"),
        (0x80338083, "ERROR_WSMAN_PLUGIN_FAILED", "the plug-in of WinRM failed"),
        (0x8033809A, "ERROR_WSMAN_PROVIDER_LOAD_FAILED", "the plug-in of WinRM could not be loaded"),
        (
            0x80338190,
            "ERROR_WSMAN_PLUGIN_CONFIGURATION_CORRUPTED",
            "the configuration of the plug-in of WinRM is damaged",
        ),
        (0x8033816D, "ERROR_WSMAN_INVALID_PROVIDER_RESPONSE", "the plug-in of WinRM answered something invalid"),
        (0x80338012, "ERROR_WSMAN_DESTINATION_UNREACHABLE", "the destination of the request is not there"),
        (0x80338014, "ERROR_WSMAN_ENDPOINT_UNAVAILABLE", "the service is not available now"),
        (0x803381AC, "ERROR_WSMAN_REMOTESHELLS_NOT_ALLOWED", "remote shells are not allowed on the machine"),
        (0x803381DD, "ERROR_WSMAN_SERVICE_REMOTE_ACCESS_DISABLED", "remote access to WinRM is disabled"),
        (0x803381E3, "ERROR_WSMAN_REMOTE_CONNECTION_NOT_ALLOWED", "remote access to the plug-in of WinRM is disabled"),
        (0x803380DE, "ERROR_WSMAN_CLIENT_UNENCRYPTED_DISABLED", "unencrypted messages are not allowed"),
        (
            0x80338169,
            "ERROR_WSMAN_PUBLIC_FIREWALL_PROFILE_ACTIVE",
            "the network of the machine is a public one, where WinRM is not reached",
        ),
    ),
    # Services and other parts of Windows.
    *_codes(
        "Enable the service and run again: for licences the Software Protection service (sppsvc), for virtual machines vmms.",
        (0x80070422, "ERROR_SERVICE_DISABLED", "the service cannot be started: it is disabled"),
    ),
    *_codes(
        _SERVICES,
        (0x80070426, "ERROR_SERVICE_NOT_ACTIVE", "the service has not been started"),
        (0x8007041F, "ERROR_SERVICE_DATABASE_LOCKED", "the services are locked"),
        (0x80070420, "ERROR_SERVICE_ALREADY_RUNNING", "the service is running already"),
        (0x80070424, "ERROR_SERVICE_DOES_NOT_EXIST", "the service is not installed"),
        (0x80070425, "ERROR_SERVICE_CANNOT_ACCEPT_CTRL", "the service is starting or stopping"),
        (0x8007042A, "ERROR_SERVICE_SPECIFIC_ERROR", "the service failed with an error of its own"),
        (0x8007042B, "ERROR_PROCESS_ABORTED", "the service ended unexpectedly"),
        (0x8007042C, "ERROR_SERVICE_DEPENDENCY_FAIL", "a service that this one needs could not be started"),
        (0x8007042D, "ERROR_SERVICE_LOGON_FAILED", "the service could not log in"),
        (0x80080005, "CO_E_SERVER_EXEC_FAILURE", "a part of Windows could not be started"),
        (0x80070721, "RPC_S_SEC_PKG_ERROR", "the security package failed"),
    ),
    *_codes(
        "Let the machine restart, then run again.",
        (0x8007045B, "ERROR_SHUTDOWN_IN_PROGRESS", "the machine is shutting down"),
        (0x80070BC2, "ERROR_SUCCESS_REBOOT_REQUIRED", "the machine must be restarted"),
        (0x80070BC9, "ERROR_FAIL_REBOOT_REQUIRED", "the machine must be restarted"),
    ),
    *_codes(
        "For a product key: check that it is one of the machine's release and edition, which "
        "Microsoft knows as an issue of Windows Server 2019, too. "
        "For DISM /Set-Edition: see what DISM /Online /Get-TargetEditions offers.",
        (0x80070490, "ERROR_NOT_FOUND", "the product key did not work, or what was asked for is not there"),
    ),
    *_codes(
        "See the event logs Application and System of the machine for the time of the task; if they tell nothing, run again.",
        (0x80004005, "E_FAIL", "the call failed, and Windows says no more"),
        (0x8000FFFF, "E_UNEXPECTED", "something that Windows did not expect"),
        (0x8007054F, "ERROR_INTERNAL_ERROR", "an internal error of Windows"),
        (0x8007001F, "ERROR_GEN_FAILURE", "something does not work on the machine, and Windows says no more"),
        (0x80070002, "ERROR_FILE_NOT_FOUND", "a file or a registry value is not there"),
        (0x80070003, "ERROR_PATH_NOT_FOUND", "a folder or a registry key is not there"),
        (0x80070006, "E_HANDLE", "a handle is not valid"),
        (0x80070032, "ERROR_NOT_SUPPORTED", "this is not supported"),
        (0x8007007E, "ERROR_MOD_NOT_FOUND", "a library of Windows is not there"),
        (0x8007007F, "ERROR_PROC_NOT_FOUND", "a library of Windows lacks a function"),
        (0x800703E3, "ERROR_OPERATION_ABORTED", "the operation was aborted"),
        (0x800704C7, "ERROR_CANCELLED", "the operation was cancelled"),
        (0x800704EC, "ERROR_ACCESS_DISABLED_BY_POLICY", "a policy of the machine forbids the program"),
        (0x8007139F, "ERROR_INVALID_STATE", "the state of the machine, or of the virtual machine, does not allow this"),
    ),
    *_codes(
        _RPC,
        (0x800706BA, "RPC_S_SERVER_UNAVAILABLE", "the RPC server is unavailable"),
        (0x800706BE, "RPC_S_CALL_FAILED", "the remote procedure call failed: whether it was carried out is not known"),
        (0x800706BF, "RPC_S_CALL_FAILED_DNE", "the remote procedure call failed and was not carried out"),
        (0x800706D9, "EPT_S_NOT_REGISTERED", "the RPC server has no endpoint"),
        (0x800706F7, "RPC_X_BAD_STUB_DATA", "the remote procedure call got wrong data"),
        (0x80010002, "RPC_E_CALL_CANCELED", "the remote procedure call was cancelled"),
        (0x80010105, "RPC_E_SERVERFAULT", "the RPC server failed"),
        (0x80010108, "RPC_E_DISCONNECTED", "the RPC server is no longer there"),
    ),
    # Names, networks and certificates, as the machine meets them on its way to an activation server or a KMS host.
    *_codes(
        _KMS,
        (0x80072329, "DNS_ERROR_RCODE_FORMAT_ERROR", "the DNS server does not understand the question"),
        (0x8007232A, "DNS_ERROR_RCODE_SERVER_FAILURE", "the DNS server failed"),
        (0x8007232B, "DNS_ERROR_RCODE_NAME_ERROR", "DNS does not know the name: there is no record of a KMS host"),
        (0x8007232C, "DNS_ERROR_RCODE_NOT_IMPLEMENTED", "the DNS server cannot do this"),
        (0x8007232D, "DNS_ERROR_RCODE_REFUSED", "the DNS server refuses to answer"),
        (0x8007251D, "DNS_INFO_NO_RECORDS", "DNS has no records of a KMS host"),
        (0x8007251E, "DNS_ERROR_BAD_PACKET", "the answer of the DNS server is not valid"),
        (0x8007267C, "DNS_ERROR_NO_DNS_SERVERS", "the machine has no DNS server"),
        (0x80092328, "DNS_ERROR_RCODE_NAME_ERROR", "DNS does not know the name: there is no record of a KMS host"),
        (0x8007007B, "ERROR_INVALID_NAME", "DNS does not know the name of a KMS host"),
        (
            0x8007000D,
            "ERROR_INVALID_DATA",
            "the Key Management Service does not know this Windows, or what was read is not valid",
        ),
    ),
    *_codes(
        _ACTIVATION_SERVER,
        (0x80072743, "WSAENETUNREACH", "the network cannot be reached"),
        (0x80072746, "WSAECONNRESET", "the other end cut the connection"),
        (0x8007274C, "WSAETIMEDOUT", "the other end did not answer in time"),
        (0x8007274D, "WSAECONNREFUSED", "the other end refuses the connection"),
        (0x80072751, "WSAEHOSTUNREACH", "the other end cannot be reached"),
        (0x80072AF9, "WSAHOST_NOT_FOUND", "the name of the other end is not known"),
        (0x80072AFA, "WSATRY_AGAIN", "the name of the other end could not be looked up"),
        (0x80072AFC, "WSANO_DATA", "the name of the other end has no address"),
        (0x80072EE2, "WININET_E_TIMEOUT", "the other end did not answer in time"),
        (0x80072EE7, "WININET_E_NAME_NOT_RESOLVED", "the name of the other end is not known"),
        (0x80072EFD, "WININET_E_CANNOT_CONNECT", "the other end cannot be reached"),
        (0x80072EFE, "WININET_E_CONNECTION_ABORTED", "the other end cut the connection"),
        (0x80072EFF, "WININET_E_CONNECTION_RESET", "the other end cut the connection"),
        (
            0x80072F78,
            "WININET_E_INVALID_SERVER_RESPONSE",
            "the answer of the other end is not valid: a proxy may have given it",
        ),
        (0x80190193, "HTTP_E_STATUS_FORBIDDEN", "the other end, or a proxy, refuses the request"),
        (0x80190194, "HTTP_E_STATUS_NOT_FOUND", "the other end, or a proxy, does not know the address"),
        (0x80190197, "HTTP_E_STATUS_PROXY_AUTH_REQ", "the proxy wants a login"),
        (0x801901F4, "HTTP_E_STATUS_SERVER_ERROR", "the other end has an error"),
        (0x801901F7, "HTTP_E_STATUS_SERVICE_UNAVAIL", "the other end is not available now"),
    ),
    *_codes(
        _TLS,
        (0x80072F05, "WININET_E_SEC_CERT_DATE_INVALID", "the certificate of the other end is out of date"),
        (0x80072F06, "WININET_E_SEC_CERT_CN_INVALID", "the certificate of the other end is for another name"),
        (0x80072F0D, "WININET_E_INVALID_CA", "the machine does not trust the issuer of a certificate"),
        (0x80072F8F, "WININET_E_DECODING_FAILED", "the TLS connection failed"),
        (0x800B0101, "CERT_E_EXPIRED", "a certificate is out of date"),
        (0x800B0109, "CERT_E_UNTRUSTEDROOT", "the machine does not trust the issuer of a certificate"),
        (0x800B010A, "CERT_E_CHAINING", "the issuers of a certificate are not all known"),
        (0x800B010F, "CERT_E_CN_NO_MATCH", "a certificate is for another name"),
        (0x80090308, "SEC_E_INVALID_TOKEN", "the security token is not valid"),
        (0x80090326, "SEC_E_ILLEGAL_MESSAGE", "the TLS connection failed"),
        (0x80090331, "SEC_E_ALGORITHM_MISMATCH", "the two ends have no cipher in common"),
    ),
)
