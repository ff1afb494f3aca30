"""The playbook report against the lab: what it reads, what it writes, and that it changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from integration.conftest import RunPlaybook
from lab.client import Lab

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs/schemas/avma-report.schema.json").read_text())
KEY = "F2K7M-QXW9C-VB4TN-HJ8RD-6YPG3"
HOSTILE = "</script><script>alert(1)</script>"
TOPOLOGY: dict[str, Any] = {
    "keys": [{"key": KEY, "release": "2022", "channel": "mak", "activations": 9}],
    "hosts": [
        {
            "name": "NODE1",
            "release": "2022",
            "license": KEY,
            "guests": [
                {"name": "WEB1", "release": "2019", "license": "avma"},
                {"name": "WEB2", "release": "2022", "license": "kms"},
                {"name": "WEB3", "release": "2022", "vm_name": HOSTILE},
            ],
        },
        {"name": "NODE2", "release": "2022", "license": KEY},
        {"name": "NODE3", "release": "2022", "license": KEY},
    ],
    "clusters": [{"name": "CLUSTER", "nodes": ["NODE1", "NODE2", "NODE3"]}],
}
FILES = {f"avma-report.{ending}" for ending in ("html", "json", "csv", "xml")}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(TOPOLOGY) as lab:
        lab.stop("NODE3")
        yield lab


def read(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "avma-report.json").read_text(encoding="utf-8"))
    jsonschema.validate(report, SCHEMA)
    return report


def test_reads_everything_and_changes_nothing_but_the_report(
    lab: Lab, run_playbook: RunPlaybook, tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "report"
    arguments = ["hyperv.avma.report", "--limit", "all,!WEB3", "-e", f"report_dest={folder}"]

    checked = run_playbook(lab, *arguments, "--check")
    assert (checked.rc, checked.changed(), folder.exists()) == (0, 1, False), checked.stdout

    first = run_playbook(lab, *arguments)
    assert (first.rc, first.changed()) == (0, 1), first.stdout
    assert {path.name for path in folder.iterdir()} == FILES
    report = read(folder)
    guests = {guest["name"]: guest for guest in report["guests"]}
    assert {name: guest["verdict"] for name, guest in guests.items()} == {
        "WEB1": "activated",
        "WEB2": "attention",
        HOSTILE: "not_read",
    }
    assert guests["WEB1"]["activation"]["host"] == "NODE1.lab.example"
    assert [item["code"] for item in guests["WEB2"]["problems"]] == ["not_avma"]
    assert {host["name"]: host["verdict"] for host in report["hosts"]} == {
        "NODE1": "ready",
        "NODE2": "ready",
        "NODE3": "attention",
    }
    assert [(node["name"], node["state"]) for node in report["clusters"][0]["nodes"]][-1] == ("NODE3", "down")
    assert {row["name"] for row in report["failover"]} == set(guests)

    second = run_playbook(lab, *arguments)
    assert (second.rc, second.changed()) == (0, 0), second.stdout
    assert {path.name for path in folder.iterdir()} == FILES
    assert lab.writes() == {}


def test_a_report_that_cannot_be_written_says_why(lab: Lab, run_playbook: RunPlaybook, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    run = run_playbook(lab, "hyperv.avma.report", "--limit", "WEB1", "-e", f"report_dest={tmp_path}/file")
    assert run.rc == 2
    assert f"The report cannot be written to {tmp_path}/file: Not a directory." in run.of("WEB1")["msg"]
    assert "Traceback" not in run.stdout


def test_results_that_are_none_are_refused(run_playbook: RunPlaybook, tmp_path: Path) -> None:
    run = run_playbook(
        None,
        f"""
- hosts: localhost
  gather_facts: false
  tasks:
    - hyperv.avma.report:
        results: {{HV1: {{host_info: {{host: {{name: HV1}}}}}}}}
        dest: {tmp_path}/report
""",
    )
    assert run.rc == 2
    assert "results cannot be used: give it what the modules returned" in run.of("localhost")["msg"]
    assert not (tmp_path / "report").exists()
