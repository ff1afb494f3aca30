# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ansible.errors import AnsibleConnectionFailure

from ..plugin_utils._action import CheckedAction, invalid


class ActionModule(CheckedAction):
    """Tell in the recap what a task for many machines found of this one."""

    _requires_connection = False

    ARGUMENT_SPEC: ClassVar[dict[str, dict[str, Any]]] = {"var": {"type": "str", "required": True}}

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task."""
        self._variables = task_vars or {}
        return super().run(tmp, task_vars)

    def work(self, machine: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Answer from that result. Nothing is sent to the machine: a wrong password tried twice may lock an account."""
        # By its name, and not as a value: Ansible would go through what was read of all machines for each of them.
        name = arguments["var"]
        result = self._variables.get(name)
        if not isinstance(result, Mapping) or "recap" not in result:
            raise invalid("var", f"{name} is no variable that a task of fleet_info or host_keys registered")
        said: dict[str, Any] = dict(result["recap"].get(self._variables["inventory_hostname"], {}))
        if said.pop("unreachable", False):
            raise AnsibleConnectionFailure(said["msg"])
        return {"changed": False, **said}
