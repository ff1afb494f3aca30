# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hosts that the inventory calls otherwise than Windows does: users name them as the inventory does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from integration.conftest import RunPlaybook
from integration.playbooks import Run
from lab.client import Lab

ALIASES = {"HV1": "hyper-one", "HV2": "192.0.2.2"}
TOPOLOGY: dict[str, Any] = {
    "clusters": [{"name": "HVC", "nodes": ["HV1", "HV2"]}],
    "hosts": [
        {"name": "HV1", "license": "mak", "guests": [{"name": "NEW"}, {"name": "KMS", "license": "kms"}]},
        {"name": "HV2", "license": "mak", "guests": [{"name": "ELSEWHERE", "license": "avma"}]},
    ],
}
BOTH, ONE = "hyper-one,192.0.2.2", "hyper-one"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(TOPOLOGY) as lab:
        inventory = yaml.safe_load(lab.inventory.read_text(encoding="utf-8"))
        for part in (inventory["all"], *inventory["all"]["children"].values()):
            part["hosts"] = {ALIASES.get(name, name): variables for name, variables in part["hosts"].items()}
        lab.inventory.write_text(yaml.safe_dump(inventory), encoding="utf-8")
        yield lab


def failed(run: Run) -> list[str]:
    return [host for host, stats in run.stats.items() if stats["failures"]]


def test_a_new_guest_is_proved_by_the_host_that_it_is_on(lab: Lab, run_playbook: RunPlaybook) -> None:
    """The host itself is not in the play that proves it."""
    run = run_playbook(lab, "hyperv.avma.build_vm", "--limit", "NEW", "-e", f"build_vm_host={ONE}")
    assert (run.rc, lab.machine("NEW")["license"]["host"]) == (0, "HV1.lab.example"), run.stdout


def test_site_expects_the_hosts_that_are_meant(lab: Lab, run_playbook: RunPlaybook) -> None:
    run = run_playbook(lab, "hyperv.avma.site", "-e", f"guest_activation_expected_hosts={BOTH}")
    assert (run.rc, run.stats["KMS"]["changed"]) == (0, 1), run.stdout
    again = run_playbook(lab, "hyperv.avma.site", "-e", f"guest_activation_expected_hosts={BOTH}")
    assert (again.rc, again.changed()) == (0, 0), again.stdout


@pytest.mark.parametrize(
    ("playbook", "variable"),
    [
        ("site", "guest_activation_expected_hosts"),
        ("verify", "verification_expected_hosts"),
        ("verify", "guest_activation_expected_hosts"),
    ],
)
def test_a_guest_that_another_host_activated_is_told_to_the_end(
    lab: Lab, run_playbook: RunPlaybook, playbook: str, variable: str
) -> None:
    run = run_playbook(lab, f"hyperv.avma.{playbook}", "-e", f"{variable}={ONE}")
    assert (run.rc, failed(run)) == (2, ["ELSEWHERE"]), run.stdout
    assert "activated by HV2.lab.example, which is not one of" in run.of("ELSEWHERE")["msg"]
