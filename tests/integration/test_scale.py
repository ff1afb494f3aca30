# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What holds for any number of guests: slices of them make one report, and those that are right cost no process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.conftest import RunPlaybook
from integration.slices import MERGE, report_slices
from lab.client import Lab

GUESTS = [f"VM{number}" for number in range(1, 5)]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    guests = [{"name": name, "license": "avma"} for name in GUESTS]
    with Lab({"hosts": [{"name": "HV01", "license": "mak", "guests": guests}]}) as lab:
        yield lab


def test_slices_on_workers_make_one_report(lab: Lab, run_playbook: RunPlaybook, tmp_path: Path) -> None:
    parts = report_slices(lab, "HV01", GUESTS, 2, tmp_path)
    assert [json.loads(path.read_text())["summary"]["guests"]["activated"] for path in parts] == [2, 2]
    merged = run_playbook(None, MERGE, "-e", json.dumps({"parts": [str(path) for path in parts]}))
    assert merged.rc == 0, merged.stdout
    report = json.loads(Path(merged.results[-1]["files"][1]).read_text())
    assert (report["summary"]["hosts"]["total"], report["summary"]["guests"]["total"]) == (1, len(GUESTS))
    assert report["summary"]["guests"]["activated"] == len(GUESTS)


@pytest.mark.parametrize("playbook", ["hyperv.avma.verify", "hyperv.avma.site", "hyperv.avma.report"])
def test_guests_that_are_right_have_no_task_of_their_own(
    lab: Lab, run_playbook: RunPlaybook, playbook: str, tmp_path: Path
) -> None:
    arguments = ("-e", f"report_dest={tmp_path}")
    # Ansible forks a process for each task that a host has.
    few, all_of_them = (run_playbook(lab, playbook, *arguments, *more) for more in (("--limit", "HV01:VM1"), ()))
    assert (few.rc, all_of_them.rc) == (0, 0)
    assert len(few.results) == len(all_of_them.results)
