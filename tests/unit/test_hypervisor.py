"""What a guest knows of its host and of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.errors import InvalidAnswerError
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.hypervisor import read_hypervisor
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.system import read_operating_system, read_platform

from unit.fakes import FakeSession, Row

VALUES: dict[str, str | int] = {
    "HostName": "CLUSTER01",
    "HostingSystemEditionId": 8,
    "HostingSystemOsMajor": 10,
    "HostingSystemOsMinor": 0,
    "PhysicalHostName": "HV01",
    "PhysicalHostNameFullyQualified": "HV01.lab.example",
    "VirtualMachineId": "8B0F3A0E",
    "VirtualMachineName": "O'Brien <web>",
}


def session(values: Mapping[str, str | int], devices: int = 1) -> FakeSession:
    def call(method: str, arguments: Mapping[str, Any]) -> Row:
        assert arguments["sSubKeyName"] == r"SOFTWARE\Microsoft\Virtual Machine\Guest\Parameters"
        value = values.get(arguments["sValueName"])
        if method == "GetStringValue":
            return {"sValue": value} if isinstance(value, str) else {"ReturnValue": "2", "sValue": None}
        return {"uValue": str(value)} if isinstance(value, int) else {"ReturnValue": "2", "uValue": None}

    return FakeSession(lambda class_name: [{"DeviceID": "VMBUS"}] * devices, call)


@pytest.mark.parametrize("convert", [lambda value: value, str], ids=["REG_DWORD", "REG_SZ"])
def test_numbers_of_the_host_in_either_type(convert: Any) -> None:
    assert read_hypervisor(session({name: convert(value) for name, value in VALUES.items()})).to_dict() == {
        "host": "HV01",
        "host_fqdn": "HV01.lab.example",
        "host_sku": 8,
        "host_version": "10.0",
        "vm_id": "8B0F3A0E",
        "vm_name": "O'Brien <web>",
        "activation_component": True,
    }


def test_a_guest_that_was_told_nothing() -> None:
    hypervisor = read_hypervisor(session({}, devices=0))
    assert set(hypervisor.to_dict().values()) == {None, False}
    assert [problem.code for problem in hypervisor.problems()] == ["no_activation_component"]


def test_an_older_host_gives_its_name_once() -> None:
    assert read_hypervisor(session({"HostName": "HV01"})).host == "HV01"


@pytest.mark.parametrize("rows", [[], [{"BuildNumber": None}]])
def test_a_machine_without_a_build_is_an_invalid_answer(rows: list[Row]) -> None:
    with pytest.raises(InvalidAnswerError, match="no build number"):
        read_operating_system(FakeSession(lambda class_name: rows))


def test_a_machine_that_tells_nothing_of_its_hardware() -> None:
    platform = read_platform(FakeSession(lambda class_name: []))
    assert (platform.model, platform.asset_tag) == (None, None)
