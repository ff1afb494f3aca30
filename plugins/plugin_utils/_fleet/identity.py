# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who a machine is: a host by its full DNS name and its cluster, a cluster by its full name, a VM by its id. Private to this collection.

What people call them (inventory names, short and NetBIOS names, addresses) is looked up to that, and can be ambiguous.
"""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from .._avma.names import NETBIOS_LENGTH, domain_of, full_name, is_address, names_match, same_short_name, short_name

#: What a module returned for a machine: nothing for one that was not asked.
Result = Mapping[str, Any]

_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_FQDN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+\.?")


def vm_identity(vm_id: str) -> str:
    """Who a VM is: its id, as Hyper-V writes it (``Msvm_ComputerSystem.Name``), in capitals."""
    return vm_id.strip().strip("{}").upper()


def host_identity(machine: str, shown: Mapping[str, Any]) -> str:
    """Who a host is: its full DNS name, or what is known of it.

    :param machine: Its name in the inventory. It says the domain of a host that does not tell its own, if it is the same name.
    :param shown: What ``host_info`` returned (RV(host)).
    """
    fqdn = shown.get("fqdn")
    if fqdn:
        return full_name(fqdn)
    if domain_of(machine) and same_short_name(machine, shown["name"]):
        return full_name(machine)
    return full_name(shown["name"])


def cluster_identity(machine: str, shown: Mapping[str, Any]) -> str | None:
    """Who the cluster of a host is: its full name, in the domain of its nodes if it does not tell its own; None if it has none."""
    cluster = shown.get("cluster")
    if not cluster:
        return None
    name = str(cluster.get("fqdn") or cluster["name"])
    domain = domain_of(name) or domain_of(host_identity(machine, shown))
    return ".".join(part for part in (short_name(name), domain) if part)


def node_address(node: str, cluster: str) -> str:
    """Under which name a node of a cluster can be reached: in the domain of the cluster, as the user named that.

    A cluster that is named by an address says no domain.
    """
    domain = domain_of(cluster)
    return f"{node}.{domain}" if domain and not domain_of(node) else node


def usable_address(fqdn: str | None, addresses: Iterable[str]) -> str | None:
    """Where a guest says that it is; never the controller itself, and no address that only the guest's own link knows.

    :param addresses: IP addresses. The zone of an IPv6 address is the guest's own number of its interface, and goes.
    """
    if fqdn and _FQDN.fullmatch(fqdn) and not is_address(fqdn) and "localhost" not in fqdn.lower().split("."):
        return fqdn
    for text in addresses:
        with suppress(ValueError):
            address = ipaddress.ip_address(text.partition("%")[0])
            if not (address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast):
                return str(address)
    return None


@dataclass(frozen=True)
class Host:
    """A host of the run.

    :ivar machine: Its name in the inventory.
    :ivar result: What ``host_info`` returned for it.
    :ivar identity: Its full DNS name, as far as it is known; None if it was not read.
    :ivar cluster: The full name of its cluster; None if it has none, or was not read.
    """

    machine: str
    result: Result
    identity: str | None = None
    cluster: str | None = None

    @classmethod
    def of(cls, machine: str, result: Result | None) -> Host:
        """From what ``host_info`` returned, also if it failed or did not reach its host."""
        result = result or {}
        if "host" not in result:
            return cls(machine, result)
        shown = result["host"]
        return cls(machine, result, host_identity(machine, shown), cluster_identity(machine, shown))

    @property
    def shown(self) -> Mapping[str, Any] | None:
        """What the host told (RV(host)); None if it was not read."""
        return self.result.get("host")

    @property
    def names(self) -> tuple[str, ...]:
        """What it is called: a host that was read, by what it says of itself."""
        if self.shown is None or self.identity is None:
            return (self.machine,)
        return tuple(dict.fromkeys((self.identity, full_name(self.shown["name"]))))

    def has_name(self, name: str) -> bool:
        """Whether a name can mean this host. The full name of one whose domain is known is its only one with a domain."""
        if self.identity is not None and domain_of(self.identity) and domain_of(name):
            return self.identity == full_name(name)
        return any(names_match(name, known) for known in self.names)


@dataclass
class Node:
    """A node of a cluster.

    :ivar states: What the nodes of the cluster that were read say of it, ``up``, ``down`` and so on.
    :ivar host: Which host of the run it is; None if it is none of them.
    """

    name: str
    full_name: str
    states: set[str] = field(default_factory=set)
    host: Host | None = None


@dataclass
class Cluster:
    """A cluster of which at least one node was read.

    :ivar name: Its full name, as it is compared.
    :ivar shown: As it calls itself.
    :ivar members: The hosts of the run that say they are its nodes.
    """

    name: str
    shown: str
    members: list[Host] = field(default_factory=list)
    nodes: dict[str, Node] = field(default_factory=dict)

    @property
    def hosts(self) -> list[Host]:
        """The hosts of the run that are its nodes, also those that could not be read."""
        others = (node.host for node in self.nodes.values() if node.host is not None)
        return list({id(host): host for host in (*self.members, *others)}.values())


class Hosts(Sequence[Host]):
    """The hosts of a run, and who is meant by a name."""

    def __init__(self, results: Mapping[str, Result | None] | Iterable[tuple[str, Result | None]]) -> None:
        """Take what ``host_info`` returned, by the name of the host in the inventory, also where it failed or was not asked."""
        pairs = results.items() if isinstance(results, Mapping) else results
        self._hosts = _with_domains([Host.of(name, result) for name, result in pairs])
        self._by_label: defaultdict[str, list[Host]] = defaultdict(list)
        for host in self._hosts:
            for label in {short_name(name)[:NETBIOS_LENGTH] for name in (host.machine, *host.names)}:
                self._by_label[label].append(host)
        self._by_machine = {full_name(host.machine): host for host in self._hosts}
        self.clusters = self._find_clusters()

    def __len__(self) -> int:
        return len(self._hosts)

    def __getitem__(self, index: Any) -> Any:
        return self._hosts[index]

    def __iter__(self) -> Iterator[Host]:
        return iter(self._hosts)

    @property
    def read(self) -> list[Host]:
        """Those that told of themselves."""
        return [host for host in self._hosts if host.shown is not None]

    def find(self, name: str) -> list[Host]:
        """The hosts that Windows can mean by a name: none, one, or more if the name is ambiguous."""
        found = [host for host in self._by_label.get(short_name(name)[:NETBIOS_LENGTH], ()) if host.has_name(name)]
        exact = [host for host in found if domain_of(name) and host.identity == full_name(name)]
        return exact or found

    def named(self, name: str) -> list[Host]:
        """The hosts that a user can mean by a name: first by the inventory, then as ``find``."""
        host = self._by_machine.get(full_name(name))
        return [host] if host else self.find(name)

    def node(self, name: str, cluster: str | None) -> Host | None:
        """Which host of the run a node of a cluster is."""
        known = self.clusters.get(cluster or "")
        node = known.nodes.get(short_name(name)) if known else None
        return node.host if node else None

    def doubles(self) -> list[list[Host]]:
        """Hosts of the inventory that answer with one full DNS name: one machine listed twice, or two with one name."""
        by_identity: defaultdict[str, list[Host]] = defaultdict(list)
        for host in self._hosts:
            if host.identity and domain_of(host.identity):
                by_identity[host.identity].append(host)
        return [hosts for hosts in by_identity.values() if len(hosts) > 1]

    def _find_clusters(self) -> dict[str, Cluster]:
        clusters: dict[str, Cluster] = {}
        for host in self.read:
            if host.cluster is not None and host.shown is not None:
                told = host.shown["cluster"]
                cluster = clusters.setdefault(
                    host.cluster, Cluster(host.cluster, str(told.get("fqdn") or told["name"]))
                )
                cluster.members.append(host)
                for node in told["nodes"]:
                    name = str(node["name"])
                    known = cluster.nodes.setdefault(
                        short_name(name), Node(name, full_name(node_address(name, host.cluster)))
                    )
                    known.states.add(node["state"])
        for cluster in clusters.values():
            for node in cluster.nodes.values():
                node.host = next(
                    (host for host in cluster.members if host.shown and same_short_name(host.shown["name"], node.name)),
                    None,
                )
        self._place_unread(clusters)
        return clusters

    def _place_unread(self, clusters: Mapping[str, Cluster]) -> None:
        """Hosts that were not read are told by their names in the inventory: where these fit one node only."""
        free: defaultdict[str, list[Node]] = defaultdict(list)
        for cluster in clusters.values():
            for node in cluster.nodes.values():
                if node.host is None:
                    free[short_name(node.name)[:NETBIOS_LENGTH]].append(node)
        for host in self._hosts:
            if host.shown is None:
                nodes = free.get(short_name(host.machine)[:NETBIOS_LENGTH], [])
                exact = [
                    node for node in nodes if domain_of(host.machine) and node.full_name == full_name(host.machine)
                ]
                # An inventory may know a node by another domain than its own, as that of a network for management.
                fitting = exact or [node for node in nodes if same_short_name(node.name, host.machine)]
                if len(fitting) == 1 and fitting[0].host is None:
                    fitting[0].host = host


def _with_domains(hosts: list[Host]) -> list[Host]:
    """Put hosts that do not tell their domain into the one cluster of that short name, if others tell its full name."""
    full: defaultdict[str, set[str]] = defaultdict(set)
    for host in hosts:
        if host.cluster and domain_of(host.cluster):
            full[short_name(host.cluster)].add(host.cluster)
    return [
        replace(host, cluster=next(iter(full[host.cluster])))
        if host.cluster and len(full.get(host.cluster, ())) == 1
        else host
        for host in hosts
    ]
