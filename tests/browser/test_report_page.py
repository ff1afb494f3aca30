"""What a person can do with the report's page: with a mouse, with a keyboard, on paper, in the dark, with 2,000 guests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

import report_results as made
from browser.conftest import HOSTILE, OpenReport

Screenshot = Callable[[Page], None]

#: Of the columns of the guests' table.
NAME, VERDICT, HOST, WINDOWS, ACTIVATED_BY, ACTIVATED_AT = range(6)


def guests(page: Page) -> Locator:
    return page.locator("#guests tbody tr")


def column(page: Page, index: int) -> list[str]:
    """The first lines of the cells of a column of the guests' table."""
    script = "(rows, index) => rows.map((row) => (row.cells[index].firstChild || {}).textContent || '')"
    texts: list[str] = guests(page).evaluate_all(script, index)
    return texts


def header(page: Page, title: str) -> Locator:
    return page.locator("#guests").get_by_role("columnheader", name=title, exact=True)


def choice(page: Page, label: str) -> Locator:
    return page.get_by_role("combobox", name=label, exact=True)


def test_shows_what_is_there(open_report: OpenReport, screenshot: Screenshot) -> None:
    page = open_report()
    screenshot(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("AVMA report")
    expect(page.locator("#generated")).to_have_text("Read 2026-11-22 08:15 UTC")
    expect(page.locator("#guests output")).to_have_text("121 guests")
    expect(page.locator("#hosts tbody tr")).to_have_count(8)
    expect(page.locator("#summary tbody tr")).to_have_count(2)
    expect(page.locator("#problems").get_by_role("rowheader", name="node_down")).to_be_visible()
    row = page.locator("#guests tr", has=page.get_by_role("rowheader", name="SQL001"))
    expect(row).to_contain_text("Activated")
    expect(row.locator("time")).to_have_attribute("datetime", "2026-11-14T15:51:49Z")


def test_a_name_is_text_whatever_it_holds(open_report: OpenReport, screenshot: Screenshot) -> None:
    page = open_report()
    page.get_by_role("searchbox").first.fill("<script>")
    screenshot(page)
    expect(guests(page)).to_have_count(1)
    expect(page.get_by_role("rowheader", name=HOSTILE)).to_be_visible()
    assert page.locator("#guests img, #guests script").count() == 0


def test_sorts_by_every_column_and_back(open_report: OpenReport, screenshot: Screenshot) -> None:
    page = open_report()
    header(page, "Guest").get_by_role("button").click()
    expect(header(page, "Guest")).to_have_attribute("aria-sort", "ascending")
    names = column(page, NAME)
    assert names[1:4] == ["APP002", "APP008", "APP014"]
    header(page, "Guest").get_by_role("button").click()
    expect(header(page, "Guest")).to_have_attribute("aria-sort", "descending")
    assert column(page, NAME) == names[::-1]

    for direction in ("ascending", "descending"):
        header(page, "Last activated").get_by_role("button").click()
        expect(header(page, "Last activated")).to_have_attribute("aria-sort", direction)
        expect(page.locator("#guests [aria-sort]")).to_have_count(1)
        times = column(page, ACTIVATED_AT)
        known = [time for time in times if time]
        assert known == sorted(known, reverse=direction == "descending")
        # What is not known comes last, either way.
        assert times == known + [""] * (len(times) - len(known))
    screenshot(page)


def test_what_needs_attention_comes_first(open_report: OpenReport) -> None:
    page = open_report()
    signs = [text[0] for text in column(page, VERDICT)]
    assert signs == sorted(signs, key="✕?✓–".index)
    assert signs[0] == "✕"
    assert signs[-1] == "✓"
    attention = [name for name, sign in zip(column(page, NAME), signs, strict=True) if sign == "✕"]
    assert attention == sorted(attention)
    assert page.locator("#hosts tbody tr").first.inner_text().startswith("HV08")
    rows = page.locator("#problems tbody tr")
    kinds = [text.partition("\n")[2] for text in rows.locator("th").all_inner_texts()]
    assert kinds == sorted(kinds, key=["", "not known", "AVMA does not apply"].index)
    machines = [int(text) for text in rows.locator("td:last-child").all_inner_texts()]
    wrong = machines[: kinds.count("")]
    assert wrong == sorted(wrong, reverse=True)
    assert wrong[0] > wrong[-1]
    assert machines[len(wrong)] > wrong[0]


def test_filters_by_word_verdict_cluster_host_and_problem(open_report: OpenReport, screenshot: Screenshot) -> None:
    page = open_report()
    output = page.locator("#guests output")
    page.get_by_role("searchbox").first.fill("sql  windows server 2022")
    assert {name[:3] for name in column(page, NAME)} == {"SQL"}
    assert set(column(page, WINDOWS)) == {"Windows Server 2022"}
    expect(output).to_have_text(f"{guests(page).count()} of 121 guests")

    page.get_by_role("button", name="Show all").click()
    expect(output).to_have_text("121 guests")
    choice(page, "Cluster").select_option("PROD-A")
    choice(page, "Runs on").select_option("HV04")
    choice(page, "Verdict").select_option("attention")
    assert set(column(page, HOST)) == {"HV04"}
    assert {text.removeprefix("✕ ") for text in column(page, VERDICT)} == {"Attention"}
    screenshot(page)

    choice(page, "Cluster").select_option("PROD-B")
    expect(guests(page)).to_have_text("Nothing to show.")


def test_a_problem_leads_to_its_guests(open_report: OpenReport) -> None:
    page = open_report()
    link = page.locator("#problems").get_by_role("button", name="guests with not_avma: show them")
    count = int(link.inner_text().split()[0])
    link.click()
    expect(guests(page)).to_have_count(count)
    expect(choice(page, "Problem")).to_be_focused()
    expect(guests(page).first).to_contain_text("its key ending in VMK7H is of channel Volume:GVLK")


def test_the_code_of_a_problem_can_be_searched_for(open_report: OpenReport) -> None:
    page = open_report()
    link = page.locator("#problems").get_by_role("button", name="guests with not_avma: show them")
    count = int(link.inner_text().split()[0])
    assert 0 < count < guests(page).count()
    page.get_by_role("searchbox").first.fill("not_avma")
    expect(guests(page)).to_have_count(count)


def test_works_with_the_keyboard_alone(open_report: OpenReport, screenshot: Screenshot) -> None:
    page = open_report()
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the guests")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    search = page.locator("#guests").get_by_role("searchbox")
    expect(search).to_be_focused()
    page.keyboard.type("FILE003")
    expect(guests(page)).to_have_count(1)

    button = header(page, "Verdict").get_by_role("button")
    for _press in range(20):
        page.keyboard.press("Tab")
        if button.evaluate("(element) => element === document.activeElement"):
            break
    expect(button).to_be_focused()
    assert button.evaluate("(element) => getComputedStyle(element).outlineStyle") == "solid"
    screenshot(page)
    page.keyboard.press("Enter")
    expect(header(page, "Verdict")).to_have_attribute("aria-sort", "descending")
    page.keyboard.press("Space")
    expect(header(page, "Verdict")).to_have_attribute("aria-sort", "ascending")

    problem = guests(page).locator("summary")
    for _press in range(20):
        page.keyboard.press("Tab")
        if problem.evaluate("(element) => element === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(guests(page).get_by_text("Run the VM on a host of its release or a newer one.")).to_be_visible()


def test_failover_tells_why_a_node_would_not_activate(open_report: OpenReport, screenshot: Screenshot) -> None:
    page = open_report()
    cluster = page.locator("#failover .scroll").first
    rows = cluster.locator("tbody tr")
    gaps = rows.count()
    assert 0 < gaps < 60
    expect(cluster.locator("thead th")).to_have_text(["Guest", "HV01", "HV02", "HV03", "HV04"])
    for row in rows.all():
        expect(row.locator("td").nth(3)).to_contain_text("no")
    rows.first.locator("summary").click()
    expect(rows.first).to_contain_text("it activates 2012 R2, 2016, 2019, 2022, and the guest is Windows Server 2025")
    page.locator("#failover h3").first.scroll_into_view_if_needed()
    screenshot(page)
    page.get_by_label("Only guests that would lose it").first.uncheck()
    assert rows.count() > gaps


def test_history_shows_every_event_in_its_lane(open_report: OpenReport, screenshot: Screenshot) -> None:
    page = open_report()
    results = made.fleet(8, 120)
    history = page.locator("#history")
    history.scroll_into_view_if_needed()
    screenshot(page)
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        chart = history.locator(".scroll").first
        expect(chart.locator("svg")).to_be_visible()
        assert chart.evaluate("(chart) => chart.scrollWidth - chart.clientWidth") <= 0
    expect(history.locator("output")).to_contain_text("1 to 25 of")
    expect(history.get_by_role("button", name="Previous")).to_be_disabled()
    history.get_by_role("button", name="Next").click()
    expect(history.locator("output")).to_contain_text("26 to 50 of")

    history.get_by_label("Search").fill("SQL001")
    events = results["sql001"]["activation_event_info"]["events"]
    marks = history.locator(".scroll svg").locator("circle, path")
    expect(marks).to_have_count(len(events))
    positions = marks.evaluate_all("(marks) => marks.map((mark) => mark.getBoundingClientRect().x)")
    assert positions == sorted(positions, reverse=True)
    history.get_by_text("The same as a table").click()
    expect(history.locator("tbody tr")).to_have_count(len(events))

    history.get_by_label("Search").fill("")
    history.get_by_label("Only with failures").check()
    read = [result["activation_event_info"]["events"] for result in results.values() if "guest_info" in result]
    failed = sum(any(event["outcome"] != "success" for event in events) for events in read)
    expect(history.locator("output")).to_contain_text(f"of {failed} guests")
    choice(page, "Machines").select_option("hosts")
    expect(history.locator("svg .name").first).to_contain_text("HV01")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_meets_wcag_in_both_schemes(open_report: OpenReport, screenshot: Screenshot, scheme: str) -> None:
    page = open_report(made.fleet(4, 30, HOSTILE), color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((item) => { item.open = true; })")
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    found = Axe().run(page, options=options)
    screenshot(page)
    assert found.violations_count == 0, found.generate_report()
    checked = {rule["id"] for rule in found.response["passes"]}
    assert {"color-contrast", "label", "scope-attr-valid", "heading-order"} <= checked


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_and_controls_stand_out(open_report: OpenReport, scheme: str) -> None:
    """WCAG 1.4.11: three to one against what is beside them; no checker computes this."""
    page = open_report(color_scheme=scheme)
    colors = page.evaluate(
        """() => {
            const rgb = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
            const fill = (selector) => rgb(getComputedStyle(document.querySelector(selector)).fill);
            const panel = rgb(getComputedStyle(document.querySelector("section")).backgroundColor);
            return { panel, success: fill("svg .success"), failure: fill("svg .failure"), other: fill("svg .other"),
                     input: rgb(getComputedStyle(document.querySelector("input[type=search]")).borderTopColor) };
        }"""
    )
    panel = colors.pop("panel")
    assert {name: ratio for name, color in colors.items() if (ratio := contrast(color, panel)) < 3} == {}


def contrast(one: list[float], other: list[float]) -> float:
    """WCAG 2.2, "contrast ratio"."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: list[float]) -> float:
    channels = [value / 255 for value in color]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_prints_everything(open_report: OpenReport, screenshot: Screenshot) -> None:
    page = open_report(color_scheme="dark")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    screenshot(page)
    expect(page.get_by_role("navigation")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    frames = page.locator(".scroll.tall")
    assert (
        frames.evaluate_all("(frames) => frames.filter((frame) => frame.scrollHeight > frame.clientHeight).length") == 0
    )
    remedies = page.locator("#guests details p")
    assert remedies.count() > 0
    assert all(remedy.is_visible() for remedy in remedies.all())
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    expect(remedies.first).to_be_hidden()


def test_is_quick_with_ten_thousand_guests(open_report: OpenReport, screenshot: Screenshot) -> None:
    page = open_report(made.fleet(64, 10_000))
    timing = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    assert timing < 3000
    expect(page.locator("#guests output")).to_have_text("10,000 guests")
    made_rows = guests(page).count()
    assert made_rows < 1000
    milliseconds = page.evaluate(
        """() => {
            const search = document.querySelector("#guests input[type=search]");
            const time = (act) => {
                const begin = performance.now();
                act();
                document.body.getBoundingClientRect();
                return performance.now() - begin;
            };
            const type = (text) => { search.value = text; search.dispatchEvent(new Event("input")); };
            type("x");
            return [time(() => type("web")), time(() => type("web9996")), time(() => type(""))];
        }"""
    )
    assert max(milliseconds) < 300, milliseconds
    screenshot(page)


def test_rows_are_made_as_they_come_into_view(open_report: OpenReport) -> None:
    page = open_report(made.fleet(8, 700))
    header(page, "Guest").get_by_role("button").click()
    table = page.locator("#guests table")
    expect(table).to_have_attribute("aria-rowcount", "701")
    first = guests(page).count()
    assert first < 701
    # All of them, each once, with what scrolling comes to.
    page.wait_for_function(
        """() => {
            const frame = document.querySelector("#guests .scroll");
            frame.scrollIntoView();
            frame.scrollTop = frame.scrollHeight;
            return !document.querySelector("#guests tr.more");
        }"""
    )
    expect(guests(page)).to_have_count(700)
    assert len(set(column(page, NAME))) == 700
    header(page, "Guest").get_by_role("button").click()
    assert guests(page).count() < 700
    assert column(page, NAME)[0] > "WEB"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_shows_the_problems_without_scrolling_on_a_common_screen(
    open_report: OpenReport, screenshot: Screenshot, scheme: str
) -> None:
    page = open_report(color_scheme=scheme)
    page.set_viewport_size({"width": 1440, "height": 1000})
    screenshot(page)
    for frame in page.locator(".scroll.tall").all():
        assert frame.evaluate("(frame) => frame.scrollWidth - frame.clientWidth") <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_is_a_list_of_cards_on_a_phone(open_report: OpenReport, screenshot: Screenshot, scheme: str) -> None:
    page = open_report(color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    header_height = page.locator("header").evaluate("(header) => header.getBoundingClientRect().height")
    assert header_height < 120
    page.get_by_role("searchbox").first.fill("SQL001")
    row = guests(page).first
    row.scroll_into_view_if_needed()
    screenshot(page)
    expect(row.get_by_role("cell").first).to_be_visible()
    assert row.evaluate("(row) => row.getBoundingClientRect().width") <= 390
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    assert found.violations_count == 0, found.generate_report()


def test_charts_keep_their_size_on_a_phone(open_report: OpenReport) -> None:
    page = open_report()
    page.set_viewport_size({"width": 390, "height": 844})
    charts = page.locator(".scroll svg")
    expect(charts.first).to_be_visible()
    measured = charts.evaluate_all(
        """(charts) => charts.map((chart) => ({
            own: Number(chart.getAttribute("width")),
            shown: chart.getBoundingClientRect().width,
            scale: chart.getScreenCTM().a,
        }))"""
    )
    assert measured
    for chart in measured:
        assert chart["shown"] == chart["own"] > 250
        assert chart["scale"] == 1


def test_an_empty_report_says_so(open_report: OpenReport) -> None:
    page = open_report({"HV1": {"host_info": made.host("HV1"), "vm_info": {"vms": []}}})
    expect(guests(page)).to_have_text("Nothing to show.")
    expect(page.locator("#failover")).to_contain_text("No guest is on a failover cluster")
    expect(page.locator("#history")).to_contain_text("No events.")
