# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..plugin_utils._action import AvmaAction, Failure, checking
from ..plugin_utils._avma import keys
from ..plugin_utils._avma.problems import problem
from ..plugin_utils._avma.vms import Activator, assess_vm
from ..plugin_utils._session.session import Session
from ..plugin_utils._windows.cluster import with_roles
from ..plugin_utils._windows.hosts import read_host
from ..plugin_utils._windows.hyperv import read_vms


class ActionModule(AvmaAction):
    """Read the virtual machines of a host."""

    ARGUMENT_SPEC: ClassVar[dict[str, dict[str, Any]]] = {
        "name": {"type": "list", "elements": "str", "default": []},
        "key_overrides": {"type": "dict", "default": {}, "no_log": False},
    }

    @staticmethod
    def perform(session: Session, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Read host and VMs, and say which of them the host can activate."""
        with checking("key_overrides"):
            overrides = keys.read_overrides(arguments["key_overrides"])
        host = read_host(session)
        if not host.hyperv:
            raise Failure([problem("hyperv_role_missing")])
        activator = Activator.of(session.machine, host)
        vms = read_vms(session, arguments["name"], interface=host.system.azure_local)
        if host.cluster_service:
            vms = with_roles(session, vms, host.name)
        return {
            "changed": False,
            "vms": [{**vm.to_dict(), **assess_vm(vm, activator, overrides).to_dict()} for vm in vms],
        }
