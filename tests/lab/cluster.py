# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Failover clusters: root/MSCluster on every node (facts/avma.md §7.4; Microsoft's Failover Cluster Provider Reference).

UNVERIFIED: that a VM's group is named after the VM and its resource ``Virtual Machine NAME``, which is what Hyper-V manager does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from uuid import NAMESPACE_DNS, uuid5

from lab.cim import CimClass, Reference, Value
from lab.provider import Provider, cim_class

if TYPE_CHECKING:
    from lab.machine import GuestMachine, HostMachine

NAMESPACE = "root/MSCluster"

STATES = {"up": 0, "down": 1, "paused": 2, "joining": 3}
_ONLINE, _OFFLINE = 0, 1
_RESOURCE_ONLINE, _RESOURCE_OFFLINE = 2, 3
_VIRTUAL_MACHINE, _CLUSTER_GROUP = 111, 0

_CLUSTER = cim_class(
    NAMESPACE,
    "MSCluster_Cluster",
    key="Name",
    string="Caption Description Fqdn MaintenanceFile Name SharedVolumesRoot Status",
    boolean="EnableSharedVolumes",
    uint32="AutoBalancerLevel AutoBalancerMode ClusterFunctionalLevel S2DEnabled",
)
_NODE = cim_class(
    NAMESPACE,
    "MSCluster_Node",
    key="Name",
    string="BuildNumber Caption CSDVersion Description Id MajorVersion MinorVersion Name NodeInstanceID Status SystemName",
    uint32="DrainStatus DynamicWeight FaultDomainId NodeWeight State StatusInformation",
)
_GROUP = cim_class(
    NAMESPACE,
    "MSCluster_ResourceGroup",
    key="Name",
    string="Caption Description Id Name OwnerNode Status",
    boolean="Persistent",
    uint32="AutoFailbackType Characteristics FailoverPeriod FailoverThreshold Flags GroupType Priority State",
)
_RESOURCE = cim_class(
    NAMESPACE,
    "MSCluster_Resource",
    key="Name",
    string="Caption Description Id Name OwnerGroup OwnerNode Status Type",
    boolean="CoreResource PersistentState",
    uint32="Characteristics Flags State",
)


def _association(name: str) -> CimClass:
    keys = "GroupComponent PartComponent"
    return cim_class(NAMESPACE, name, key=keys, reference=keys)


_POSSIBLE_OWNER = _association("MSCluster_ResourceToPossibleOwner")
_PREFERRED_NODE = _association("MSCluster_ResourceGroupToPreferredNode")
_GROUP_RESOURCE = _association("MSCluster_ResourceGroupToResource")


class Cluster:
    """A cluster and its nodes."""

    def __init__(self, name: str, domain: str) -> None:
        self.name = name
        self._domain = domain
        self.nodes: list[HostMachine] = []

    def providers(self) -> list[Provider]:
        """What every node that is up serves."""
        return [
            Provider(_CLUSTER, lambda: [self._cluster()]),
            Provider(_NODE, self._nodes),
            Provider(_GROUP, self._groups),
            Provider(_RESOURCE, self._resources),
            Provider(_POSSIBLE_OWNER, self._possible_owners),
            Provider(_PREFERRED_NODE),
            Provider(_GROUP_RESOURCE, self._group_resources),
        ]

    def may_own(self, guest: GuestMachine) -> list[HostMachine]:
        """The nodes that may run a guest; all, unless its owners were restricted."""
        owners = guest.spec.possible_owners
        return [node for node in self.nodes if not owners or node.name in owners]

    def _guests(self) -> Iterator[tuple[GuestMachine, HostMachine]]:
        for node in self.nodes:
            for guest in node.guests:
                if guest.spec.clustered:
                    yield guest, node

    def _cluster(self) -> Mapping[str, Value]:
        return {
            "Caption": self.name,
            "ClusterFunctionalLevel": min(_functional_level(node) for node in self.nodes),
            "Fqdn": f"{self.name}.{self._domain}",
            "Name": self.name,
            "S2DEnabled": 0,
            "Status": "OK",
        }

    def _nodes(self) -> Iterator[Mapping[str, Value]]:
        for number, node in enumerate(self.nodes, start=1):
            release = node.system.release
            major, minor = release.version.split(".")
            yield {
                "BuildNumber": str(release.build),
                "Caption": node.name,
                "Id": str(number),
                "MajorVersion": major,
                "MinorVersion": minor,
                "Name": node.name,
                "NodeWeight": 1,
                "State": STATES[node.node_state if node.running else "down"],
                "Status": "OK",
            }

    def _groups(self) -> Iterator[Mapping[str, Value]]:
        yield self._group("Cluster Group", self.nodes[0].name, _CLUSTER_GROUP, True)
        for guest, node in self._guests():
            yield self._group(guest.vm_name, node.name, _VIRTUAL_MACHINE, guest.running)

    def _group(self, name: str, owner: str, kind: int, online: bool) -> Mapping[str, Value]:
        return {
            "Caption": name,
            "GroupType": kind,
            "Id": self._id(name),
            "Name": name,
            "OwnerNode": owner,
            "Priority": 2000,
            "State": _ONLINE if online else _OFFLINE,
            "Status": "OK",
        }

    def _resources(self) -> Iterator[Mapping[str, Value]]:
        for guest, node in self._guests():
            for kind in ("Virtual Machine", "Virtual Machine Configuration"):
                name = f"{kind} {guest.vm_name}"
                yield {
                    "Caption": name,
                    "CoreResource": False,
                    "Id": self._id(name),
                    "Name": name,
                    "OwnerGroup": guest.vm_name,
                    "OwnerNode": node.name,
                    "State": _RESOURCE_ONLINE if guest.running else _RESOURCE_OFFLINE,
                    "Type": kind,
                }

    def _possible_owners(self) -> Iterator[Mapping[str, Value]]:
        for guest, _ in self._guests():
            for kind in ("Virtual Machine", "Virtual Machine Configuration"):
                resource = _reference(_RESOURCE, f"{kind} {guest.vm_name}")
                for node in self.may_own(guest):
                    yield {"GroupComponent": resource, "PartComponent": _reference(_NODE, node.name)}

    def _group_resources(self) -> Iterator[Mapping[str, Value]]:
        for guest, _ in self._guests():
            for kind in ("Virtual Machine", "Virtual Machine Configuration"):
                yield {
                    "GroupComponent": _reference(_GROUP, guest.vm_name),
                    "PartComponent": _reference(_RESOURCE, f"{kind} {guest.vm_name}"),
                }

    def _id(self, name: str) -> str:
        return str(uuid5(NAMESPACE_DNS, f"{self.name}/{name}"))


def _reference(cim_class: CimClass, name: str) -> Reference:
    return Reference(NAMESPACE, cim_class.name, {"Name": name})


def _functional_level(node: HostMachine) -> int:
    """8: 2012 R2, 9: 2016, 10: 2019, 11: 2022, 12: 2025."""
    return {"2012 R2": 8, "2016": 9, "2019": 10, "2022": 11, "2025": 12}.get(node.system.release.name, 12)
