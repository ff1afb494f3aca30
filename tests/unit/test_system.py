# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a machine is: its name, on what it runs, and how Windows was installed on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.preflight import AZURE_ASSET_TAG
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.machine import read_machine
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.system import read_platform

from unit.fakes import FakeSession, Row

HARDWARE: dict[str, str | None] = {
    "Model": "PowerServer 1000",
    "DNSHostName": "hv01",
    "Domain": "lab.example",
    "PartOfDomain": "true",
}
VIRTUAL = {**HARDWARE, "Model": "Virtual Machine"}


def machine(
    computer_system: Row | None = None, tag: str | None = None, sku: int = 8, installation_type: str | None = "Server"
) -> FakeSession:
    rows: dict[str, Sequence[Row]] = {
        "Win32_ComputerSystem": [computer_system] if computer_system else [],
        "Win32_SystemEnclosure": [{"SMBIOSAssetTag": tag}],
        "Win32_OperatingSystem": [{"BuildNumber": "20348", "OperatingSystemSKU": str(sku), "CSName": "HV01"}],
    }

    def call(_method: str, arguments: Mapping[str, Any]) -> Row:
        assert arguments["sValueName"] == "InstallationType"
        return {"sValue": installation_type} if installation_type else {"ReturnValue": "2"}

    return FakeSession(lambda name: rows.get(name, []), call)


@pytest.mark.parametrize(
    ("computer_system", "fqdn"),
    [
        (HARDWARE, "hv01.lab.example"),
        ({**HARDWARE, "Domain": "WORKGROUP", "PartOfDomain": "false"}, None),
        ({**HARDWARE, "DNSHostName": None}, None),
        ({**HARDWARE, "Domain": None}, None),
        (None, None),
    ],
)
def test_the_full_name_of_a_machine(computer_system: Row | None, fqdn: str | None) -> None:
    assert read_platform(machine(computer_system)).fqdn == fqdn


@pytest.mark.parametrize(
    ("computer_system", "tag", "azure"),
    [(VIRTUAL, AZURE_ASSET_TAG, True), (VIRTUAL, "4711", False), (HARDWARE, AZURE_ASSET_TAG, False)],
)
def test_what_runs_in_azure(computer_system: Row, tag: str, azure: bool) -> None:
    assert read_platform(machine(computer_system, tag)).azure is azure


@pytest.mark.parametrize(
    ("sku", "asked", "installation_type", "core", "requests"),
    [
        (8, True, "Server", False, 1),
        # Server Core with the SKU of an installation with a desktop.
        (8, True, "Server Core", True, 1),
        (7, True, None, None, 1),
        (147, True, "Server Core", True, 0),
        (8, False, "Server Core", None, 0),
        (79, False, "Server Core", True, 1),
        (48, True, "Client", None, 0),
    ],
)
def test_server_core_is_told_by_the_registry_where_the_sku_does_not(
    sku: int, asked: bool, installation_type: str | None, core: bool | None, requests: int
) -> None:
    session = machine(sku=sku, installation_type=installation_type)
    found = read_machine(session, installation_type=asked)
    assert (found.system.core, len(session.calls)) == (core, requests)
