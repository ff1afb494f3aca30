# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict over many machines. Private to this collection."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from .._avma.problems import problem
from .report import UNDECIDED

_Report = Mapping[str, Any]

#: What a host does not know of a guest that tells of itself.
_UNKNOWN = UNDECIDED - {"not_read", "unreachable"}


def summarize(report: _Report, accepted: Collection[str] = ()) -> dict[str, Any]:
    """What a report comes to, as the filter ``verification_summary`` returns it.

    :param report: As ``build_report`` makes it.
    :param accepted: The codes of problems that do not count.
    """
    problems = [item for item in _problems(report) if item["code"] not in accepted]
    guests = report["guests"]
    return {
        "activated": [_activation(guest) for guest in guests if guest["verdict"] == "activated"],
        "not_read": [_name(guest) for guest in guests if guest["verdict"] == "not_read" and not guest["machine"]],
        "problems": problems,
        "messages": [f"{item['machine']}: {item['code']}: {item['message']} {item['remedy']}" for item in problems],
    }


def _problems(report: _Report) -> Iterator[dict[str, Any]]:
    for item in report["cluster_problems"]:
        if item["code"] not in _UNKNOWN:
            yield {"machine": ", ".join(item["hosts"]), **{name: item[name] for name in item if name != "hosts"}}
    for host in report["hosts"]:
        yield from ({"machine": host["name"], **item} for item in host["problems"] if item["code"] not in _UNKNOWN)
    for guest in report["guests"]:
        if guest["verdict"] != "not_applicable":
            # A machine of the inventory that could not be read is a problem; a VM that only its host knows is not.
            undecided = _UNKNOWN if guest["machine"] else UNDECIDED
            yield from (
                {"machine": _name(guest), **item} for item in guest["problems"] if item["code"] not in undecided
            )
    for row in report["failover"]:
        for node in row["nodes"]:
            # Where it is, the guest itself has the problem.
            if node["status"] == "gap" and node["name"] != row["host"]:
                refusal = node["problem"]
                found = problem("failover_gap", node=node["name"], reason=refusal["message"], remedy=refusal["remedy"])
                yield {"machine": row["name"], **found.to_dict()}


def _name(guest: Mapping[str, Any]) -> str:
    """As the inventory calls it, or if it does not, by the host that told of it."""
    return str(guest["machine"] or f"{guest['name']} on {guest['host']}")


def _activation(guest: Mapping[str, Any]) -> str:
    system, activation = guest["system"], guest["activation"]
    return f"{_name(guest)}: {system['name']} {system['edition']}, activated by {activation['host']} at {activation['time']}"
