# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..plugin_utils._action import AvmaAction
from ..plugin_utils._avma.hosts import assess_host, cluster_unreadable
from ..plugin_utils._session.errors import FaultError
from ..plugin_utils._session.session import Session
from ..plugin_utils._windows.cluster import read_cluster
from ..plugin_utils._windows.hosts import read_host
from ..plugin_utils._windows.licensing import known_hresult


class ActionModule(AvmaAction):
    """Read what a host is and can activate."""

    @staticmethod
    def perform(session: Session, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Read the host and its cluster, and say what is wrong."""
        host = read_host(session)
        problems = assess_host(host)
        cluster = None
        try:
            cluster = read_cluster(session) if host.cluster_service else None
        except FaultError as fault:
            problems.append(cluster_unreadable(fault.reason, known_hresult(fault)))
        return {
            "changed": False,
            "host": {
                **host.to_dict(),
                "cluster": cluster.to_dict() if cluster else None,
                "problems": [item.to_dict() for item in problems],
            },
        }
