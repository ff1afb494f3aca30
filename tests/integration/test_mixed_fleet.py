# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Guests by WinRM, by ssh and through their hosts: one inventory, one site, one verify, one report."""

from __future__ import annotations

import json
from pathlib import Path

from integration.conftest import RunPlaybook
from lab.client import Lab

GUESTS = {
    "BY-WINRM": ("HV1", {"connection": "winrm"}),
    "BY-PSRP": ("HV1", {"connection": "psrp"}),
    "BY-SSH": ("HV1", {"connection": "ssh"}),
    "THROUGH-WINRM": ("HV1", {"connection": "powershell_direct"}),
    "THROUGH-SSH": ("HV2", {"connection": "powershell_direct"}),
}
TOPOLOGY = {
    "defaults": {"hosts": {"release": "2025", "license": "mak"}, "guests": {"release": "2022"}},
    "hosts": [
        {
            "name": name,
            "listener": {"connection": connection},
            "guests": [
                {"name": guest, "listener": listener} for guest, (host, listener) in GUESTS.items() if host == name
            ],
        }
        for name, connection in (("HV1", "winrm"), ("HV2", "ssh"))
    ],
}
WAYS = {
    "BY-WINRM": "winrm",
    "BY-PSRP": "psrp",
    "BY-SSH": "ssh",
    "THROUGH-WINRM": "hyperv.avma.powershell_direct",
    "THROUGH-SSH": "hyperv.avma.powershell_direct",
}
FLEET = """
- hosts: all
  gather_facts: false
  tasks:
    - hyperv.avma.fleet_info:
      delegate_to: localhost
"""


def test_one_fleet_however_its_machines_are_reached(run_playbook: RunPlaybook, tmp_path: Path) -> None:
    with Lab(TOPOLOGY) as lab:
        for playbook in ("hyperv.avma.site", "hyperv.avma.verify"):
            run = run_playbook(lab, playbook)
            assert run.rc == 0, run.stdout
        fleet = run_playbook(lab, FLEET)
        readings = fleet.results[-1]["readings"]
        ways = {name: readings[name]["guest_info"]["guest"]["connection"]["plugin"] for name in GUESTS}
        assert ways == WAYS
        lab.set("THROUGH-SSH", "direct", "booting")
        wrong = run_playbook(lab, "hyperv.avma.verify", "-e", "ansible_powershell_direct_timeout=2")
        assert wrong.rc != 0
        assert "THROUGH-SSH" in wrong.stdout
        run = run_playbook(
            lab, "hyperv.avma.report", "-e", f"report_dest={tmp_path}", "-e", "ansible_powershell_direct_timeout=2"
        )
    assert run.rc == 0, run.stdout
    guests = json.loads((tmp_path / "avma-report.json").read_text(encoding="utf-8"))["guests"]
    assert {guest["machine"]: guest["connection"] for guest in guests} == {
        "BY-WINRM": {"plugin": "winrm", "host": None},
        "BY-PSRP": {"plugin": "psrp", "host": None},
        "BY-SSH": {"plugin": "ssh", "host": None},
        "THROUGH-WINRM": {"plugin": "hyperv.avma.powershell_direct", "host": "HV1"},
        "THROUGH-SSH": None,
    }
    (lost,) = (guest for guest in guests if guest["machine"] == "THROUGH-SSH")
    assert [found["code"] for found in lost["problems"]] == ["guest_silent"]
