# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ..plugin_utils._action import AvmaAction, Failure
from ..plugin_utils._avma.problems import Problem, problem
from ..plugin_utils._avma.vms import Vm
from ..plugin_utils._fleet.guests import listed
from ..plugin_utils._session.session import Session
from ..plugin_utils._session.waits import Clock
from ..plugin_utils._windows.attempts import Attempts
from ..plugin_utils._windows.hyperv import (
    DATA_EXCHANGE,
    GUEST_SERVICE_INTERFACE,
    HyperVError,
    IntegrationService,
    read_vms,
    switch_service,
)
from ..plugin_utils._windows.system import read_operating_system

#: The integration services that can be switched, by what results call them, and the problem of one that could not.
_SERVICES: Mapping[str, tuple[IntegrationService, str]] = {
    "data_exchange": (DATA_EXCHANGE, "data_exchange_not_switched"),
    "guest_service_interface": (GUEST_SERVICE_INTERFACE, "guest_service_interface_not_switched"),
}


class ActionModule(AvmaAction):
    """Switch an integration service of virtual machines."""

    ARGUMENT_SPEC: ClassVar[dict[str, dict[str, Any]]] = {
        "name": {"type": "list", "elements": "str", "default": []},
        "service": {"type": "str", "choices": list(_SERVICES), "default": "data_exchange"},
        "state": {"type": "str", "choices": ["enabled", "disabled"], "default": "enabled"},
        "timeout": {"type": "int", "default": 120},
    }

    def perform(self, session: Session, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Switch what is not as wished, and read it back."""
        names, enabled = arguments["name"], arguments["state"] == "enabled"
        self._service = arguments["service"]
        service, self._code = _SERVICES[self._service]
        before = self._read(session, names)
        missing = _missing(names, before)
        if missing:
            there = listed(sorted(vm.name for vm in self._read(session, []))) or "none"
            raise Failure([problem("vm_not_found", names=", ".join(missing), there=there)], {"vms": []})
        wrong = [vm for vm in before if self._state(vm) != enabled]
        failures: Mapping[str, HyperVError] = {}
        now = dict.fromkeys((vm.id for vm in before), enabled)
        if wrong and not self._task.check_mode:
            build = read_operating_system(session).build
            attempts = Attempts(arguments["timeout"], Clock())
            failures = switch_service(session, service, wrong, enabled, build, attempts)
            now = {vm.id: self._state(vm) for vm in self._read(session, names)}
        return self._report(before, now, enabled, failures)

    def _read(self, session: Session, names: Sequence[str]) -> list[Vm]:
        return read_vms(session, names, kvp=False, interface=self._service == "guest_service_interface")

    def _state(self, vm: Vm) -> bool:
        return bool(getattr(vm, self._service))

    def _report(
        self, before: Sequence[Vm], now: Mapping[str, bool], enabled: bool, failures: Mapping[str, HyperVError]
    ) -> dict[str, Any]:
        problems = {vm.id: self._failure(vm, now, failures) for vm in before if now.get(vm.id) != enabled}
        changed = {vm.id for vm in before if now.get(vm.id, self._state(vm)) != self._state(vm)}
        result: dict[str, Any] = {
            "changed": bool(changed),
            "vms": [
                {
                    "name": vm.name,
                    "id": vm.id,
                    self._service: now.get(vm.id),
                    "changed": vm.id in changed,
                    "problems": [problems[vm.id].to_dict()] if vm.id in problems else [],
                }
                for vm in before
            ],
        }
        if self._task.diff:
            result["diff"] = {
                "before": _words(before, {vm.id: self._state(vm) for vm in before}),
                "after": _words([vm for vm in before if vm.id in now], now),
            }
        if problems:
            raise Failure(list(problems.values()), result)
        return {**result, "problems": []}

    def _failure(self, vm: Vm, now: Mapping[str, bool], failures: Mapping[str, HyperVError]) -> Problem:
        error = failures.get(vm.id)
        if error:
            return problem(self._code, error.hresult, vm=vm.name, detail=error)
        gone = vm.id not in now
        detail = "it has left the host" if gone else "Hyper-V reported no error, and yet it is as before"
        return problem(self._code, vm=vm.name, detail=detail)


def _missing(names: Sequence[str], vms: Sequence[Vm]) -> list[str]:
    known = {text.lower() for vm in vms for text in (vm.name, vm.id)}
    return [name for name in names if name.lower() not in known]


def _words(vms: Sequence[Vm], states: Mapping[str, bool]) -> dict[str, str]:
    return {f"{vm.name} ({vm.id})": "enabled" if states[vm.id] else "disabled" for vm in vms}
