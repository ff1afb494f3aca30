# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How often PowerShell starts on a guest, and on the host that it is reached through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from integration.conftest import RunPlaybook
from lab.client import Lab

SSH = {"listener": {"connection": "ssh"}, "ssh": {"shell": "cmd"}}
TOPOLOGY = {
    "hosts": [
        {
            "name": "HV",
            "ssh": {"shell": "cmd"},
            "release": "2025",
            "license": "mak",
            "guests": [
                {"name": "CMD", "release": "2022", **SSH},
                {"name": "POWERSHELL", "release": "2022", **SSH, "ssh": {"shell": "powershell"}},
                {"name": "DIRECT", "release": "2022", "listener": {"connection": "powershell_direct"}},
            ],
        },
        {"name": "ALONE", "release": "2022", **SSH, "guests": [{"name": "VM1", **SSH}]},
        {"name": "NODE", "release": "2022", **SSH, "guests": [{"name": "VM2", **SSH}]},
    ],
    "clusters": [{"name": "HVC", "nodes": ["NODE"]}],
}
PLAY = """
- hosts: {hosts}
  gather_facts: false
  tasks:
    - hyperv.avma.{module}:
"""
#: The default shell is a PowerShell that starts another one.
EACH = {"CMD": 1, "POWERSHELL": 2, "DIRECT": 1}


#: Of hosts, what a module reads, and then what it reads of a cluster; the virtual machines, once it is known that it is a Hyper-V host.
HOSTS = {"host_info": {"ALONE": 1, "NODE": 2}, "vm_info": {"ALONE": 2, "NODE": 3}}


@dataclass(frozen=True)
class Starts:
    """By machine: for an activation, for a guest that is right, and for all that guest_info tells; by module, of hosts."""

    activation: dict[str, int]
    right: dict[str, int]
    info: dict[str, int]
    hosts: dict[str, dict[str, int]]


@pytest.fixture(scope="module")
def starts(run_playbook: RunPlaybook) -> Iterator[Starts]:
    with Lab(TOPOLOGY) as lab:

        def count(module: str, *names: str) -> dict[str, int]:
            lab.reset_counters()
            run = run_playbook(lab, PLAY.format(hosts=",".join(names), module=module))
            assert run.rc == 0, run.stdout
            return {name: lab.counters(name)["powershell_starts"] for name in ("HV", *names)}

        guests = [count(module, *EACH) for module in ("guest_key", "guest_key", "guest_info")]
        yield Starts(*guests, {module: count(module, "ALONE", "NODE") for module in HOSTS})


@pytest.mark.parametrize("name", EACH)
def test_a_guest_that_is_right_starts_powershell_once(starts: Starts, name: str) -> None:
    assert starts.right[name] == EACH[name]


@pytest.mark.parametrize("name", EACH)
def test_an_activation_starts_powershell_at_most_five_times(starts: Starts, name: str) -> None:
    assert EACH[name] <= starts.activation[name] <= 5 * EACH[name]


@pytest.mark.parametrize("name", EACH)
def test_all_that_a_guest_tells_is_told_in_one_start(starts: Starts, name: str) -> None:
    assert starts.info[name] == EACH[name]


def test_the_host_starts_as_many_as_its_guest(starts: Starts) -> None:
    for counted in (starts.activation, starts.right, starts.info):
        assert counted["HV"] == counted["DIRECT"]


@pytest.mark.parametrize("module", HOSTS)
def test_a_host_is_read_in_as_few_starts_as_its_steps(starts: Starts, module: str) -> None:
    assert starts.hosts[module] == {"HV": 0, **HOSTS[module]}
