# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows PowerShell of a guest through its Hyper-V host: PowerShell Direct. Private to this collection.

Sources: windowsserverdocs, "Manage Windows virtual machines with PowerShell Direct"; PowerShell's source of 2016 for its errors, which
are told apart by the type of the exception and the id of the error, never by text (facts).
"""

from __future__ import annotations

import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from .._avma.hresults import DENIED
from .._avma.problems import problem
from .._avma.vms import STATES
from .._session.errors import (
    GuestRejectedError,
    RejectedError,
    RouteError,
    RouteRejectedError,
    RouteUnreachableError,
    SessionError,
    UnreachableError,
)
from .._session.instance import Instance
from .._session.interpreter import Guest, Hosts, Interpreter
from .._session.session import ProcessResult, Route
from . import requests, scripts
from .limit import within

#: The connection plugin of such a guest.
PLUGIN = "hyperv.avma.powershell_direct"

_RUNNING = 2
#: Windows Server 2016 is 10.0, Windows Server 2012 R2 is 6.3.
_FIRST_VERSION = 10
_INVALID_NAMESPACE = 0x8004100E
#: The session with the guest was lost, or there is nothing yet that could have one.
_BROKEN = frozenset({"PSRemotingTransportException", "PSRemotingDataStructureException"})
#: Seconds that the host may take longer than its guest.
_HOST_MARGIN = 60
#: For one host: every guest costs it a PowerShell, and WinRM lets a user have 30 shells at once by default.
_MOST_AT_ONCE = 8
_turns: defaultdict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(_MOST_AT_ONCE))


class HostInterpreter:
    """An ``Interpreter`` of a guest: every call runs a PowerShell on its host, and that one runs one in the guest."""

    def __init__(
        self, guest: Guest, hosts: Hosts, login: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        """Do not connect yet.

        :param login: Makes the block within which the guest is logged in to.
        """
        self._guest = guest
        self._hosts = hosts
        self._login = login
        #: The host that has the VM, as far as is known.
        self.host = guest.host

    @property
    def route(self) -> Route:
        """By which host it is reached: the one that has the virtual machine, once that is known."""
        return Route(PLUGIN, self.host)

    @property
    def encrypted(self) -> bool:
        """Whether what is sent to the host is encrypted."""
        return self._connect(self.host).encrypted

    def run(self, script: str, data: Sequence[str], *, changes: bool) -> ProcessResult:
        """Run it in the guest, on whichever node of the cluster that is."""
        try:
            return self._log_in(self.host, script, data, changes)
        except _NotHereError as error:
            reason: RouteError = RouteError(problem("vm_not_on_host", vm=self._guest.label, host=self.host))
            for name in self._hosts.others(self.host, self._guest):
                try:
                    result = self._log_in(name, script, data, changes)
                except _NotHereError:
                    continue
                except RouteUnreachableError as lost:
                    # The others may have it still, unless it was lost in the middle of a change.
                    if changes or lost.problem.code != "vm_host_unreachable":
                        raise
                    reason = lost
                    continue
                self.host = name
                return result
            raise reason from error

    def _connect(self, host: str) -> Interpreter:
        try:
            return self._hosts.interpreter(host)
        except RouteError:
            raise
        except UnreachableError as error:
            raise _host_unreachable(host, error) from error

    def _log_in(self, host: str, script: str, data: Sequence[str], changes: bool) -> ProcessResult:
        with self._login():
            return self._run(host, script, data, changes)

    def _run(self, host: str, script: str, data: Sequence[str], changes: bool) -> ProcessResult:
        guest, interpreter = self._guest, self._connect(host)
        try:
            if not interpreter.encrypted:
                raise RouteError(problem("vm_host_unencrypted", host=host))
            marker = f"avma{secrets.token_hex(16)}"
            lines = script.strip().split("\n")
            order = scripts.line([guest.wql, guest.user, guest.password, str(guest.timeout), str(len(lines))])
            with _turns[host]:
                result = within(
                    guest.timeout + _HOST_MARGIN,
                    lambda: interpreter.run(scripts.THROUGH_HOST, [marker, order, *lines, *data], changes=changes),
                )
        except RouteError:
            raise
        except UnreachableError as error:
            raise _host_unreachable(host, error) from error
        except TimeoutError as error:
            raise self._silent(host) from error
        except SessionError as error:
            raise RouteError(problem("vm_host_failed", host=host, detail=error)) from error
        document, answer = requests.document(result.stdout, marker)
        if document is None:
            raise RouteError(problem("powershell_silent", machine=host, exit_code=result.exit_code))
        self._check(host, document)
        return ProcessResult(0, answer, b"")

    def _check(self, host: str, document: dict[str, Any]) -> None:
        """Raise what stands in the way."""
        guest = self._guest
        vms = requests.read_instances(document.get("vms"))
        error = document.get("error")
        if error is not None:
            raise self._explained(host, error, document.get("mode"))
        if not vms:
            raise _NotHereError
        if len(vms) > 1:
            ids = ", ".join(sorted(vm.text("Name") or "" for vm in vms))
            raise RouteError(problem("vm_ambiguous", vm=guest.label, host=host, ids=ids))
        if vms[0].integer("EnabledState") != _RUNNING:
            raise self._not_running(host, vms[0])
        version = str(document.get("version") or "")
        if version.isdecimal() and int(version) < _FIRST_VERSION:
            raise RouteError(problem("guest_too_old_for_powershell_direct", vm=guest.label))
        if document.get("ended") != "true":
            raise self._silent(host)

    def _not_running(self, host: str, vm: Instance) -> RouteError:
        return RouteUnreachableError(
            problem(
                "vm_not_running", vm=self._guest.label, host=host, state=STATES.get(vm.integer("EnabledState"), "other")
            )
        )

    def _silent(self, host: str) -> RouteError:
        return RouteUnreachableError(
            problem("guest_silent", vm=self._guest.label, host=host, seconds=self._guest.timeout)
        )

    def _explained(self, host: str, error: Any, mode: object) -> Exception:
        guest, fault = self._guest, requests.read_error(error)
        kind, identifier = str(error.get("type") or ""), str(error.get("id") or "")
        named = identifier.partition(",")[0]
        at: dict[str, Any] = {"vm": guest.label, "host": host}
        if kind == "PSDirectException":
            return GuestRejectedError(problem("guest_credentials_refused", user=guest.user, **at))
        if named == "InvalidVMIdNotSingle":
            return _NotHereError()
        if named == "InvalidVMState":
            return RouteUnreachableError(problem("vm_not_running", state="changing", **at))
        if named == "HyperVModuleNotAvailable":
            return RouteError(problem("hyperv_module_missing", host=host))
        if named == "NamedParameterNotFound":
            return RouteError(problem("host_too_old_for_powershell_direct", host=host))
        if "PSSessionStateBroken" in identifier or kind in _BROKEN:
            return RouteUnreachableError(problem("guest_not_ready", **at))
        if requests.refused_by_mode(error):
            return RouteError(problem("powershell_refuses", machine=host, mode=mode, detail=fault.reason))
        if DENIED & set(fault.hresults):
            return RouteError(problem("vm_host_access_denied", host=host))
        if _INVALID_NAMESPACE in fault.hresults:
            return RouteError(problem("vm_host_without_hyperv", host=host))
        return RouteError(problem("powershell_direct_failed", detail=f"{fault.reason} ({identifier})", **at))


def _host_unreachable(host: str, error: UnreachableError) -> RouteError:
    kind = RouteRejectedError if isinstance(error, RejectedError) else RouteUnreachableError
    return kind(problem("vm_host_unreachable", host=host, detail=error))


class _NotHereError(Exception):
    """The host has no such VM."""
