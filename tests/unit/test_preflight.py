"""What is known beforehand of whether a host activates its guest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.guests import join
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.preflight import (
    AZURE_ASSET_TAG,
    Hypervisor,
    Preflight,
    Vm,
    preflight,
)
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.problems import problem
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.releases import System, identify_system

GUEST = identify_system(20348, 8)
GUEST_2012R2 = identify_system(9600, 8)
AZURE_EDITION = identify_system(20348, 407)
RIGHT = Hypervisor(
    host="HV01",
    host_sku=8,
    host_version="10.0",
    nested_level=0,
    vm_id="8B0F3A0E-51E4-4A3B-8E66-2E6C5A6B5E11",
    activation_component=True,
    data_exchange=True,
)


def look(
    guest: System = GUEST,
    vm: Vm | None = None,
    model: str | None = "Virtual Machine",
    tag: str | None = None,
    **seen: Any,
) -> Preflight:
    return preflight(guest, model, tag, replace(RIGHT, **seen), vm)


def codes(ahead: Preflight) -> list[str]:
    return [item.code for item in ahead.problems]


@pytest.mark.parametrize("sku", [8, 12, 145, 147, 406])
def test_nothing_speaks_against_a_host(sku: int) -> None:
    assert look(host_sku=sku) == Preflight()


@pytest.mark.parametrize(
    ("guest", "seen", "code", "words"),
    [
        (
            GUEST,
            {"host_sku": 7},
            "host_not_datacenter",
            "The host HV01 has Windows Server Standard",
        ),
        (GUEST, {"host_sku": 13}, "host_not_datacenter", "Standard"),
        (GUEST, {"host_sku": 50}, "host_not_datacenter", "Essentials"),
        (GUEST, {"host_sku": 80}, "host_not_datacenter", "Windows Server Datacenter Evaluation"),
        (GUEST, {"host_sku": 42}, "host_not_datacenter", "Microsoft Hyper-V Server"),
        (GUEST, {"host_sku": 48}, "host_not_datacenter", "Windows Pro"),
        (GUEST, {"host_sku": 7, "host": None}, "host_not_datacenter", "The host that runs it has "),
        (
            GUEST,
            {"host_version": "6.3"},
            "host_release_too_old",
            "it runs Windows Server 2012 R2, and the guest is Windows Server 2022",
        ),
        (GUEST_2012R2, {"host_version": "6.2"}, "host_release_too_old", "older than 2012 R2"),
        (AZURE_EDITION, {}, "azure_edition_needs_azure_local", "the host HV01 is none"),
        (AZURE_EDITION, {"host_sku": 7}, "azure_edition_needs_azure_local", "HV01"),
        (AZURE_EDITION, {"host_sku": 42}, "azure_edition_needs_azure_local", "HV01"),
        (GUEST, {"activation_component": False}, "no_activation_component", "Activation Component"),
        (GUEST, {"data_exchange": False, "vm_name": "web01"}, "data_exchange_disabled", "of the VM web01 is off"),
        (GUEST, {"host_sku": 199, "tag": AZURE_ASSET_TAG}, "not_a_hyper_v_guest", "it runs in Azure"),
        (GUEST, {"model": "VMware7,1"}, "not_a_hyper_v_guest", "its model is VMware7,1"),
        (GUEST, {"model": None}, "not_a_hyper_v_guest", "its model is not known"),
    ],
)
def test_a_host_that_is_known_not_to_activate(guest: System, seen: dict[str, Any], code: str, words: str) -> None:
    ahead = look(guest, **seen)
    assert codes(ahead) == [code]
    assert words in ahead.problems[0].message
    assert ahead.doubt is None


@pytest.mark.parametrize(
    ("guest", "seen"),
    [
        (GUEST_2012R2, {"host_version": "6.3"}),
        (AZURE_EDITION, {"host_sku": 406}),
        # On Azure Stack Hub AVMA is the only way, and its guests carry Azure's tag.
        (GUEST, {"tag": AZURE_ASSET_TAG, "host_version": None}),
    ],
)
def test_what_looks_alike_and_is_right(guest: System, seen: dict[str, Any]) -> None:
    assert codes(look(guest, **seen)) == []


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ({"host_sku": None}, "which edition it runs"),
        ({"host_sku": 407}, "SKU 407"),
        ({"host_sku": 9999}, "SKU 9999"),
        ({"nested_level": 1}, "a virtual machine itself"),
        ({"data_exchange": None}, "may be of a former one"),
        ({"activation_component": None}, "does not tell its devices"),
        ({"host_sku": None, "tag": AZURE_ASSET_TAG}, "or on Azure Stack Hub"),
    ],
)
def test_what_cannot_be_told_is_said_and_refuses_nothing(seen: dict[str, Any], words: str) -> None:
    ahead = look(**seen)
    assert ahead.problems == ()
    assert ahead.doubt
    assert (ahead.doubt.code, str(ahead.doubt.kind)) == ("host_unknown", "unknown")
    assert words in ahead.doubt.message


@pytest.mark.parametrize("seen", [{"host_sku": 7}, {"host_sku": 80}, {"host_version": "6.3"}])
def test_what_may_be_of_a_former_host_refuses_nothing(seen: dict[str, Any]) -> None:
    assert codes(look(**seen, data_exchange=None)) == []
    assert codes(look(AZURE_EDITION, data_exchange=None)) == []


def entry(**other: Any) -> dict[str, Any]:
    return {"id": RIGHT.vm_id, "data_exchange": True, "eligible": True, "problems": [], "name": "web01", **other}


def told(eligible: bool | None, *problems: Any, **other: Any) -> Vm:
    return Vm.from_result(entry(eligible=eligible, problems=[item.to_dict() for item in problems], **other))


UNLICENSED = problem("host_not_licensed", 0xC004FD02, host=" HV01")


def test_what_the_host_says_of_the_vm_counts() -> None:
    assert look(vm=told(True)) == Preflight()
    ahead = look(vm=told(False, UNLICENSED))
    assert ahead.problems == (UNLICENSED,)
    # The host's own words, not also the guest's.
    assert codes(look(vm=told(False, UNLICENSED), host_sku=7)) == ["host_not_licensed"]


def test_a_host_that_cannot_tell_is_a_doubt() -> None:
    ahead = look(vm=told(None, problem("host_avma_unknown", host="AZL01")))
    assert ahead.problems == ()
    assert ahead.doubt
    assert "AZL01" in ahead.doubt.message


@pytest.mark.parametrize(
    "code", ["not_windows", "guest_unknown", "no_avma_key_for_release", "evaluation_edition", "failover_gap"]
)
def test_what_a_guest_knows_better_than_its_host_does_not_count(code: str) -> None:
    facts = dict.fromkeys(["vm", "system", "state", "name", "documented", "target", "node", "reason", "remedy"], "?")
    assert look(vm=told(False, problem(code, **facts))) == Preflight()


def test_the_host_knows_better_whether_data_exchange_is_on() -> None:
    assert codes(look(data_exchange=False)) == ["data_exchange_disabled"]
    assert codes(look(vm=told(True), data_exchange=False)) == []
    assert codes(look(vm=told(True), data_exchange=False, activation_component=False)) == ["no_activation_component"]


def test_the_word_of_another_vm_is_refused() -> None:
    assert codes(look(vm=told(False, UNLICENSED, id="00000000-0000-0000-0000-000000000000"))) == ["vm_mismatch"]
    assert codes(look(vm=told(True, id="{8b0f3a0e-51e4-4a3b-8e66-2e6c5a6b5e11}"))) == []
    # An id that may be of a former host's VM tells nothing.
    assert codes(look(vm=told(True, id="other"), data_exchange=None)) == []


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"id": "x", "data_exchange": True, "eligible": True},
        entry(eligible="yes"),
        entry(data_exchange=[]),
        entry(problems=None),
        entry(problems=["host_not_licensed"]),
        entry(problems=[{"code": "no such code", "message": "", "remedy": ""}]),
        entry(problems=[{"code": "host_not_licensed"}]),
        entry(problems=[{"code": "host_not_licensed", "message": "", "remedy": "", "hresult": "?"}]),
    ],
)
def test_what_is_no_entry_of_vm_info(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not an entry of the vms"):
        Vm.from_result(broken)


def test_where_guest_key_would_refuse_no_remedy_says_to_run_it() -> None:
    not_avma = problem("not_avma", last_five="DV9BG", channel="Retail", status="licensed")
    unsuitable = problem("host_not_datacenter", host="HV01", system="Windows Server Standard")
    elsewhere = problem("not_a_hyper_v_guest", detail="", wrong_group="")
    assert join([elsewhere], [not_avma]) == [elsewhere]
    first, second = join([unsuitable], [not_avma])
    assert first == unsuitable
    assert second.message == not_avma.message
    assert "guest_key" not in second.remedy
