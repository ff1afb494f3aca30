# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Slices of the guests on workers, as automation controller runs the jobs of a mesh with ansible-runner."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from lab.client import Lab

#: Makes one report of ``parts``.
MERGE = """
- hosts: localhost
  gather_facts: false
  tasks:
    - hyperv.avma.report:
        merge: "{{ parts }}"
        dest: merged
"""


def report_slices(lab: Lab, host: str, guests: Sequence[str], slices: int, directory: Path) -> list[Path]:
    """Read the guests in slices, each on a worker of its own, all at once; the ``avma-report.json`` of each.

    :param host: Each slice has the guests' host too: what activates a guest must be known where it is judged.
    """

    def run(number: int) -> Path:
        private, report = directory / f"slice{number}", directory / f"report{number}"
        for folder in ("project", "inventory", "env"):
            (private / folder).mkdir(parents=True)
        (private / "project" / "report.yml").write_text("- import_playbook: hyperv.avma.report\n")
        (private / "inventory" / "hosts.yml").write_bytes(lab.inventory.read_bytes())
        settings = {"ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"], **lab.environment}
        (private / "env" / "envvars").write_text(yaml.safe_dump(settings))
        (private / "env" / "extravars").write_text(yaml.safe_dump({"report_dest": str(report)}))
        limit = directory / f"limit{number}"
        limit.write_text("\n".join([host, *guests[number::slices]]))
        arguments = (str(private), "-p", "report.yml", "--limit", f"@{limit}")
        sent = _runner("transmit", directory, *arguments)
        came_back = _runner("worker", directory, data=sent)
        events = _runner("process", directory, str(private), data=came_back)
        assert b"failed=0" in events, events.decode()
        return report / "avma-report.json"

    with ThreadPoolExecutor(slices) as workers:
        return list(workers.map(run, range(slices)))


def _runner(phase: str, directory: Path, *arguments: str, data: bytes = b"") -> bytes:
    """One phase of ansible-runner."""
    command = [sys.executable, "-m", "ansible_runner", phase, *arguments]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(command, cwd=directory, input=data, env=environment, capture_output=True, check=True).stdout
