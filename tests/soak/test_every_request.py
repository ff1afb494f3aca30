# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whatever goes wrong at whichever request of a module that writes: it is told, nothing is lost, and the next run ends well.

One machine for each request that the module makes and each thing that can happen to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from integration.conftest import RunPlaybook
from integration.playbooks import TaskResult
from lab.client import Lab
from lab.faults import RandomFaults
from lab.keys import made_up_key
from soak.checks import assert_plain, assert_spent_once, with_shuffled_answers

#: Those of a bad day, and a machine that dies after it did as asked.
EFFECTS = [*RandomFaults.CHOICES, ("stop_machine_after", None)]
#: Ansible's workers mostly wait.
FORKS = "16"


@dataclass(frozen=True)
class Subject:
    """A module at work on a machine.

    :ivar machine: The machine of that name as a topology has it.
    :ivar done: Whether the machine is in the end as the module is to make it, by its last result and by what the lab knows.
    :ivar keeps: Whether the guest has a licence that outlives every fault, unless the machine dies.
    :ivar activated: Whether the guest's host is activated at first; if it is not, the task fails, and it is activated before the last run.
    :ivar first: The first request that meets a fault.
    """

    task: str
    machine: Callable[[str], dict[str, Any]]
    done: Callable[[Lab, TaskResult], bool]
    on_guest: bool = False
    keeps: bool = False
    activated: bool = True
    first: int = 1

    def topology(self, names: Iterable[str]) -> dict[str, Any]:
        machines = [self.machine(name) for name in names]
        if self.on_guest:
            license = "oem" if self.activated else "none"
            return with_shuffled_answers({"hosts": [{"name": "HV", "license": license, "guests": machines}]})
        # A second activation of a key would not be refused, and so be found.
        keys = [{"key": made_up_key(name), "release": "2022", "channel": "mak", "activations": 2} for name in names]
        return with_shuffled_answers({"keys": keys, "hosts": machines})


def host(name: str, **spec: Any) -> dict[str, Any]:
    return {"name": name, "release": "2022", "variables": {"host_key": made_up_key(name)}, **spec}


def licensed(channel: str) -> Callable[[Lab, TaskResult], bool]:
    def done(lab: Lab, result: TaskResult) -> bool:
        license = lab.machine(result.host)["license"]
        return (license["status"], license["channel"]) == ("licensed", channel)

    return done


HOST_KEY = "hyperv.avma.host_key: {product_key: '{{ host_key }}', timeout: 5}"
SUBJECTS = {
    "guest_key": Subject(
        "hyperv.avma.guest_key: {timeout: 5}",
        lambda name: {"name": name, "license": "kms", "activation": {"automatic": False}},
        licensed("VT:IA"),
        on_guest=True,
        keeps=True,
    ),
    "guest_key-put_back": Subject(
        "hyperv.avma.guest_key: {timeout: 5}",
        lambda name: {"name": name, "license": "kms"},
        licensed("VT:IA"),
        on_guest=True,
        keeps=True,
        activated=False,
        # What comes before is that of an activation.
        first=10,
    ),
    "guest_kvp": Subject(
        "hyperv.avma.guest_kvp: {remove: [Owner, Former]}",
        lambda name: {"name": name, "kvp": {"Owner": "a", "Former": "b", "Other": "c"}},
        lambda lab, result: bool(result["kvp"] == {"Other": "c"}),
        on_guest=True,
    ),
    "host_key-windows_server": Subject(HOST_KEY, host, licensed("Volume:MAK")),
    "host_key-azure_local": Subject(
        HOST_KEY,
        lambda name: host(name, release="Azure Local 24H2", edition="azure_local", azure_local={"shape": "nested"}),
        lambda lab, result: lab.machine(result.host)["azure_local"]["key"] == made_up_key(result.host)[-5:],
    ),
    "vm_data_exchange": Subject(
        "hyperv.avma.vm_data_exchange:",
        lambda name: host(name, guests=[{"name": f"VM-{name}", "data_exchange": False}]),
        lambda lab, result: bool(lab.machine(f"VM-{result.host}")["data_exchange"]),
    ),
}


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_fault_at_any_request(name: str, run_playbook: RunPlaybook) -> None:
    subject = SUBJECTS[name]
    group = "avma_guests" if subject.on_guest else "avma_hosts"
    play = f"- hosts: {group}\n  gather_facts: false\n  tasks:\n    - {subject.task}\n"

    with Lab(subject.topology(["M"])) as lab:
        assert run_playbook(lab, play).of("M").status == ("ok" if subject.activated else "failed")
        requests = lab.counters("M")["operations"]

    cases = {
        f"M{request}-{number}": {"effect": str(effect), "value": value, "match": {"nth": request}, "times": 1}
        for request in range(subject.first, requests + 1)
        for number, (effect, value) in enumerate(EFFECTS)
    }
    keys = [made_up_key(case) for case in cases]
    with Lab(subject.topology(cases)) as lab:
        for case, rule in cases.items():
            lab.call("fault", machine=case, rule=rule)
        faulty = run_playbook(lab, play, "-vvv", "--forks", FORKS, timeout=600)
        assert_plain(faulty, keys)
        assert sorted(result.host for result in faulty.results) == sorted(cases)
        assert len([result for result in faulty.results if result.status != "ok"]) > len(cases) / 2
        if subject.keeps:
            alive = [case for case, rule in cases.items() if rule["effect"] != "stop_machine_after"]
            assert [case for case in alive if lab.machine(case)["license"]["status"] != "licensed"] == []

        lab.clear_faults()
        if not subject.activated:
            lab.set("HV", "license", "oem")
        for case in cases:
            lab.start(case)
        clean = run_playbook(lab, play, "--forks", FORKS, timeout=600)
        assert_plain(clean, keys)
        assert {result.host: result["msg"] for result in clean.results if result.status != "ok"} == {}
        assert [result.host for result in clean.results if not subject.done(lab, result)] == []
        assert_spent_once(lab)
