# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong across hosts, and where guests would lose their activation. Private to this collection.

All functions take what modules returned, by the name of the host in the inventory.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._avma import keys
from .._avma.guests import activated_by
from .._avma.hosts import HostFacts, HostWish, check_key, plan_host
from .._avma.problems import Problem, problem
from .._avma.releases import Release, System
from .._avma.vms import Activator

#: What a module returned for a host: nothing for one that was not asked.
Result = Mapping[str, Any]


def system_from(shown: Mapping[str, Any]) -> System:
    """A system from what the modules return (RV(system))."""
    return System.from_dict(shown)


def host_from(shown: Mapping[str, Any]) -> HostFacts:
    """A host from what ``host_info`` returns (RV(host))."""
    return HostFacts.from_dict(shown)


@dataclass(frozen=True)
class HostKey:
    """The key that is meant for a host.

    :ivar last_five: All that is kept of it; None if the host is to stay as it is.
    :ivar volume_key: Whether other hosts may have the same.
    :ivar replace: Whether it may take the place of a key that works.
    :ivar release: The release of the key, if the user says it: the key itself does not tell.
    """

    last_five: str | None
    volume_key: bool = False
    replace: bool = False
    release: Release | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> HostKey:
        """From what the user gave, a whole key or its last five characters.

        :raises ValueError: The key or its release is none. The message does not repeat them.
        """
        given = given or {}
        key, release = (given.get("product_key") or "").strip().upper(), str(given.get("release") or "")
        if release and release not in tuple(Release):
            raise ValueError(f"the release of a key is one of {', '.join(Release)}")
        if key and not re.fullmatch(keys.GROUP, key):
            key = keys.last_five(keys.normalize_key(key))
        return cls(
            key or None,
            bool(given.get("volume_key")),
            bool(given.get("replace")),
            Release(release) if release else None,
        )


class _Findings:
    """Problems, each once, with all the hosts that it is about."""

    def __init__(self) -> None:
        self._hosts: dict[str, tuple[dict[str, str], set[str]]] = {}

    def add(self, found: Problem | Mapping[str, str], hosts: Iterable[str]) -> None:
        shown = found.to_dict() if isinstance(found, Problem) else dict(found)
        self._hosts.setdefault(f"{shown['code']} {shown['message']}", (shown, set()))[1].update(hosts)

    def to_list(self) -> list[dict[str, Any]]:
        return [{**shown, "hosts": sorted(hosts)} for shown, hosts in self._hosts.values()]


def cluster_problems(
    results: Mapping[str, Result | None], host_keys: Mapping[str, Mapping[str, Any] | None] | None = None
) -> list[dict[str, Any]]:
    """What keeps hosts, and the clusters that they form, from activating their guests.

    :param results: What ``host_info`` returned, also for a host that failed or was unreachable.
    :param host_keys: The keys that the hosts are to get, as ``HostKey.of`` takes them. With them, what they will put right is no
        problem any more, and what will go wrong with them is one.
    :returns: Problems as the modules return them, each with ``hosts``: their names in the inventory, or as nodes.
    """
    findings = _Findings()
    shown, unread = _sort(results)
    _check_nodes(findings, shown, unread)
    _check_systems(findings, shown)
    if host_keys is None:
        for name, host in shown.items():
            for found in host["problems"]:
                findings.add(found, [name])
        _check_key_releases(findings, shown, {})
    else:
        _check_keys(findings, shown, host_keys)
    return findings.to_list()


def _sort(results: Mapping[str, Result | None]) -> tuple[dict[str, Mapping[str, Any]], dict[str, Result]]:
    """The hosts that were read, and the results of the others."""
    shown: dict[str, Mapping[str, Any]] = {}
    unread: dict[str, Result] = {}
    for name, result in sorted(results.items()):
        if result and "host" in result:
            shown[name] = result["host"]
        else:
            unread[name] = result or {}
    return shown, unread


def _clusters(shown: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Mapping[str, Any]]]:
    """The hosts of each cluster that has been read."""
    clusters: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for name, host in shown.items():
        if host["cluster"]:
            clusters[host["cluster"]["name"]][name] = host
    return clusters


def _check_nodes(findings: _Findings, shown: Mapping[str, Mapping[str, Any]], unread: Mapping[str, Result]) -> None:
    """Nodes that are down, that nobody asked, or that did not answer."""
    explained: set[str] = set()
    for cluster, members in _clusters(shown).items():
        absent: set[str] = set()
        for node, states in _node_states(members).items():
            name = _inventory_name(node, members, unread)
            if "down" in states:
                findings.add(problem("node_down", node=node, cluster=cluster), [name or node])
                explained.add(name or node)
            elif name is None:
                absent.add(node)
        if absent:
            nodes = ", ".join(sorted(absent))
            findings.add(problem("node_not_in_play", nodes=nodes, cluster=cluster), absent)
    for name, result in unread.items():
        if name in explained:
            continue
        for found in result.get("problems") or [_silence(name, result)]:
            findings.add(found, [name])


def _silence(name: str, result: Result) -> Problem:
    code = "unreachable" if result.get("unreachable") else "not_read"
    return problem(code, detail=str(result.get("msg") or f"{name} was not asked").rstrip("."))


def _node_states(members: Mapping[str, Mapping[str, Any]]) -> dict[str, set[str]]:
    states: dict[str, set[str]] = defaultdict(set)
    for host in members.values():
        for node in host["cluster"]["nodes"]:
            states[node["name"]].add(node["state"])
    return states


def _inventory_name(node: str, members: Mapping[str, Mapping[str, Any]], unread: Iterable[str]) -> str | None:
    """What the inventory calls a node: known for a host that was read, else told by the same name."""
    for name, host in members.items():
        if host["name"].lower() == node.lower():
            return name
    return next((name for name in unread if activated_by(node, [name])), None)


def _check_systems(findings: _Findings, shown: Mapping[str, Mapping[str, Any]]) -> None:
    for cluster, members in _clusters(shown).items():
        systems = _by_value({name: host["system"]["name"] for name, host in members.items()})
        if len(systems) > 1:
            findings.add(problem("mixed_os_releases", cluster=cluster, releases=_enumerate(systems)), members)


def _by_value(values: Mapping[str, str]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = defaultdict(list)
    for name, value in sorted(values.items()):
        names[value].append(name)
    return names


def _enumerate(names: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"{value} on {', '.join(hosts)}" for value, hosts in sorted(names.items()))


def _check_keys(
    findings: _Findings,
    shown: Mapping[str, Mapping[str, Any]],
    host_keys: Mapping[str, Mapping[str, Any] | None],
) -> None:
    """What will go wrong with the keys that the hosts are to get."""
    wanted: dict[str, HostKey] = {}
    for name, host in shown.items():
        try:
            wanted[name] = HostKey.of(host_keys.get(name))
        except ValueError as error:
            findings.add(problem("invalid_argument", detail=f"{name}: {error}"), [name])
            continue
        for found in _foresee(host, wanted[name]):
            findings.add(found, [name])
    _check_duplicates(findings, shown, wanted)
    _check_key_releases(findings, shown, wanted)


def _foresee(host: Mapping[str, Any], key: HostKey) -> Iterator[Problem | Mapping[str, str]]:
    if key.last_five:
        refusal = check_key(key.last_five)
        if refusal:
            yield refusal
            return
    yield from plan_host(host_from(host), HostWish(key.last_five, key.replace)).problems
    # Other problems of the host are those that its key will put right, or those that the plan has found again.
    lasting = {"cluster_unreadable"} if key.replace else {"cluster_unreadable", "avma_unreadable"}
    yield from (found for found in host["problems"] if found["code"] in lasting)


def _check_duplicates(
    findings: _Findings, shown: Mapping[str, Mapping[str, Any]], wanted: Mapping[str, HostKey]
) -> None:
    """Each key is for one host, unless it is a volume key: among those to be set, and those that other hosts have already."""
    holders: dict[str, set[str]] = defaultdict(set)
    for name, host in shown.items():
        key = wanted.get(name)
        if key and key.last_five:
            holders[key.last_five].add(name)
        else:
            for last_five in _installed(host):
                holders[last_five].add(name)
    for key in wanted.values():
        if key.last_five and not key.volume_key:
            names = sorted(holders[key.last_five])
            if len(names) > 1:
                findings.add(problem("duplicate_host_key", last_five=key.last_five, hosts=", ".join(names)), names)


def _installed(host: Mapping[str, Any]) -> Iterable[str]:
    facts = host_from(host)
    if facts.avma is not None:
        return facts.avma.last_fives
    last_five = facts.license.partial_product_key if facts.license else None
    return [last_five] if last_five else []


def _check_key_releases(
    findings: _Findings, shown: Mapping[str, Mapping[str, Any]], wanted: Mapping[str, HostKey]
) -> None:
    """All nodes of a cluster must have keys of the same release (vm-activate, FAQ).

    On Windows Server Windows itself rejects the key of another release than its own, so that this is about Azure Local.
    """
    for cluster, members in _clusters(shown).items():
        releases = {name: _key_release(host, wanted.get(name)) for name, host in members.items()}
        known = _by_value({name: f"Windows Server {release}" for name, release in releases.items() if release})
        if len(known) > 1:
            found = problem(
                "key_release_mismatch",
                mismatch=f"the nodes of the cluster {cluster} have keys of different releases: {_enumerate(known)}",
                remedy="Give all nodes keys of the same release, the newest: a key cannot be replaced by an older one.",
            )
            findings.add(found, [name for name, release in releases.items() if release])


def _key_release(host: Mapping[str, Any], key: HostKey | None) -> str | None:
    if not host["avma"] or host["avma"]["subscribed"]:
        return None
    if key and key.last_five:
        return str(key.release) if key.release else None
    release: str | None = host["avma"]["key_release"]
    return release


def failover_gaps(vms: Mapping[str, Result | None], hosts: Mapping[str, Result | None]) -> list[dict[str, str]]:
    """Where guests would lose their activation: each VM against each node that may own it.

    :param vms: What ``vm_info`` returned.
    :param hosts: What ``host_info`` returned.
    :returns: Rows of ``vm``, ``id``, ``owner`` (the present one), ``node``, ``code``, ``reason`` and ``remedy``.
    """
    return [
        {
            "vm": move.vm["name"],
            "id": move.vm["id"],
            "owner": move.owner,
            "node": move.node,
            "code": move.refusal.code,
            "reason": move.refusal.message,
            "remedy": move.refusal.remedy,
        }
        for move in failover_moves(vms, hosts)
        if move.refusal
    ]


@dataclass(frozen=True)
class Move:
    """A VM on a node that may own it.

    :ivar owner: The host that it is on, which is one of the nodes.
    :ivar refusal: Why its guest would lose its activation there, or why that cannot be told.
    """

    vm: Mapping[str, Any]
    owner: str
    node: str
    refusal: Problem | None


def failover_moves(vms: Mapping[str, Result | None], hosts: Mapping[str, Result | None]) -> Iterator[Move]:
    """Each VM against each node that may own it, as for ``failover_gaps``.

    A VM whose guest is not known, or takes no AVMA key at all, is left out: its own problems tell.
    """
    shown, unread = _sort(hosts)
    activators = {name: Activator.of(name, host_from(host)) for name, host in shown.items()}
    for owner, result in sorted(vms.items()):
        cluster = shown[owner]["cluster"] if owner in shown else None
        all_nodes = [node["name"] for node in cluster["nodes"]] if cluster else []
        for vm in (result or {}).get("vms", []):
            if vm["avma_key"]:
                guest = system_from(vm["system"])
                nodes = {_inventory_name(node, shown, unread) or node for node in vm["possible_owners"] or all_nodes}
                for node in sorted(nodes | {owner}):
                    yield Move(vm, owner, node, _refusal(node, activators.get(node), guest))


def _refusal(node: str, activator: Activator | None, guest: System) -> Problem | None:
    if activator is None:
        return problem("not_read", detail=f"{node} was not asked, or did not answer")
    return activator.refuse(guest)
