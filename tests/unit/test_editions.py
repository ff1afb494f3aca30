"""Which edition an evaluation is converted to, and what DISM says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.editions import (
    Aftermath,
    Target,
    choose_target,
    read_conversion,
    read_edition_ids,
)
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.problems import Problem
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.releases import identify_system
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.spelling import Named, read_edition
from hypothesis import given
from hypothesis import strategies as st

#: Of public transcripts; the German one as far as its words are known, the Chinese one from a forum.
OUTPUTS = {
    "English": """
Deployment Image Servicing and Management tool
Version: 10.0.20348.681

Image Version: 10.0.20348.169

Editions that can be upgraded to:

Target Edition : ServerStandard
Target Edition : ServerDatacenter

The operation completed successfully.
""",
    "German": "Tool zur Imageverwaltung für die Bereitstellung\nZieledition : ServerStandard \nZieledition : ServerDatacenter\nFertig.\n",
    "Chinese": "部署映像服务和管理工具\r\n\r\n目标版本:ServerStandard\r\n目标版本 : ServerDatacenter\r\n\r\n操作成功完成。\r\n",
}


@pytest.mark.parametrize("language", OUTPUTS)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_editions_are_read_by_their_ids(language: str, newline: str) -> None:
    output = OUTPUTS[language].replace("\r\n", "\n").replace("\n", newline)
    assert read_edition_ids(output) == ["ServerStandard", "ServerDatacenter"]


def test_no_edition_is_read_where_there_is_none() -> None:
    assert read_edition_ids("The current edition cannot be upgraded to any target editions.\r\n") == []


DESKTOP, CORE = ("ServerStandard", "ServerDatacenter"), ("ServerDatacenterCor",)


@pytest.mark.parametrize(
    ("build", "sku", "core", "offered", "wish", "expected"),
    [
        (20348, 79, False, DESKTOP, None, ("ServerStandard", "VDYBN-27WPP-V4HQT-9VMD4-VMK7H")),
        (20348, 79, False, DESKTOP, "Datacenter", ("ServerDatacenter", "WX4NM-KYWYW-QJJR4-XV3QB-6VM33")),
        (14393, 80, False, DESKTOP[1:], None, ("ServerDatacenter", "CB7KF-BWN84-R7R2Y-793K2-8XDDG")),
        (17763, 159, True, CORE, None, ("ServerDatacenterCor", "WMDGN-G9PQG-XVVXX-R3X43-63DFG")),
        (26100, 160, True, CORE, "ServerDatacenterCor", ("ServerDatacenterCor", "D764K-2NDRG-47T6Q-P8T8W-YP6DF")),
        (9600, 79, False, DESKTOP, None, ("ServerStandard", "D2N9P-3P6X9-2R39C-7RTCD-MDVJX")),
        # Where the machine does not tell, the ids do.
        (26100, 79, None, DESKTOP, None, ("ServerStandard", "TVRH6-WHNXV-R9WG3-9XRFY-MY832")),
        (26100, 160, True, CORE, None, "edition_not_offered"),
        (26100, 80, False, DESKTOP[1:], "Standard", "edition_not_offered"),
        (26100, 79, False, (), None, "no_target_edition"),
        (26100, 79, False, CORE, None, "no_target_edition"),
        (26100, 79, False, ("ServerRdsh", "Professional"), None, "no_target_edition"),
        (26100, 79, False, ("ServerDatacenterEval",), None, "no_target_edition"),
        (26100, 79, False, DESKTOP, "Standard Core", "installation_type_fixed"),
        (26100, 160, True, CORE, "Datacenter (Desktop Experience)", "installation_type_fixed"),
        (29500, 79, False, DESKTOP, None, "no_kms_client_key"),
    ],
)
def test_to_what_it_is_converted(
    build: int, sku: int, core: bool | None, offered: tuple[str, ...], wish: str | None, expected: object
) -> None:
    system = identify_system(build, sku).installed_as({True: "Server Core", False: "Server"}.get(core))  # type: ignore[arg-type]
    chosen = choose_target(system, offered, read_edition(wish) if wish else Named())
    found = (chosen.edition_id, chosen.product_key) if isinstance(chosen, Target) else chosen.code
    assert found == expected


@given(st.lists(st.text(max_size=30)), st.sampled_from([79, 80, 159, 160, None]), st.booleans())
def test_only_what_is_offered_is_taken(offered: list[str], sku: int | None, core: bool) -> None:
    system = identify_system(20348, sku).installed_as("Server Core" if core else "Server")
    chosen = choose_target(system, offered, Named())
    assert isinstance(chosen, Problem) or chosen.edition_id in offered


BOOTED = datetime(2026, 11, 25, 10, 41, 1, tzinfo=UTC)
HEAD = "conversion 2026-11-25T10:41:01+00:00 ServerStandard\r\n\r\nDeployment Image Servicing and Management tool\r\n"
BAR = (
    "\r[===                        5.0%                          ] \r[======================== 62,5%                ] "
)


@pytest.mark.parametrize(
    ("log", "exit_code", "percent", "last"),
    [
        (HEAD, None, None, "Deployment Image Servicing and Management tool"),
        (HEAD + BAR, None, 62.5, "[======================== 62,5%                ]"),
        (
            f"{HEAD}{BAR}\r\nThe operation completed successfully.\r\nended 3010\r\n",
            3010,
            62.5,
            "The operation completed successfully.",
        ),
        (
            f"{HEAD}\r\nError: 1168\r\n\r\nThe DISM log file can be found at C:\\x\r\nended 1168\r\n",
            1168,
            None,
            "Error: 1168",
        ),
        (
            f"{HEAD}\r\nFehler: 0xc004f069\r\n\r\nDie Datei ...\r\nended -1073418135\r\n",
            0xC004F069,
            None,
            "Fehler: 0xc004f069",
        ),
    ],
)
def test_what_dism_says_of_a_conversion(log: str, exit_code: int | None, percent: float | None, last: str) -> None:
    conversion = read_conversion(log)
    assert conversion
    assert (conversion.booted, conversion.edition_id) == (BOOTED, "ServerStandard")
    assert (conversion.exit_code, conversion.percent, conversion.last_line) == (exit_code, percent, last)
    assert conversion.succeeded is (exit_code == 3010)


@pytest.mark.parametrize("log", ["", "\r\n", "something else", "conversion", "conversion x Professional"])
def test_what_is_no_log_of_a_conversion(log: str) -> None:
    assert read_conversion(log) is None


@given(st.text())
def test_no_log_is_beyond_it(text: str) -> None:
    read_conversion(text)
    read_conversion(HEAD + text)
    read_edition_ids(text)


@pytest.mark.parametrize(("seconds", "same"), [(0, True), (20, True), (-20, True), (61, False), (3600, False)])
def test_a_conversion_belongs_to_a_boot(seconds: int, same: bool) -> None:
    conversion = read_conversion(HEAD)
    assert conversion
    assert conversion.is_of(BOOTED + timedelta(seconds=seconds)) is same
    assert not conversion.is_of(None)


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("ended 1168", "DISM ended with 1168"),
        ("ended -1073418135", "DISM ended with 0xC004F069 (the product SKU of the key is not found)"),
        ("", "DISM was ended before it was done."),
    ],
)
def test_a_failure_says_what_dism_said(end: str, words: str) -> None:
    conversion = read_conversion(HEAD + end)
    assert conversion
    assert words in conversion.failure().message
    assert conversion.failure().code == "dism_failed"


FIRST, SECOND = BOOTED, BOOTED + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("readings", "final"),
    [
        # When, since which boot, and whether the machine waits for a restart; or only when, if it did not answer.
        ([(0, FIRST, False)], False),
        ([(0, FIRST, False), (299, FIRST, False)], False),
        ([(0, FIRST, False), (300, FIRST, False)], True),
        ([(0, FIRST, True), (3000, FIRST, True)], False),
        ([(0, FIRST, True), (300, FIRST, False), (400, FIRST, False)], False),
        ([(0, FIRST, False), (200, FIRST, True), (400, FIRST, False), (600, FIRST, False)], False),
        ([(0, FIRST, False), (310, SECOND, False)], False),
        ([(0, FIRST, False), (310, SECOND, False), (610, SECOND, False)], True),
        ([(0, FIRST, False), (200,), (400, FIRST, False)], False),
    ],
)
def test_a_former_edition_is_the_last_word_only_of_a_machine_that_is_at_rest(readings: list[Any], final: bool) -> None:
    aftermath = Aftermath(300)
    said = False
    for reading in readings:
        if len(reading) == 1:
            aftermath.lose()
        else:
            now, booted, pending = reading
            said = aftermath.is_final(now, booted, pending=pending)
    assert said is final
