# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Machines behind ssh: what keeps them from being read, and what does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

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
#: What a machine is like, how its task ends, the code of its problem if it has one, and words of its message.
MACHINES: dict[str, tuple[dict[str, Any], str, str | None, str]] = {
    "CMD": ({}, "ok", None, ""),
    "POWERSHELL": ({"ssh": {"shell": "powershell"}}, "ok", None, ""),
    "PASSWORD": ({"ssh": {"authentication": ["password"]}}, "ok", None, ""),
    "CONSTRAINED": ({"powershell": {"constrained": True, "code_page": 932}, "language": "ja-JP"}, "ok", None, ""),
    "NOISY": ({"ssh": {"shell": "powershell"}, "powershell": {"profile": ["Welcome", "{"]}}, "ok", None, ""),
    "OLD": ({"release": "2019"}, "ok", None, ""),
    "DOWN": ({}, "unreachable", None, "Connection refused"),
    "WRONG": (
        {"ssh": {"authentication": ["password"]}, "variables": {"ansible_password": "wrong"}},
        "unreachable",
        None,
        "WRONG: ",
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
        yield run_playbook(lab, PLAY)


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
