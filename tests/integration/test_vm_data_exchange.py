# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Data Exchange of VMs, switched at their host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from integration.conftest import RunPlaybook
from integration.playbooks import TaskResult
from lab.client import Lab

ODD_NAME = 'O\'Brien\\s "test" <VM> & Söhne'
GUESTS = [
    {"name": "VM1"},
    {"name": "VM2", "data_exchange": False, "checkpoint": True},
    {"name": "VM3", "vm_name": ODD_NAME, "data_exchange": False},
]


def topology(**host: Any) -> dict[str, Any]:
    return {"hosts": [{"name": "HV01", "language": "de-DE", "guests": GUESTS, **host}]}


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(topology()) as lab:
        yield lab


def switch(run_playbook: RunPlaybook, lab: Lab, *arguments: str, **options: Any) -> TaskResult:
    play = f"""
- hosts: HV01
  gather_facts: false
  tasks:
    - name: Switch
      hyperv.avma.vm_data_exchange: {json.dumps(options)}
"""
    return run_playbook(lab, play, *arguments).of("HV01")


def exchanging(lab: Lab) -> dict[str, bool]:
    return {guest["name"]: lab.machine(guest["name"])["data_exchange"] for guest in GUESTS}


def codes(problems: list[dict[str, Any]]) -> list[str]:
    return [problem["code"] for problem in problems]


def test_switches_on_what_is_off(lab: Lab, run_playbook: RunPlaybook) -> None:
    predicted = switch(run_playbook, lab, "--check", "--diff")
    assert lab.writes() == {}
    assert exchanging(lab) == {"VM1": True, "VM2": False, "VM3": False}

    real = switch(run_playbook, lab, "--diff")
    assert real.result == predicted.result
    assert {vm["name"]: (vm["data_exchange"], vm["changed"]) for vm in real["vms"]} == {
        "VM1": (True, False),
        "VM2": (True, True),
        ODD_NAME: (True, True),
    }
    ids = {vm["name"]: vm["id"] for vm in real["vms"]}
    assert real["diff"]["before"][f"VM2 ({ids['VM2']})"] == "disabled"
    assert real["diff"]["after"][f"VM2 ({ids['VM2']})"] == "enabled"
    assert exchanging(lab) == {"VM1": True, "VM2": True, "VM3": True}
    assert [invoke["method"] for invoke in lab.invokes("HV01")] == ["ModifyGuestServiceSettings"] * 2

    lab.reset_counters()
    again = switch(run_playbook, lab)
    assert not again["changed"]
    assert lab.writes() == {}


def test_switches_off_only_what_is_named(lab: Lab, run_playbook: RunPlaybook) -> None:
    assert switch(run_playbook, lab, name=["vm1"], state="disabled")["changed"]
    assert exchanging(lab) == {"VM1": False, "VM2": False, "VM3": False}


def test_finds_a_vm_by_its_odd_name(lab: Lab, run_playbook: RunPlaybook) -> None:
    assert switch(run_playbook, lab, name=[ODD_NAME])["changed"]
    assert exchanging(lab) == {"VM1": True, "VM2": False, "VM3": True}


def test_switches_the_guest_service_interface(run_playbook: RunPlaybook) -> None:
    """Azure Local's Azure Edition guests need it; what the host says of them is wrong before, and right afterwards."""
    guests = [
        {"name": "AZ-ON", "edition": "azure"},
        {"name": "AZ-OFF", "edition": "azure", "guest_service_interface": False},
        {"name": "DC-OFF"},
    ]
    azure_local = {"release": "Azure Local 23H2", "edition": "azure_local", "azure_local": {"subscription": True}}
    with Lab({"hosts": [{"name": "HV01", **azure_local, "guests": guests}]}) as lab:

        def told() -> dict[str, tuple[bool, list[str]]]:
            play = "- hosts: HV01\n  gather_facts: false\n  tasks:\n    - hyperv.avma.vm_info:\n"
            vms = run_playbook(lab, play).of("HV01")["vms"]
            return {vm["name"]: (vm["guest_service_interface"], codes(vm["problems"])) for vm in vms}

        assert told() == {
            "AZ-ON": (True, []),
            "AZ-OFF": (False, ["guest_service_interface_disabled"]),
            "DC-OFF": (False, []),
        }
        options = {"name": ["AZ-OFF"], "service": "guest_service_interface"}
        predicted = switch(run_playbook, lab, "--check", "--diff", **options)
        assert lab.writes() == {}
        done = switch(run_playbook, lab, "--diff", **options)
        assert done.result == predicted.result
        assert [(vm["guest_service_interface"], vm["changed"]) for vm in done["vms"]] == [(True, True)]
        assert told()["AZ-OFF"] == (True, [])
        assert lab.machine("AZ-OFF")["data_exchange"] is True
        assert not switch(run_playbook, lab, **options)["changed"]


def test_an_unknown_name_fails_before_any_write(lab: Lab, run_playbook: RunPlaybook) -> None:
    result = switch(run_playbook, lab, name=["VM2", "NOWHERE"])
    assert result.status == "failed"
    assert codes(result["problems"]) == ["vm_not_found"]
    assert "NOWHERE" in result["msg"]
    assert lab.writes() == {}


def test_waits_for_a_slow_job(run_playbook: RunPlaybook) -> None:
    with Lab(topology(jobs={"polls": 2})) as lab:
        assert switch(run_playbook, lab, name=["VM2"])["changed"]
        assert exchanging(lab)["VM2"]


def test_a_job_that_does_not_end_in_time_fails(run_playbook: RunPlaybook) -> None:
    with Lab(topology(jobs={"polls": 1000})) as lab:
        result = switch(run_playbook, lab, name=["VM2"], timeout=1)
    assert result.status == "failed"
    assert "not ended in time" in result["msg"]
    assert not result["changed"]


def test_a_job_that_fails_says_why_for_each_vm(run_playbook: RunPlaybook) -> None:
    with Lab(topology(jobs={"fails": True})) as lab:
        result = switch(run_playbook, lab)
        assert len(lab.invokes("HV01")) == 2
    assert result.status == "failed"
    assert not result["changed"]
    assert {vm["name"]: codes(vm["problems"]) for vm in result["vms"]} == {
        "VM1": [],
        "VM2": ["data_exchange_not_switched"],
        ODD_NAME: ["data_exchange_not_switched"],
    }
    assert "32768" in result["msg"]


def test_one_refusal_does_not_stop_the_others(lab: Lab, run_playbook: RunPlaybook) -> None:
    lab.fault("HV01", "hresult", value=0x80041003, match={"method": "ModifyGuestServiceSettings"}, times=1)
    result = switch(run_playbook, lab)
    assert result.status == "failed"
    assert result["changed"]
    assert [problem["hresult"] for problem in result["problems"]] == ["0x80041003"]
    assert sorted(exchanging(lab).values()) == [False, True, True]


@pytest.mark.wsman
def test_a_change_that_does_not_show_is_no_success(lab: Lab, run_playbook: RunPlaybook) -> None:
    # Windows stops waiting for the method, which is no failure by itself.
    lab.fault("HV01", "wsman_fault", value=2150858793, match={"method": "ModifyGuestServiceSettings"})
    result = switch(run_playbook, lab, name=["VM2"])
    assert result.status == "failed"
    assert "as before" in result["msg"]


def test_a_2012_r2_host_takes_the_older_method(run_playbook: RunPlaybook) -> None:
    with Lab(topology(release="2012 R2")) as lab:
        assert switch(run_playbook, lab)["changed"]
        assert {invoke["method"] for invoke in lab.invokes("HV01")} == {"ModifyResourceSettings"}
        assert exchanging(lab)["VM2"]
