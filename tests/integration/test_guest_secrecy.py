# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The credentials of guests that are reached through their hosts appear nowhere but in the inventory and on standard input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.playbooks import Run, run_playbook
from integration.secrecy import Watch, forms, in_files, leaks, talkative
from lab.client import Lab

PASSWORDS = {name: f"Geheim-{name}-Kennwort-4711" for name in ("RIGHT", "WRONG", "BOOTING", "UPN", "HOST-DOWN")}
SECRETS = {name: forms(password) for name, password in PASSWORDS.items()}
DIRECT = {"connection": "powershell_direct"}


def guest(name: str, **spec: Any) -> dict[str, Any]:
    variables = {"ansible_password": PASSWORDS[name], **spec.pop("variables", {})}
    return {"name": name, "listener": DIRECT, "variables": variables, **spec}


def topology(connection: str) -> dict[str, Any]:
    return {
        "defaults": {"hosts": {"listener": {"connection": connection}, "license": "mak", "release": "2025"}},
        "hosts": [
            {
                "name": "HV",
                "guests": [
                    guest("RIGHT", account={"password": PASSWORDS["RIGHT"]}),
                    guest("WRONG"),
                    guest("BOOTING", direct="booting", variables={"ansible_powershell_direct_timeout": 2}),
                    guest("UPN", variables={"ansible_user": "admin@lab.example"}),
                ],
            },
            {"name": "HV-DOWN", "guests": [guest("HOST-DOWN")]},
        ],
    }


PLAY = """
- hosts: avma_guests
  gather_facts: false
  tasks:
    - hyperv.avma.guest_key:
      diff: true
      register: done
      ignore_errors: true
      ignore_unreachable: true
    - ansible.builtin.set_fact:
        cacheable: true
        all_of_it: "{{ done }}"
    - ansible.builtin.ping:
      ignore_errors: true
- import_playbook: hyperv.avma.verify
"""


@pytest.fixture(scope="module", params=["winrm", "psrp", "ssh"])
def everything(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Run, Path, Watch]]:
    """A run that tells all that Ansible can tell, the folder of all that it left, and who watched."""
    folder = tmp_path_factory.mktemp("run")
    temporary = folder / "temporary"
    with Lab(topology(request.param)) as lab:
        lab.stop("HV-DOWN")
        with Watch(temporary, SECRETS) as watch:
            run = run_playbook(folder, lab, PLAY, "-vvvvv", "--diff", **talkative(folder, temporary))
        (folder / "stdout").write_text(run.stdout, encoding="utf-8")
        (folder / "counters").write_text(json.dumps(lab.call("counters")), encoding="utf-8")
        yield run, folder, watch


def test_the_passwords_were_used(everything: tuple[Run, Path, Watch]) -> None:
    """Else the rest proves nothing."""
    run, folder, watch = everything
    results = {result.host: result for result in run.results if result.action == "hyperv.avma.guest_key"}
    assert results["RIGHT"]["license"]["status"] == "licensed"
    codes = {name: result["problems"][0]["code"] for name, result in results.items() if name != "RIGHT"}
    assert codes == {
        "WRONG": "guest_credentials_refused",
        "BOOTING": "guest_silent",
        "UPN": "powershell_direct_user",
        "HOST-DOWN": "vm_host_unreachable",
    }
    assert watch.looks > 10
    assert (folder / "ansible.log").stat().st_size > 50_000
    # What Windows would log of scripts is looked through too.
    assert "Invoke-CimMethod" in (folder / "counters").read_text(encoding="utf-8")


def test_no_password_is_in_anything_that_is_left(everything: tuple[Run, Path, Watch]) -> None:
    found = {path: leaks(SECRETS, data) for path, data in in_files(everything[1])}
    assert {path: names for path, names in found.items() if names} == {}


def test_no_password_is_in_a_command_line_an_environment_or_a_temporary_file(
    everything: tuple[Run, Path, Watch],
) -> None:
    assert everything[2].found == set()
