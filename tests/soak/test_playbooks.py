# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every playbook while anything may go wrong at any request to any machine: it ends in plain words, and the next run ends well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.conftest import RunPlaybook
from integration.playbooks import Run
from lab.client import Lab
from lab.keys import made_up_key
from soak.checks import assert_plain, assert_spent_once, with_shuffled_answers

_TOPOLOGIES = Path(__file__).resolve().parent.parent / "lab" / "topologies"
#: How likely a fault is at each request. With few, a run gets far; with many, it ends at the first tasks.
PROBABILITIES = (0.005, 0.01, 0.02, 0.05, 0.2)
SEED = "2026-11-22"


def from_file(name: str) -> dict[str, Any]:
    topology: dict[str, Any] = yaml.safe_load((_TOPOLOGIES / name).read_text(encoding="utf-8"))
    return topology


def rotating() -> dict[str, Any]:
    """Licensed nodes, for each of which there is another key."""
    names = [f"NODE{number}" for number in range(1, 5)]
    former, new = ({name: made_up_key(f"{kind} {name}") for name in names} for kind in ("former", "new"))
    return {
        "keys": [
            {"key": key, "release": "2022", "channel": "mak", "activations": 2}
            for key in [*former.values(), *new.values()]
        ],
        "hosts": [
            {"name": name, "license": former[name], "variables": {"host_activation_product_key": new[name]}}
            for name in names
        ],
        "clusters": [{"name": "HVCLUSTER", "nodes": names}],
    }


def activated() -> dict[str, Any]:
    """A cluster at work."""
    topology = from_file("molecule/cluster.yml")
    for host in topology["hosts"]:
        host["license"] = host["variables"]["host_activation_product_key"]
        for guest in host["guests"]:
            guest["license"] = "avma"
    return topology


def all_licensed(lab: Lab, _run: Run) -> bool:
    return {lab.machine(name)["license"]["status"] for name in lab.call("counters")} == {"licensed"}


def azure_local_set_up(lab: Lab, _run: Run) -> bool:
    states = [lab.machine(name) for name in lab.call("counters")]
    return all(
        state["azure_local"]["key"] or state["azure_local"]["subscription"]
        if state.get("azure_local")
        else state["license"]["status"] == "licensed"
        for state in states
    )


def rotated(lab: Lab, _run: Run) -> bool:
    installed = {name: lab.machine(name)["license"] for name in lab.call("counters")}
    return all(
        (license["status"], license["partial_product_key"]) == ("licensed", made_up_key(f"new {name}")[-5:])
        for name, license in installed.items()
    )


def ended_well(_lab: Lab, run: Run) -> bool:
    return run.rc == 0


@dataclass(frozen=True)
class Subject:
    """A playbook, the machines for it, and how it should leave them."""

    topology: Callable[[], dict[str, Any]]
    done: Callable[[Lab, Run], bool]
    arguments: tuple[str, ...] = ()


SUBJECTS = {
    "activate_cluster": Subject(lambda: from_file("molecule/cluster.yml"), all_licensed),
    "add_node": Subject(lambda: from_file("molecule/add_node.yml"), all_licensed, ("-e", "add_node_name=NODE3")),
    "rotate_host_keys": Subject(rotating, rotated),
    "site": Subject(lambda: from_file("molecule/azure_local.yml"), azure_local_set_up),
    "build_vm": Subject(lambda: from_file("molecule/vm_build.yml"), all_licensed),
    "verify": Subject(activated, ended_well),
    "report": Subject(activated, ended_well),
}


@pytest.mark.parametrize("probability", PROBABILITIES)
@pytest.mark.parametrize("name", SUBJECTS)
def test_faults_at_random(name: str, probability: float, run_playbook: RunPlaybook) -> None:
    subject = SUBJECTS[name]
    topology = with_shuffled_answers(subject.topology())
    # So that waiting for a host that was throttled does not take minutes.
    arguments = (*subject.arguments, "-e", "{host_activation_timeout: 10, guest_activation_timeout: 10}", "-vvv")
    keys = [item["key"] for item in topology.get("keys", [])]
    with Lab(topology) as lab:
        lab.call("random_faults", seed=f"{SEED} {name}", probability=probability)
        assert_plain(run_playbook(lab, f"hyperv.avma.{name}", *arguments, timeout=600), keys)
        assert_spent_once(lab)

        lab.clear_faults()
        clean = run_playbook(lab, f"hyperv.avma.{name}", *arguments, timeout=600)
        assert_plain(clean, keys)
        assert clean.rc == 0, clean.stdout[-3000:]
        assert subject.done(lab, clean)
        assert_spent_once(lab)
