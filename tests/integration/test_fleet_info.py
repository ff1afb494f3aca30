# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All machines of a play in one task: what the info modules say of each, whatever is wrong with some of them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.conftest import RunPlaybook
from integration.playbooks import Run
from lab.client import Lab

TOPOLOGY: dict[str, Any] = {
    "defaults": {"guests": {"release": "2022"}},
    "hosts": [
        {
            "name": "HV01",
            "release": "2022",
            "license": "mak",
            "guests": [
                {"name": "RIGHT", "license": "avma"},
                {"name": "KMS", "license": "kms"},
                {"name": "OFF", "license": "avma", "running": False},
                {
                    "name": "LOCKED",
                    "license": "avma",
                    "listener": {"authentication": ["negotiate"]},
                    "variables": {"ansible_password": "wrong"},
                },
                {"name": "UNNAMED", "license": "avma", "variables": {"ansible_user": "{{ nowhere }}"}},
                {"name": "DENIED", "license": "avma", "listener": {"faults": [{"effect": "access_denied"}]}},
            ],
        },
        {"name": "HV02", "release": "2022", "license": "mak", "running": False},
        {"name": "PLAIN", "hyperv": False, "license": "mak", "listener": {"connection": "psrp"}},
    ],
}
#: Seconds that a slow machine takes for each of its answers, and far less than it takes for all of them, on a busy computer too.
_SLOW, _FAR_LESS = 15, 60
PLAY = """
- hosts: {hosts}
  gather_facts: false
  tasks:
    - name: Read
      hyperv.avma.fleet_info: {options}
      delegate_to: localhost
      register: fleet
"""
SEPARATELY = """
- hosts: all
  gather_facts: false
  tasks:
    - hyperv.avma.{module}:
        {options}
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(TOPOLOGY) as lab:
        yield lab


def read(run_playbook: RunPlaybook, lab: Lab, *arguments: str, hosts: str = "all", **options: Any) -> Run:
    return run_playbook(lab, PLAY.format(hosts=hosts, options=json.dumps(options)), *arguments)


@pytest.fixture(scope="module")
def slow() -> Iterator[Lab]:
    """With a machine that takes its time for each answer."""
    with Lab({"hosts": [{"name": "SLOW", "license": "mak", "listener": {"delay": _SLOW}}]}) as lab:
        yield lab


@pytest.fixture(scope="module")
def fleet(lab: Lab, run_playbook: RunPlaybook) -> Run:
    lab.reset_counters()
    run = read(run_playbook, lab)
    assert run.rc == 0, run.stdout
    return run


def test_it_reads_what_the_modules_read(fleet: Run, lab: Lab, run_playbook: RunPlaybook) -> None:
    readings = fleet.results[-1]["readings"]
    assert set(readings) == {"HV01", "HV02", "PLAIN", "RIGHT", "KMS", "OFF", "LOCKED", "UNNAMED", "DENIED"}

    def alone(module: str, host: str, options: str = "") -> dict[str, Any]:
        return run_playbook(lab, SEPARATELY.format(module=module, options=options), "--limit", host).results[-1].result

    assert readings["HV01"]["host_info"]["host"] == alone("host_info", "HV01")["host"]
    assert readings["HV01"]["vm_info"]["vms"] == alone("vm_info", "HV01")["vms"]
    assert readings["KMS"]["guest_info"]["guest"] == alone("guest_info", "KMS")["guest"]
    right = alone("guest_info", "RIGHT", "gather_subset: [min]")["guest"]
    vm_id = next(vm["id"] for vm in readings["HV01"]["vm_info"]["vms"] if vm["name"] == "RIGHT")
    assert readings["RIGHT"]["guest_info"]["guest"] == {**right, "hypervisor": {"vm_id": vm_id}}


@pytest.mark.wsman
def test_what_is_wrong_with_one_machine_is_its_own_matter(fleet: Run) -> None:
    readings = fleet.results[-1]["readings"]
    said = {name: reading[next(iter(reading))] for name, reading in readings.items()}
    assert said["HV02"]["unreachable"]
    assert said["OFF"]["unreachable"]
    assert said["LOCKED"]["unreachable"]
    assert "rejected the credentials" in said["LOCKED"]["msg"]
    assert said["DENIED"]["failed"]
    assert said["DENIED"]["problems"][0]["code"] == "access_denied"
    assert said["UNNAMED"]["failed"]
    assert "nowhere" in said["UNNAMED"]["msg"]
    assert readings["PLAIN"]["vm_info"]["problems"][0]["code"] == "hyperv_role_missing"
    assert {name for name in readings if "failed" not in said[name] and "unreachable" not in said[name]} == {
        "HV01",
        "PLAIN",
        "RIGHT",
        "KMS",
    }
    assert "Traceback" not in fleet.stdout
    assert "wrong" not in fleet.stdout


@pytest.mark.wsman
def test_a_guest_that_is_right_costs_three_requests(fleet: Run, lab: Lab) -> None:
    assert fleet.rc == 0
    assert lab.counters("RIGHT")["operations"] == 3 + 2  # and those of the module alone


@pytest.mark.wsman
def test_one_login_is_tried_once(fleet: Run, lab: Lab) -> None:
    assert fleet.rc == 0
    assert lab.counters("LOCKED")["operations"] == 0


@pytest.mark.parametrize("strategy", ["free", "host_pinned"])
def test_other_strategies_are_refused_before_anything_runs(lab: Lab, run_playbook: RunPlaybook, strategy: str) -> None:
    lab.reset_counters()
    run = run_playbook(lab, PLAY.format(hosts="all", options="{}"), ANSIBLE_STRATEGY=strategy)
    assert run.rc != 0
    assert "bypasses the host loop" in run.stdout
    assert sum(report["operations"] for report in lab.call("counters").values()) == 0


def test_machines_can_be_named_and_added_to_what_was_read(lab: Lab, run_playbook: RunPlaybook) -> None:
    run = read(run_playbook, lab, hosts="HV01", machines="RIGHT, HV01", readings={"KMS": {"guest_info": {"known": 1}}})
    readings = run.results[-1]["readings"]
    assert set(readings) == {"RIGHT", "HV01", "KMS"}
    assert readings["KMS"] == {"guest_info": {"known": 1}}
    assert "guest" in readings["RIGHT"]["guest_info"]


def test_a_machine_that_was_lost_before_is_not_asked_again(lab: Lab, run_playbook: RunPlaybook) -> None:
    failing = "  tasks:\n    - fail: {msg: no}\n      when: inventory_hostname == 'RIGHT'\n"
    lab.reset_counters()
    run = run_playbook(lab, PLAY.format(hosts="RIGHT:KMS", options="{}").replace("  tasks:\n", failing))
    assert run.of("KMS", "Read")["readings"]["RIGHT"] == {"guest_info": {}}
    assert lab.counters("RIGHT")["operations"] == 0


@pytest.mark.parametrize(
    ("hosts", "options", "message"),
    [
        ("HV01", {"machines": ["HV1"]}, "has no host or group HV1. Did you mean HV01"),
        ("HV01", {"machines": ["avma_guest"]}, "The groups that there are: all, avma_guests, avma_hosts"),
        ("all", {"hosts_group": "avma_host"}, "has no host or group avma_host."),
        ("all", {"guests_group": "guests"}, "has no host or group guests."),
        ("RIGHT", {"guests_group": "ungrouped"}, "There is no machine to look at"),
    ],
)
def test_what_is_not_there_is_an_error(
    lab: Lab, run_playbook: RunPlaybook, hosts: str, options: dict[str, Any], message: str
) -> None:
    run = read(run_playbook, lab, hosts=hosts, **options)
    assert run.rc == 2
    assert message in run.results[-1]["msg"]


def test_each_machine_has_options_of_its_own(lab: Lab, run_playbook: RunPlaybook, tmp_path: Path) -> None:
    inventory = yaml.safe_load(lab.inventory.read_text())
    inventory["all"]["hosts"]["RIGHT"]["expected"] = ["HV09"]
    inventory["all"]["hosts"]["KMS"]["since"] = "no time"
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(inventory))
    options = {"expected_hosts": "{{ expected | default([]) }}", "activated_since": "{{ since | default(omit) }}"}
    run = read(run_playbook, lab, "-i", str(tmp_path / "hosts.yml"), hosts="HV01:RIGHT:KMS", **options)
    readings = run.results[-1]["readings"]
    assert [item["code"] for item in readings["RIGHT"]["guest_info"]["guest"]["problems"]] == ["unexpected_host"]
    assert "no time" in readings["KMS"]["guest_info"]["msg"]


def test_the_time_limit_of_the_task_ends_it_though_a_machine_does_not_answer(
    slow: Lab, run_playbook: RunPlaybook
) -> None:
    play = PLAY.format(hosts="all", options="{}").replace("register: fleet", "timeout: 2")
    run = run_playbook(slow, play, timeout=_FAR_LESS)
    assert run.rc == 2
    # In ansible-core's own words, which have changed.
    assert re.search(r"2 second|time frame \(2\)", run.results[-1]["msg"])


def test_an_interrupt_ends_it_though_a_machine_does_not_answer(slow: Lab, tmp_path: Path) -> None:
    play = tmp_path / "play.yml"
    play.write_text(PLAY.format(hosts="all", options="{}"))
    command = [sys.executable, "-m", "ansible", "playbook", "-i", str(slow.inventory), str(play)]
    slow.reset_counters()
    environment = {**os.environ, **slow.environment}
    # Ctrl-C reaches all processes of the terminal's group. What runs these tests may ignore it, as jobs of a shell in the background do.
    with subprocess.Popen(
        ["env", "--default-signal=INT", *command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        # That machine is known to be at its request now: nothing of it is read before it answers.
        while not slow.counters("SLOW")["wire_received"]:
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=_FAR_LESS)
    assert process.returncode == 99, output
    assert b"Traceback" not in output
