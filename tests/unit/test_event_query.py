"""Which nodes automation platform counts as indirectly managed, from what the modules return."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import jq
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = "hyperv.avma"
QUERIES: dict[str, dict[str, str]] = yaml.safe_load((ROOT / "extensions/audit/event_query.yml").read_text())
VM_ID = "8B0F3A0E-51E4-4A3B-8E66-2E6C5A6B5E11"


def documented(module: str) -> dict[str, Any]:
    """The documented sample of what a module returns."""
    path = f"ansible_collections.{COLLECTION}.plugins.modules.{module.rpartition('.')[2]}"
    values = yaml.safe_load(importlib.import_module(path).RETURN)
    return {name: value["sample"] for name, value in values.items() if "sample" in value}


def count(module: str, result: dict[str, Any]) -> list[dict[str, Any]]:
    """As automation controller does it (awx.main.tasks.host_indirect)."""
    nodes: list[dict[str, Any]] = jq.compile(QUERIES[module]["query"]).input(result).all()
    return nodes


#: Of the tasks that reach a guest through its host, and of those that reach many machines.
OF_VMS = [f"{COLLECTION}.vm_data_exchange", f"{COLLECTION}.vm_info"]
OF_MACHINES = [f"{COLLECTION}.fleet_info", f"{COLLECTION}.host_keys"]


def test_all_that_ansible_itself_does_not_count_is_counted() -> None:
    assert list(QUERIES) == [*OF_VMS, *OF_MACHINES]


def test_every_machine_that_a_fleet_task_reached_is_a_node() -> None:
    def guest(vm_id: str | None) -> dict[str, Any]:
        return {"guest_info": {"guest": {"hypervisor": {"vm_id": vm_id} if vm_id else None}}}

    read = {
        "HV01": {"host_info": {"host": {"name": "HV01", "fqdn": "HV01.Example.com"}}, "vm_info": {"vms": []}},
        "hv02": {
            "host_info": {"host": {"name": "HV02", "fqdn": None}},
            "vm_info": {"vms": [{"name": "web01", "id": VM_ID.lower()}, {"name": "db", "id": "1"}]},
        },
        "web01.example.com": guest(VM_ID),
        "Elsewhere": guest(None),
        "dead": {"guest_info": {"unreachable": True, "msg": "no"}},
        "failed": {"host_info": {"failed": True, "msg": "no"}},
        "lost": {"guest_info": {}},
    }
    for module in OF_MACHINES:
        nodes = count(module, {"readings": read})
        who = {item for node in nodes for item in node["canonical_facts"].items()}
        assert who == {
            ("fqdn", "hv01.example.com"),
            ("fqdn", "hv02"),
            ("vm_id", VM_ID),
            ("vm_id", "1"),
            ("name", "elsewhere"),
        }
        assert {node["facts"]["device_type"] for node in nodes} == {"server", "virtual_machine"}
        assert count(module, {"failed": True, "msg": "no"}) == []


@pytest.mark.parametrize("module", OF_VMS)
def test_each_vm_is_a_node(module: str) -> None:
    assert count(module, documented(module)) == [
        {
            "name": "web01",
            "canonical_facts": {"vm_id": VM_ID},
            "facts": {
                "infra_type": "private_cloud",
                "infra_bucket": "compute",
                "device_type": "virtual_machine",
                "platform": "hyperv",
            },
        }
    ]


@pytest.mark.parametrize("module", OF_VMS)
@pytest.mark.parametrize("result", [{"failed": True, "msg": "no"}, {"failed": True, "vms": []}, {"changed": False}])
def test_a_task_that_reached_no_vm_counts_none(module: str, result: dict[str, Any]) -> None:
    assert count(module, result) == []


def test_a_vm_is_the_same_node_whichever_module_and_host_tell_of_it() -> None:
    nodes = [
        node
        for module in OF_VMS
        for vm_id in (VM_ID, VM_ID.lower())
        for node in count(module, {"vms": [{"name": "web01", "id": vm_id}]})
    ]
    assert len(nodes) == 4
    assert {node["canonical_facts"]["vm_id"] for node in nodes} == {VM_ID}
