# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The keys of hosts appear nowhere but in the inventory and in the encrypted messages that carry them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration import secrecy
from integration.playbooks import Run, run_playbook
from integration.secrecy import Watch, forms, in_files, talkative
from lab.client import Lab
from lab.keys import made_up_key

#: Each key by what becomes of it.
KEYS = {
    name: made_up_key(f"secret {name}")
    for name in ("ACTIVATED", "REJECTED", "USED-UP", "CUT", "AZURE-LOCAL", "AZURE-REJECTED")
}
MISTYPED = made_up_key("secret mistyped")[:-2]
PLAY = """
- hosts: avma_hosts
  gather_facts: false
  tasks:
    - hyperv.avma.host_key: &task
        product_key: "{{ host_activation_product_key }}"
      check_mode: true
      diff: true
      register: predicted
      ignore_errors: true
    - hyperv.avma.host_key: *task
      diff: true
      register: done
      ignore_errors: true
      ignore_unreachable: true
    - hyperv.avma.host_key:
        <<: *task
        replace: neither
      register: misused
      ignore_errors: true
    - hyperv.avma.host_info:
      register: read
    - ansible.builtin.debug:
        msg: "{{ [predicted, done, misused, read] }}"
    - ansible.builtin.set_fact:
        cacheable: true
        all_of_it: "{{ [predicted, done, misused, read] }}"
- hosts: ACTIVATED:CUT
  gather_facts: false
  tasks:
    - hyperv.avma.host_keys: *task
      diff: true
      register: all_hosts
    - ansible.builtin.debug:
        var: all_hosts
    - ansible.builtin.set_fact:
        cacheable: true
        all_of_all: "{{ all_hosts }}"
- import_playbook: hyperv.avma.activate_cluster
"""


def host(name: str, product_key: str, **spec: Any) -> dict[str, Any]:
    return {"name": name, "core": True, "variables": {"host_activation_product_key": product_key}, **spec}


AZURE_LOCAL = {"release": "Azure Local 24H2", "edition": "azure_local"}
TOPOLOGY = {
    "keys": [
        {"key": KEYS["ACTIVATED"], "release": "2022", "channel": "retail"},
        {"key": KEYS["USED-UP"], "release": "2022", "channel": "mak", "activations": 0},
        {"key": KEYS["CUT"], "release": "2022", "channel": "mak"},
        {"key": KEYS["AZURE-LOCAL"], "release": "2022", "channel": "mak"},
    ],
    "hosts": [
        host("ACTIVATED", KEYS["ACTIVATED"]),
        host("REJECTED", KEYS["REJECTED"]),
        host("USED-UP", KEYS["USED-UP"]),
        host("MISTYPED", MISTYPED),
        host(
            "CUT",
            KEYS["CUT"],
            listener={"faults": [{"match": {"method": "InstallProductKey"}, "effect": "cut", "times": 1}]},
        ),
        host("AZURE-LOCAL", KEYS["AZURE-LOCAL"], **AZURE_LOCAL, azure_local={"shape": "nested"}),
        host("AZURE-REJECTED", KEYS["AZURE-REJECTED"], **AZURE_LOCAL, azure_local={"shape": "nested"}),
    ],
}


SECRETS = {name: forms(key) for name, key in {**KEYS, "MISTYPED": MISTYPED}.items()}


def leaks(data: bytes) -> list[str]:
    return secrecy.leaks(SECRETS, data)


@pytest.fixture(scope="module", params=["winrm", "psrp", "ssh"])
def everything(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Run, Path, Watch, Lab]]:
    """A run that tells all that Ansible can tell, the folder of all that it left, who watched, and the lab."""
    folder = tmp_path_factory.mktemp("run")
    temporary = folder / "temporary"
    environment = talkative(folder, temporary)
    with Lab({**TOPOLOGY, "defaults": {"all": {"listener": {"connection": request.param}}}}) as lab:
        with Watch(temporary, SECRETS) as watch:
            run = run_playbook(folder, lab, PLAY, "-vvvvv", "--diff", **environment)
        (folder / "stdout").write_text(run.stdout, encoding="utf-8")
        (folder / "counters").write_text(json.dumps(lab.call("counters")), encoding="utf-8")
        yield run, folder, watch, lab


def test_the_keys_were_used(everything: tuple[Run, Path, Watch, Lab]) -> None:
    """Else the rest proves nothing."""
    run, folder, watch, lab = everything
    inventory = yaml.safe_load(lab.inventory.read_text(encoding="utf-8"))
    assert inventory["all"]["hosts"]["ACTIVATED"]["host_activation_product_key"] == KEYS["ACTIVATED"]
    assert leaks(KEYS["CUT"].lower().encode()) == ["CUT"]
    assert leaks(base64.b64encode(f"a {KEYS['CUT']} b".encode("utf-16-le"))) == ["CUT"]
    keystore = lab.keystore()
    assert keystore[KEYS["ACTIVATED"][-5:]]["spent"] == ["ACTIVATED"]
    assert keystore[KEYS["AZURE-LOCAL"][-5:]]["spent"] == ["AZURE-LOCAL"]
    assert keystore[KEYS["CUT"][-5:]]["spent"] == ["CUT"], "by host_keys"
    codes = {
        name: [item["code"] for item in problems_of(run, name)] for name in KEYS if name.endswith(("REJECTED", "UP"))
    }
    assert codes == {"REJECTED": ["key_rejected"], "USED-UP": ["activation_failed"], "AZURE-REJECTED": ["key_rejected"]}
    assert watch.looks > 10
    assert (folder / "ansible.log").stat().st_size > 100_000
    assert list((folder / "cache").iterdir())


def problems_of(run: Run, name: str) -> list[dict[str, Any]]:
    """What the second task, the first that writes, found."""
    results = [result for result in run.results if result.host == name and result.action == "hyperv.avma.host_key"]
    found: list[dict[str, Any]] = results[1]["problems"]
    return found


def test_no_key_is_in_anything_that_is_left(everything: tuple[Run, Path, Watch, Lab]) -> None:
    """Standard output, log, fact cache, results as callbacks get them, and the lab's journal with its command lines."""
    assert [(name, leaks(data)) for name, data in in_files(everything[1]) if leaks(data)] == []


def test_no_key_is_in_a_command_line_an_environment_or_a_temporary_file(
    everything: tuple[Run, Path, Watch, Lab],
) -> None:
    assert everything[2].found == set()
