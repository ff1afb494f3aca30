# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host tells of its VMs, without access to their guests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from integration.conftest import RunPlaybook
from integration.playbooks import Run
from lab.client import Lab

PLAY = """
- hosts: avma_hosts
  gather_facts: false
  tasks:
    - name: Read
      hyperv.avma.vm_info:
"""
ODD_NAME = 'O\'Brien\\s "test" <VM> & Söhne'


def guest(name: str, **spec: Any) -> dict[str, Any]:
    """A VM that only its host knows."""
    return {"name": name, "listen": False, **spec}


TOPOLOGY: Mapping[str, Any] = {
    "hosts": [
        {
            "name": "HV-2022",
            "release": "2022",
            "license": "mak",
            "language": "ja-JP",
            "listener": {"page_size": 1, "prefixes": "shuffled", "property_order": "shuffled"},
            "guests": [
                guest("R2012R2", release="2012 R2", edition="standard"),
                guest("R2022", core=True, checkpoint=True, addresses=["192.0.2.7", "2001:db8::7"], kvp={"Role": "a<b"}),
                guest("R2025", release="2025"),
                guest("AZURE", edition="azure"),
                guest("EVAL", evaluation=True),
                guest("SAC", release="20H2"),
                guest("CLIENT", release="Windows 11", edition="pro"),
                guest("LINUX", linux=True),
                guest("OFF", running=False),
                guest("SILENT", services={"vmickvpexchange": "stopped"}),
                guest("NO-EXCHANGE", data_exchange=False),
                guest("ODD", vm_name=ODD_NAME),
                guest("PROSE", addresses=["2001:db8::9", "192.0.2.9"], deprecated_addresses=True),
                guest("REPLICA", running=False, replication="replica"),
            ],
        },
        {"name": "HV-UNLICENSED", "language": "de-DE", "guests": [guest("U")]},
        {"name": "HV-STANDARD", "edition": "standard", "license": "mak", "guests": [guest("S")]},
        {
            "name": "AZL",
            "release": "Azure Local 24H2",
            "edition": "azure_local",
            "azure_local": {"subscription": True},
            "guests": [guest("A-AZURE", edition="azure"), guest("A-2012R2", release="2012 R2")],
        },
        {"name": "NO-ROLE", "hyperv": False},
    ],
}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(TOPOLOGY) as lab:
        yield lab


@pytest.fixture(scope="module")
def read(lab: Lab, run_playbook: RunPlaybook) -> Run:
    return run_playbook(lab, PLAY)


def vms(read: Run, host: str) -> dict[str, dict[str, Any]]:
    return {vm["name"]: vm for vm in read.of(host)["vms"]}


def verdict(vm: Mapping[str, Any]) -> tuple[Any, str | None, list[str]]:
    return vm["eligible"], vm["avma_key"] and vm["avma_key"][-5:], [problem["code"] for problem in vm["problems"]]


def test_every_vm_gets_its_key_or_the_reason_why_not(read: Run) -> None:
    assert {name: verdict(vm) for name, vm in vms(read, "HV-2022").items()} == {
        "R2012R2": (True, "MTB6V", []),
        "R2022": (True, "DV9BG", []),
        "R2025": (False, "VCH67", ["host_release_too_old"]),
        "AZURE": (False, "VMK3J", ["azure_edition_needs_azure_local"]),
        "EVAL": (False, None, ["evaluation_edition"]),
        "SAC": (False, None, ["no_avma_key_for_release"]),
        "CLIENT": (False, None, ["no_avma_key_for_edition"]),
        "LINUX": (False, None, ["not_windows"]),
        "OFF": (None, None, ["guest_unknown"]),
        "SILENT": (None, None, ["guest_unknown"]),
        "NO-EXCHANGE": (False, None, ["data_exchange_disabled"]),
        ODD_NAME: (True, "DV9BG", []),
        "PROSE": (True, "DV9BG", []),
        "REPLICA": (None, None, ["guest_unknown"]),
    }


def test_addresses_come_from_the_adapters_where_the_guest_tells_prose(read: Run) -> None:
    prose = vms(read, "HV-2022")["PROSE"]
    assert (prose["addresses"], prose["rdp_addresses"]) == (["192.0.2.9", "2001:db8::9"], [])
    assert "are deprecated" in prose["kvp"]["NetworkAddressIPv4"]


def test_the_part_in_replication_is_told(read: Run) -> None:
    assert [vms(read, "HV-2022")[name]["replication_mode"] for name in ("PROSE", "REPLICA")] == ["none", "replica"]


def test_what_a_vm_is_comes_from_data_exchange(read: Run) -> None:
    vm = vms(read, "HV-2022")["R2022"]
    assert vm["system"] == {
        "release": "2022",
        "edition": "Datacenter",
        "core": True,
        "evaluation": False,
        "build": 20348,
        "sku": vm["system"]["sku"],
        "name": "Windows Server 2022",
    }
    assert (vm["state"], vm["data_exchange"], vm["architecture"], vm["service_pack"]) == ("running", True, "x64", None)
    assert (vm["fqdn"], vm["addresses"]) == ("R2022.lab.example", ["192.0.2.7", "2001:db8::7"])
    assert vm["kvp"]["Role"] == "a<b"
    assert vms(read, "HV-2022")["OFF"]["state"] == "off"


@pytest.mark.parametrize(
    ("host", "name", "codes"),
    [
        ("HV-UNLICENSED", "U", ["host_not_licensed"]),
        ("HV-STANDARD", "S", ["host_unsuitable"]),
        ("AZL", "A-AZURE", []),
        ("AZL", "A-2012R2", ["host_release_too_old"]),
    ],
)
def test_the_host_decides_which_guests_it_activates(read: Run, host: str, name: str, codes: list[str]) -> None:
    assert [problem["code"] for problem in vms(read, host)[name]["problems"]] == codes


def test_a_machine_without_the_role_is_refused(read: Run) -> None:
    result = read.of("NO-ROLE")
    assert result.status == "failed"
    assert [problem["code"] for problem in result["problems"]] == ["hyperv_role_missing"]


def test_nothing_is_written(lab: Lab, read: Run) -> None:
    assert read.changed() == 0
    assert lab.writes() == {}


def test_reads_only_the_vms_that_are_named(lab: Lab, run_playbook: RunPlaybook) -> None:
    lab.reset_counters()
    named = run_playbook(
        lab,
        f"""
- hosts: HV-2022
  gather_facts: false
  tasks:
    - name: Read
      hyperv.avma.vm_info:
        name: {json.dumps([ODD_NAME, "r2022", "nowhere"])}
""",
    )
    assert [vm["name"] for vm in named.of("HV-2022")["vms"]] == [ODD_NAME, "R2022"]
    assert any("SystemName = " in query for query in lab.counters("HV-2022")["queries"])


def test_a_release_of_the_user_is_known_by_its_key(lab: Lab, run_playbook: RunPlaybook) -> None:
    run = run_playbook(
        lab,
        """
- hosts: HV-2022
  gather_facts: false
  tasks:
    - name: Read
      hyperv.avma.vm_info:
        name: [SAC]
        key_overrides:
          20H2:
            Datacenter: BCDFG-HJKMN-PQRTV-WXY23-46789
""",
    )
    assert verdict(run.of("HV-2022")["vms"][0]) == (True, "46789", [])


def cost(run_playbook: RunPlaybook, count: int) -> dict[str, Any]:
    """What reading so many VMs takes."""
    many = {"name": "VM{n:03}", "count": count, "listen": False}
    with Lab({"hosts": [{"name": "HV01", "license": "mak", "guests": [many]}]}) as lab:
        run = run_playbook(lab, PLAY)
        assert [vm["eligible"] for vm in run.of("HV01")["vms"]] == [True] * count
        return lab.counters("HV01")


@pytest.mark.wsman
def test_many_vms_cost_no_more_requests_than_few_but_for_paging(run_playbook: RunPlaybook) -> None:
    one, many = cost(run_playbook, 1), cost(run_playbook, 400)
    assert many["queries"] == one["queries"]
    assert many["requests"]["Enumerate"] == one["requests"]["Enumerate"] == 7
    # A default WinRM service sends no more than 500 KB at once.
    pages = many["soap_sent"] / (450 * 1024)
    assert many["requests"]["Pull"] <= one["requests"]["Pull"] + pages


def test_a_clustered_vm_tells_which_nodes_may_own_it(run_playbook: RunPlaybook) -> None:
    topology = {
        "hosts": [
            {
                "name": "NODE1",
                "license": "mak",
                "guests": [
                    guest("ANYWHERE", vm_name=ODD_NAME),
                    guest("RESTRICTED", possible_owners=["NODE1", "NODE3"]),
                    guest("LOCAL", clustered=False),
                ],
            },
            {"name": "NODE2"},
            {"name": "NODE3"},
        ],
        "clusters": [{"name": "HVCLUSTER", "nodes": ["NODE1", "NODE2", "NODE3"]}],
    }
    with Lab(topology) as lab:
        run = run_playbook(lab, PLAY, "--limit", "NODE1")
    assert {vm["name"]: vm["possible_owners"] for vm in run.of("NODE1")["vms"]} == {
        ODD_NAME: ["NODE1", "NODE2", "NODE3"],
        "RESTRICTED": ["NODE1", "NODE3"],
        "LOCAL": [],
    }
