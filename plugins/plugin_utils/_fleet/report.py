# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report on hosts, guests and their activation, from what the info modules returned. Private to this collection.

Its shape is documented in docs/schemas/avma-report.schema.json.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from .._avma.problems import problem
from .clusters import cluster_problems, failover_moves

#: Of the report's shape; another one when a value is removed or gets another meaning.
VERSION = 1

#: Problems that mean "not known", not "wrong". Those that a host has with a guest are settled by what the guest itself tells.
UNDECIDED = frozenset({"guest_unknown", "host_avma_unknown", "not_read", "unreachable"})

_Dict: TypeAlias = "dict[str, Any]"
#: By the name of a machine in the inventory, then by module, what the module returned: ``host_info`` and ``vm_info`` of a host,
#: ``guest_info`` of a guest, ``activation_event_info`` of both. If the module failed, this holds its failure.
Results: TypeAlias = "Mapping[str, Mapping[str, Mapping[str, Any]]]"


def build_report(results: Results, generated: str, title: str) -> _Dict:
    """The report.

    :param generated: When the machines were read, in ISO 8601.
    """
    hosts = [_host(name, result) for name, result in _sorted(results) if "host_info" in result]
    _place(hosts)
    guests = _guests(results, {host["name"]: host for host in hosts})
    failover = _failover(results, {host["name"]: host["cluster"] for host in hosts})
    return {
        "version": VERSION,
        "title": title,
        "generated": generated,
        "summary": {
            "hosts": _count(hosts, "ready", "attention"),
            "guests": _count_guests(guests),
            "failover_gaps": _count_gaps(failover),
        },
        "clusters": _clusters(hosts, guests, failover),
        "cluster_problems": _cluster_problems(results, hosts),
        "hosts": hosts,
        "guests": guests,
        "failover": failover,
    }


def _sorted(results: Results) -> list[tuple[str, Mapping[str, Mapping[str, Any]]]]:
    return sorted(results.items(), key=lambda item: natural(item[0]))


def natural(name: str) -> str:
    """A key by which names sort as people expect: ``VM2`` before ``VM10``."""
    return re.sub("[0-9]+", lambda number: number[0].zfill(20), name.lower())


def _count(items: Sequence[_Dict], *verdicts: str) -> dict[str, int]:
    return {"total": len(items), **{verdict: sum(item["verdict"] == verdict for item in items) for verdict in verdicts}}


def _count_guests(guests: Sequence[_Dict]) -> dict[str, int]:
    return _count(guests, "activated", "attention", "not_read", "not_applicable")


def _host(name: str, result: Mapping[str, Mapping[str, Any]]) -> _Dict:
    info = result["host_info"]
    host = info.get("host", {})
    vms = result.get("vm_info", {"vms": []})
    problems = problems_of(info, "host")
    if not problems and "vms" not in vms:
        problems = problems_of(vms, "vms")
    return {
        "name": name,
        "computer_name": host.get("name"),
        "cluster": host["cluster"]["name"] if host.get("cluster") else None,
        "nodes": host["cluster"]["nodes"] if host.get("cluster") else [],
        "system": host.get("system"),
        "backend": host.get("backend"),
        "license": host.get("license"),
        "activates": host.get("activates", []),
        "verdict": "attention" if problems else "ready",
        "problems": problems,
        "events": _events(result),
    }


def _place(hosts: Sequence[_Dict]) -> None:
    """Put hosts that could not be read into the clusters whose nodes have their names."""
    clusters = {_short(node["name"]): host["cluster"] for host in hosts for node in host["nodes"]}
    for host in hosts:
        if host["computer_name"] is None:
            host["cluster"] = clusters.get(_short(host["name"]))


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
        return [problem("not_read", detail="it failed or was unreachable earlier in the run").to_dict()]
    code = "unreachable" if result.get("unreachable") else "not_read"
    return [problem(code, detail=result.get("msg", "no reason given")).to_dict()]


def _guests(results: Results, hosts: Mapping[str, _Dict]) -> list[_Dict]:
    """The guests that the hosts know, joined with what the guests in the inventory tell of themselves."""
    guests = [
        _guest_of_host(vm, hosts[name])
        for name, result in results.items()
        if "host_info" in result
        for vm in result.get("vm_info", {}).get("vms", [])
    ]
    find = _Finder(guests)
    for machine, result in results.items():
        if "guest_info" in result:
            told = result["guest_info"].get("guest", {})
            guest = find(machine, (told.get("hypervisor") or {}).get("vm_id"))
            # A guest may claim to be any VM; none is taken for two.
            if guest is None or guest["machine"]:
                guest = _unknown_to_hosts(machine, told)
                guests.append(guest)
            _join(guest, machine, result)
    for guest in guests:
        guest["verdict"] = _verdict(guest)
    return sorted(guests, key=lambda guest: natural(guest["name"]))


def _guest_of_host(vm: Mapping[str, Any], host: Mapping[str, Any]) -> _Dict:
    return {
        "name": vm["name"],
        "machine": None,
        "id": vm["id"],
        "fqdn": vm["fqdn"],
        "host": host["name"],
        "cluster": host["cluster"],
        "state": vm["state"],
        "data_exchange": vm["data_exchange"],
        "eligible": vm["eligible"],
        "system": vm["system"],
        "license": None,
        "activation": None,
        "problems": list(vm["problems"]),
        "events": [],
    }


def _unknown_to_hosts(machine: str, told: Mapping[str, Any]) -> _Dict:
    """A guest that no host of the report has."""
    hypervisor = told.get("hypervisor") or {}
    return {
        "name": machine,
        "machine": None,
        "id": hypervisor.get("vm_id"),
        "fqdn": None,
        "host": hypervisor.get("host"),
        "cluster": None,
        "state": None,
        "data_exchange": None,
        "eligible": None,
        "system": None,
        "license": None,
        "activation": None,
        "problems": [],
        "events": [],
    }


def _join(guest: _Dict, machine: str, result: Mapping[str, Mapping[str, Any]]) -> None:
    """Add what a guest tells of itself."""
    info = result["guest_info"]
    problems = problems_of(info, "guest")
    if "guest" in info:
        told = info["guest"]
        guest.update(system=told["system"], license=told["license"], activation=told["activation"])
        guest["problems"] = [item for item in guest["problems"] if item["code"] not in UNDECIDED]
    known = {item["code"] for item in problems}
    guest["problems"] = [*problems, *(item for item in guest["problems"] if item["code"] not in known)]
    guest.update(machine=machine, events=_events(result))


def _verdict(guest: Mapping[str, Any]) -> str:
    codes = {item["code"] for item in guest["problems"]}
    if "not_windows" in codes:
        return "not_applicable"
    if codes - UNDECIDED:
        return "attention"
    return "activated" if guest["activation"] else "not_read"


def _events(result: Mapping[str, Mapping[str, Any]]) -> list[_Dict]:
    names = ("time", "id", "outcome", "hresult", "symbol")
    events = result.get("activation_event_info", {}).get("events", [])
    return [{name: event[name] for name in names} for event in events if event["time"]]


class _Finder:
    """Which guest of the hosts a machine of the inventory is."""

    def __init__(self, guests: Iterable[_Dict]) -> None:
        self._by_id: dict[str, _Dict] = {}
        self._by_name: defaultdict[str, list[_Dict]] = defaultdict(list)
        for guest in guests:
            self._by_id[guest["id"].lower()] = guest
            name, fqdn = _short(guest["name"]), _short(guest["fqdn"] or "")
            self._by_name[name].append(guest)
            if fqdn != name:
                self._by_name[fqdn].append(guest)

    def __call__(self, machine: str, vm_id: str | None) -> _Dict | None:
        """The guest, by the ID that the machine was given by its host, or else by its name if that is the name of one only."""
        if vm_id:
            return self._by_id.get(vm_id.lower())
        named = self._by_name.get(_short(machine), [])
        return named[0] if len(named) == 1 else None


def _short(name: str) -> str:
    return name.lower().partition(".")[0]


def _failover(results: Results, clusters: Mapping[str, str | None]) -> list[_Dict]:
    """Each clustered VM with the nodes that may own it, and whether these activate its guest."""
    rows: dict[str, _Dict] = {}
    for move in failover_moves(_of(results, "vm_info"), _of(results, "host_info")):
        if clusters.get(move.owner):
            row = {
                "name": move.vm["name"],
                "id": move.vm["id"],
                "host": move.owner,
                "cluster": clusters[move.owner],
                "nodes": [],
            }
            refusal = move.refusal.to_dict() if move.refusal else None
            status = "activates" if not refusal else "unknown" if refusal["code"] in UNDECIDED else "gap"
            rows.setdefault(move.vm["id"], row)["nodes"].append(
                {"name": move.node, "status": status, "problem": refusal}
            )
    return sorted(rows.values(), key=lambda row: natural(row["name"]))


def _of(results: Results, module: str) -> dict[str, Mapping[str, Any] | None]:
    """What a module returned for each machine."""
    return {name: result[module] for name, result in results.items() if module in result}


def _count_gaps(failover: Iterable[_Dict]) -> int:
    return sum(node["status"] == "gap" for row in failover for node in row["nodes"])


def _cluster_problems(results: Results, hosts: Iterable[_Dict]) -> list[_Dict]:
    """What is wrong across hosts, without what each of them already tells of itself."""
    told = {(item["code"], item["message"]) for host in hosts for item in host["problems"]}
    return [item for item in cluster_problems(_of(results, "host_info")) if (item["code"], item["message"]) not in told]


def _clusters(hosts: Sequence[_Dict], guests: Sequence[_Dict], failover: Sequence[_Dict]) -> list[_Dict]:
    clusters = []
    for name in sorted({host["cluster"] for host in hosts if host["cluster"]}, key=natural):
        members = [host for host in hosts if host["cluster"] == name]
        machines = {_short(host["computer_name"] or host["name"]): host["name"] for host in members}
        nodes = next(host["nodes"] for host in members if host["nodes"])
        clusters.append(
            {
                "name": name,
                "nodes": [
                    {"name": node["name"], "state": node["state"], "machine": machines.get(_short(node["name"]))}
                    for node in sorted(nodes, key=lambda node: natural(node["name"]))
                ],
                "hosts": _count(members, "ready", "attention"),
                "guests": _count_guests([guest for guest in guests if guest["cluster"] == name]),
                "failover_gaps": _count_gaps(row for row in failover if row["cluster"] == name),
            }
        )
    return clusters
