# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong across hosts, and where guests would lose their activation. Private to this collection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._avma.hosts import HostFacts
from .._avma.problems import Problem, problem
from .._avma.releases import Release, System
from .._avma.vms import Activator
from .identity import Cluster, Host, Hosts, Result

_SILENCE = "it was not asked, or it failed or was unreachable earlier in the run"


class Findings:
    """Problems, each once, with all the hosts that it is about."""

    def __init__(self) -> None:
        self._hosts: dict[str, tuple[dict[str, str], set[str]]] = {}

    def add(self, found: Problem | Mapping[str, str], hosts: Iterable[str]) -> None:
        """Note a problem of hosts, by their names in the inventory, or as nodes."""
        shown = found.to_dict() if isinstance(found, Problem) else dict(found)
        self._hosts.setdefault(f"{shown['code']} {shown['message']}", (shown, set()))[1].update(hosts)

    def to_list(self) -> list[dict[str, Any]]:
        """The problems as the modules return them, each with ``hosts``."""
        return [{**shown, "hosts": sorted(hosts)} for shown, hosts in self._hosts.values()]


def across_hosts(hosts: Hosts) -> list[dict[str, Any]]:
    """What is wrong with hosts and the clusters that they form, as ``Findings.to_list``."""
    findings = Findings()
    check_hosts(findings, hosts)
    for host in hosts.read:
        for found in host.shown["problems"] if host.shown else ():
            findings.add(found, [host.machine])
    check_key_releases(findings, hosts, {})
    return findings.to_list()


def check_hosts(findings: Findings, hosts: Hosts) -> None:
    """Hosts that did not answer, that are listed twice, nodes that are down or that nobody asked, and nodes that differ."""
    explained: set[str] = set()
    for cluster in hosts.clusters.values():
        absent: set[str] = set()
        for node in cluster.nodes.values():
            name = node.host.machine if node.host else node.name
            if "down" in node.states:
                findings.add(node_down(node.name, cluster), [name])
                explained.add(name)
            elif node.host is None:
                absent.add(node.name)
        if absent:
            nodes = ", ".join(sorted(absent))
            findings.add(problem("node_not_in_play", nodes=nodes, cluster=cluster.shown), absent)
        _check_systems(findings, cluster)
    for host in hosts:
        if host.shown is None and host.machine not in explained:
            for found in unread_problems(host.machine, host.result):
                findings.add(found, [host.machine])
    for same in hosts.doubles():
        names = sorted(host.machine for host in same)
        findings.add(problem("same_host", names=" and ".join(names), fqdn=same[0].identity), names)


def node_down(node: str, cluster: Cluster) -> Problem:
    """A node that its cluster says is down, which is also why it does not answer."""
    return problem("node_down", node=node, cluster=cluster.shown)


def unread_problems(machine: str, result: Result) -> list[Mapping[str, str]]:
    """Why a machine could not be read, from what the module returned for it, if anything."""
    if result.get("problems"):
        return list(result["problems"])
    code = "unreachable" if result.get("unreachable") else "not_read"
    return [problem(code, detail=what_went_wrong(machine, result) or _SILENCE).to_dict()]


def what_went_wrong(machine: str, result: Result) -> str:
    """What the message of a result says, without what stands before it: the machine, and from ansible-core 2.19 on "Task failed"."""
    return str(result.get("msg") or "").removeprefix("Task failed: ").removeprefix(f"{machine}: ")


def _check_systems(findings: Findings, cluster: Cluster) -> None:
    systems = _by_value({host.machine: host.shown["system"]["name"] for host in cluster.members if host.shown})
    if len(systems) > 1:
        found = problem("mixed_os_releases", cluster=cluster.shown, releases=_enumerate(systems))
        findings.add(found, [host.machine for host in cluster.members])


def _by_value(values: Mapping[str, str]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = defaultdict(list)
    for name, value in sorted(values.items()):
        names[value].append(name)
    return names


def _enumerate(names: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"{value} on {', '.join(hosts)}" for value, hosts in sorted(names.items()))


def check_key_releases(findings: Findings, hosts: Hosts, wanted: Mapping[str, Release | None]) -> None:
    """All nodes of a cluster must have keys of the same release (vm-activate, FAQ).

    On Windows Server Windows itself rejects the key of another release than its own, so that this is about Azure Local.

    :param wanted: The releases of the keys that hosts are to get, by their names in the inventory; None where that is not known.
    """
    for cluster in hosts.clusters.values():
        releases: dict[str, str] = {}
        for host in cluster.members:
            release = _key_release(host, wanted)
            if release:
                releases[host.machine] = release
        known = _by_value({name: f"Windows Server {release}" for name, release in releases.items()})
        if len(known) > 1:
            found = problem(
                "key_release_mismatch",
                mismatch=f"the nodes of the cluster {cluster.shown} have keys of different releases: {_enumerate(known)}",
                remedy="Give all nodes keys of the same release, the newest: a key cannot be replaced by an older one.",
            )
            findings.add(found, releases)


def _key_release(host: Host, wanted: Mapping[str, Release | None]) -> str | None:
    avma = host.shown["avma"] if host.shown else None
    if not avma or avma["subscribed"]:
        return None
    if host.machine in wanted:
        release = wanted[host.machine]
        return str(release) if release else None
    told: str | None = avma["key_release"]
    return told


@dataclass(frozen=True)
class Move:
    """A VM on a node that may own it.

    :ivar node: The node: its name in the inventory, or if it is not there, as its cluster calls it.
    :ivar refusal: Why its guest would lose its activation there, or why that cannot be told.
    """

    node: str
    refusal: Problem | None


class Failover:
    """On which nodes guests would lose their activation."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        self._activators = {
            id(host): Activator.of(host.machine, HostFacts.from_dict(host.shown))
            for host in hosts
            if host.shown is not None
        }

    def moves(self, vm: Mapping[str, Any], owner: Host, guest: System) -> Iterator[Move]:
        """Each node that may own a VM, which are all of the cluster if its possible owners are not known.

        :param vm: What ``vm_info`` returned for it. One that is no role of the cluster stays where it is.
        :param guest: A system for which there is an AVMA key.
        """
        cluster = self._hosts.clusters.get(owner.cluster or "")
        names = [node.name for node in cluster.nodes.values()] if cluster else []
        if vm.get("clustered") is False:
            names = []
        elif vm["possible_owners"]:
            names = vm["possible_owners"]
        nodes = {owner.machine: owner} | dict(self._named(name, owner.cluster) for name in names)
        for name in sorted(nodes):
            yield Move(name, self.refusal(name, nodes[name], guest))

    def _named(self, node: str, cluster: str | None) -> tuple[str, Host | None]:
        host = self._hosts.node(node, cluster)
        return (host.machine if host else node), host

    def refusal(self, name: str, host: Host | None, guest: System) -> Problem | None:
        """Why a host would not activate a guest, or why that cannot be told; None if it would."""
        activator = self._activators.get(id(host))
        if activator is None:
            return problem("not_read", detail=f"{name} was not asked, or did not answer")
        return activator.refuse(guest)

    def is_azure_local(self, host: Host) -> bool:
        """Whether a host is one of Azure Local; False if it was not read."""
        activator = self._activators.get(id(host))
        return activator is not None and activator.azure_local


def failover_gaps(vms: Mapping[str, Result | None], results: Mapping[str, Result | None]) -> list[dict[str, str]]:
    """Where guests would lose their activation: each VM against each node that may own it.

    A VM whose guest is not known, or takes no AVMA key at all, is left out: its own problems tell.

    :param vms: What ``vm_info`` returned, by the name of the host in the inventory.
    :param results: What ``host_info`` returned.
    :returns: Rows of ``vm``, ``id``, ``owner`` (the present one), ``node``, ``code``, ``reason`` and ``remedy``.
    """
    hosts = Hosts(results)
    by_machine = {host.machine: host for host in hosts}
    failover = Failover(hosts)
    return [
        {
            "vm": vm["name"],
            "id": vm["id"],
            "owner": name,
            "node": move.node,
            "code": move.refusal.code,
            "reason": move.refusal.message,
            "remedy": move.refusal.remedy,
        }
        for name, result in sorted(vms.items())
        for vm in (result or {}).get("vms", [])
        if vm["avma_key"]
        for move in failover.moves(vm, by_machine.get(name, Host(name, {})), System.from_dict(vm["system"]))
        if move.refusal
    ]
