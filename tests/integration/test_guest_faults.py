"""A guest that works keeps its licence whatever goes wrong with its requests, and the next run ends well.

``tests/soak`` has every fault at every request; here each request meets one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from integration.conftest import RunPlaybook
from integration.playbooks import Run
from lab.client import Lab

MAK = "CVG3B-MPK6R-NXQ4D-8TYHW-2JF79"
#: What a request can meet, with its value.
EFFECTS: tuple[tuple[str, int | None], ...] = (
    ("cut", None),
    ("hresult", 0x80041001),
    ("malformed", None),
    # The operation timed out.
    ("wsman_fault", 2150858793),
    ("drop", None),
    ("status", 500),
    ("hresult", 0xC004F014),
    ("wrong_relates_to", None),
    ("status", 401),
    ("truncated", None),
    ("access_denied", None),
)
#: Name → the host, the guest, and how many requests the task makes without a fault.
PATHS: dict[str, tuple[str, dict[str, Any], int]] = {
    # It is activated.
    "RIGHT": ("HV", {"license": "kms", "activation": {"automatic": False}}, 15),
    # It fails, and the KMS client key is put back.
    "PUT-BACK": ("HV-UNLIC", {"license": "kms"}, 34),
    # The host is asked first, and refuses.
    "ASKED": ("HV-UNLIC", {"license": {"key": "avma", "release": "2019"}}, 22),
    # A MAK is noticed, and the AVMA key is put back.
    "NO-AVMA": (
        "HV",
        {"license": "avma", "activation": {"automatic": False}, "variables": {"key": MAK, "word": True}},
        19,
    ),
}
PLAY = """
- hosts: avma_guests
  gather_facts: false
  tasks:
    - hyperv.avma.guest_key:
        timeout: 3
        product_key: "{{ key | default(omit) }}"
        replace: "{{ word | default(false) }}"
"""
CLEAN = """
- hosts: avma_guests
  gather_facts: false
  tasks:
    - hyperv.avma.guest_key:
        timeout: 10
"""
CASES = {
    f"{path}-{request}": (path, request)
    for path, (_host, _guest, requests) in PATHS.items()
    for request in (0, *range(1, requests + 1))
}


def guest(name: str) -> dict[str, Any]:
    path, request = CASES[name]
    spec = {"name": name, **PATHS[path][1]}
    if request:
        effect, value = EFFECTS[request % len(EFFECTS)]
        spec["listener"] = {"faults": [{"match": {"nth": request}, "effect": effect, "value": value, "times": 1}]}
    return spec


TOPOLOGY = {
    "keys": [{"key": MAK, "release": "2022", "channel": "mak", "activations": 1}],
    "hosts": [
        {
            "name": host,
            "release": "2022",
            "license": "mak" if host == "HV" else "none",
            "guests": [guest(name) for name, (path, _request) in CASES.items() if PATHS[path][0] == host],
        }
        for host in ("HV", "HV-UNLIC")
    ],
}


@dataclass(frozen=True)
class Story:
    """The licences as the lab knows them, before and after each run."""

    before: Mapping[str, Any]
    faulty: Run
    counters: Mapping[str, Any]
    after: Mapping[str, Any]
    clean: Run
    at_last: Mapping[str, Any]
    spent: list[str]


@pytest.fixture(scope="module")
def story(run_playbook: RunPlaybook) -> Iterator[Story]:
    with Lab(TOPOLOGY) as lab:

        def licenses() -> dict[str, Any]:
            return {name: lab.machine(name)["license"] for name in CASES}

        before = licenses()
        lab.reset_counters()
        faulty = run_playbook(lab, PLAY, "--forks", "16", timeout=600)
        counters, after = lab.call("counters"), licenses()
        lab.clear_faults()
        lab.set("HV-UNLIC", "license", "mak")
        clean = run_playbook(lab, CLEAN, "--forks", "16", timeout=600)
        yield Story(before, faulty, counters, after, clean, licenses(), lab.keystore()[MAK[-5:]]["spent"])


@pytest.mark.wsman
@pytest.mark.parametrize("path", PATHS)
def test_every_request_of_a_path_has_its_case(story: Story, path: str) -> None:
    assert story.counters[f"{path}-0"]["operations"] == PATHS[path][2]


def test_a_licence_outlives_a_fault_at_any_request(story: Story) -> None:
    lost = {name: license["status"] for name, license in story.after.items() if license["status"] != "licensed"}
    assert lost == {}


@pytest.mark.parametrize("name", CASES)
def test_changed_is_what_changed(story: Story, name: str) -> None:
    result = story.faulty.of(name)
    fields = ("channel", "partial_product_key", "status", "host")
    changed = any(story.before[name][field] != story.after[name][field] for field in fields)
    # An AVMA key that was put back is activated anew, at another time.
    if CASES[name][0] == "NO-AVMA" and "InstallProductKey" in [
        call["method"] for call in story.counters[name]["writes"]
    ]:
        assert result["changed"] in (True, changed)
    else:
        assert result["changed"] is changed, result.result.get("msg")


def test_a_failure_says_what_failed(story: Story) -> None:
    for name in CASES:
        result = story.faulty.of(name)
        assert "Traceback" not in str(result.result)
        if result.status == "failed":
            assert result["problems"]
            assert result["msg"].startswith(f"{name}: ")


def test_the_next_run_ends_well(story: Story) -> None:
    assert {result.host: result["msg"] for result in story.clean.results if result.status != "ok"} == {}
    assert {(item["status"], item["partial_product_key"]) for item in story.at_last.values()} == {("licensed", "DV9BG")}


def test_no_mak_was_activated(story: Story) -> None:
    assert story.spent == []
