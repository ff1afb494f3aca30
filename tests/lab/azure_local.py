# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AVMA on an Azure Local host (facts/avma.md §1): set up with a key or by subscription, whatever its own licence.

Certain are the cmdlets' names, ``-ProductKey``, the module versions and what a key is good for. UNVERIFIED is all else: what the
cmdlets return and how they fail. The ``shape`` of a host is one of several guesses, so that nobody depends on one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from lab import errors
from lab.keys import KeyStore, ProductKey, is_well_formed
from lab.powershell import (
    Array,
    Bound,
    Definition,
    EnumValue,
    Hashtable,
    Parameter,
    PowerShellError,
    PSObject,
    Severity,
    Version,
    function,
)
from lab.releases import RELEASES
from lab.spec import AzureLocalSpec

_MODULE_PATH = r"C:\Windows\System32\WindowsPowerShell\v1.0\Modules"
_ACTIVE, _DISABLED = EnumValue("Active", 1), EnumValue("Disabled", 0)

#: Windows Admin Center's words (vm-activate); the translations are ours.
_KEY_DID_NOT_WORK = {
    "en": "The key you entered didn't work.",
    "de": "Der eingegebene Schlüssel hat nicht funktioniert.",
    "ja": "入力したソフトウェアのキーが機能しませんでした。",
}


class AzureLocalActivation:
    """What ServerAVMAManager holds on one host, and its cmdlets."""

    def __init__(
        self,
        machine: str,
        language: str,
        spec: AzureLocalSpec,
        key_store: KeyStore,
        clock: Callable[[], datetime],
        show_license: Callable[[ProductKey], None],
    ) -> None:
        self._machine = machine
        self._key_did_not_work = _KEY_DID_NOT_WORK.get(language[:2], _KEY_DID_NOT_WORK["en"])
        self._show_license = show_license
        self._key_store = key_store
        self._clock = clock
        self._shape = spec.shape
        self._subscription_shape = spec.subscription_shape
        self.constrained = spec.constrained
        self.module: str | None = spec.module
        self.subscription = spec.subscription
        self.key: ProductKey | None = None
        if spec.key is not None:
            self.key = key_store.find(spec.key)
            if self.key is None:
                raise ValueError(f"{machine}: azure_local.key is not among the keys of the topology")
            key_store.spend(self.key, machine, clock() - timedelta(days=1))
            self._show()

    def set(self, key: str, value: str) -> None:
        """Change a property: ``module`` (a version or ``none``), ``subscription``. Raises ValueError."""
        if key == "module" and value in ("none", "1.0", "1.1"):
            self.module = None if value == "none" else value
        elif key == "subscription" and value in ("true", "false"):
            self.subscription = value == "true"
        else:
            raise ValueError(f"azure_local.{key} cannot be {value}")

    def state(self) -> Mapping[str, object]:
        """What a test may want to see."""
        return {
            "module": self.module,
            "subscription": self.subscription,
            "key": self.key.last_five if self.key else None,
        }

    @property
    def set_up(self) -> bool:
        """Whether guests can be activated at all."""
        return self.subscription or self.key is not None

    def activates(self, order: int | None) -> bool:
        """Whether a guest of a release with that ``order`` gets activated (§2.2).

        A key activates those up to its own release, a subscription all. Releases before 2016 are not in Microsoft's table.
        """
        if order is None or order < 2016:
            return False
        return self.subscription or (self.key is not None and order <= _order(self.key))

    def cmdlets(self) -> Mapping[str, Definition]:
        """What the host's modules offer to PowerShell, by lower-case name."""
        name = Parameter("Name", position=0, pipeline=True)
        found = [
            function("Get-Module", self._get_module, (name, Parameter("ListAvailable", "switch"))),
            function("Import-Module", self._import_module, (name, Parameter("Force", "switch"))),
            function("Get-AzureStackHCISubscriptionStatus", self._get_subscription),
        ]
        if self.module is not None:
            key = Parameter("ProductKey", "string", 0, mandatory=True)
            found += [
                function("Get-VMAutomaticActivation", lambda _: self._get()),
                function("Set-VMAutomaticActivation", lambda bound: self._set_key(bound["ProductKey"]), (key,)),
            ]
        return {item.name.lower(): item for item in found}

    def _modules(self) -> dict[str, str]:
        return {"AzureStackHCI": "1.0"} | ({"ServerAVMAManager": self.module} if self.module else {})

    def _get_module(self, bound: Bound) -> Iterator[PSObject]:
        wanted = str(bound["Name"] or "").lower()
        for name, version in self._modules().items():
            if wanted in ("", name.lower()):
                path = rf"{_MODULE_PATH}\{name}\{name}.psm1"
                yield PSObject(
                    "System.Management.Automation.PSModuleInfo",
                    {"Name": name, "Version": Version(version), "Path": path, "ModuleType": EnumValue("Script", 0)},
                    name,
                )

    def _import_module(self, bound: Bound) -> list[Any]:
        given = bound["Name"]
        name = given.properties["Name"] if isinstance(given, PSObject) else given
        if name is None:
            message = "Cannot bind argument to parameter 'Name' because it is null."
            raise PowerShellError(message, "ParameterArgumentValidationErrorNullNotAllowed", "InvalidData")
        if str(name).lower() not in {known.lower() for known in self._modules()}:
            message = f"The specified module '{name}' was not loaded because no valid module file was found in any module directory."
            raise PowerShellError(message, "Modules_ModuleNotFound", "ResourceUnavailable", "continue")
        return []

    def _get(self) -> list[Any]:
        """``Get-VMAutomaticActivation``."""
        key = self.key
        if self._shape in ("opaque", "license_row"):
            return [PSObject("ServerAVMA.Status", {"Enabled": self.set_up})]
        if self._shape == "nested":
            if key is None:
                return []
            installed = {"PartialProductKey": key.last_five, "Release": f"Windows Server {key.generation}"}
            activation = {"State": EnumValue("Activated", 2), "Keys": Array([Hashtable(installed.items())])}
            return [Hashtable({"Host": self._machine, "Activation": Hashtable(activation.items())}.items())]
        properties: dict[str, Any] = {
            "ComputerName": self._machine,
            "Status": "Configured" if key else "NotConfigured",
            "ProductKey": f"XXXXX-XXXXX-XXXXX-XXXXX-{key.last_five}" if key else None,
            "KeyVersion": f"Windows Server {key.generation}" if key else None,
        }
        if self.module == "1.1":
            properties["SubscriptionEnabled"] = self.subscription
        return [PSObject("ServerAVMA.Activation", properties)]

    def _set_key(self, product_key: str) -> list[Any]:
        """``Set-VMAutomaticActivation``: 2019 or later, no downgrade, one activation; a failure leaves the former key (§1.3)."""
        hresult = self._apply(product_key)
        if hresult == errors.S_OK:
            return [] if self._shape == "opaque" else self._get()
        message = self._key_did_not_work
        if self._shape == "nested":
            return [Hashtable({"Succeeded": False, "Message": message, "ErrorCode": f"0x{hresult:08X}"}.items())]
        severity: Severity = "statement" if self._shape == "flat" else "continue"
        raise PowerShellError(f"{message} 0x{hresult:08X}", "SetVMAutomaticActivation", "InvalidArgument", severity)

    def _apply(self, product_key: str) -> int:
        key = self._key_store.find(product_key) if is_well_formed(product_key) else None
        if key is None:
            return errors.SL_E_INVALID_PRODUCT_KEY
        if key.edition != "datacenter" or _order(key) < 2019:
            return errors.SL_E_MISMATCHED_PRODUCT_SKU
        if self.key is not None and _order(key) < _order(self.key):
            return errors.SL_E_PKEY_INVALID_CONFIG
        hresult = self._key_store.spend(key, self._machine, self._clock())
        if hresult == errors.S_OK:
            self.key = key
            self._show()
        return hresult

    def _show(self) -> None:
        if self._shape == "license_row" and self.key is not None:
            self._show_license(self.key)

    def _get_subscription(self, _: Bound) -> Iterator[PSObject]:
        """``Get-AzureStackHCISubscriptionStatus``: WAC reads ``Status``, Microsoft's guide ``SubscriptionStatus`` (§1.4)."""
        name = "Status" if self._subscription_shape == "status" else "SubscriptionStatus"
        for product, active in (("Azure Stack HCI", True), ("Windows Server Subscription", self.subscription)):
            properties = {"SubscriptionName": product, name: _ACTIVE if active else _DISABLED}
            yield PSObject("Microsoft.AzureStack.HCI.SubscriptionStatus", properties)


def _order(key: ProductKey) -> int:
    return RELEASES[key.generation].order or 0
