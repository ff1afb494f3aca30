"""The report of simulated machines, from the playbooks to the picture in the README."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from integration.playbooks import run_playbook
from lab.client import Lab

TOPOLOGIES = Path(__file__).resolve().parents[1] / "lab" / "topologies"


def report_of(topology: str, tmp_path: Path, *playbooks: str) -> tuple[str, dict[str, Any]]:
    """The address of the page, and the report."""
    folder = tmp_path / "report"
    with Lab(TOPOLOGIES / topology) as lab:
        for playbook in (*playbooks, "report"):
            run = run_playbook(tmp_path, lab, f"hyperv.avma.{playbook}", "-e", f"report_dest={folder}")
            assert run.rc == 0, run.stdout
    return (folder / "avma-report.html").as_uri(), json.loads((folder / "avma-report.json").read_text())


def test_demo_report(browser: Browser, screenshot: Callable[[Page], None], tmp_path: Path) -> None:
    address, report = report_of("demo.yml", tmp_path, "site")
    page = browser.new_page(viewport={"width": 1440, "height": 1300})
    page.goto(address)
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


def test_picture_of_the_readme(browser: Browser, screenshot: Callable[[Page], None], tmp_path: Path) -> None:
    """Machines with problems: `make picture` copies what is seen here."""
    address, report = report_of("problems.yml", tmp_path)
    page = browser.new_page(viewport={"width": 1440, "height": 1300})
    page.goto(address)
    screenshot(page)
    codes = {item["code"] for row in (*report["hosts"], *report["guests"]) for item in row["problems"]}
    codes |= {item["code"] for item in report["cluster_problems"]}
    assert {
        "host_not_licensed",
        "host_not_datacenter",
        "mixed_os_releases",
        "data_exchange_disabled",
        "not_avma",
    } <= codes
    for code in codes:
        expect(page.locator("#problems").get_by_role("rowheader", name=code)).to_be_in_viewport()
    # No name is on two lines, hyphens or not.
    for name in (row["name"] for row in (*report["hosts"], *report["guests"])):
        words = page.locator(".line", has_text=name)
        assert words.count() > 0
        assert set(words.evaluate_all("(words) => words.map((word) => word.getClientRects().length)")) <= {0, 1}, name
    page.close()
