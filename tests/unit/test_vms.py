"""Which key a VM needs, and whether its host activates it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.hosts import HostFacts
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.keys import read_overrides
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.matrix import WINDOWS_SERVER
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.problems import problem
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.releases import Release, identify_system
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.vms import Activator, Vm, assess_vm
from hypothesis import given
from hypothesis import strategies as st

BUILDS = {
    Release.WS2012R2: 9600,
    Release.WS2016: 14393,
    Release.WS2019: 17763,
    Release.WS2022: 20348,
    Release.WS2025: 26100,
}
KVP: Mapping[str, str] = {
    "FullyQualifiedDomainName": "web01.lab.example",
    "NetworkAddressIPv4": "192.0.2.7;192.0.2.8",
    "NetworkAddressIPv6": "fe80::1",
    "OSBuildNumber": "20348",
    "OSEditionId": "8",
    "OSName": "Windows Server 2022 Datacenter",
    "OSPlatformId": "2",
    "ProcessorArchitecture": "9",
    "RDPAddressIPv4": "192.0.2.7",
    "CSDVersion": "",
}
HOST = Activator("HV01", False, WINDOWS_SERVER[Release.WS2022], ())


def vm(data_exchange: bool = True, state: str = "running", **kvp: str) -> Vm:
    return Vm("8B0F3A0E-51E4-4A3B-8E66-2E6C5A6B5E11", "web01", state, data_exchange, {**KVP, **kvp})


def codes(machine: Vm, host: Activator = HOST, **overrides: Any) -> list[str]:
    return [item.code for item in assess_vm(machine, host, overrides).problems]


def test_what_kvp_tells_is_shown() -> None:
    shown = vm().to_dict()
    assert shown["fqdn"] == "web01.lab.example"
    assert shown["addresses"] == ["192.0.2.7", "192.0.2.8", "fe80::1"]
    assert shown["rdp_addresses"] == ["192.0.2.7"]
    assert shown["service_pack"] is None
    assert shown["architecture"] == "x64"
    assert shown["kvp"] == KVP


@pytest.mark.parametrize("host", Release)
@pytest.mark.parametrize("guest", Release)
def test_a_host_activates_its_release_and_older_ones(host: Release, guest: Release) -> None:
    activator = Activator("HV01", False, WINDOWS_SERVER[host], ())
    verdict = assess_vm(vm(OSBuildNumber=str(BUILDS[guest])), activator)
    older = list(Release).index(guest) <= list(Release).index(host)
    assert verdict.eligible is older
    assert [item.code for item in verdict.problems] == ([] if older else ["host_release_too_old"])
    assert verdict.avma_key


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (vm(), []),
        (vm(data_exchange=False), ["data_exchange_disabled"]),
        (vm(OSEditionId="80"), ["evaluation_edition"]),
        (vm(OSEditionId="48"), ["no_avma_key_for_edition"]),
        (vm(OSBuildNumber="19042"), ["no_avma_key_for_release"]),
        (vm(OSEditionId="407"), ["azure_edition_needs_azure_local"]),
        (vm(OSBuildNumber="6.8.0-60-generic", OSName="Ubuntu", OSPlatformId=""), ["not_windows"]),
        (vm(OSBuildNumber="20348", OSName="Ubuntu", OSPlatformId="1"), ["not_windows"]),
        # As FreeBSD and Linux tell: no platform, no edition, and a build that may be a number.
        (Vm("ID", "bsd", "running", True, {"OSName": "FreeBSD", "OSBuildNumber": "1401000"}), ["not_windows"]),
        (Vm("ID", "linux", "running", True, {"OSName": "Ubuntu", "OSBuildNumber": "20348"}), ["not_windows"]),
        (Vm("ID", "web01", "running", True, {"OSBuildNumber": "20348", "OSEditionId": "8"}), []),
        (Vm("ID", "web01", "off", True), ["guest_unknown"]),
        (Vm("ID", "web01", "off", False), ["data_exchange_disabled"]),
    ],
)
def test_what_keeps_a_vm_from_activation_has_a_code(machine: Vm, expected: list[str]) -> None:
    assert codes(machine) == expected


@pytest.mark.parametrize("build", ["²", "٢٠٣٤٨", "2_0348", " 20348", "-1", "9" * 5000])
def test_only_a_plain_number_is_a_build(build: str) -> None:
    assert vm(OSBuildNumber=build).system is None


def test_azure_edition_is_for_azure_local() -> None:
    assert codes(vm(OSEditionId="407"), Activator("AZL", True, (Release.WS2022,), ())) == []


@pytest.mark.parametrize(
    ("host", "code", "eligible"),
    [
        (Activator("HV01", True, None, (problem("host_avma_unknown", host="HV01"),)), "host_avma_unknown", None),
        (
            Activator("HV01", False, (), (problem("host_not_licensed", host="", explanation="", remedy=""),)),
            "host_not_licensed",
            False,
        ),
        (Activator("HV01", False, (), (problem("hyperv_role_missing"),)), "host_unsuitable", False),
        (Activator("HV01", True, (), (problem("update_missing"),)), "host_unsuitable", False),
        (Activator("HV01", False, None, (problem("host_in_azure", host="HV01"),)), "host_in_azure", None),
    ],
)
def test_a_host_that_activates_none_is_the_reason(host: Activator, code: str, eligible: bool | None) -> None:
    assert codes(vm(), host) == [code]
    assert assess_vm(vm(), host).eligible is eligible


@pytest.mark.parametrize("sku", [7, 79, 80, 147])
def test_why_a_host_activates_none_is_said_once(sku: int) -> None:
    host = HostFacts("HV01", identify_system(25398 if sku == 147 else 20348, sku), True, None, None)
    (found,) = assess_vm(vm(), Activator.of("HV01", host)).problems
    assert found.code == "host_unsuitable"
    assert found.message.count("activate") == 1


def test_what_cannot_be_told_is_neither_yes_nor_no() -> None:
    assert assess_vm(Vm("ID", "web01", "off", True), HOST).eligible is None


def test_a_key_of_the_user_serves_a_release_that_has_none() -> None:
    overrides = read_overrides({"29500": {"Datacenter": "BCDFG-HJKMN-PQRTV-WXY23-46789"}})
    verdict = assess_vm(vm(OSBuildNumber="29500"), HOST, overrides)
    assert (verdict.eligible, verdict.avma_key) == (True, "BCDFG-HJKMN-PQRTV-WXY23-46789")


@given(st.dictionaries(st.sampled_from(sorted(KVP)), st.text()))
def test_whatever_a_guest_writes_there_is_a_verdict(kvp: dict[str, str]) -> None:
    machine = Vm("ID", "web01", "running", True, kvp)
    shown = {**machine.to_dict(), **assess_vm(machine, HOST).to_dict()}
    assert shown["eligible"] is (not shown["problems"]) or shown["eligible"] is None
    assert shown["kvp"] == kvp
