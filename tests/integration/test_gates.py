# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A run that looked at nothing is not green, and what was told to be accepted is accepted to the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.conftest import RunPlaybook
from lab.client import Lab
from lab.keys import made_up_key

ROOT = Path(__file__).resolve().parents[2]

TOPOLOGY: dict[str, Any] = {
    "keys": [{"key": made_up_key("N1"), "release": "2022", "channel": "mak", "activations": 2}],
    "clusters": [{"name": "C", "nodes": ["N1", "N2"]}],
    "hosts": [
        {"name": "N1", "license": made_up_key("N1"), "guests": [{"name": "WEB01", "license": "avma"}]},
        {"name": "N2", "running": False},
    ],
}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(TOPOLOGY) as lab:
        yield lab


@pytest.fixture(scope="module")
def misspelt(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The inventory with groups that the playbooks do not know."""
    path = tmp_path_factory.mktemp("inventory") / "hosts.yml"
    path.write_text(lab.inventory.read_text().replace("avma_hosts", "avma_host").replace("avma_guests", "avma_guest"))
    return path


@pytest.mark.parametrize("playbook", ["verify", "report", "site", "build_vm"])
def test_groups_that_are_not_there_are_an_error(run_playbook: RunPlaybook, misspelt: Path, playbook: str) -> None:
    run = run_playbook(None, f"hyperv.avma.{playbook}", "-i", str(misspelt))
    assert run.rc == 2
    assert "avma_guest, avma_host" in run.stdout


@pytest.mark.parametrize("inventory", ["[avma_guests]\n[avma_hosts]\n", "[avma_guests]\n[avma_hosts]\n[other]\na\n"])
def test_groups_that_are_empty_are_an_error(run_playbook: RunPlaybook, tmp_path: Path, inventory: str) -> None:
    (tmp_path / "hosts").write_text(inventory)
    assert run_playbook(None, "hyperv.avma.verify", "-i", str(tmp_path / "hosts")).rc == 2


def test_a_limit_that_leaves_nothing_is_an_error(run_playbook: RunPlaybook, lab: Lab, tmp_path: Path) -> None:
    other = yaml.safe_load(lab.inventory.read_text())
    other["all"]["hosts"]["other"] = {}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(other))
    arguments = ("-i", str(tmp_path / "hosts.yml"), "--limit", "other")
    assert run_playbook(None, "hyperv.avma.verify", *arguments).rc == 2
    run = run_playbook(None, "hyperv.avma.build_vm", *arguments, "-e", "{build_vm_list: [{name: WEB01, host: N1}]}")
    assert run.rc == 2
    assert "There is no virtual machine to build" in run.stdout


def test_hosts_without_a_guest_prove_nothing(run_playbook: RunPlaybook, lab: Lab, tmp_path: Path) -> None:
    inventory = yaml.safe_load(lab.inventory.read_text())
    inventory["all"]["children"]["avma_guests"]["hosts"] = {}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(inventory))
    run = run_playbook(None, "hyperv.avma.verify", "-i", str(tmp_path / "hosts.yml"), "-e", ACCEPTED, **lab.environment)
    assert run.rc == 2
    assert "nothing_proved" in run.stdout


def test_tags_do_not_make_it_look_at_nothing(run_playbook: RunPlaybook, lab: Lab) -> None:
    run = run_playbook(lab, "hyperv.avma.verify", "--tags", "anything")
    assert run.rc != 0
    assert "node_down" in run.stdout


def test_a_host_that_is_a_guest_too_is_proved_as_both(run_playbook: RunPlaybook, tmp_path: Path) -> None:
    hosts = [
        {"name": "OUTER", "license": "mak", "guests": [{"name": "WEB01", "license": "avma"}]},
        {"name": "NESTED", "license": "kms", "platform": "hyperv"},
    ]
    with Lab({"hosts": hosts}) as lab:
        inventory = yaml.safe_load(lab.inventory.read_text())
        inventory["all"]["children"]["avma_guests"]["hosts"] |= {"OUTER": {}, "NESTED": {}}
        lab.inventory.write_text(yaml.safe_dump(inventory))
        run = run_playbook(lab, "hyperv.avma.verify")
    assert run.rc == 2
    # One that is no virtual machine is a host, whatever its groups.
    assert {host for host, stats in run.stats.items() if stats["failures"]} == {"NESTED"}
    assert "not_avma" in run.of("NESTED")["msg"]
    assert "3 machines, 1 guest proved" in run.stdout


ACCEPTED = "{host_activation_accepted_problems: [node_down, unreachable]}"


def test_what_hosts_were_told_to_accept_is_accepted_at_the_end(run_playbook: RunPlaybook, lab: Lab) -> None:
    run = run_playbook(lab, "hyperv.avma.activate_cluster", "-e", ACCEPTED)
    assert run.rc == 0, run.stdout
    assert "1 guest proved, 0 problems" in run.stdout


def test_a_relative_folder_is_where_the_user_is(run_playbook: RunPlaybook, lab: Lab) -> None:
    for playbook, option in (("report", "report_dest"), ("verify", "verification_report_dest")):
        run = run_playbook(lab, f"hyperv.avma.{playbook}", "-e", f"{option}=here/reports")
        place = next(line for line in run.stdout.splitlines() if "The report is in " in line)
        html = Path(place.partition("The report is in ")[2].rstrip('"'))
        assert html.is_absolute()
        assert html.is_file()
        assert html.parts[-3:] == ("here", "reports", "avma-report.html")
        assert not str(html).startswith(os.environ["ANSIBLE_COLLECTIONS_PATH"])


@pytest.mark.parametrize("option", ["--list-hosts", "--list-tasks"])
def test_every_playbook_can_be_looked_at_before_it_runs(run_playbook: RunPlaybook, lab: Lab, option: str) -> None:
    playbooks = [f"hyperv.avma.{path.stem}" for path in (ROOT / "playbooks").glob("*.yml")]
    run = run_playbook(lab, *playbooks, option)
    assert run.rc == 0, run.stdout
    assert run.stdout.count("\nplaybook: ") == len(playbooks)
