# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""WMI from within a machine, as the CIM cmdlets reach it: the same model as WS-Management's, the same journal and faults.

Access is by the namespace's DACL alone, which admits administrators; a user who is none gets 0x80041003 on a network logon, which ssh,
WinRS and PowerShell Direct are (facts/powershell.md 51, 81).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from lab import errors, wql
from lab.cim import CimClass, CimError, Instance, Machine, MethodResult, Value
from lab.faults import Effect, FaultRule
from lab.powershell.errors import ConnectionLost, Unsupported
from lab.traffic import Traffic

#: What only WS-Management's service does: nothing that happens here.
_OF_WS_MANAGEMENT = (Effect.WSMAN_FAULT, Effect.WRONG_RELATES_TO)

#: Faults that cut the connection, and whether the operation has run by then.
_CUTTING = {
    Effect.DROP: False,
    Effect.STATUS: False,
    Effect.MALFORMED: False,
    Effect.CUT: True,
    Effect.TRUNCATED: True,
    Effect.STOP_MACHINE_AFTER: True,
}


@dataclass
class LocalWmi:
    """WMI for the processes of one user. ``elapsed`` are the seconds that operations took beyond none."""

    machine: Machine
    traffic: Traffic
    administrator: bool
    #: Lets what Windows is busy with come to its end.
    outlast: Callable[[], None] = lambda: None
    elapsed: float = 0.0

    def query(self, namespace: str, text: str) -> tuple[frozenset[str] | None, Iterator[Instance]]:
        """What a query finds, and the properties that it asks for, in lower case; None is all. Raises ``CimError``."""
        query = wql.parse(text)
        self._allow()
        after = self._faults("Enumerate", query.class_name, "")
        self.traffic.journal.queried(text)
        cim_class = self.machine.cim_class(namespace, query.class_name)
        chosen, accepts = query.bind(cim_class)
        selected = None if query.properties is None else frozenset(item.name.lower() for item in chosen)
        found = filter(accepts, self.machine.instances(cim_class))
        self._finish(after)
        return selected, found

    def get(self, namespace: str, class_name: str, keys: Mapping[str, str]) -> Instance:
        """The instance with these keys. Raises ``CimError``."""
        self._allow()
        after = self._faults("Get", class_name, "")
        instance = self._find(self.machine.cim_class(namespace, class_name), keys)
        self._finish(after)
        return instance

    def invoke(
        self, namespace: str, class_name: str, keys: Mapping[str, str], method: str, arguments: Mapping[str, Value]
    ) -> MethodResult:
        """Call a method. Raises ``CimError``."""
        self._allow()
        after = self._faults("Invoke", class_name, method)
        cim_class = self.machine.cim_class(namespace, class_name)
        self.traffic.journal.invoked(cim_class.name, method, keys, arguments)
        try:
            result = self.machine.invoke(cim_class, keys, method, arguments)
        except CimError as error:
            if error.hresult != errors.ERROR_WSMAN_OPERATION_TIMEDOUT:
                raise
            # That limit is WS-Management's: a local call returns when Windows is done (facts 75).
            self.outlast()
            result = MethodResult()
        self._finish(after)
        return result

    def cim_class(self, namespace: str, name: str) -> CimClass:
        """The class. Raises ``CimError``."""
        self._allow()
        return self.machine.cim_class(namespace, name)

    def _allow(self) -> None:
        if not self.administrator:
            raise errors.failure(errors.WBEM_E_ACCESS_DENIED, self.machine.language)

    def _find(self, cim_class: CimClass, keys: Mapping[str, str]) -> Instance:
        wanted = {name.lower(): value.lower() for name, value in keys.items()}
        for instance in self.machine.instances(cim_class):
            shown = {name.lower(): str(value).lower() for name, value in instance.values.items()}
            if all(shown.get(name) == value for name, value in wanted.items()):
                return instance
        raise errors.failure(errors.WBEM_E_NOT_FOUND, self.machine.language)

    def _faults(self, operation: str, class_name: str, method: str) -> list[FaultRule]:
        """Let happen what is to happen before an operation; the rules for after it."""
        after = []
        for rule in self.traffic.faults_for(operation, class_name, method):
            if rule.effect is Effect.DELAY:
                self.elapsed += rule.value or 0
            elif rule.effect is Effect.ACCESS_DENIED:
                raise errors.failure(errors.WBEM_E_ACCESS_DENIED, self.machine.language)
            elif rule.effect is Effect.HRESULT:
                raise CimError(int(rule.value or 0), "")
            elif rule.effect in _CUTTING:
                if not _CUTTING[rule.effect]:
                    raise ConnectionLost(done=False)
                after.append(rule)
            elif rule.effect not in _OF_WS_MANAGEMENT:
                raise Unsupported(f"the fault {rule.effect} in PowerShell")
        return after

    def _finish(self, after: list[FaultRule]) -> None:
        if after:
            dies = any(rule.effect is Effect.STOP_MACHINE_AFTER for rule in after)
            raise ConnectionLost(done=True, dies=dies)
