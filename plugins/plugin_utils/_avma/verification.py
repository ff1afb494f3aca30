# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict over many machines: what each is read to be, and everything that is wrong. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .problems import problem


def summarize(results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What reading many guests came to, as the filter ``verification_summary`` returns it.

    :param results: What ``guest_info`` returned, by the name of the machine: also of one that failed or was unreachable, and empty
        for one that was lost before.
    """
    activated: list[str] = []
    problems: list[dict[str, Any]] = []
    for machine, result in sorted(results.items()):
        found = problems_of(result, "guest")
        problems += [{"machine": machine, **item} for item in found]
        if not found:
            activated.append(f"{machine}: {_activation(result['guest'])}")
    return {
        "activated": activated,
        "problems": problems,
        "messages": [f"{item['machine']}: {item['code']}: {item['message']} {item['remedy']}" for item in problems],
    }


def problems_of(result: Mapping[str, Any], part: str) -> list[Mapping[str, Any]]:
    """What is wrong with a machine, also if it is that it could not be read.

    :param result: What the module returned, or an empty result.
    :param part: The value of it that holds the problems, ``guest`` or ``host``.
    """
    if part in result:
        return list(result[part]["problems"])
    if result.get("problems"):
        return list(result["problems"])
    if not result:
        return [problem("unreachable", detail="it was lost earlier in the run").to_dict()]
    code = "unreachable" if result.get("unreachable") else "not_read"
    return [problem(code, detail=result.get("msg", "no reason given")).to_dict()]


def _activation(guest: Mapping[str, Any]) -> str:
    system, activation = guest["system"], guest["activation"]
    return f"{system['name']} {system['edition']}, activated by {activation['host']} at {activation['time']}"
