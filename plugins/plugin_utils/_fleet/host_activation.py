# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What giving keys to many hosts would do, and what stands against it. Private to this collection."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from .._avma.guests import Step
from .._avma.problems import problem

#: What is no reason to stop: of a host that does not tell how its AVMA is set up, only a guest can prove it.
_UNDECIDED = frozenset({"host_avma_unknown", "host_key_unknown", "host_key_unproved"})

Result = Mapping[str, Any]


def summarize(
    problems: Sequence[Mapping[str, Any]],
    reads: Mapping[str, Result],
    plans: Mapping[str, Result],
    accepted: Collection[str],
) -> dict[str, Any]:
    """What there is to do and what is wrong, as the filter ``host_activation_summary`` returns it.

    :param problems: What ``cluster_problems`` found.
    :param reads: What ``host_info`` returned, by the name of the host.
    :param plans: What ``host_key`` returned in check mode, for the hosts that may be changed; empty for the others.
    :param accepted: The codes of problems that do not count.
    """
    known = {(item["code"], host) for item in problems for host in item["hosts"]}
    found = [
        item
        for item in [
            *problems,
            *(item for item in _plan_problems(plans) if (item["code"], *item["hosts"]) not in known),
        ]
        if item["code"] not in {*_UNDECIDED, *accepted}
    ]
    planned = {host: plan for host, plan in sorted(plans.items()) if "step" in plan}
    return {
        "problems": found,
        "messages": [
            f"{', '.join(item['hosts'])}: {item['code']}: {item['message']} {item['remedy']}" for item in found
        ],
        # One that fails already goes first, so that there are never two.
        "order": sorted(
            (host for host, plan in planned.items() if plan["step"] != Step.NOTHING.value),
            key=lambda host: _works(reads[host]),
        ),
        "plan": [_line(host, plan) for host, plan in planned.items()],
    }


def _plan_problems(plans: Mapping[str, Result]) -> Iterator[dict[str, Any]]:
    for host, plan in plans.items():
        problems = plan.get("problems", [])
        if plan.get("unreachable"):
            problems = [problem("unreachable", detail=plan.get("msg", "no answer")).to_dict()]
        elif not problems and plan.get("msg") and "step" not in plan:
            problems = [problem("not_read", detail=plan["msg"]).to_dict()]
        yield from ({**item, "hosts": [host]} for item in problems)


def _works(read: Result) -> bool:
    return not any(item["code"] == "host_not_licensed" for item in read["host"]["problems"])


def _line(host: str, plan: Result) -> str:
    if plan["step"] == Step.NOTHING.value:
        return f"{host}: " + (" ".join(item["message"] for item in plan["problems"]) or "nothing to do")
    spends = "an activation would be spent" if plan["spends_activation"] else "no activation would be spent"
    return f"{host}: {plan['step']} the key ending in {plan['partial_product_key']}, {spends}"
