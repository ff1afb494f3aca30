"""activation_event_info: which activations a host and its guests have logged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from integration.playbooks import Run
from lab.client import Lab

TOPOLOGY = {
    "hosts": [
        {
            "name": "HV1",
            "release": "2022",
            "license": "mak",
            "language": "de-DE",
            "guests": [
                {"name": "G2022", "release": "2022"},
                {"name": "G2019", "release": "2019"},
                {"name": "G2025", "release": "2025"},
                {"name": "PAGING", "listener": {"page_size": 1, "optimize_enumeration": False}},
            ],
        },
        {"name": "BIG", "license": "mak", "old_events": 100_000, "guests": [{"name": "G2022-BIG"}]},
    ]
}
ACTIVATE = """
- hosts: avma_guests
  gather_facts: false
  tasks:
    - hyperv.avma.guest_key:
        timeout: 1
      ignore_errors: true
"""


@pytest.fixture(scope="module")
def lab(run_playbook: Callable[..., Run]) -> Iterator[Lab]:
    with Lab(TOPOLOGY) as lab:
        run_playbook(lab, ACTIVATE)
        lab.reset_counters()
        yield lab


@pytest.fixture
def events(lab: Lab, run_playbook: Callable[..., Run]) -> Callable[..., Any]:
    """``events(host, **options)``: the result of the module."""

    def read(host: str, **options: Any) -> Any:
        lab.reset_counters()
        play = f"- hosts: {host}\n  gather_facts: false\n  tasks:\n    - hyperv.avma.activation_event_info: {json.dumps(options)}\n"
        return run_playbook(lab, play).of(host)

    return read


def moment(text: str, **later: int) -> str:
    return (datetime.fromisoformat(text) + timedelta(**later)).isoformat()


def test_host_tells_the_requests_of_its_guests(events: Callable[..., Any]) -> None:
    logged = events("HV1")["events"]
    assert {(event["id"], event["outcome"], event["symbol"]) for event in logged} == {
        (12310, "success", "S_OK"),
        (12310, "denied", "SL_E_IA_ID_MISMATCH"),
    }
    assert [event["record"] for event in logged] == sorted((event["record"] for event in logged), reverse=True)
    assert any("G2025" in event["strings"][1] for event in logged if event["outcome"] == "denied")


def test_guest_tells_the_answers_of_its_host(events: Callable[..., Any]) -> None:
    result = events("G2019")
    assert not result["changed"]
    assert {(event["id"], event["outcome"]) for event in result["events"]} == {(12309, "success")}
    assert events("G2025")["events"][0]["hresult"] == "0xC004FD03"


def test_log_of_100000_events_stays_on_the_machine(lab: Lab, events: Callable[..., Any]) -> None:
    assert events("BIG")["events"]
    counted = lab.counters("BIG")
    assert counted["operations"] <= 2, counted
    assert counted["wire_sent"] < 10_000, counted


@pytest.mark.wsman
def test_limit_keeps_the_newest_and_asks_for_no_more(lab: Lab, events: Callable[..., Any]) -> None:
    every = events("HV1")["events"]
    sent_for_every = lab.counters("HV1")["soap_sent"]
    assert events("HV1", limit=2)["events"] == every[:2]
    counted = lab.counters("HV1")
    assert counted["requests"]["Release"] == 1
    assert counted["open_enumerations"] == 0
    assert counted["soap_sent"] < sent_for_every


def test_since_leaves_out_what_is_older(lab: Lab, events: Callable[..., Any]) -> None:
    newest = events("HV1")["events"][0]["time"]
    assert events("HV1", since=newest)["events"][0]["time"] == newest
    assert events("HV1", since=moment(newest, seconds=1))["events"] == []
    assert events("HV1", since="1h")["events"][0]["time"] == newest


def test_event_id_chooses_the_side(events: Callable[..., Any]) -> None:
    assert events("HV1", event_id=[12309])["events"] == []
    assert events("HV1", event_id=[12310])["events"] != []


def test_machine_that_pages_tells_the_same(events: Callable[..., Any]) -> None:
    assert {event["outcome"] for event in events("PAGING")["events"]} == {"success"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"since": "yesterday"},
            "The value of since cannot be used: 'yesterday' is no moment: write it as 2026-11-22T08:15:00Z",
        ),
        ({"limit": 0}, "The value of limit cannot be used: it must be at least 1"),
        ({"event_id": [12310, 4624]}, "The value of event_id cannot be used: it must be 12309, 12310 or both"),
        ({"event_id": []}, "The value of event_id cannot be used: it must be 12309, 12310 or both"),
    ],
)
def test_wrong_options_are_refused_unasked(
    lab: Lab, events: Callable[..., Any], options: dict[str, Any], message: str
) -> None:
    result = events("HV1", **options)
    assert result.status == "failed"
    assert message in result["msg"]
    assert lab.counters("HV1")["queries"] == []
