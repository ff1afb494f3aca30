# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""1,000 guests in one play."""

from __future__ import annotations

from pathlib import Path

from integration.conftest import RunPlaybook
from lab.client import Lab

_TOPOLOGY = Path(__file__).resolve().parent.parent / "lab" / "topologies" / "many_guests.yml"
PLAY = """
- hosts: avma_guests
  gather_facts: false
  roles:
    - hyperv.avma.guest_activation
"""


def test_a_thousand_guests(run_playbook: RunPlaybook) -> None:
    with Lab(_TOPOLOGY) as lab:
        first = run_playbook(lab, PLAY, "--forks", "20", timeout=900)
        assert first.rc == 0
        assert len(first.stats) == first.changed() == 1000
        assert {lab.machine(name)["license"]["channel"] for name in first.stats} == {"VT:IA"}
        lab.reset_counters()
        second = run_playbook(lab, PLAY, "--forks", "20", timeout=900)
        assert (second.rc, second.changed(), lab.writes()) == (0, 0, {})
