# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which guests are to be activated, and what came of it. Private to this collection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .._avma.names import full_name
from .._avma.problems import Kind, kind_of
from .fleet import Fleet, Results, Row, natural
from .guests import listed, plural
from .identity import vm_identity

Result = Mapping[str, Any]


#: Why guest_key left a guest its key, which says also that it is no AVMA key.
_WHY_NOT_AVMA = frozenset({"kms_host", "licensed_by_other_key", "unknown_product_key"})


def guests_to_activate(results: Results, fleet: Fleet, pending: Collection[str] = ()) -> dict[str, Result | None]:
    """The guests of the inventory that were read, are not right, and are not beyond AVMA.

    :param pending: Hosts that are still to get their keys: what they can activate now says nothing.
    :returns: By name, what its host tells of its VM (an item of what ``vm_info`` returns), if it is known.
    """
    found: dict[str, Result | None] = {}
    for row in fleet.guests:
        name = row["machine"]
        guest = results[name]["guest_info"].get("guest") if name else None
        wrong = guest and row["verdict"] == "attention" and any(_is_wrong(item) for item in guest["problems"])
        if wrong or (guest and _names_another_host(row) and _is_here(row, fleet)):
            found[name] = None if row["host"] in pending else _vm(results, row)
    return found


def guests_to_renew(results: Results, fleet: Fleet) -> dict[str, list[str]]:
    """The guests that one of certain hosts must activate: of those that the user expects, or any of the run.

    Any will do for a guest that names a host whose word does not count, and is on one of the run now: it was renamed, or the guest has
    moved.

    :returns: By name, the hosts as Windows calls them.
    """
    names = {full_name(row["name"]): str(row["fqdn"] or row["computer_name"] or row["name"]) for row in fleet.hosts}
    found: dict[str, list[str]] = {}
    for row in fleet.guests:
        machine = row["machine"]
        expected = _expected(results, machine) if machine else ()
        if expected:
            found[machine] = [names.get(full_name(name), name) for name in expected]
        elif machine and _names_another_host(row) and _is_here(row, fleet):
            found[machine] = list(names.values())
    return found


def _expected(results: Results, machine: str) -> Sequence[str]:
    expected: Sequence[str] = results[machine].get("guest_info", {}).get("expected_hosts", ())
    return expected


def _names_another_host(row: Row) -> bool:
    return any(item["code"] == "unexpected_host" for item in row["problems"])


def _is_here(row: Row, fleet: Fleet) -> bool:
    """Whether a guest is on a host of the run."""
    return any(host["name"] == row["host"] for host in fleet.hosts)


def _is_wrong(item: Mapping[str, Any]) -> bool:
    return kind_of(item["code"]) is Kind.WRONG


def _vm(results: Results, row: Mapping[str, Any]) -> Result | None:
    vms = results.get(row["host"], {}).get("vm_info", {}).get("vms", ())
    return next((vm for vm in vms if row["id"] and vm_identity(vm["id"]) == vm_identity(row["id"])), None)


def with_attempt(guest_info: Result, attempt: Result | None) -> Result:
    """What a guest tells, with the reason why it could not be activated, which it may not tell itself any more.

    :param attempt: What ``guest_key``, or ``guest_edition`` if it came no further, returned for it before it was read.
    """
    guest = guest_info.get("guest")
    if not attempt or not attempt.get("failed") or not guest or not guest["problems"]:
        return guest_info
    found = attempt.get("problems", [])
    known = {item["code"] for item in found}
    if known & _WHY_NOT_AVMA:
        known.add("not_avma")
    if "target_edition" in attempt:
        # That it can be converted is no news where that has failed.
        known.add("evaluation_edition")
    return {
        **guest_info,
        "guest": {**guest, "problems": [*found, *(item for item in guest["problems"] if item["code"] not in known)]},
    }


_ACTIVATE, _CONVERT, _FAIL = "activate", "convert from an evaluation edition, then activate", "fail at"
_RIGHT, _OTHERS = "leave as they are, already activated", "leave as they are, not activated"


def plan(fleet: Fleet, pending: Collection[str], attempts: Mapping[str, Result | None]) -> list[str]:
    """What a run would do that was one in check mode, for people: a line for each thing, with how many it concerns.

    :param pending: The hosts that would get a key.
    :param attempts: What ``guest_key``, or ``guest_edition`` where that would change something, returned for each guest to activate.
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in fleet.guests:
        name = row["machine"]
        if name:
            found[_would(row, attempts[name] or {}) if name in attempts else _left(row)].append(name)
    hosts = [f"would give a product key to: {_counted(pending, 'host')}"] if pending else []
    kinds = (_CONVERT, _ACTIVATE, _FAIL, _RIGHT, _OTHERS)
    return [*hosts, *(f"would {what}: {_counted(found[what], 'guest')}" for what in kinds if found[what])]


def _would(row: Row, attempt: Result) -> str:
    if attempt.get("failed") or attempt.get("unreachable"):
        return _FAIL
    if not attempt.get("changed"):
        return _OTHERS
    return _CONVERT if row["system"] and row["system"]["evaluation"] else _ACTIVATE


def _left(row: Row) -> str:
    return _RIGHT if row["verdict"] == "activated" else _OTHERS


def _counted(names: Collection[str], noun: str) -> str:
    return f"{plural(len(names), noun)} ({listed(sorted(names, key=natural))})"
