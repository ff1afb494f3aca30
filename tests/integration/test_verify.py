"""The playbook verify over hosts and guests: a gate for pipelines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from integration.conftest import RunPlaybook
from integration.playbooks import Run
from lab.client import Lab

ORIGINAL = "8B0F3A0E-51E4-4A3B-8E66-2E6C5A6B5E22"
TOPOLOGY = {
    "clusters": [{"name": "MIXED", "nodes": ["OLD", "NEW"]}],
    "hosts": [
        {
            "name": "OLD",
            "release": "2019",
            "license": "mak",
            "guests": [{"name": "VM19", "release": "2019", "license": "avma"}],
        },
        {
            "name": "NEW",
            "release": "2022",
            "license": "mak",
            "guests": [
                {"name": "VM22", "vm_id": ORIGINAL, "release": "2022", "license": "avma"},
                {"name": "COPY", "release": "2022", "license": "avma"},
                {"name": "QUIET", "release": "2016", "listen": False},
            ],
        },
    ],
}

ACCEPTED = "{verification_accepted_problems: [failover_gap, mixed_os_releases]}"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(TOPOLOGY) as running:
        yield running


def verdict(run: Run) -> dict[str, Any]:
    """What the last task that read all machines makes of them."""
    read = [result for result in run.results if result.action == "hyperv.avma.fleet_info"]
    found: dict[str, Any] = read[-1]["verdict"]
    return found


def listed(run: Run) -> str:
    return "\n".join(verdict(run)["messages"])


def test_it_fails_for_what_a_failover_would_lose(lab: Lab, run_playbook: RunPlaybook) -> None:
    run = run_playbook(lab, "hyperv.avma.verify")
    assert run.rc != 0
    assert run.changed() == 0
    assert "VM22: failover_gap: On OLD" in listed(run)
    assert "VM19: failover_gap" not in listed(run)
    assert "mixed_os_releases" in listed(run)
    assert "QUIET on NEW" in run.stdout
    assert lab.writes() == {}


def test_what_is_accepted_does_not_count(lab: Lab, run_playbook: RunPlaybook) -> None:
    assert run_playbook(lab, "hyperv.avma.verify", "-e", ACCEPTED).rc == 0


def test_a_vm_at_whose_address_its_copy_answers_is_red(lab: Lab, run_playbook: RunPlaybook, tmp_path: Path) -> None:
    """Both are VMs of one host; the copy is activated, and what it says proves nothing for the other."""
    inventory = yaml.safe_load(lab.inventory.read_text(encoding="utf-8"))
    hosts = inventory["all"]["hosts"]
    hosts["VM22"] = {**hosts["COPY"], "avma_vm_id": ORIGINAL.lower()}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    run = run_playbook(
        lab, "hyperv.avma.verify", "-i", str(tmp_path / "hosts.yml"), "-e", ACCEPTED, "--limit", "avma_hosts,VM22"
    )
    assert run.rc != 0
    assert [(item["at"], item["code"]) for item in verdict(run)["problems"]] == [(["VM22"], "other_vm")]
    assert f"the inventory says that it is {ORIGINAL}" in listed(run)
    assert verdict(run)["counts"]["proved"] == 0


def test_an_old_activation_is_a_problem(lab: Lab, run_playbook: RunPlaybook) -> None:
    arguments = "{verification_activated_since: 1s, verification_accepted_problems: [failover_gap, mixed_os_releases]}"
    run = run_playbook(lab, "hyperv.avma.verify", "-e", arguments)
    assert run.rc != 0
    assert "VM22: activation_too_old: The guest was last activated by NEW" in listed(run)


def test_hosts_alone_can_be_asked(lab: Lab, run_playbook: RunPlaybook) -> None:
    lab.reset_counters()
    run = run_playbook(lab, "hyperv.avma.verify", "--limit", "avma_hosts")
    assert "failover_gap" in listed(run)
    assert lab.counters("VM22")["operations"] == 0


def test_the_verdict_is_left_for_pipelines(lab: Lab, run_playbook: RunPlaybook, tmp_path: Path) -> None:
    run_playbook(lab, "hyperv.avma.verify", "-e", f"verification_report_dest={tmp_path}")
    suites = ElementTree.parse(tmp_path / "avma-report.xml").getroot()
    failed = {case.get("name") for case in suites.iter("testcase") if case.find("failure") is not None}
    assert "VM22" in failed
    assert "VM19" not in failed
