# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The failover cluster of a host. Private to this collection."""

from __future__ import annotations

from .._avma.hosts import Cluster, Node
from .._wsman.errors import FaultError
from .._wsman.session import Session

NAMESPACE = "root/MSCluster"
#: WBEM_E_INVALID_NAMESPACE: failover clustering is not installed.
_INVALID_NAMESPACE = 0x8004100E
#: ``MSCluster_Node.State`` (Microsoft, Failover Cluster Provider Reference).
_STATES = {0: "up", 1: "down", 2: "paused", 3: "joining"}


def read_cluster(session: Session) -> Cluster | None:
    """The cluster that a host is a node of; None if it is none.

    :raises FaultError: The cluster cannot be asked, as when its service is stopped on this node.
    """
    try:
        clusters = session.query("SELECT Name FROM MSCluster_Cluster", NAMESPACE)
    except FaultError as fault:
        if _INVALID_NAMESPACE in fault.hresults:
            return None
        raise
    if not clusters:
        return None
    nodes = session.query("SELECT Name, State FROM MSCluster_Node", NAMESPACE)
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
