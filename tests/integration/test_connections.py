# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every module over every connection, with Ansible at its most talkative. `make connections` runs all tests over each of them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from integration.conftest import RunPlaybook
from integration.connections import CONNECTIONS
from integration.playbooks import Run
from lab.client import Lab
from lab.keys import made_up_key


def machines(connection: str, listener: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A Windows Server host with a guest and an Azure Local host, listening as the connection needs it."""
    for name, spec in (
        ("HV", {"release": "2022", "guests": [{"name": f"VM-{connection}", "listener": listener}]}),
        ("AZL", {"release": "Azure Local 24H2", "edition": "azure_local", "azure_local": {"shape": "nested"}}),
    ):
        key = made_up_key(f"{name}-{connection}")
        yield {"name": f"{name}-{connection}", "listener": listener, "variables": {"host_key": key}, **spec}


HOSTS = [machine for connection, listener in CONNECTIONS.items() for machine in machines(connection, listener)]
KEYS = {host["name"]: host["variables"]["host_key"] for host in HOSTS}
GUESTS = [f"VM-{connection}" for connection in CONNECTIONS]
TOPOLOGY = {
    # As one for each host: what was spent on it would be refused to another.
    "keys": [{"key": key, "release": "2022", "channel": "mak", "activations": 1} for key in KEYS.values()],
    "hosts": HOSTS,
}
PLAY = """
- hosts: avma_hosts
  gather_facts: false
  tasks:
    - name: Key
      hyperv.avma.host_key:
        product_key: "{{ host_key }}"
    - name: Info
      hyperv.avma.host_info:
    - name: VMs
      hyperv.avma.vm_info:
    - name: Data Exchange
      hyperv.avma.vm_data_exchange:
    - name: Events
      hyperv.avma.activation_event_info:

- hosts: avma_guests
  gather_facts: false
  tasks:
    - name: Key
      hyperv.avma.guest_key:
    - name: Info
      hyperv.avma.guest_info:
    - name: KVP
      hyperv.avma.guest_kvp:
    - name: Events
      hyperv.avma.activation_event_info:
"""


@dataclass(frozen=True)
class Story:
    lab: Lab
    first: Run
    again: Run
    counters: dict[str, Any]
    log: str


@pytest.fixture(scope="module")
def story(run_playbook: RunPlaybook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    directory = tmp_path_factory.mktemp("log")
    log, configuration = directory / "ansible.log", directory / "logging.json"
    # What pypsrp offers to a user who looks for an error, here for the library under it, too.
    handler = {"class": "logging.FileHandler", "filename": str(log), "formatter": "named"}
    logger = {"handlers": ["log"], "level": "DEBUG"}
    configuration.write_text(
        json.dumps(
            {
                "version": 1,
                "formatters": {"named": {"format": "%(name)s %(levelname)s %(message)s"}},
                "handlers": {"log": handler},
                "loggers": {"pypsrp": logger, "urllib3": logger},
            }
        )
    )
    verbose = {"ANSIBLE_DEBUG": "1", "ANSIBLE_LOG_PATH": str(log), "PYPSRP_LOG_CFG": str(configuration)}
    with Lab(TOPOLOGY) as lab:
        first = run_playbook(lab, PLAY, "-vvvvv", "--diff", **verbose)
        counters = lab.call("counters")
        yield Story(lab, first, run_playbook(lab, PLAY), counters, log.read_text(encoding="utf-8"))


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_a_guest_is_activated_by_the_host_that_got_its_key(story: Story, connection: str) -> None:
    assert story.first.of(f"HV-{connection}", "Key")["license"]["status"] == "licensed"
    result = story.first.of(f"VM-{connection}", "Info")
    assert result["guest"]["activation"]["host"] == f"HV-{connection}.lab.example"
    assert result["guest"]["problems"] == []


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_azure_local_is_set_up(story: Story, connection: str) -> None:
    name = f"AZL-{connection}"
    assert story.first.of(name, "Info")["host"]["avma"]["module"] == "1.1"
    assert story.lab.machine(name)["azure_local"]["key"] == KEYS[name][-5:]


def test_all_is_well_and_the_second_run_changes_nothing(story: Story) -> None:
    assert {result.status for result in [*story.first.results, *story.again.results]} == {"ok"}
    assert story.again.changed() == 0
    assert {key: value["spent"] for key, value in story.lab.keystore().items()} == {
        key[-5:]: [name] for name, key in KEYS.items()
    }


def test_a_shell_is_opened_for_azure_local_only_and_closed_again(story: Story) -> None:
    for name, report in story.counters.items():
        shells = report["requests"].get("Create", 0)
        assert bool(shells) is name.startswith("AZL"), name
        assert report["requests"].get("Delete", 0) == shells, name
        assert (report["open_shells"], report["open_enumerations"]) == (0, 0), name


def decoded(text: str) -> str:
    """What base64 hides in a text: shells carry their streams in it."""
    found = []
    for match in re.finditer(r"[A-Za-z0-9+/]{32,}={0,2}", text):
        try:
            data = base64.b64decode(match[0] + "=" * (-len(match[0]) % 4))
        except binascii.Error:
            continue
        found.append(data.decode("utf-8", "ignore") + data.decode("utf-16-le", "ignore"))
    return "\n".join(found)


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_no_host_key_is_shown_or_logged(story: Story, connection: str) -> None:
    assert "urllib3.connectionpool DEBUG" in story.log
    shown = story.first.stdout + story.log
    shown += decoded(shown)
    for name in (f"HV-{connection}", f"AZL-{connection}"):
        assert KEYS[name][-5:] in shown
        assert KEYS[name] not in shown
        assert KEYS[name].rpartition("-")[0] not in shown
