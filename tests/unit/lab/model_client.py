# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Asks the model of the lab what a WMI client would ask, without the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from lab.cim import CimError, MethodResult, Value
from lab.simulation import SimulatedMachine
from lab.topology import load
from lab.world import World

WINDOWS = "55c92734-d682-4d71-983e-d6ec3f16059f"

GUEST_AVMA_KEYS = {"2022": "W3GNR-8DDXR-2TFRP-H8P33-DV9BG", "2019": "H3RNG-8C32Q-Q8FRX-6TDXV-WMBMW"}


class Wmi:
    """One machine as a client sees it."""

    def __init__(self, machine: SimulatedMachine) -> None:
        self.machine = machine

    def rows(self, class_name: str, namespace: str = "root/cimv2") -> list[Mapping[str, Value]]:
        """All instances of a class."""
        return [item.values for item in self.machine.instances(self.machine.cim_class(namespace, class_name))]

    def invoke(
        self,
        class_name: str,
        method: str,
        selectors: Mapping[str, str],
        arguments: Mapping[str, Value],
        namespace: str = "root/cimv2",
    ) -> MethodResult:
        """Call a method."""
        return self.machine.invoke(self.machine.cim_class(namespace, class_name), selectors, method, arguments)

    def primary(self) -> Mapping[str, Value]:
        """The licence row of Windows that has a key."""
        (row,) = [
            row
            for row in self.rows("SoftwareLicensingProduct")
            if row["ApplicationID"] == WINDOWS and row["PartialProductKey"] and not row["LicenseIsAddon"]
        ]
        return row

    def install(self, key: str) -> MethodResult:
        """Install a product key."""
        (service,) = self.rows("SoftwareLicensingService")
        selectors = {"Version": str(service["Version"])}
        return self.invoke("SoftwareLicensingService", "InstallProductKey", selectors, {"ProductKey": key})

    def activate(self) -> MethodResult:
        """Activate Windows."""
        return self.invoke("SoftwareLicensingProduct", "Activate", {"ID": str(self.primary()["ID"])}, {})

    def events(self, code: int) -> list[Any]:
        """The HRESULTs of the events of one kind, newest first."""
        rows = self.rows("Win32_NTLogEvent")
        return [row["InsertionStrings"][0] for row in rows if row["EventCode"] == code]  # type: ignore[index]


def one_guest(host: Mapping[str, Any] | None = None, **guest: Any) -> World:
    """A licensed host ``HV`` of 2025 with a guest ``VM`` of 2022, unless said otherwise."""
    return load(
        {
            "hosts": [
                {"name": "HV", "release": "2025", "license": "mak", "guests": [{"name": "VM", **guest}], **(host or {})}
            ]
        }
    )


def refusal(call: Callable[[], object]) -> int:
    """The HRESULT that a call fails with."""
    with pytest.raises(CimError) as caught:
        call()
    return caught.value.hresult
