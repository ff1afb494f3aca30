# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the tasks for many machines share."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._fleet.guest_activation import with_attempt
from ansible_collections.hyperv.avma.plugins.plugin_utils._fleet_action import FleetAction


def test_long_work_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    action: Any = SimpleNamespace(
        _task=SimpleNamespace(action="hyperv.avma.fleet_info"), _display=SimpleNamespace(display=lines.append)
    )
    show = FleetAction._progress(action, 2_000)
    results: dict[str, dict[str, Any]] = {}
    for second in range(25):
        now = float(second)
        results.update({f"VM{100 * second + number}": {} for number in range(60)})
        if second == 12:
            results["OFF"] = {"unreachable": True, "msg": "no connection"}
        show(results)
    assert lines == [
        "hyperv.avma.fleet_info: 660 of 2,000 machines, 0 failed",
        "hyperv.avma.fleet_info: 1,261 of 2,000 machines, 1 failed",
    ]


REASON = {"code": "host_not_capable", "message": "The host does not activate it."}
STATE = {"code": "not_activated", "message": "It is not activated."}


def info(*problems: dict[str, str]) -> dict[str, Any]:
    return {"changed": False, "guest": {"license": {"status": "notification"}, "problems": list(problems)}}


def test_why_a_guest_could_not_be_activated_stands_before_what_it_tells_itself() -> None:
    told = with_attempt(info(STATE), {"failed": True, "problems": [REASON]})
    assert told["guest"]["problems"] == [REASON, STATE]
    assert told["guest"]["license"] == {"status": "notification"}


def test_what_both_tell_is_told_once() -> None:
    newer = {**STATE, "message": "It is not activated: 0xC004FD04."}
    assert with_attempt(info(STATE), {"failed": True, "problems": [newer]})["guest"]["problems"] == [newer]


@pytest.mark.parametrize(
    ("told", "attempt"),
    [
        (info(STATE), None),
        (info(STATE), {"failed": False, "problems": [REASON]}),
        # It was activated in Windows' own time since.
        (info(), {"failed": True, "problems": [REASON]}),
        # It could not be read.
        ({"unreachable": True, "msg": "no connection"}, {"failed": True, "problems": [REASON]}),
    ],
)
def test_a_former_attempt_says_nothing_where_none_failed_or_all_is_right(
    told: dict[str, Any], attempt: dict[str, Any] | None
) -> None:
    assert with_attempt(told, attempt) == told
