"""A run with HYPERV_AVMA_RECORD, as docs/recording.md tells a user to make it."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.conftest import RunPlaybook
from lab.client import Lab
from unit.replay import replay, sessions

KEY = "CVG3B-MPK6R-NXQ4D-8TYHW-2JF79"
TOPOLOGY = {
    "domain": "contoso.example",
    "keys": [{"key": KEY, "release": "2025", "channel": "mak", "activations": 5}],
    "defaults": {"all": {"account": {"name": "Svc-Avma", "password": "Pa55-w0rd"}}},
    "hosts": [
        {
            "name": "BERLIN-HV1",
            "release": "2025",
            "guests": [
                {"name": "PAYROLL", "addresses": ["10.20.30.40"]},
                {"name": "SURFER", "listener": {"connection": "psrp"}},
            ],
        }
    ],
}
PLAY = f"""
- hosts: avma_hosts
  gather_facts: false
  tasks:
    - hyperv.avma.host_key:
        product_key: {KEY}
    - hyperv.avma.vm_info:
- hosts: avma_guests
  gather_facts: false
  tasks:
    - hyperv.avma.guest_key:
    - hyperv.avma.guest_info:
"""


@pytest.mark.wsman
def test_run_is_recorded_scrubbed_and_can_be_replayed(
    run_playbook: RunPlaybook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "recording"
    monkeypatch.setenv("HYPERV_AVMA_RECORD", str(folder))
    with Lab(TOPOLOGY) as lab:
        run = run_playbook(lab, PLAY)
        asked = sum(report["operations"] for report in lab.call("counters").values())
    assert run.rc == 0, run.stdout

    # One for each task and machine.
    assert len(sessions(folder)) == 6
    assert len(list(folder.rglob("*-answer.xml"))) == asked
    assert all(replay(session) for session in sessions(folder))
    text = "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.xml")).lower()
    for secret in (
        *("contoso", "BERLIN", "PAYROLL", "SURFER", "Svc-Avma", "Pa55", "10.20.30.40", "127.0.0.1"),
        *(KEY, "2JF79", "W3GNR", "DV9BG"),
    ):
        assert secret.lower() not in text, secret
    for path in (folder, *sessions(folder)):
        assert path.stat().st_mode & 0o077 == 0
