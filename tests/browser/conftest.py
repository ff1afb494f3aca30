"""The report's page in a headless Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hyperv.avma.plugins.action.report import _render
from ansible_collections.hyperv.avma.plugins.plugin_utils._fleet.fleet import readings
from ansible_collections.hyperv.avma.plugins.plugin_utils._fleet.report import build_report
from playwright.sync_api import Browser, Page, sync_playwright

import report_results as made

SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# A browser in a closed network: none of its own traffic.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = "<script>window.hacked = true</script><img src=x onerror='window.hacked = true'>"

OpenReport = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        pytest.fail("needs Chromium (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_report(browser: Browser, tmp_path: Path) -> Iterator[OpenReport]:
    """``open_report(results, **context)``: a page that shows them; the test fails if it loads or complains about anything."""
    pages: list[Page] = []
    traffic: list[str] = []
    complaints: list[str] = []

    def open_page(results: dict[str, dict[str, Any]] | None = None, **context: Any) -> Page:
        read = readings(results or made.fleet(8, 120, HOSTILE), made.GENERATED)
        report = build_report(read, made.GENERATED, "AVMA report")
        path = tmp_path / "avma-report.html"
        path.write_bytes(_render(report)[path.name])
        page = browser.new_page(viewport={"width": 1400, "height": 900}, **context)
        page.set_default_timeout(5000)
        page.on("request", lambda request: traffic.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.goto(path.as_uri())
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        assert page.evaluate("window.hacked") is None
        page.close()
    assert {url.rsplit("/", 1)[1] for url in traffic} == {"avma-report.html"}
    assert complaints == []


@pytest.fixture
def screenshot(request: pytest.FixtureRequest) -> Callable[[Page], None]:
    """Keep a picture under build/screenshots, by the name of the test."""

    def take(page: Page) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{request.node.name}.png")

    return take
