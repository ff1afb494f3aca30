"""Every licence that a guest can have, on every kind of host: what guest_key makes of it, and that nothing is lost on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from integration.conftest import RunPlaybook
from integration.playbooks import Run
from lab.client import Lab

#: Name → the licence that the guest starts with.
LICENSES: dict[str, Any] = {
    "MAK": "mak",
    "KMS": "kms",
    "KMSOLD": {"key": "kms", "release": "2019"},
    "KMSGRACE": {"key": "kms", "status": "out_of_box_grace"},
    "RETAIL": "retail",
    "OEM": "oem",
    "AVMA": "avma",
    "AVMAOLD": {"key": "avma", "release": "2019"},
    "CSVLK": "csvlk",
    "NONE": "none",
}
#: Name → the host, what its guests are beside their licence, and why it is known not to activate them, by the guest itself.
HOSTS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "RIGHT": ({"license": "mak"}, {}, ""),
    "STD": ({"edition": "standard", "license": "mak"}, {}, "host_not_datacenter"),
    "EVAL": ({"evaluation": True}, {}, "host_not_datacenter"),
    "UNLIC": ({}, {}, ""),
    "OLD": ({"release": "2019", "license": "mak"}, {}, ""),
    "NOCOMP": ({"license": "mak"}, {"activation_component": False}, "no_activation_component"),
    "DXOFF": ({"license": "mak"}, {"data_exchange": False}, "data_exchange_disabled"),
    "AZL": (
        {"release": "Azure Local 24H2", "edition": "azure_local", "azure_local": {"subscription": True}},
        {},
        "",
    ),
}
#: What becomes of a guest that is asked alone:
#: = it is right already      + its host activates it      R it is refused for its host      K its key works and is kept without a word
#: B both       ! it is a KMS host       < it fails, and its key is put back       ~ its host refuses before its key goes       - it fails
#: ^ it fails, and in the place of its key, which is of another release, the one of its own release is put back
ALONE = """
         RIGHT STD EVAL UNLIC OLD NOCOMP DXOFF AZL
MAK          K   B    B     K   K      B     B   K
KMS          +   R    R     <   <      R     R   +
KMSOLD       +   R    R     ^   ^      R     R   +
KMSGRACE     +   R    R     -   -      R     R   +
RETAIL       K   B    B     K   K      B     B   K
OEM          K   B    B     K   K      B     B   K
AVMA         =   =    =     =   =      =     =   =
AVMAOLD      +   R    R     ~   ~      R     R   +
CSVLK        !   !    !     !   !      !     !   !
NONE         +   R    R     -   -      R     R   +
"""
#: The same where the play says what the host knows of it.
TOLD = """
         RIGHT UNLIC OLD DXOFF
MAK          K     B   B     B
KMS          +     R   R     R
KMSGRACE     +     R   R     R
AVMA         =     =   =     =
AVMAOLD      +     R   R     R
CSVLK        !     !   !     !
NONE         +     R   R     R
"""
#: The same with activate: false. Q its key works, and would not be followed by one that does      q both
QUIET = """
         RIGHT STD UNLIC
MAK          K   B     K
KMS          Q   q     Q
AVMA         =   =     =
AVMAOLD      Q   q     Q
CSVLK        !   !     !
"""
#: What only the host knows of its guests, by host.
ONLY_THE_HOST = {"UNLIC": "host_not_licensed", "OLD": "host_release_too_old"}

READ_HOSTS = """
- hosts: avma_hosts
  gather_facts: false
  tasks:
    - hyperv.avma.vm_info:
      register: host
"""
PLAY = """
- hosts: "{{ only | default('avma_guests') }}"
  gather_facts: false
  tasks:
    - name: Activate
      hyperv.avma.guest_key:
        timeout: 5
        replace: "{{ word | default(false) }}"
        activate: "{{ activate }}"
        vm: "{{ (hostvars[on].host.vms | selectattr('name', 'eq', inventory_hostname) | first) if told else omit }}"
"""


@dataclass(frozen=True)
class Cell:
    guest: str
    license: str
    host: str
    told: bool
    activate: bool
    end: str

    @property
    def of_host(self) -> str:
        """Why its host does not activate it."""
        return HOSTS[self.host][2] or ONLY_THE_HOST.get(self.host, "")

    @property
    def codes(self) -> list[str]:
        return {
            "=": [],
            "+": [],
            "R": [self.of_host],
            "K": ["licensed_by_other_key"],
            "B": [self.of_host, "licensed_by_other_key"],
            "Q": ["activation_would_be_lost"],
            "q": [self.of_host, "activation_would_be_lost"],
            "!": ["kms_host"],
            "<": [self.of_host, "former_key_put_back"],
            "^": [self.of_host, "former_key_put_back"],
            "~": [self.of_host],
            "-": [self.of_host],
        }[self.end]


def cells(grid: str, prefix: str = "", told: bool = False, activate: bool = True) -> Iterator[Cell]:
    hosts, *rows = (line.split() for line in grid.strip().splitlines())
    for license, *ends in rows:
        for host, end in zip(hosts, ends, strict=True):
            yield Cell(f"{prefix}{license}-{host}", license, host, told, activate, end)


CELLS = {
    cell.guest: cell
    for cell in (*cells(ALONE), *cells(TOLD, "TOLD-", told=True), *cells(QUIET, "QUIET-", activate=False))
}


def topology() -> dict[str, Any]:
    def guest(cell: Cell) -> dict[str, Any]:
        variables = {"on": f"HV-{cell.host}", "told": cell.told, "activate": cell.activate}
        return {"name": cell.guest, "license": LICENSES[cell.license], "variables": variables, **HOSTS[cell.host][1]}

    return {
        "hosts": [
            {"name": f"HV-{name}", **spec, "guests": [guest(cell) for cell in CELLS.values() if cell.host == name]}
            for name, (spec, _guests, _code) in HOSTS.items()
        ]
    }


@dataclass(frozen=True)
class Story:
    """The licences as the lab knows them, before and after each run."""

    before: Mapping[str, Any]
    check: Run
    checked: Mapping[str, Any]
    real: Run
    after: Mapping[str, Any]
    word: Run
    at_last: Mapping[str, Any]
    writes_of_check: Mapping[str, Any]
    keys: Mapping[str, Any]
    keys_before: Mapping[str, Any]


@pytest.fixture(scope="module")
def story(run_playbook: RunPlaybook) -> Iterator[Story]:
    with Lab(topology()) as lab:

        def licenses() -> dict[str, Any]:
            return {name: lab.machine(name)["license"] for name in CELLS}

        def run(*arguments: str) -> Run:
            return run_playbook(lab, READ_HOSTS + PLAY, "--forks", "16", *arguments, timeout=600)

        before, keys_before = licenses(), lab.keystore()
        lab.reset_counters()
        check = run("--check", "--diff")
        writes, checked = lab.writes(), licenses()
        real = run("--diff")
        after = licenses()
        word = run("-e", "{word: true, only: 'MAK-*:TOLD-MAK-*'}")
        yield Story(before, check, checked, real, after, word, licenses(), writes, lab.keystore(), keys_before)


def codes(run: Run, guest: str) -> list[str]:
    return [problem["code"] for problem in run.of(guest, "Activate")["problems"]]


@pytest.mark.parametrize("guest", CELLS)
def test_what_becomes_of_a_guest(story: Story, guest: str) -> None:
    cell, result = CELLS[guest], story.real.of(guest, "Activate")
    before, after = story.before[guest], story.after[guest]
    assert codes(story.real, guest) == cell.codes
    assert result.status == ("ok" if cell.end in "=+" else "failed")
    if cell.end == "+":
        assert (after["status"], after["channel"], after["partial_product_key"]) == ("licensed", "VT:IA", "DV9BG")
    elif cell.end == "^":
        assert (after["status"], after["channel"], after["partial_product_key"]) == ("licensed", "Volume:GVLK", "6VM33")
    elif cell.end == "-":
        assert (after["status"], after["channel"], after["partial_product_key"]) == ("notification", "VT:IA", "DV9BG")
    else:
        assert after == before
    assert result["changed"] is (cell.end in "+-^")
    # What the task says is what is so.
    license = result["license"] or dict.fromkeys(after)
    assert {name: license[name] for name in ("status", "channel", "partial_product_key")} == {
        name: after[name] for name in ("status", "channel", "partial_product_key")
    }


def test_no_licensed_guest_ends_unlicensed(story: Story) -> None:
    lost = [
        guest
        for guest in CELLS
        if story.before[guest]["status"] == "licensed" and story.after[guest]["status"] != "licensed"
    ]
    assert lost == []


@pytest.mark.parametrize("guest", [guest for guest, cell in CELLS.items() if cell.end not in "<^~-"])
def test_check_mode_says_the_same(story: Story, guest: str) -> None:
    """But for what only the host knows, and nobody asked it."""
    predicted, real = story.check.of(guest, "Activate"), story.real.of(guest, "Activate")
    assert predicted.status == real.status
    assert predicted["changed"] is real["changed"]
    assert predicted["problems"] == real["problems"]
    assert ("diff" in predicted.result) is ("diff" in real.result)
    if "diff" in predicted.result:
        for value in ("partial_product_key", "channel", "status"):
            assert predicted["diff"]["after"][value] == real["diff"]["after"][value]


def test_check_mode_changes_nothing(story: Story) -> None:
    assert story.writes_of_check == {}
    assert story.checked == story.before


@pytest.mark.parametrize("guest", [guest for guest, cell in CELLS.items() if cell.license == "MAK" and cell.activate])
def test_on_the_users_word_a_key_goes_where_the_host_may_activate_the_guest(story: Story, guest: str) -> None:
    cell, result = CELLS[guest], story.word.of(guest, "Activate")
    after = story.at_last[guest]
    if cell.end == "B":
        assert codes(story.word, guest) == [cell.of_host]
        assert after == story.before[guest]
        assert result["changed"] is False
    elif cell.host in ("RIGHT", "AZL"):
        assert result.status == "ok"
        assert (after["status"], after["channel"]) == ("licensed", "VT:IA")
        assert story.before[guest]["partial_product_key"] in result["msg"]
        assert result["former_license"]["channel"] == "Volume:MAK"
    else:
        assert codes(story.word, guest) == [cell.of_host, "former_key_gone"]
        assert story.before[guest]["partial_product_key"] in result["msg"]
        assert result["changed"] is True


def test_no_key_was_spent(story: Story) -> None:
    assert story.keys == story.keys_before
