# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Guests in slices on workers, as automation controller runs the jobs of a mesh with ansible-runner, and one report of all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

from integration.conftest import RunPlaybook
from lab.client import Lab

SLICES = 2
GUESTS = [f"VM{number}" for number in range(1, 5)]


def runner(phase: str, directory: Path, *arguments: str, data: bytes = b"") -> bytes:
    """One phase of ansible-runner."""
    command = [sys.executable, "-m", "ansible_runner", phase, *arguments]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(command, cwd=directory, input=data, env=environment, capture_output=True, check=True).stdout


def test_slices_on_workers_make_one_report(run_playbook: RunPlaybook, tmp_path: Path) -> None:
    guests = [{"name": name, "license": "avma"} for name in GUESTS]
    with Lab({"hosts": [{"name": "HV01", "license": "mak", "guests": guests}]}) as lab:
        for number in range(SLICES):
            private = tmp_path / f"slice{number}"
            for folder in ("project", "inventory", "env"):
                (private / folder).mkdir(parents=True)
            (private / "project" / "report.yml").write_text("- import_playbook: hyperv.avma.report\n")
            (private / "inventory" / "hosts.yml").write_bytes(lab.inventory.read_bytes())
            settings = {"ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"]}
            (private / "env" / "envvars").write_text(yaml.safe_dump(settings))
            (private / "env" / "extravars").write_text(
                yaml.safe_dump({"report_dest": str(tmp_path / f"report{number}")})
            )
            # Each slice has the hosts too: what activates a guest must be known where it is judged.
            limit = ":".join(["HV01", *GUESTS[number::SLICES]])
            sent = runner("transmit", tmp_path, str(private), "-p", "report.yml", "--limit", limit)
            came_back = runner("worker", tmp_path, data=sent)
            events = runner("process", tmp_path, str(private), data=came_back)
            assert b"failed=0" in events, events.decode()
        parts = [tmp_path / f"report{number}" / "avma-report.json" for number in range(SLICES)]
        assert [json.loads(path.read_text())["summary"]["guests"]["activated"] for path in parts] == [2, 2]
    play = f"""
- hosts: localhost
  gather_facts: false
  tasks:
    - hyperv.avma.report:
        merge: {json.dumps([str(path) for path in parts])}
        dest: merged
"""
    merged = run_playbook(None, play)
    assert merged.rc == 0, merged.stdout
    report = json.loads(Path(merged.results[-1]["files"][1]).read_text())
    assert (report["summary"]["hosts"]["total"], report["summary"]["guests"]["total"]) == (1, len(GUESTS))
    assert report["summary"]["guests"]["activated"] == len(GUESTS)
