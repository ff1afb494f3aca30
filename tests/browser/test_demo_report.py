"""The report of the demo's machines, from the playbooks to the picture in the README."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from integration.playbooks import run_playbook
from lab.client import Lab

TOPOLOGY = Path(__file__).resolve().parents[1] / "lab" / "topologies" / "demo.yml"


def test_demo_report(browser: Browser, screenshot: Callable[[Page], None], tmp_path: Path) -> None:
    folder = tmp_path / "report"
    with Lab(TOPOLOGY) as lab:
        for playbook in ("site", "report"):
            run = run_playbook(tmp_path, lab, f"hyperv.avma.{playbook}", "-e", f"report_dest={folder}")
            assert run.rc == 0, run.stdout
    report = json.loads((folder / "avma-report.json").read_text())
    page = browser.new_page(viewport={"width": 1360, "height": 1300})
    page.goto((folder / "avma-report.html").as_uri())
    expect(page.locator("#guests tbody tr")).to_have_count(len(report["guests"]))
    assert [guest["name"] for guest in report["guests"] if not guest["machine"]] == ["DMZ01"]
    for guest in report["guests"]:
        row = page.locator("#guests tr", has=page.get_by_role("rowheader", name=guest["name"], exact=True))
        # The guest without a network is in no inventory but that of the plugin.
        expect(row).to_contain_text("Activated" if guest["machine"] else "Not read")
        if guest["machine"]:
            expect(row.locator("td").nth(3)).to_contain_text(guest["activation"]["host"].partition(".")[0])
    screenshot(page)
    page.close()
