# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One task reaches every machine as a plain task on it does: the same plugin, and the same value of each of its options."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.constants import DEFAULT_VAULT_IDENTITY
from ansible.parsing.vault import VaultLib, VaultSecret

from integration.conftest import RunPlaybook
from integration.playbooks import Run

ACTIONS = Path(__file__).with_name("action_plugins")
VAULT = VaultLib([(DEFAULT_VAULT_IDENTITY, VaultSecret(b"of the test"))])

#: Variables of three machines that differ in everything, in every place of an inventory.
INVENTORY: dict[str, Any] = {
    "all": {
        "vars": {"domain": "example.com", "ansible_psrp_protocol": "http"},
        "hosts": {
            "a_winrm": {
                "ansible_connection": "winrm",
                "ansible_host": "{{ inventory_hostname }}.{{ domain }}",
                "ansible_port": 1001,
                "ansible_user": "own",
                "ansible_password": "{{ lookup('ansible.builtin.env', 'SECRET_OF_TEST') }} of {{ inventory_hostname }}",
                "ansible_winrm_transport": "ntlm",
                "ansible_winrm_read_timeout_sec": "{{ [30, 40] | max }}",
                "admin": "one",
                "chosen": "winrm",
            },
            "b_psrp": {
                "ansible_connection": "{{ 'psrp' }}",
                "ansible_psrp_auth": "{{ lookup('ansible.builtin.vars', 'way') }}",
                "ansible_psrp_user": "nested {{ admin }}",
                "ansible_password": "VAULTED",
                "ansible_port": "{{ 1000 + 2 }}",
                "way": "ntlm",
                "admin": "two",
                "chosen": "psrp",
            },
            # Neither user nor password nor plugin of its own.
            "c_bare": {"admin": "three", "chosen": "winrm", "ansible_host": "192.0.2.3", "way": "basic"},
        },
        "children": {"some": {"hosts": {"b_psrp": {}, "c_bare": {}}, "vars": {"ansible_winrm_scheme": "{{ scheme }}"}}},
    }
}
PROBES = """
    - probe: {{value: "{{{{ admin }}}} {{{{ way | default(omit) }}}}"}}
      name: plain
{keywords}
    - probe_fleet: {{value: "{{{{ admin }}}} {{{{ way | default(omit) }}}}"}}
      name: fleet
{keywords}
    - probe_fleet: {{value: "{{{{ admin }}}} {{{{ way | default(omit) }}}}"}}
      name: delegated
      delegate_to: localhost
{keywords}
"""
PLAY = """
- hosts: all
  gather_facts: false
  connection: winrm
{play}
  tasks:
  - block:
{probes}
{block}
"""
#: How variables and keywords come to a task, each with a play of its own: what stands in the play, the block and the tasks.
WAYS: dict[str, tuple[str, str, str]] = {
    "inventory": ("  vars: {scheme: http}", "", ""),
    "play": (
        "  vars: {scheme: https, ansible_password: play, ansible_user: '{{ inventory_hostname }} of {{ ansible_play_hosts_all }}'}",
        "",
        "",
    ),
    "vars_files": ("  vars_files: [secret.yml]\n  vars: {scheme: http}", "", ""),
    "block": ("  vars: {scheme: http}", "    vars: {ansible_user: 'block {{ admin }}', ansible_port: 1003}", ""),
    "task": (
        "  vars: {scheme: http}",
        "",
        "      vars: {ansible_user: 'task {{ admin }}', ansible_password: '{{ admin }}'}",
    ),
    "keywords of the play": ("  vars: {scheme: http}\n  remote_user: '{{ admin }}'\n  port: 1004", "", ""),
    "keywords of the block": ("  vars: {scheme: http}", "    remote_user: plain\n    connection: '{{ chosen }}'", ""),
    "keywords of the task": (
        "  vars: {scheme: http}",
        "    remote_user: not this",
        "      remote_user: '{{ admin }} of the task'\n      port: '{{ 1000 + (admin | length) }}'\n      connection: psrp",
    ),
}
SET_FACT = """
- hosts: all
  gather_facts: false
  tasks:
    - set_fact: {ansible_winrm_realm: "fact of {{ inventory_hostname }}", ansible_psrp_reconnection_retries: 4}
"""
ROLE = """
- hosts: all
  gather_facts: false
  connection: winrm
  vars: {scheme: http}
  roles: [{role: probing, ansible_user: "{{ admin }} {{ of_the_role }}"}]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the playbooks are, with an inventory, variables and a role beside them."""
    folder = tmp_path_factory.mktemp("reach")
    vaulted = "!vault |\n" + "\n".join(
        f"        {line}" for line in VAULT.encrypt("of the vault").decode().splitlines()
    )
    (folder / "inventory.yml").write_text(yaml.safe_dump(INVENTORY).replace("VAULTED", vaulted))
    (folder / "secret.yml").write_text(
        VAULT.encrypt("{ansible_password: 'file {{ admin }}', ansible_user: file}").decode()
    )
    (folder / "group_vars").mkdir()
    (folder / "group_vars" / "some.yml").write_text(
        "ansible_winrm_operation_timeout_sec: 17\nansible_psrp_read_timeout: 18\n"
    )
    (folder / "vault").write_text("of the test")
    tasks = folder / "roles" / "probing" / "tasks"
    tasks.mkdir(parents=True)
    (tasks / "main.yml").write_text("\n".join(line[4:] for line in PROBES.format(keywords="").splitlines()))
    (folder / "roles" / "probing" / "defaults").mkdir()
    (folder / "roles" / "probing" / "defaults" / "main.yml").write_text("of_the_role: default\nscheme: https\n")
    return folder


def play(run_playbook: RunPlaybook, folder: Path, text: str, *arguments: str) -> Run:
    playbook = folder / "playbook.yml"
    playbook.write_text(text)
    fixed = ("-i", str(folder / "inventory.yml"), "--vault-password-file", str(folder / "vault"))
    return run_playbook(
        None, playbook, *fixed, *arguments, ANSIBLE_ACTION_PLUGINS=str(ACTIONS), SECRET_OF_TEST="secret"
    )


def reached(run: Run) -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """What the plain tasks of each play have, and what the fleet tasks have, without and with delegation."""
    assert run.rc == 0, run.stdout
    plain: dict[str, Any] = {}
    for result in run.results:
        if result.task == "plain":
            plain.update(result["machines"])
        elif result.task == "fleet":
            fleet = result["machines"]
        elif result.task == "delegated":
            yield plain, fleet, result["machines"]
            plain = {}


@pytest.fixture(scope="module")
def everything(folder: Path, run_playbook: RunPlaybook) -> dict[str, tuple[dict[str, Any], ...]]:
    plays = [
        PLAY.format(play=play, probes=PROBES.format(keywords=keywords), block=block)
        for play, block, keywords in WAYS.values()
    ]
    run = play(
        run_playbook,
        folder,
        "\n".join([SET_FACT, *plays, ROLE]),
        "-e",
        "extra=1",
        "-e",
        "ansible_winrm_kerberos_delegation=true",
    )
    return dict(zip([*WAYS, "role"], reached(run), strict=True))


@pytest.mark.parametrize("way", [*WAYS, "role"])
def test_each_machine_is_reached_as_by_a_task_on_it(
    everything: dict[str, tuple[dict[str, Any], ...]], way: str
) -> None:
    plain, fleet, delegated = everything[way]
    assert set(plain) == {"a_winrm", "b_psrp", "c_bare"}
    assert fleet == plain
    assert delegated == plain


def test_the_ways_differ(everything: dict[str, tuple[dict[str, Any], ...]]) -> None:
    """Else the rest proves nothing."""
    users = {
        way: {name: machine.get("remote_user") for name, machine in plain.items()}
        for way, (plain, *_) in everything.items()
    }
    assert users["keywords of the play"] == {"a_winrm": "own", "b_psrp": "nested two", "c_bare": "three"}
    assert users["role"]["c_bare"] == "three default"
    assert everything["inventory"][0]["a_winrm"]["remote_password"] == "secret of a_winrm"
    assert everything["inventory"][0]["b_psrp"]["auth"] == "ntlm"
    assert everything["vars_files"][0]["c_bare"]["remote_password"] == "file three"
    assert everything["keywords of the task"][0]["c_bare"]["plugin"] == "psrp"
    assert everything["inventory"][0]["c_bare"]["argument"] == "three basic"


def test_user_and_password_of_the_command_line(folder: Path, run_playbook: RunPlaybook) -> None:
    """A password that was asked for goes to those that have none. One that the first machine has of its own goes nowhere else."""
    asked = folder / "password"
    asked.write_text("asked")
    text = PLAY.format(play="  vars: {scheme: http}", probes=PROBES.format(keywords=""), block="")
    run = play(run_playbook, folder, text, "-u", "given", "-T", "33", "--connection-password-file", str(asked))
    plain, fleet, delegated = next(reached(run))
    assert (plain["c_bare"]["remote_user"], plain["c_bare"]["remote_password"]) == ("given", "asked")
    assert delegated == plain
    assert "secret" in plain["a_winrm"]["remote_password"]
    assert fleet["c_bare"].get("remote_password") is None
    assert {**fleet["c_bare"], "remote_password": "asked"} == plain["c_bare"]
    assert {name: fleet[name] for name in ("a_winrm", "b_psrp")} == {
        name: plain[name] for name in ("a_winrm", "b_psrp")
    }
