# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Machines behind ssh: what keeps them from being read, and what does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible.release import __version__ as ansible_version

from integration.conftest import RunPlaybook
from integration.playbooks import Run
from lab.client import Lab

PLAY = """
- hosts: avma_guests
  gather_facts: false
  tasks:
    - hyperv.avma.guest_info:
        gather_subset: [min]
"""
BANNER = "Permission denied (to the unauthorized).\nHost key\n"
#: How a task ends where ansible_shell_type is that of another shell: up to 2.17, Ansible writes the command line for it.
MISTAKEN: tuple[str, str | None, str] = ("ok", None, "")
if tuple(map(int, ansible_version.split(".")[:2])) < (2, 18):
    MISTAKEN = ("failed", "powershell_silent", "ansible_shell_type")
#: What a machine is like, how its task ends, the code of its problem if it has one, and words of its message.
MACHINES: dict[str, tuple[dict[str, Any], str, str | None, str]] = {
    "CMD": ({}, "ok", None, ""),
    "POWERSHELL": ({"ssh": {"shell": "powershell"}}, "ok", None, ""),
    "PASSWORD": ({"ssh": {"authentication": ["password"]}}, "ok", None, ""),
    "CONSTRAINED": ({"powershell": {"constrained": True, "code_page": 932}, "language": "ja-JP"}, "ok", None, ""),
    "NOISY": ({"ssh": {"shell": "powershell"}, "powershell": {"profile": ["Welcome", "{"]}}, "ok", None, ""),
    "OLD": ({"release": "2019"}, "ok", None, ""),
    "TAKEN-FOR-POWERSHELL": ({"variables": {"ansible_shell_type": "powershell"}}, *MISTAKEN),
    "TAKEN-FOR-CMD": ({"ssh": {"shell": "powershell"}, "variables": {"ansible_shell_type": "cmd"}}, *MISTAKEN),
    "TAKEN-FOR-UNIX": ({"variables": {"ansible_shell_type": "sh"}}, "ok", None, ""),
    "PIPELINING": ({"variables": {"ansible_pipelining": True}}, "ok", None, ""),
    "TERMINAL": ({"variables": {"ansible_ssh_extra_args": "-tt"}}, "ok", None, ""),
    "BECOME": ({"variables": {"ansible_become": True, "ansible_become_user": "SYSTEM"}}, "ok", None, ""),
    "BANNER": ({"ssh": {"banner": BANNER}}, "ok", None, ""),
    "DOWN": ({}, "unreachable", None, "DOWN: ssh: connect to host 127.0.0.1 port"),
    "NO-NAME": (
        {"variables": {"ansible_host": "no.such.host.invalid"}},
        "unreachable",
        None,
        "resolve hostname no.such",
    ),
    "NO-SUCH-OPTION": (
        {"variables": {"ansible_ssh_extra_args": "-o NoSuchOption=1"}},
        "unreachable",
        None,
        "nosuchoption",
    ),
    "NO-CLIENT": ({"variables": {"ansible_ssh_executable": "/no/such/ssh"}}, "unreachable", None, "/no/such/ssh"),
    "WRONG": (
        {"ssh": {"authentication": ["password"], "banner": BANNER}, "variables": {"ansible_password": "Not-The-0ne"}},
        "unreachable",
        None,
        "WRONG: rejected the credentials: ",
    ),
    "WRONG-USER": (
        {"variables": {"ansible_user": "nobody"}},
        "unreachable",
        None,
        "WRONG-USER: rejected the credentials: nobody@",
    ),
    "KEY-CHANGED": ({"ssh": {"key_changed": True}}, "unreachable", "ssh_host_key_untrusted", "ssh-keygen -R '[127.0."),
    "KEY-CHANGED-PASSWORD": (
        {"ssh": {"key_changed": True, "authentication": ["password"]}},
        "unreachable",
        "ssh_host_key_untrusted",
        "known_hosts",
    ),
    "FORCED": ({"ssh": {"force_command": "echo Go away"}}, "failed", "powershell_silent", "ForceCommand"),
    "PLAIN-USER": ({"account": {"administrator": False}}, "failed", "access_denied", "ssh"),
    "LOCKED": (
        {"powershell": {"constrained": True, "cim_module": "blocked"}},
        "failed",
        "powershell_refuses",
        "ConstrainedLanguage",
    ),
}


@pytest.fixture(scope="module")
def run(run_playbook: RunPlaybook) -> Iterator[Run]:
    guests = [
        {"name": name, "release": "2022", "listener": {"connection": "ssh"}, **spec}
        for name, (spec, *_) in MACHINES.items()
    ]
    with Lab({"hosts": [{"name": "HV", "release": "2025", "guests": guests}]}) as lab:
        lab.stop("DOWN")
        yield run_playbook(lab, PLAY, "-vvvv")


@pytest.mark.parametrize("name", MACHINES)
def test_machine_is_read_or_says_why_not(run: Run, name: str) -> None:
    _spec, status, code, words = MACHINES[name]
    result = run.of(name)
    assert result.status == status, result.result.get("msg")
    if status == "ok":
        assert result["guest"]["connection"] == {"plugin": "ssh", "host": None}
        return
    assert words in result["msg"]
    assert [item["code"] for item in result.result.get("problems", [])] == ([code] if code else [])


def test_what_is_said_is_one_plain_sentence(run: Run) -> None:
    for result in run.results:
        for noise in ("@@@", "debug1", "Traceback", "Make sure this host", "unauthorized"):
            assert noise not in result.result.get("msg", ""), result.host


def test_no_password_is_shown(run: Run) -> None:
    for password in ("Not-The-0ne", "Passw0rd"):
        assert password not in run.stdout
