# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What giving keys to many hosts would do, and what stands against it. Private to this collection.

Plans and results are what ``host_key`` returns, plans in check mode, by the name of the host in the inventory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from .._avma.guests import Step
from .._avma.problems import Kind, kind_of, problem
from .clusters import across_hosts, what_went_wrong
from .host_keys import validate_host_keys
from .identity import Hosts

Result = Mapping[str, Any]
#: A problem as the modules return it, with the ``hosts`` that it is about.
Found = Mapping[str, Any]


def problems_before(
    reads: Mapping[str, Result], wishes: Mapping[str, Mapping[str, Any]], plans: Mapping[str, Result]
) -> list[Found]:
    """Everything that stands against the first write, on any host.

    :param reads: What ``host_info`` returned.
    :param wishes: The keys that the hosts are to get, as ``cluster_problems`` takes them.
    """
    found = [
        {name: item[name] for name in item if name not in ("kind", "stops")}
        for item in (_without_refused(found, plans) for found in validate_host_keys(reads, wishes))
        if item["stops"] and item["hosts"]
    ]
    known = {(item["code"], host) for item in found for host in item["hosts"]}
    planned = [
        {**item, "hosts": [host]}
        for host, plan in plans.items()
        for item in problems_of_plan(host, plan)
        if (item["code"], host) not in known
    ]
    # A host that could not be planned stops, whatever the reason.
    return [*found, *(item for item in planned if "step" not in plans[item["hosts"][0]] or _stops(item, reads))]


def _without_refused(item: Found, plans: Mapping[str, Result]) -> Found:
    """That no key is given is not said of hosts whose key was refused."""
    if item["code"] != "no_host_key":
        return item
    return {**item, "hosts": [host for host in item["hosts"] if "step" in plans.get(host, {"step": None})]}


def problems_of_plan(host: str, plan: Result) -> list[Mapping[str, Any]]:
    """What is wrong with a host, also if it is that it could not be talked to."""
    if plan.get("unreachable"):
        return [problem("unreachable", detail=what_went_wrong(host, plan)).to_dict()]
    if "step" not in plan and not plan.get("problems"):
        return [problem("not_read", detail=what_went_wrong(host, plan)).to_dict()]
    return list(plan["problems"])


def problems_after(reads: Mapping[str, Result]) -> list[Found]:
    """What keeps hosts from activating their guests when all is done."""
    return [item for item in across_hosts(Hosts(reads)) if _stops(item, reads)]


def _stops(item: Found, reads: Mapping[str, Result]) -> bool:
    # Of a host that does not tell how its AVMA is set up, only a guest can prove it. A host that was not read is another matter.
    return kind_of(item["code"]) is Kind.WRONG or not all("host" in (reads.get(name) or {}) for name in item["hosts"])


def not_accepted(problems: Iterable[Found], accepted: Mapping[str, Collection[str]]) -> Iterator[Found]:
    """The problems that count, each with those of its hosts that do not accept it, whatever the order of these.

    :param accepted: The codes that each host accepts. What is about none of them, such as a node that is not in the play, is for all.
    """
    for item in problems:
        concerned = [host for host in item["hosts"] if host in accepted]
        if not concerned:
            if not accepted or any(item["code"] not in codes for codes in accepted.values()):
                yield item
            continue
        hosts = [host for host in item["hosts"] if item["code"] not in accepted.get(host, ())]
        if hosts:
            yield {**item, "hosts": hosts}


def to_lines(problems: Iterable[Found]) -> list[str]:
    """Problems for people."""
    return [f"{', '.join(item['hosts'])}: {item['code']}: {item['message']} {item['remedy']}" for item in problems]


def order(reads: Mapping[str, Result], plans: Mapping[str, Result]) -> list[str]:
    """The hosts to write, in order: one that fails already goes first, so that there are never two."""
    return sorted((host for host, plan in plans.items() if _writes(plan)), key=lambda host: (_works(reads[host]), host))


def _writes(plan: Result) -> bool:
    return bool(plan.get("step", Step.NOTHING.value) != Step.NOTHING.value)


def _works(read: Result) -> bool:
    return not any(item["code"] == "host_not_licensed" for item in read["host"]["problems"])


def to_plan(plans: Mapping[str, Result]) -> Iterator[str]:
    """What there is to do, a line for each host."""
    for host, plan in sorted(plans.items()):
        if _writes(plan):
            spends = "an activation would be spent" if plan["spends_activation"] else "no activation would be spent"
            last_five = plan["partial_product_key"]
            what = f"the key ending in {last_five}" if last_five else "it as the KMS client that it is"
            yield f"{host}: {plan['step']} {what}, {spends}"
        elif "step" in plan:
            yield f"{host}: " + (" ".join(item["message"] for item in plan["problems"]) or "nothing to do")
