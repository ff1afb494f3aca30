"""Many machines from one process, with Kerberos: every run reads all of them, whoever they are reached as."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.conftest import Kinit
from integration import inventories
from integration.conftest import RunPlaybook
from lab.client import Lab

RUNS = 5
#: Each with a virtual machine; 30 are reached as one user, 30 as another, 2 with the ticket that the environment names.
FINE = [f"{prefix}{number:02}" for prefix, count in (("A", 30), ("B", 30), ("C", 2)) for number in range(1, count + 1)]
MANUAL = {"ansible_user": "own@LAB.EXAMPLE", "ansible_password": None, "ansible_winrm_kinit_mode": "manual"}


def hosts(prefix: str, count: int, **variables: object) -> dict[str, object]:
    guest = {"name": "{host}-VM", "count": 1, "listen": False}
    return {"name": prefix + "{n:02}", "count": count, "guests": [guest], "license": "mak", "variables": variables}


TOPOLOGY = {
    "users": [{"name": name} for name in ("admin", "second", "own", "typo")],
    "defaults": {"all": {"release": "2022", "listener": {"authentication": ["kerberos", "negotiate"]}}},
    "hosts": [
        hosts("A", 30),
        hosts("B", 30, ansible_user="second@LAB.EXAMPLE"),
        hosts("C", 2, **MANUAL),
        {"name": "WRONG", "variables": {"ansible_user": "typo@LAB.EXAMPLE", "ansible_password": "wrong"}},
        {"name": "DEAD", "running": False},
    ],
}
PLAY = """
- hosts: avma_hosts
  gather_facts: false
  tasks:
    - name: Read
      hyperv.avma.fleet_info:
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(TOPOLOGY) as lab:
        yield lab


@pytest.fixture(scope="module")
def environment(lab: Lab, kinit: Kinit, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    cache = kinit(lab, "own", tmp_path_factory.mktemp("cache") / "own")
    return {**lab.environment, "KRB5CCNAME": f"FILE:{cache}"}


@pytest.mark.parametrize("plugin", ["winrm", "psrp"])
@pytest.mark.parametrize("strict", [False, True])
def test_the_inventory_has_all_guests_in_every_run(
    lab: Lab, environment: dict[str, str], tmp_path: Path, plugin: str, strict: bool
) -> None:
    machines = {
        name: {**variables, "ansible_connection": plugin}
        for name, variables in inventories.machines(lab, [*FINE, "WRONG", "DEAD"]).items()
    }
    path = inventories.write(tmp_path, hosts=machines, strict=strict)
    for _run in range(1 if strict else RUNS):
        inventory = inventories.read(path, environment=environment)
        if strict:
            assert inventory.rc != 0
            assert inventory.says("WRONG was not asked") or inventory.says("DEAD was not asked")
            continue
        assert inventory.rc == 0
        assert sorted(inventory.hosts) == [f"{name}-VM" for name in FINE], inventory.output
        assert inventory.says("WRONG was not asked for its VMs: Kerberos for typo@LAB.EXAMPLE at ")
        assert inventory.says("DEAD was not asked for its VMs: no connection to ")
        assert inventory.output.count("was not asked") == 2


@pytest.mark.parametrize("plugin", ["winrm", "psrp"])
def test_fleet_info_reads_all_hosts(
    lab: Lab, environment: dict[str, str], run_playbook: RunPlaybook, plugin: str
) -> None:
    run = run_playbook(lab, PLAY, "-e", f"ansible_connection={plugin}", KRB5CCNAME=environment["KRB5CCNAME"])
    readings = run.results[-1]["readings"]
    read = [name for name, reading in readings.items() if "vms" in reading.get("vm_info", {})]
    assert sorted(read) == FINE
    assert "Kerberos for typo@LAB.EXAMPLE" in readings["WRONG"]["host_info"]["msg"]
    assert readings["WRONG"]["host_info"]["unreachable"]
    assert readings["DEAD"]["host_info"]["unreachable"]


def test_a_password_was_tried_once_by_each_run(lab: Lab) -> None:
    # It is locked after 5, which is told by the KDC and not counted.
    assert lab.failed_logins("typo") <= 5


@pytest.mark.parametrize("plugin", ["winrm", "psrp"])
def test_a_ticket_that_expires_while_work_goes_on_costs_its_machine_only(
    kinit: Kinit, run_playbook: RunPlaybook, tmp_path: Path, plugin: str
) -> None:
    # The other machine must be read before the ticket expires, on a busy controller too.
    slow = {"listener": {"delay": 2}, "variables": MANUAL}
    topology = {**TOPOLOGY, "hosts": [{"name": "SLOW", **slow}, hosts("A", 1)]}
    with Lab(topology) as lab:
        cache = kinit(lab, "own", tmp_path / "own", "-l", "8s")
        run = run_playbook(lab, PLAY, "-e", f"ansible_connection={plugin}", KRB5CCNAME=f"FILE:{cache}")
        readings = run.results[-1]["readings"]
        assert "vms" in readings["A01"]["vm_info"]
        parts = readings["SLOW"].values()
        assert not any(part.get("failed") for part in parts), readings["SLOW"]
        # pykerberos goes on with the keys of the session that there is.
        expired = [part["msg"] for part in parts if part.get("unreachable")]
        assert plugin == "winrm" or expired
        assert all("kinit -l" in message for message in expired), expired
