"""Every kind of guest through guest_key: in check mode, for real, again, and as guest_info sees it afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.conftest import RunPlaybook
from integration.playbooks import Run, TaskResult
from lab.client import Lab
from returns import undocumented

TOPOLOGY = Path(__file__).resolve().parents[1] / "lab" / "topologies" / "guests.yml"
PLAY = """
- hosts: avma_guests
  gather_facts: false
  tasks:
    - hyperv.avma.guest_key:
        timeout: 20
"""
INFO = """
- hosts: avma_guests
  gather_facts: false
  tasks:
    - hyperv.avma.guest_info:
"""

#: The last five of the AVMA key that each guest must end with (AVMA-doc, "AVMA keys").
KEYS = {
    "R2012R2-DC": "DV4TW",
    "R2012R2-STD": "MTB6V",
    "R2012R2-ESS": "P36R2",
    "R2012R2-CORE": "DV4TW",
    "R2016-DC": "CWG3J",
    "R2016-STD": "4RHYD",
    "R2016-ESS": "MHBKQ",
    "R2016-CORE": "CWG3J",
    "R2019-DC": "WMBMW",
    "R2019-STD": "4GF74",
    "R2019-ESS": "HFV28",
    "R2019-CORE": "4GF74",
    "R2019-CORE12": "WMBMW",
    "R2019-CORE13": "4GF74",
    "R2022-DC": "DV9BG",
    "R2022-STD": "78VHK",
    "R2022-CORE": "DV9BG",
    "R2022-AZURE": "VMK3J",
    "R2022-AZURE-CORE": "VMK3J",
    "R2025-DC": "VCH67",
    "R2025-STD": "9HPQ4",
    "R2025-CORE": "9HPQ4",
    "R2025-AZURE": "88J4F",
    "AZL-2016": "CWG3J",
    "SAC1709": "CWG3J",
    "SAC1803": "4RHYD",
    "SAC1809": "WMBMW",
    "SAC1903": "WMBMW",
    "SAC1909": "4GF74",
    "JUST-RIGHT": "WMBMW",
    "GERMAN": "WMBMW",
    **dict.fromkeys(
        [
            *("START-KMS", "START-KMS-GRACE", "START-MAK-UNLICENSED"),
            *("START-AVMA", "START-AVMA-IDLE", "START-AVMA-OLD", "START-AVMA-ELSEWHERE"),
            *("SLOW", "MANUAL", "THROTTLED", "IN-PROGRESS"),
            *("JAPANESE", "PAGING", "NO-OPTIMIZE", "NO-OPTIMIZE-PAGING", "SHUFFLED", "WSMAN-FAULTS", "TLS-BASIC"),
            *("ODD-NAME", "BIG-LOG"),
        ],
        "DV9BG",
    ),
}
ALREADY_RIGHT = {"START-AVMA", "START-AVMA-ELSEWHERE"}
#: Guests that must not be written to, and why.
REFUSED = {
    "R2012": "no_avma_key_for_release",
    "SAC2004": "no_avma_key_for_release",
    "SAC20H2": "no_avma_key_for_release",
    "ANNUAL23H2": "no_avma_key_for_release",
    "EVAL-2019": "evaluation_edition",
    "EVAL-2022-CORE": "evaluation_edition",
    "WIN10": "no_avma_key_for_edition",
    "WIN11": "no_avma_key_for_edition",
    "ON-VMWARE": "not_a_hyper_v_guest",
    "ON-METAL": "not_a_hyper_v_guest",
    "IN-AZURE": "not_a_hyper_v_guest",
    "SPP-DISABLED": "wmi_error",
    "HOST-STANDARD": "host_not_datacenter",
    "NO-DATA-EXCHANGE": "data_exchange_disabled",
    "NO-COMPONENT": "no_activation_component",
    **dict.fromkeys(["START-MAK", "START-RETAIL", "START-OEM"], "licensed_by_other_key"),
}
#: Guests that work with a key of their own: what is wrong with them is not that it cannot be replaced.
OWN_KEY = {"START-MAK", "START-RETAIL", "START-OEM"}
#: Guests that take the key and cannot be activated: problem code and HRESULT.
NOT_ACTIVATED = {
    "TOO-NEW": ("host_release_too_old", "0xC004FD03"),
    "HOST-UNLICENSED": ("host_not_licensed", "0xC004FD02"),
}
#: What makes a guest need more requests than others.
TALKATIVE = {"SLOW", "THROTTLED", "IN-PROGRESS", "NO-OPTIMIZE", "NO-OPTIMIZE-PAGING"}


@dataclass(frozen=True)
class Chapter:
    """A run, and what of it reached each machine."""

    run: Run
    counters: dict[str, Any]

    def of(self, guest: str) -> TaskResult:
        return self.run.of(guest)

    def writes(self, guest: str) -> list[str]:
        """The method calls that may change something. The registry is read by methods too."""
        return [invoke["method"] for invoke in self.counters[guest]["writes"]]


@dataclass(frozen=True)
class Story:
    lab: Lab
    check: Chapter
    real: Chapter
    again: Chapter
    info: Chapter


@pytest.fixture(scope="module")
def story(run_playbook: RunPlaybook) -> Iterator[Story]:
    with Lab(TOPOLOGY) as lab:

        def chapter(playbook: str, *arguments: str) -> Chapter:
            lab.reset_counters()
            run = run_playbook(lab, playbook, *arguments)
            return Chapter(run, lab.call("counters"))

        yield Story(
            lab,
            check=chapter(PLAY, "--check", "--diff"),
            real=chapter(PLAY, "--diff"),
            again=chapter(PLAY),
            info=chapter(INFO),
        )


def test_the_table_names_every_guest_of_the_topology(story: Story) -> None:
    assert story.real.run.hosts() == sorted([*KEYS, *REFUSED, *NOT_ACTIVATED])


@pytest.mark.parametrize("guest", sorted(KEYS))
def test_guest_ends_with_its_key_activated_by_its_host(story: Story, guest: str) -> None:
    result = story.real.of(guest)
    elsewhere = guest == "START-AVMA-ELSEWHERE"
    host = "HV-GONE.lab.example" if elsewhere else f"{story.lab.machine(guest)['host']}.lab.example"

    assert result.status == "ok"
    assert result["changed"] is (guest not in ALREADY_RIGHT)
    assert result["problems"] == []
    assert result["license"]["partial_product_key"] == KEYS[guest]
    assert result["license"]["status"] == "licensed"
    assert result["license"]["avma"] is True
    assert result["license"]["channel"] == "VT:IA"
    assert result["activation"]["host"] == host
    assert result["activation"]["time"].endswith("Z")
    assert story.lab.machine(guest)["license"] == {
        "status": "licensed",
        "reason": result["license"]["reason"],
        "channel": "VT:IA",
        "partial_product_key": KEYS[guest],
        "host": host,
    }


@pytest.mark.parametrize("guest", sorted(REFUSED))
def test_refused_guest_is_not_written_to(story: Story, guest: str) -> None:
    for chapter in (story.check, story.real, story.again):
        result = chapter.of(guest)
        assert result.status == "failed"
        assert result["problems"][0]["code"] == REFUSED[guest]
        assert result["changed"] is False
        assert result["msg"].startswith(f"{guest}: {result['problems'][0]['message']}")
        assert result["problems"][0]["remedy"] in result["msg"]
        assert chapter.writes(guest) == []


@pytest.mark.parametrize("guest", sorted(NOT_ACTIVATED))
def test_guest_that_its_host_does_not_activate_says_why(story: Story, guest: str) -> None:
    code, hresult = NOT_ACTIVATED[guest]
    result = story.real.of(guest)
    assert result.status == "failed"
    # The key was replaced, and so the task changed something although it failed.
    assert result["changed"] is True
    assert result["license"]["partial_product_key"] == "DV9BG"
    assert result["activation"] is None
    assert (result["problems"][0]["code"], result["problems"][0]["hresult"]) == (code, hresult)
    assert hresult in result["msg"]
    assert result["problems"][0]["remedy"] in result["msg"]
    assert result["hypervisor"]["host"] == story.lab.machine(guest)["host"]
    assert result["events"][0]["id"] == 12309
    assert result["events"][0]["hresult"] == hresult
    assert result["hypervisor"]["activation_component"] is True


def test_a_failed_activation_is_tried_again_without_installing_the_key_again(story: Story) -> None:
    for guest, (code, _hresult) in NOT_ACTIVATED.items():
        assert story.again.of(guest)["problems"][0]["code"] == code
        assert "InstallProductKey" in story.real.writes(guest)
        assert story.again.writes(guest) == ["Activate"]


def test_check_mode_calls_no_method_that_may_change_something(story: Story) -> None:
    assert {name: report["writes"] for name, report in story.check.counters.items() if report["writes"]} == {}


@pytest.mark.parametrize("guest", sorted(KEYS))
def test_check_mode_tells_what_the_real_run_does(story: Story, guest: str) -> None:
    predicted, real = story.check.of(guest), story.real.of(guest)
    assert predicted.status == real.status
    assert predicted["changed"] is real["changed"]
    assert predicted["system"] == real["system"]
    assert ("diff" in predicted.result) is real["changed"]
    if real["changed"]:
        before, after = predicted["diff"]["before"], predicted["diff"]["after"]
        assert before == real["diff"]["before"]
        for value in ("partial_product_key", "channel", "status"):
            assert after[value] == real["diff"]["after"][value]


def test_second_run_changes_nothing_and_calls_no_method(story: Story) -> None:
    for guest in KEYS:
        assert story.again.of(guest).status == "ok"
        assert story.again.of(guest)["changed"] is False
        assert story.again.writes(guest) == []
    assert [guest for guest in NOT_ACTIVATED if story.again.of(guest)["changed"]] == []
    assert story.again.run.changed() == 0


@pytest.mark.wsman
def test_wire_budget_of_an_activation(story: Story) -> None:
    activated = set(KEYS) - ALREADY_RIGHT - TALKATIVE
    reports = {guest: story.real.counters[guest] for guest in activated}
    assert {guest: report["operations"] for guest, report in reports.items() if report["operations"] > 16} == {}
    assert {
        guest: report["wire_received"] for guest, report in reports.items() if report["wire_received"] > 32_000
    } == {}
    assert all(report["requests"]["Invoke"] > 0 for report in reports.values())


@pytest.mark.wsman
def test_wire_budget_of_a_guest_that_is_already_right(story: Story) -> None:
    reports = {guest: story.again.counters[guest] for guest in set(KEYS) - TALKATIVE}
    assert {guest: report["operations"] for guest, report in reports.items() if report["operations"] > 2} == {}
    assert {
        guest: report["wire_received"] for guest, report in reports.items() if report["wire_received"] > 5_000
    } == {}
    assert all(report["requests"]["Enumerate"] > 0 for report in reports.values())


@pytest.mark.wsman
def test_no_shell_is_opened_and_nothing_is_left_open(story: Story) -> None:
    for chapter in (story.check, story.real, story.again, story.info):
        kinds = {kind for report in chapter.counters.values() for kind in report["requests"]}
        assert kinds <= {"Authentication", "Enumerate", "Pull", "Release", "Invoke"}
        assert {name for name, report in chapter.counters.items() if report["open_enumerations"]} == set()
        assert {name for name, report in chapter.counters.items() if report["command_lines"]} == set()


def test_retryable_codes_are_tried_again_within_the_timeout(story: Story) -> None:
    for guest in ("THROTTLED", "IN-PROGRESS"):
        assert story.real.writes(guest).count("Activate") == 3


def test_diff_shows_the_last_five_only(story: Story) -> None:
    shown = story.real.run.stdout + story.check.run.stdout
    assert '"partial_product_key": "DV9BG"' in shown
    assert "W3GNR-8DDXR" not in shown


def test_results_hold_nothing_that_is_not_documented(story: Story) -> None:
    ansibles_own = {"changed", "failed", "msg", "diff", "exception"}
    for module, chapter in (("guest_key", story.real), ("guest_key", story.check), ("guest_info", story.info)):
        documented = yaml.safe_load(import_module(f"ansible_collections.hyperv.avma.plugins.modules.{module}").RETURN)
        for result in chapter.run.results:
            values = {name: value for name, value in result.result.items() if not name.startswith("_ansible")}
            assert undocumented(values, documented) - ansibles_own == set(), result.host


def test_no_traceback(story: Story) -> None:
    for chapter in (story.check, story.real, story.again, story.info):
        assert "Traceback" not in chapter.run.stdout
        assert "Errno" not in chapter.run.stdout


@pytest.mark.parametrize("guest", sorted(KEYS))
def test_guest_info_of_an_activated_guest(story: Story, guest: str) -> None:
    before, info = story.real.of(guest), story.info.of(guest)["guest"]
    assert info["problems"] == []
    # Whether it is Server Core is told by a request that guest_key can do without.
    assert {**info["system"], "core": None} == {**before["system"], "core": None}
    assert info["system"]["core"] is bool(before["system"]["core"])
    assert info["activation"] == before["activation"]
    assert info["license"] == before["license"]
    assert info["hypervisor"]["host"] == story.lab.machine(guest)["host"]
    assert info["hypervisor"]["vm_id"] == story.lab.machine(guest)["vm_id"]
    assert info["hypervisor"]["vm_name"] == story.lab.machine(guest)["vm_name"]
    assert info["hypervisor"]["activation_component"] is True
    if guest not in ALREADY_RIGHT:
        assert {event["id"] for event in info["events"]} == {12309}
        assert info["events"][0]["outcome"] == "success"
        assert info["events"][0]["symbol"] == "S_OK"


def test_guest_info_tells_the_problem_of_a_guest(story: Story) -> None:
    for guest, code in REFUSED.items():
        result = story.info.of(guest)
        if guest == "SPP-DISABLED":
            assert result.status == "failed"
            assert result["problems"][0]["hresult"] == "0x80070422"
        else:
            assert result.status == "ok"
            found = [problem["code"] for problem in result["guest"]["problems"]]
            assert ("not_avma" if guest in OWN_KEY else code) in found
            if code == "not_a_hyper_v_guest":
                assert found == [code]
            # Nobody is told to run what would refuse the guest.
            text = str(result["guest"]["problems"])
            assert "guest_key" not in text or "replace: true" in text
    for guest in NOT_ACTIVATED:
        assert "not_activated" in [problem["code"] for problem in story.info.of(guest)["guest"]["problems"]]
    assert story.info.run.changed() == 0


def test_guest_info_calls_only_methods_that_read(story: Story) -> None:
    assert {name for name, report in story.info.counters.items() if report["writes"]} == set()
