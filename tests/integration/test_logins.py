"""A password that is out of date is tried at one machine, and not at all of them: that would lock the account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration import inventories
from integration.conftest import RunPlaybook
from lab.client import Lab

NAMES = [f"HV{number}" for number in range(1, 8)]
MACHINES = {
    "winrm": {"listener": {"connection": "winrm", "tls": False, "authentication": ["negotiate"]}},
    "ssh": {"listener": {"connection": "ssh"}, "ssh": {"authentication": ["password"]}},
}
STALE = {"ansible_password": "stale"}
FLEET = "- hosts: avma_hosts\n  gather_facts: false\n  tasks:\n    - hyperv.avma.fleet_info:\n"
LOOP = """
- hosts: HV1
  gather_facts: false
  tasks:
    - hyperv.avma.host_info:
      delegate_to: "{{ item }}"
      loop: "{{ groups.avma_hosts }}"
      ignore_unreachable: true
"""


GUESTS = [f"VM{number}" for number in range(1, 6)]
THROUGH_HOST = {
    "hosts": [
        {
            "name": "HV1",
            "release": "2022",
            "guests": [
                {"name": name, "release": "2022", "listener": {"connection": "powershell_direct"}} for name in GUESTS
            ],
        }
    ]
}
GUESTS_STALE = """
    - ansible.builtin.set_fact: {ansible_user: 'USER', ansible_password: stale}
      delegate_to: "{{ item }}"
      delegate_facts: true
      loop: "{{ groups.avma_guests }}"
"""
READ_GUESTS = f"""
- hosts: HV1
  gather_facts: false
  tasks:{GUESTS_STALE}
    - hyperv.avma.fleet_info: {{guests_group: avma_guests, machines: avma_guests}}
"""
READ_GUESTS_IN_A_LOOP = (
    LOOP.replace("tasks:", f"tasks:{GUESTS_STALE}")
    .replace("host_info", "guest_info")
    .replace("groups.avma_hosts", "groups.avma_guests")
)


@pytest.fixture(scope="module", params=["winrm", "psrp", "ssh"])
def plugin(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def running(plugin: str) -> Iterator[Lab]:
    machine = MACHINES["ssh" if plugin == "ssh" else "winrm"]
    hosts = [{"name": name, "release": "2022"} for name in NAMES]
    with Lab({"defaults": {"all": machine}, "hosts": hosts}) as lab:
        yield lab


@pytest.fixture(scope="module")
def through_host() -> Iterator[Lab]:
    with Lab(THROUGH_HOST) as lab:
        yield lab


@pytest.fixture
def lab(running: Lab) -> Lab:
    running.reset_counters()
    return running


def tried(lab: Lab) -> int:
    """At how many machines a login was tried."""
    return sum(bool(report["requests"].get("Authentication")) for report in lab.call("counters").values())


def test_by_the_inventory_plugin(lab: Lab, plugin: str, tmp_path: Path) -> None:
    machines = inventories.machines(lab, NAMES)
    hosts = {name: {**variables, **STALE, "ansible_connection": plugin} for name, variables in machines.items()}
    inventory = inventories.read(inventories.write(tmp_path, hosts=hosts))
    assert tried(lab) == 1
    # Older cores break lines.
    said = "".join(inventory.output.split())
    assert said.count("rejectedthecredentials") == 1
    assert said.count("nottried:HV") == len(NAMES) - 1


def test_by_fleet_info(lab: Lab, run_playbook: RunPlaybook, plugin: str) -> None:
    run = run_playbook(lab, FLEET, "-e", f"ansible_password=stale ansible_connection={plugin}")
    assert tried(lab) == 1
    readings = run.results[-1]["readings"]
    assert all(readings[name]["host_info"]["unreachable"] for name in NAMES)
    assert sum("not tried" in readings[name]["host_info"]["msg"] for name in NAMES) == len(NAMES) - 1


def test_by_a_loop(lab: Lab, run_playbook: RunPlaybook, plugin: str) -> None:
    run = run_playbook(lab, LOOP, "-e", f"ansible_password=stale ansible_connection={plugin}")
    assert tried(lab) == 1
    assert all(item["unreachable"] for item in run.of("HV1")["results"])


@pytest.mark.parametrize(("user", "tries"), [("LAB\\svc", 1), ("Administrator", len(GUESTS))])
@pytest.mark.parametrize("play", [READ_GUESTS, READ_GUESTS_IN_A_LOOP], ids=["fleet_info", "loop"])
def test_in_guests_through_their_host(
    through_host: Lab, run_playbook: RunPlaybook, play: str, user: str, tries: int
) -> None:
    through_host.reset_counters()
    run = run_playbook(through_host, play.replace("USER", user))
    asked = [through_host.counters(name)["requests"].get("PowerShellDirect", 0) for name in GUESTS]
    assert sum(asked) == tries, run.stdout
    assert str(run.results[-1].result).count("not tried: VM") >= len(GUESTS) - tries
