# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts and guests, joined by who they are, each with its verdict. Private to this collection.

The shape of the rows is documented in docs/schemas/avma-report.schema.json.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from .._avma import keys
from .._avma.guests import AFTERWARDS, OF_THE_KEY
from .._avma.licenses import Status
from .._avma.problems import Kind, Problem, kind_of, problem
from .._avma.releases import System
from .._avma.vms import missing_services
from .clusters import Failover, Move, across_hosts, node_down, unread_problems
from .guests import Expected, Guest, Machine, Trust, join, tell_apart, vms_of
from .identity import Cluster, Host, Hosts, Result

Row: TypeAlias = "dict[str, Any]"
#: By the name of a machine in the inventory, then by module, what the module returned: ``host_info`` and ``vm_info`` of a host,
#: ``guest_info`` of a guest, ``activation_event_info`` of both. If the module failed, this holds its failure.
Results: TypeAlias = "Mapping[str, Mapping[str, Result]]"

_SYSTEM = ("release", "edition", "core", "evaluation", "build", "sku", "name")
_LICENSE = ("name", "status", "reason", "channel", "avma", "partial_product_key", "activation_id", "grace_minutes")
_ACTIVATION = ("host", "time", "iaid", "host_pid")
_CONNECTION = ("plugin", "host")
_EVENT = ("time", "id", "outcome", "hresult", "symbol")
_GUEST_VERDICTS = ("activated", "attention", "not_read", "not_applicable")
_HOST_VERDICTS = ("ready", "attention", "unknown")


@dataclass(frozen=True)
class Reading:
    """What was read of a machine.

    :ivar machine: Its name in the inventory.
    :ivar parts: What the modules returned, by module.
    :ivar time: When, in ISO 8601; empty if that does not matter.
    """

    machine: str
    parts: Mapping[str, Result]
    time: str = ""


@dataclass(frozen=True)
class Fleet:
    """Hosts and guests as they were read, joined and judged.

    :ivar problems: What is wrong across hosts, each with ``hosts``, without what each of them tells of itself.
    """

    clusters: list[Row]
    problems: list[Row]
    hosts: list[Row]
    guests: list[Row]
    failover: list[Row]

    def summary(self) -> Row:
        """How many there are of each verdict."""
        return {
            "hosts": _count(self.hosts, _HOST_VERDICTS),
            "guests": _count(self.guests, _GUEST_VERDICTS),
            "failover_gaps": sum(count_gaps(row) for row in self.failover),
        }

    def to_dict(self) -> Row:
        """As the report holds it."""
        return {
            "summary": self.summary(),
            "clusters": self.clusters,
            "cluster_problems": self.problems,
            "hosts": self.hosts,
            "guests": self.guests,
            "failover": self.failover,
        }


def build_fleet(
    results: Results,
    *,
    expected_hosts: Expected = None,
    known_hosts: Sequence[str] = (),
    vm_ids: Mapping[str, str] | None = None,
    time: str = "",
) -> Fleet:
    """Join and judge what was read.

    :param expected_hosts: The hosts of which one must have activated each guest, for all or by the guest's name in the inventory; None,
        and for a guest that has none, means those of the results, of their clusters, and ``known_hosts``.
    :param known_hosts: Hosts of the inventory that are not in this run, by name: their word counts too, but they are not judged.
    :param vm_ids: Which VM each guest of the inventory is (``avma_vm_id`` of the inventory plugin), by its name in the inventory.
    :param time: When the machines were read, in ISO 8601.
    """
    return fleet_of(readings(results, time), expected_hosts=expected_hosts, known_hosts=known_hosts, vm_ids=vm_ids)


def readings(results: Results, time: str = "") -> list[Reading]:
    """What was read at one time, by machine."""
    return [Reading(name, parts, time) for name, parts in results.items()]


def fleet_of(
    readings: Sequence[Reading],
    *,
    expected_hosts: Expected = None,
    known_hosts: Sequence[str] = (),
    vm_ids: Mapping[str, str] | None = None,
) -> Fleet:
    """The same from readings, each with a time of its own and a name of its own."""
    of_hosts = {reading.machine: reading for reading in readings if "host_info" in reading.parts}
    hosts = Hosts((name, reading.parts["host_info"]) for name, reading in sorted(of_hosts.items(), key=_by_name))
    clusters = {id(host): cluster for cluster in hosts.clusters.values() for host in cluster.hosts}
    host_rows = [_host(host, of_hosts[host.machine], clusters.get(id(host))) for host in hosts]
    vms = [
        vm
        for host in hosts
        for vm in vms_of(host, of_hosts[host.machine].parts.get("vm_info", {}), of_hosts[host.machine].time)
    ]
    machines = [
        Machine(
            reading.machine,
            reading.parts.get("guest_info", {}),
            reading.time,
            events_of(reading),
            (vm_ids or {}).get(reading.machine),
        )
        for reading in readings
        # A machine of which there is nothing at all was lost, and must not vanish.
        if "guest_info" in reading.parts or "host_info" not in reading.parts
    ]
    failover = Failover(hosts)
    guests = join(tell_apart(vms), machines, hosts)
    trust = Trust(hosts, expected_hosts, known_hosts)
    rows = [_guest(guest, clusters, failover, trust) for guest in guests]
    cache: dict[tuple[Any, ...], list[Row]] = {}
    moves = [row for guest in guests for row in _moves(guest, clusters, failover, cache)]
    guest_rows = sorted(rows, key=lambda row: natural(row["name"]))
    failover_rows = sorted(moves, key=lambda row: natural(row["name"]))
    return Fleet(
        _clusters(hosts, host_rows, guest_rows, failover_rows),
        _across(hosts, host_rows),
        host_rows,
        guest_rows,
        failover_rows,
    )


def natural(name: str) -> str:
    """A key by which names sort as people expect: ``VM2`` before ``VM10``."""
    return re.sub("[0-9]+", lambda number: number[0].zfill(20), name.lower())


def _by_name(item: tuple[str, object]) -> str:
    return natural(item[0])


def count_gaps(row: Mapping[str, Any]) -> int:
    """On how many nodes a guest would lose its activation."""
    return sum(node["status"] == "gap" for node in row["nodes"])


def _count(rows: Iterable[Mapping[str, Any]], verdicts: Sequence[str]) -> dict[str, int]:
    counts = Counter(row["verdict"] for row in rows)
    return {"total": counts.total(), **{verdict: counts[verdict] for verdict in verdicts}}


def _shown(found: Problem | Mapping[str, Any], kind: Kind | None = None) -> Row:
    shown = found.to_dict() if isinstance(found, Problem) else found
    return {**shown, "kind": str(kind or kind_of(shown["code"]))}


def _pick(shown: Mapping[str, Any] | None, names: Sequence[str]) -> Row | None:
    """What the report holds of it: modules may come to tell more."""
    return {name: shown[name] for name in names} if shown else None


def events_of(reading: Reading) -> list[Row]:
    """The activations in the event log of a machine."""
    events = reading.parts.get("activation_event_info", {}).get("events", ())
    return [{name: event[name] for name in _EVENT} for event in events if event["time"]]


def _host(host: Host, reading: Reading, cluster: Cluster | None) -> Row:
    shown = host.shown or {}
    own, unread = _host_problems(host, reading, cluster)
    problems = [_shown(found) for found in (*own, *unread)]
    wrong = unread or any(item["kind"] == Kind.WRONG for item in problems)
    return {
        "name": host.machine,
        "computer_name": shown.get("name"),
        "fqdn": shown.get("fqdn"),
        "cluster": cluster.shown if cluster else None,
        "nodes": [
            {"name": node["name"], "state": node["state"]} for node in (shown.get("cluster") or {}).get("nodes", ())
        ],
        "system": _pick(shown.get("system"), _SYSTEM),
        "backend": shown.get("backend"),
        "license": _pick(shown.get("license"), _LICENSE),
        "activates": shown.get("activates", []),
        "verdict": "attention" if wrong else "unknown" if problems else "ready",
        "problems": problems,
        "events": events_of(reading),
        "read": reading.time,
    }


_Problems: TypeAlias = "Sequence[Problem | Mapping[str, Any]]"


def _host_problems(host: Host, reading: Reading, cluster: Cluster | None) -> tuple[_Problems, _Problems]:
    """What is wrong with a host, and why it or its VMs could not be read."""
    if host.shown is not None:
        own = host.shown["problems"]
        vms = reading.parts.get("vm_info", {"vms": []})
        unread = [] if "vms" in vms else unread_problems(host.machine, vms)
        codes = {item["code"] for item in own}
        return own, [item for item in unread if item["code"] not in codes]
    for node in cluster.nodes.values() if cluster else ():
        # That it is down is why it does not answer, and is told once.
        if cluster and node.host is host and "down" in node.states:
            return [], [node_down(node.name, cluster)]
    return [], unread_problems(host.machine, host.result)


def _across(hosts: Hosts, rows: Iterable[Row]) -> list[Row]:
    """What is wrong across hosts, without what each of them already tells of itself."""
    told = {(item["code"], item["message"]) for host in rows for item in host["problems"]}
    return [_shown(item) for item in across_hosts(hosts) if (item["code"], item["message"]) not in told]


def _clusters(hosts: Hosts, host_rows: Iterable[Row], guests: Iterable[Row], failover: Iterable[Row]) -> list[Row]:
    members, theirs, gaps = _by_cluster(host_rows), _by_cluster(guests), _by_cluster(failover)
    return [
        {
            "name": cluster.shown,
            "nodes": [
                {
                    "name": node.name,
                    # Where the nodes differ, what is worst of what they say.
                    "state": min(node.states, key=["down", "unknown", "joining", "paused", "up"].index),
                    "machine": node.host.machine if node.host else None,
                }
                for node in sorted(cluster.nodes.values(), key=lambda node: natural(node.name))
            ],
            "hosts": _count(members[cluster.shown], _HOST_VERDICTS),
            "guests": _count(theirs[cluster.shown], _GUEST_VERDICTS),
            "failover_gaps": sum(count_gaps(row) for row in gaps[cluster.shown]),
        }
        for cluster in sorted(hosts.clusters.values(), key=lambda cluster: natural(cluster.shown))
    ]


def _by_cluster(rows: Iterable[Row]) -> defaultdict[str | None, list[Row]]:
    found: defaultdict[str | None, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["cluster"]].append(row)
    return found


def _guest(guest: Guest, clusters: Mapping[int, Cluster], failover: Failover, trust: Trust) -> Row:
    vm, told = guest.vm or {}, guest.told or {}
    hypervisor = told.get("hypervisor") or {}
    problems, eligible, verdict = _judge(guest, failover, trust)
    if guest.machine and verdict in ("attention", "not_read") and not problems:
        problems = [_shown(found) for found in unread_problems(guest.machine, {})]
    cluster = clusters.get(id(guest.host))
    return {
        "name": guest.vm_name,
        "machine": guest.machine,
        "id": vm["id"] if vm else guest.vm_id,
        "fqdn": vm.get("fqdn") or told.get("fqdn"),
        "host": guest.host.machine if guest.host else hypervisor.get("host"),
        "cluster": cluster.shown if cluster else None,
        "state": vm.get("state"),
        "replication_mode": vm.get("replication_mode"),
        "connection": _pick(told.get("connection"), _CONNECTION),
        "data_exchange": vm.get("data_exchange"),
        "eligible": eligible,
        "system": _pick(told.get("system") or vm.get("system"), _SYSTEM),
        "license": _pick(told.get("license"), _LICENSE),
        "activation": _pick(told.get("activation"), _ACTIVATION),
        "problems": problems,
        "events": list(guest.events),
        "verdict": verdict,
        "read": guest.time,
    }


def _judge(guest: Guest, failover: Failover, trust: Trust) -> tuple[list[Row], bool | None, str]:
    """What is wrong with a guest, whether its host activates it, and what this comes to."""
    said, eligible = _word_of_host(guest, failover)
    own = _word_of_guest(guest, trust)
    if any(item["code"] == "host_unsuitable" for item in said):
        # What the guest sees of its host, the host itself has told better.
        own = [item for item in own if item["code"] != "host_not_datacenter"]
    told = {item["code"] for item in own}
    problems = _in_order([*own, *(item for item in said if item["code"] not in told)])
    if guest.machine is None:
        return _judge_vm(guest, problems, eligible)
    if guest.told is None:
        # What its host says of it proves nothing, and takes nothing from the user's word that it is a guest for AVMA.
        problems = [item for item in problems if item["kind"] != Kind.NOT_APPLICABLE]
        return [*problems, *map(_shown, guest.identity)], eligible, "attention" if guest.identity else "not_read"
    if not guest.identity and any(item["kind"] == Kind.NOT_APPLICABLE for item in own):
        return [_shown(item, Kind.NOT_APPLICABLE) for item in problems], eligible, "not_applicable"
    # A guest that knows which VM it is, is not taken for another of its name.
    sure = bool((guest.told.get("hypervisor") or {}).get("vm_id"))
    problems += [_shown(item) for item in guest.identity if not (sure and item.code == "duplicate_fqdn")]
    return problems, eligible, "attention" if problems else "activated"


def _in_order(problems: list[Row]) -> list[Row]:
    """The same, where nobody is told to run what another problem would stop."""
    if all(item["code"] in OF_THE_KEY or item["kind"] != Kind.WRONG for item in problems):
        return problems
    return [{**item, "remedy": AFTERWARDS} if item["code"] in OF_THE_KEY else item for item in problems]


def _judge_vm(guest: Guest, problems: list[Row], eligible: bool | None) -> tuple[list[Row], bool | None, str]:
    """The same of a VM that only its host tells of."""
    problems += map(_shown, guest.identity)
    if any(item["kind"] == Kind.NOT_APPLICABLE for item in problems):
        # What AVMA is not for needs nothing of what AVMA needs.
        return [_shown(item, Kind.NOT_APPLICABLE) for item in problems], eligible, "not_applicable"
    if guest.vm and guest.vm["system"] is None and not guest.identity:
        return [_shown(item, Kind.UNKNOWN) for item in problems], eligible, "not_read"
    wrong = any(item["kind"] == Kind.WRONG for item in problems)
    return problems, eligible, "attention" if wrong else "not_read"


def _word_of_host(guest: Guest, failover: Failover) -> tuple[list[Row], bool | None]:
    """What the host of a guest has against it, and whether the host activates it."""
    vm, told = guest.vm, guest.told
    if vm is None:
        return [], None
    if told is None:
        return [_shown(item) for item in vm["problems"]], vm["eligible"]
    if _pick(vm["system"], _SYSTEM) == _pick(told["system"], _SYSTEM):
        return [_shown(item) for item in vm["problems"] if kind_of(item["code"]) is Kind.WRONG], vm["eligible"]
    # What the host has from Data Exchange, or has not, is not what the guest is: the guest itself settles it.
    system = System.from_dict(told["system"])
    azure_local = guest.host is not None and failover.is_azure_local(guest.host)
    found = missing_services(vm["name"], vm["data_exchange"], vm.get("guest_service_interface"), system, azure_local)
    refusal = failover.refusal(guest.host.machine, guest.host, system) if guest.host and keys.key_for(system) else None
    if refusal and refusal.kind is Kind.WRONG:
        found.append(refusal)
    return [_shown(item) for item in found], False if found else None if refusal else True


def _word_of_guest(guest: Guest, trust: Trust) -> list[Row]:
    """What is wrong by what the guest tells of itself, or why it told nothing."""
    if guest.machine is None:
        return []
    if guest.told is None:
        result = guest.result or {}
        return [] if result.get("guest") else [_shown(item) for item in unread_problems(guest.machine, result)]
    # What the inventory calls its hosts, the guest does not know.
    settled = {"unexpected_host"} if trust.expects(guest.machine) else set()
    problems = [_shown(item) for item in guest.told["problems"] if item["code"] not in settled]
    license, activation = guest.told["license"], guest.told["activation"]
    if not problems and not _proved(license, activation):
        status = license["status"] if license else "no product key"
        problems.append(_shown(problem("not_activated", status=status, explanation="")))
    if activation and activation["host"] and _proved(license, activation):
        doubt = trust.doubt(activation["host"], guest.machine)
        if doubt and doubt.code not in {item["code"] for item in problems}:
            problems.append(_shown(doubt))
    return problems


def _proved(license: Mapping[str, Any] | None, activation: Mapping[str, Any] | None) -> bool:
    """Whether the guest says that a host has activated it: by its licence, its channel, and the name of the host."""
    return bool(
        license
        and license["avma"]
        and license["status"] == Status.LICENSED
        and activation
        and activation["host"].strip()
    )


def _node(move: Move) -> Row:
    refusal = _shown(move.refusal) if move.refusal else None
    status = "activates" if not refusal else "unknown" if refusal["kind"] == Kind.UNKNOWN else "gap"
    return {"name": move.node, "status": status, "problem": refusal}


def _moves(
    guest: Guest, clusters: Mapping[int, Cluster], failover: Failover, cache: dict[tuple[Any, ...], list[Row]]
) -> list[Row]:
    """The nodes that may own a clustered VM, and whether these activate its guest; nothing if the guest takes no AVMA key."""
    vm, host = guest.vm, guest.host
    cluster = clusters.get(id(host))
    if vm is None or host is None or cluster is None or guest.copy or vm.get("clustered") is False:
        return []
    told = (guest.told or {}).get("system")
    known = System.from_dict(told or vm["system"]) if told or vm["system"] else None
    if known is None or not (keys.key_for(known) if told else vm["avma_key"]):
        return []
    # Guests of one system that the same nodes may own have the same nodes, which are many.
    key = (id(host), tuple(vm["possible_owners"]), known)
    if key not in cache:
        cache[key] = [_node(move) for move in failover.moves(vm, host, known)]
    nodes = cache[key]
    return [{"name": vm["name"], "id": vm["id"], "host": host.machine, "cluster": cluster.shown, "nodes": nodes}]
