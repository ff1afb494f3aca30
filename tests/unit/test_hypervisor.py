"""What a guest knows of its host and of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.preflight import AZURE_ASSET_TAG, Hypervisor, Preflight
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.releases import identify_system
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.errors import InvalidAnswerError
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.hypervisor import (
    look_ahead,
    read_hypervisor,
    read_what_decides,
)
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.system import read_operating_system, read_platform

from unit.fakes import FakeSession, Row, refusal

VALUES: dict[str, str | int] = {
    "HostName": "CLUSTER01",
    "HostingSystemEditionId": 8,
    "HostingSystemNestedLevel": 0,
    "HostingSystemOsMajor": 10,
    "HostingSystemOsMinor": 0,
    "PhysicalHostName": "HV01",
    "PhysicalHostNameFullyQualified": "HV01.lab.example",
    "VirtualMachineId": "8B0F3A0E",
    "VirtualMachineName": "O'Brien <web>",
}


REMOTE_DESKTOP = "f8e65716-3cb3-4a06-9a60-1889c5cccab5"
COMPONENT, DATA_EXCHANGE = "3375baf4-9e15-4b30-b765-67acb10d607b", "a9a0f4e7-5a45-4d96-b827-8a841e8c03e6"


def session(
    values: Mapping[str, str | int],
    devices: tuple[str, ...] = (COMPONENT, DATA_EXCHANGE),
    service: str = "Running",
) -> FakeSession:
    def call(method: str, arguments: Mapping[str, Any]) -> Row:
        assert arguments["sSubKeyName"] == r"SOFTWARE\Microsoft\Virtual Machine\Guest\Parameters"
        value = values.get(arguments["sValueName"])
        if method == "GetStringValue":
            return {"sValue": value} if isinstance(value, str) else {"ReturnValue": "2", "sValue": None}
        return {"uValue": str(value)} if isinstance(value, int) else {"ReturnValue": "2", "uValue": None}

    def rows(class_name: str) -> list[Row]:
        if class_name == "Win32_Service":
            return [{"State": service}]
        assert class_name == "Win32_PnPEntity"
        return [
            {"DeviceID": rf"VMBUS\{number}", "HardwareID": [rf"VMBUS\{{{interface}}}", rf"VMBUS\{number}"]}
            for number, interface in enumerate((REMOTE_DESKTOP, *devices))
        ]

    return FakeSession(rows, call)


@pytest.mark.parametrize("convert", [lambda value: value, str], ids=["REG_DWORD", "REG_SZ"])
def test_numbers_of_the_host_in_either_type(convert: Any) -> None:
    assert read_hypervisor(session({name: convert(value) for name, value in VALUES.items()})).to_dict() == {
        "host": "HV01",
        "host_fqdn": "HV01.lab.example",
        "host_sku": 8,
        "host_version": "10.0",
        "nested_level": 0,
        "vm_id": "8B0F3A0E",
        "vm_name": "O'Brien <web>",
        "activation_component": True,
        "data_exchange": True,
    }


def test_a_guest_that_was_told_nothing() -> None:
    hypervisor = read_hypervisor(session({}, devices=(), service="Stopped"))
    assert set(hypervisor.to_dict().values()) == {None, False}
    assert (hypervisor.activation_component, hypervisor.data_exchange) == (False, False)


@pytest.mark.parametrize(
    ("devices", "service", "works"),
    [
        ((COMPONENT, DATA_EXCHANGE), "Running", True),
        ((COMPONENT,), "Stopped", False),
        # One sign alone tells nothing.
        ((COMPONENT,), "Running", None),
        ((COMPONENT, DATA_EXCHANGE), "Stopped", None),
    ],
)
def test_whether_data_exchange_works(devices: tuple[str, ...], service: str, works: bool | None) -> None:
    assert read_what_decides(session(VALUES, devices, service)).data_exchange is works


@pytest.mark.parametrize(
    ("major", "minor", "version"), [(6, 3, "6.3"), (6, 2, "6.2"), (10, None, "10.0"), (6, None, None)]
)
def test_the_version_of_the_host(major: int, minor: int | None, version: str | None) -> None:
    values = {"HostingSystemOsMajor": major, **({} if minor is None else {"HostingSystemOsMinor": minor})}
    assert read_what_decides(session(values)).host_version == version


def test_what_windows_does_not_let_be_read_is_not_known() -> None:
    whole = session(VALUES)
    query, invoke = whole.query, whole.invoke

    def denied(*_arguments: Any, **_options: Any) -> Any:
        raise refusal(0x80070005)

    whole.invoke = denied  # type: ignore[method-assign]
    assert read_what_decides(whole, vm_id=True) == Hypervisor(activation_component=True, data_exchange=True)
    whole.query, whole.invoke = denied, invoke  # type: ignore[method-assign]
    seen = read_what_decides(whole, vm_id=True)
    assert (seen.activation_component, seen.data_exchange) == (None, None)
    assert (seen.host_sku, seen.vm_id) == (8, "8B0F3A0E")
    whole.query = query  # type: ignore[method-assign]


def machine(model: str, tag: str, values: Mapping[str, str | int], **seen: Any) -> FakeSession:
    """A guest with its hardware."""
    inner = session(values, **seen)
    rows = inner._rows
    hardware: dict[str, list[Row]] = {
        "Win32_ComputerSystem": [{"Model": model}],
        "Win32_SystemEnclosure": [{"SMBIOSAssetTag": tag}],
    }
    inner._rows = lambda class_name: hardware[class_name] if class_name in hardware else rows(class_name)
    return inner


GUEST = identify_system(20348, 8)


def test_looking_ahead_at_a_right_host_takes_few_requests() -> None:
    right = machine("Virtual Machine", "4711", VALUES)
    ahead, _ = look_ahead(right, GUEST, None)
    assert ahead == Preflight()
    assert len(right.queries) + len(right.calls) == 6


def test_looking_ahead_names_the_host_that_does_not_activate() -> None:
    ahead, hypervisor = look_ahead(
        machine("Virtual Machine", "4711", {**VALUES, "HostingSystemEditionId": 7}), GUEST, None
    )
    assert [problem.code for problem in ahead.problems] == ["host_not_datacenter"]
    assert "The host HV01" in ahead.problems[0].message
    assert hypervisor.host_fqdn == "HV01.lab.example"


def test_looking_ahead_elsewhere_asks_for_nothing_of_hyper_v() -> None:
    elsewhere = machine("VMware7,1", "4711", VALUES)
    ahead, _ = look_ahead(elsewhere, GUEST, None)
    assert [problem.code for problem in ahead.problems] == ["not_a_hyper_v_guest"]
    assert len(elsewhere.queries) + len(elsewhere.calls) == 1


@pytest.mark.parametrize(("sku", "code"), [(199, "not_a_hyper_v_guest"), (168, "not_a_hyper_v_guest")])
def test_looking_ahead_in_azure(sku: int, code: str) -> None:
    ahead, _ = look_ahead(machine("Virtual Machine", AZURE_ASSET_TAG, {"HostingSystemEditionId": sku}), GUEST, None)
    assert [problem.code for problem in ahead.problems] == [code]


def test_a_guest_without_any_device_of_the_bus_tells_nothing_of_one() -> None:
    bare = session(VALUES)
    rows = bare._rows
    bare._rows = lambda class_name: [] if class_name == "Win32_PnPEntity" else rows(class_name)
    assert read_hypervisor(bare).activation_component is None


def test_an_older_host_gives_its_name_once() -> None:
    assert read_hypervisor(session({"HostName": "HV01"})).host == "HV01"


@pytest.mark.parametrize("rows", [[], [{"BuildNumber": None}]])
def test_a_machine_without_a_build_is_an_invalid_answer(rows: list[Row]) -> None:
    with pytest.raises(InvalidAnswerError, match="no build number"):
        read_operating_system(FakeSession(lambda class_name: rows))


def test_a_machine_that_tells_nothing_of_its_hardware() -> None:
    platform = read_platform(FakeSession(lambda class_name: []))
    assert (platform.model, platform.asset_tag) == (None, None)
