"""The playbook build_vm: virtual machines that any tool has made, from a list, from the inventory, and with delegate_to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.conftest import RunPlaybook
from lab.client import Lab

KEY = "F2K7M-QXW9C-VB4TN-HJ8RD-6YPG3"
TOPOLOGY: dict[str, Any] = {
    "keys": [{"key": KEY, "release": "2022", "channel": "mak", "activations": 9}],
    "hosts": [
        {
            "name": "HV1",
            "release": "2022",
            "license": KEY,
            "guests": [
                {"name": "LISTED", "vm_name": "Listed <VM>", "data_exchange": False},
                {"name": "STATIC", "data_exchange": False},
                {"name": "PLUGIN", "release": "2019"},
                {"name": "DELEGATED", "data_exchange": False, "release": "2016", "edition": "standard"},
                {"name": "OTHER"},
            ],
        },
    ],
}
DELEGATING = """
- hosts: HV1
  gather_facts: false
  tasks:
    - name: Stands for whatever makes the VM
      ansible.builtin.set_fact:
        new_vm: DELEGATED

    - name: Data Exchange
      hyperv.avma.vm_data_exchange:
        name: ["{{ new_vm }}"]

    - name: Activation
      ansible.builtin.include_role:
        name: hyperv.avma.guest_activation
        apply:
          delegate_to: "{{ new_vm }}"

    - name: Proof
      hyperv.avma.guest_info:
        expected_hosts: ["{{ inventory_hostname }}"]
      delegate_to: "{{ new_vm }}"
      register: proof
      failed_when: proof.guest.problems | length > 0
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(TOPOLOGY) as lab:
        yield lab


def activated(lab: Lab, name: str) -> bool:
    """Whether the lab itself knows a guest to be activated by its host."""
    machine = lab.machine(name)
    license = machine["license"]
    return machine["data_exchange"] and (license["status"], license["channel"], license["host"]) == (
        "licensed",
        "VT:IA",
        "HV1.lab.example",
    )


def run(run_playbook: RunPlaybook, lab: Lab, guest: str, *arguments: str, predicted: int = 0) -> None:
    """In check mode, for real, and again: only the second changes anything, and only this guest.

    :param predicted: The exit status of the run in check mode.
    """
    before = lab.writes()
    assert not activated(lab, guest)
    checked = run_playbook(lab, *arguments, "--check")
    assert (lab.writes(), checked.changed() > 0, checked.rc) == (before, True, predicted), checked.stdout

    done = run_playbook(lab, *arguments)
    assert done.rc == 0, done.stdout
    assert activated(lab, guest)
    writes = lab.writes()
    assert {name for name in writes if writes[name] != before.get(name)} <= {guest, "HV1"}

    again = run_playbook(lab, *arguments)
    assert (again.rc, again.changed()) == (0, 0), again.stdout
    assert lab.writes() == writes


def test_from_a_list(lab: Lab, run_playbook: RunPlaybook, tmp_path: Path) -> None:
    entries = tmp_path / "vms.yml"
    entries.write_text(yaml.safe_dump({"build_vm_list": [{"name": "LISTED", "host": "HV1", "vm_name": "Listed <VM>"}]}))
    run(run_playbook, lab, "LISTED", "hyperv.avma.build_vm", "-e", f"@{entries}")


def test_from_the_inventory(lab: Lab, run_playbook: RunPlaybook) -> None:
    run(run_playbook, lab, "STATIC", "hyperv.avma.build_vm", "--limit", "STATIC", "-e", "build_vm_host=HV1")


def test_from_the_inventory_plugin(lab: Lab, run_playbook: RunPlaybook, tmp_path: Path) -> None:
    host = yaml.safe_load(lab.inventory.read_text(encoding="utf-8"))["all"]["hosts"]["HV1"]
    source = tmp_path / "guests.avma.yml"
    # Guests of the lab are where its own inventory says.
    compose = {"ansible_host": "'127.0.0.1'"}
    source.write_text(yaml.safe_dump({"plugin": "hyperv.avma.guests", "hosts": {"HV1": host}, "compose": compose}))
    run(run_playbook, lab, "PLUGIN", "hyperv.avma.build_vm", "-i", str(source), "--limit", "PLUGIN")


def test_with_delegate_to(lab: Lab, run_playbook: RunPlaybook) -> None:
    # Nothing is proved before anything is done.
    run(run_playbook, lab, "DELEGATED", DELEGATING, predicted=2)


def test_a_vm_whose_host_is_not_known_is_refused(lab: Lab, run_playbook: RunPlaybook) -> None:
    before = lab.writes()
    refused = run_playbook(lab, "hyperv.avma.build_vm", "--limit", "OTHER")
    assert refused.rc == 2
    assert "On which Hyper-V host of the inventory is OTHER?" in refused.of("OTHER")["msg"]
    assert lab.writes() == before


def test_the_name_of_another_vm_is_refused(lab: Lab, run_playbook: RunPlaybook) -> None:
    before = lab.writes()
    named = ("-e", "build_vm_host=HV1", "-e", "build_vm_name=PLUGIN")
    refused = run_playbook(lab, "hyperv.avma.build_vm", "--limit", "OTHER", *named)
    assert refused.rc == 2
    assert "What build_vm_name tells is of the VM" in refused.of("OTHER")["msg"]
    assert lab.writes() == before
