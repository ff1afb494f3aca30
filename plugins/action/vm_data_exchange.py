# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from ..plugin_utils._action import AvmaAction, Failure
from ..plugin_utils._avma.problems import Problem, problem
from ..plugin_utils._avma.vms import Vm
from ..plugin_utils._session.session import Session
from ..plugin_utils._session.waits import Clock
from ..plugin_utils._windows.attempts import Attempts
from ..plugin_utils._windows.hyperv import HyperVError, read_vms, switch_data_exchange
from ..plugin_utils._windows.system import read_operating_system


class ActionModule(AvmaAction):
    """Switch the Data Exchange service of virtual machines."""

    ARGUMENT_SPEC: ClassVar[dict[str, dict[str, Any]]] = {
        "name": {"type": "list", "elements": "str", "default": []},
        "state": {"type": "str", "choices": ["enabled", "disabled"], "default": "enabled"},
        "timeout": {"type": "int", "default": 120},
    }

    def perform(self, session: Session, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Switch what is not as wished, and read it back."""
        names, enabled = arguments["name"], arguments["state"] == "enabled"
        before = read_vms(session, names, kvp=False)
        missing = _missing(names, before)
        if missing:
            raise Failure([problem("vm_not_found", names=", ".join(missing))], {"vms": []})
        wrong = [vm for vm in before if vm.data_exchange != enabled]
        failures: Mapping[str, HyperVError] = {}
        after = [replace(vm, data_exchange=enabled) for vm in before]
        if wrong and not self._task.check_mode:
            build = read_operating_system(session).build
            attempts = Attempts(arguments["timeout"], Clock())
            failures = switch_data_exchange(session, wrong, enabled, build, attempts)
            after = read_vms(session, names, kvp=False)
        return self._report(before, after, enabled, failures)

    def _report(
        self, before: Sequence[Vm], after: Sequence[Vm], enabled: bool, failures: Mapping[str, HyperVError]
    ) -> dict[str, Any]:
        now = {vm.id: vm.data_exchange for vm in after}
        problems = {vm.id: _failure(vm, now, failures) for vm in before if now.get(vm.id) != enabled}
        result: dict[str, Any] = {
            "changed": any(now.get(vm.id, vm.data_exchange) != vm.data_exchange for vm in before),
            "vms": [
                {
                    "name": vm.name,
                    "id": vm.id,
                    "data_exchange": now.get(vm.id),
                    "changed": now.get(vm.id, vm.data_exchange) != vm.data_exchange,
                    "problems": [problems[vm.id].to_dict()] if vm.id in problems else [],
                }
                for vm in before
            ],
        }
        if self._task.diff:
            result["diff"] = {"before": _states(before), "after": _states(after)}
        if problems:
            raise Failure(list(problems.values()), result)
        return {**result, "problems": []}


def _missing(names: Sequence[str], vms: Sequence[Vm]) -> list[str]:
    known = {text.lower() for vm in vms for text in (vm.name, vm.id)}
    return [name for name in names if name.lower() not in known]


def _failure(vm: Vm, now: Mapping[str, bool], failures: Mapping[str, HyperVError]) -> Problem:
    error = failures.get(vm.id)
    if error:
        return problem("data_exchange_not_switched", error.hresult, vm=vm.name, detail=error)
    gone = vm.id not in now
    detail = "it has left the host" if gone else "Hyper-V reported no error, and yet it is as before"
    return problem("data_exchange_not_switched", vm=vm.name, detail=detail)


def _states(vms: Sequence[Vm]) -> dict[str, str]:
    return {f"{vm.name} ({vm.id})": "enabled" if vm.data_exchange else "disabled" for vm in vms}
