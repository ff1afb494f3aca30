"""guest_kvp: the key-value pairs that a guest offers to its host."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integration.playbooks import Run
from lab.client import Lab

POOL = {"AvmaHost": "HV9", "Owner": "it's \\ <web> & {{ 7 * 7 }}", "Sööß": "", "Parameters": "a value, not the key"}
PARAMETERS = r"SOFTWARE\Microsoft\Virtual Machine\Guest\Parameters"


@pytest.fixture
def lab() -> Iterator[Lab]:
    guests = [{"name": "G1", "kvp": POOL}, {"name": "EMPTY"}]
    with Lab({"hosts": [{"name": "HV1", "license": "mak", "guests": guests}]}) as lab:
        yield lab


@pytest.fixture
def kvp(lab: Lab, run_playbook: Callable[..., Run]) -> Callable[..., Any]:
    """``kvp(host, *arguments, **options)``: the result of the module."""

    def run(host: str, *arguments: str, **options: Any) -> Any:
        lab.reset_counters()
        play = f"- hosts: {host}\n  gather_facts: false\n  tasks:\n    - hyperv.avma.guest_kvp: {json.dumps(options)}\n"
        return run_playbook(lab, play, *arguments).of(host)

    return run


def host_sees(kvp_of: Callable[..., Any]) -> Any:
    return kvp_of("G1")["kvp"]


def test_reads_the_pool_and_writes_nothing(lab: Lab, kvp: Callable[..., Any]) -> None:
    result = kvp("G1")
    assert result["kvp"] == POOL
    assert (result["changed"], result["removed"]) == (False, [])
    assert kvp("EMPTY")["kvp"] == {}
    assert lab.writes() == {}


def test_removes_what_is_named_and_nothing_else(lab: Lab, kvp: Callable[..., Any]) -> None:
    wanted = {"remove": ["avmahost", "Owner", "not there"]}
    left = {name: POOL[name] for name in ("Sööß", "Parameters")}

    predicted = kvp("G1", "--check", "--diff", **wanted)
    assert lab.writes() == {}
    assert host_sees(kvp) == POOL

    done = kvp("G1", "--diff", **wanted)
    assert [write["arguments"]["sValueName"] for write in lab.writes()["G1"]] == ["AvmaHost", "Owner"]
    for result in (predicted, done):
        assert result["changed"]
        assert (result["removed"], result["kvp"]) == (["AvmaHost", "Owner"], left)
        assert result["diff"] == {"before": POOL, "after": left}
    assert host_sees(kvp) == left

    again = kvp("G1", **wanted)
    assert (again["changed"], again["removed"]) == (False, [])
    assert lab.writes() == {}


def test_what_the_host_writes_is_out_of_reach(lab: Lab, kvp: Callable[..., Any]) -> None:
    result = kvp("G1", remove=["Parameters", r"Parameters\HostName", "HostName", ""])
    assert result["removed"] == ["Parameters"]
    writes = lab.writes()["G1"]
    assert {write["arguments"]["sSubKeyName"] for write in writes} == {PARAMETERS.rpartition("\\")[0]}


def test_refusal_is_told_in_plain_words(lab: Lab, kvp: Callable[..., Any]) -> None:
    lab.fault("G1", "access_denied", match={"operation": "Invoke", "method": "DeleteValue"})
    result = kvp("G1", remove=["AvmaHost"])
    assert result.status == "failed"
    assert result["problems"][0]["code"] == "access_denied"
    assert host_sees(kvp) == POOL
