# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The failover cluster of a host. Private to this collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .._avma.hosts import Cluster, Node
from .._avma.names import names_match
from .._avma.vms import Vm
from .._session.errors import FaultError, TooLargeError
from .._session.instance import Instance
from .._session.session import Query, Session

NAMESPACE = "root/MSCluster"
_CLUSTER = Query("SELECT Name FROM MSCluster_Cluster", NAMESPACE)
_NODES = Query("SELECT Name, State FROM MSCluster_Node", NAMESPACE)
_ROLES = Query(
    "SELECT Name, Id, OwnerGroup, OwnerNode FROM MSCluster_Resource WHERE Type = 'Virtual Machine'", NAMESPACE
)
_POSSIBLE_OWNERS = Query("SELECT GroupComponent, PartComponent FROM MSCluster_ResourceToPossibleOwner", NAMESPACE)
#: WBEM_E_INVALID_NAMESPACE: failover clustering is not installed.
_INVALID_NAMESPACE = 0x8004100E
#: ``MSCluster_Node.State`` (Microsoft, Failover Cluster Provider Reference).
_STATES = {0: "up", 1: "down", 2: "paused", 3: "joining"}

#: How the resource of a VM is named, in lower case.
_VM_PREFIX = "virtual machine "


def read_cluster(session: Session) -> Cluster | None:
    """The cluster that a host is a node of; None if it is none.

    :raises FaultError: The cluster cannot be asked, as when its service is stopped on this node.
    """
    session.expect(_CLUSTER, _NODES)
    try:
        clusters = _CLUSTER.on(session)
    except FaultError as fault:
        if _INVALID_NAMESPACE in fault.hresults:
            return None
        raise
    if not clusters:
        return None
    nodes = _NODES.on(session)
    return Cluster(
        clusters[0].text("Name") or "",
        tuple(
            Node(
                node.text("Name") or "",
                _STATES.get(state if (state := node.integer("State")) is not None else -1, "unknown"),
            )
            for node in nodes
        ),
    )


def with_roles(session: Session, vms: Sequence[Vm], node: str) -> list[Vm]:
    """VMs with the nodes that may own them, and whether they are roles of the cluster; as they are if it does not tell, or too much.

    Cluster resources carry the name of their VM, as Hyper-V and Failover Cluster Manager make them; that of a VM that was renamed
    since is not found by it. So a VM is known to be no role only if all roles that this node owns are those of other VMs.
    UNVERIFIED: whether the references name a resource by its name or its id.

    :param node: The name of this host as a node.
    """
    session.expect(_ROLES, _POSSIBLE_OWNERS)
    try:
        resources, links = _ROLES.on(session), _POSSIBLE_OWNERS.on(session)
    except (FaultError, TooLargeError):
        return list(vms)
    owners: dict[str, list[str]] = {}
    for link in links:
        resource, owner = link.reference("GroupComponent"), link.reference("PartComponent")
        if resource and owner:
            for key in resource.selectors.values():
                owners.setdefault(key.lower(), []).append(owner.selectors.get("Name", ""))
    names = {vm.name.lower() for vm in vms}
    found: dict[str, tuple[str, ...]] = {}
    all_known = True
    for row in resources:
        nodes = next((owners[key] for key in _lower(row, "Name", "Id") if key in owners), [])
        called = {*_lower(row, "OwnerGroup"), *(name.removeprefix(_VM_PREFIX) for name in _lower(row, "Name"))}
        for vm in called:
            found[vm] = tuple(sorted({*found.get(vm, ()), *nodes}))
        all_known &= bool(called & names) or not names_match(row.text("OwnerNode") or node, node)
    return [
        replace(vm, possible_owners=found[vm.name.lower()], clustered=True)
        if vm.name.lower() in found
        else replace(vm, clustered=False if all_known else None)
        for vm in vms
    ]


def read_owner(session: Session, vm_name: str) -> str | None:
    """The node that owns a clustered VM; None if the cluster does not tell, or no resource carries the VM's name.

    :raises FaultError: The cluster cannot be asked.
    """
    rows = _ROLES.on(session)
    wanted = {vm_name.lower(), _VM_PREFIX + vm_name.lower()}
    return next((row.text("OwnerNode") for row in rows if wanted & set(_lower(row, "Name", "OwnerGroup"))), None)


def _lower(row: Instance, *names: str) -> list[str]:
    return [text.lower() for name in names if (text := row.text(name))]
