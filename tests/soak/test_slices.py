# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""1,000 guests in four slices on four workers, and one report of all."""

from __future__ import annotations

import json
from pathlib import Path

from integration.conftest import RunPlaybook
from integration.slices import MERGE, report_slices
from lab.client import Lab


def test_a_thousand_guests_in_slices_make_one_report(run_playbook: RunPlaybook, tmp_path: Path) -> None:
    topology = {
        "hosts": [
            {"name": "HV01", "license": "mak", "guests": [{"name": "VM{n:04}", "count": 1000, "license": "avma"}]}
        ]
    }
    guests = [f"VM{number:04}" for number in range(1, 1001)]
    with Lab(topology) as lab:
        parts = report_slices(lab, "HV01", guests, 4, tmp_path)
    merged = run_playbook(None, MERGE, "-e", json.dumps({"parts": [str(path) for path in parts]}), timeout=600)
    assert merged.rc == 0, merged.stdout
    report = json.loads(Path(merged.results[-1]["files"][1]).read_text())
    assert report["summary"]["hosts"]["total"] == 1
    assert {name: report["summary"]["guests"][name] for name in ("total", "activated")} == {
        "total": 1000,
        "activated": 1000,
    }
