# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

from ansible.errors import AnsibleConnectionFailure

from ..plugin_utils._action import AvmaAction, Failure, checking
from ..plugin_utils._avma.editions import Aftermath, Conversion, choose_target
from ..plugin_utils._avma.guests import Wish, describe, mismatch_problem
from ..plugin_utils._avma.preflight import Vm
from ..plugin_utils._avma.problems import Problem, problem
from ..plugin_utils._avma.releases import System
from ..plugin_utils._avma.spelling import Named, read_edition, read_wish
from ..plugin_utils._session.errors import ProcessError, SessionError, UnreachableError
from ..plugin_utils._session.session import Session
from ..plugin_utils._session.waits import Clock, Waits
from ..plugin_utils._windows import editions
from ..plugin_utils._windows.hypervisor import look_ahead
from ..plugin_utils._windows.machine import Machine, read_machine

_T = TypeVar("_T")
#: Between one word of DISM's progress and the next, in percent.
_STEP = 10
#: For how many seconds Windows must be back and wait for no other restart, until its former edition counts as what it is; in no case for
#: more than this part of the timeout.
_PATIENCE, _PART = 300, 1 / 4


@dataclass(frozen=True)
class _Start:
    """Where a run begins.

    :ivar conversion: What DISM has done of it on the present boot already; None if nothing.
    :ivar edition_id: What the machine becomes.
    """

    boot: editions.Boot
    conversion: Conversion | None
    edition_id: str


class ActionModule(AvmaAction):
    """Convert an evaluation edition to the full one."""

    ARGUMENT_SPEC: ClassVar[dict[str, dict[str, Any]]] = {
        "edition": {"type": "str"},
        "release": {"type": "str"},
        "channel": {"type": "str", "choices": ["avma", "kms"], "default": "avma"},
        "vm": {"type": "dict"},
        "reboot": {"type": "bool", "default": True},
        "timeout": {"type": "int", "default": 3600},
    }

    def perform(self, session: Session, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Look, refuse or convert, restart, and say what Windows is then."""
        wish = _wish(arguments)
        with checking("vm"):
            vm = Vm.from_result(arguments["vm"]) if arguments["vm"] else None
        self._session, self._timeout, self._clock = session, arguments["timeout"], Clock()
        self._deadline = self._clock.monotonic() + self._timeout
        system = read_machine(session).system
        result: dict[str, Any] = {
            "system": system.to_dict(),
            "target_edition": None,
            "reboot_required": False,
            "rebooted": False,
            "problems": [],
            "changed": False,
        }
        said = Wish(release=wish.release, build=wish.exact_build, edition=None if system.evaluation else wish.edition)
        mismatch = mismatch_problem(system, said)
        if mismatch:
            raise Failure([mismatch], result)
        if not system.evaluation:
            return result
        doubt = None
        if arguments["channel"] == "avma":
            # The conversion cannot be undone, and the licence of the evaluation ends with it.
            ahead, _hypervisor = look_ahead(session, replace(system, evaluation=False), vm)
            if ahead.problems:
                raise Failure(ahead.problems, result)
            doubt = ahead.doubt
        start = self._look(system, wish, result)
        result.update(target_edition=start.edition_id, changed=not start.conversion or arguments["reboot"])
        if self._task.diff:
            full = read_edition(start.edition_id).edition
            result["diff"] = {"before": {"edition": describe(system)}, "after": {"edition": f"{system.name} {full}"}}
        if self._task.check_mode:
            if doubt:
                # Where it is converted, guest_key says so afterwards.
                self._display.warning(f"{session.machine}: {doubt}")
                result["problems"] = [doubt.to_dict()]
            return {**result, "reboot_required": not arguments["reboot"]}
        result["changed"] = False
        self._convert(start, result)
        if not arguments["reboot"]:
            return {**result, "reboot_required": True}
        machine = self._restart(start, result)
        return {**result, "system": machine.system.to_dict()}

    def _look(self, system: System, wish: Named, result: Mapping[str, Any]) -> _Start:
        """All that speaks against it, before anything is done."""
        session = self._session
        boot = editions.read_boot(session)
        if boot.domain_controller:
            raise Failure([problem("domain_controller", system=describe(system))], result)
        conversion = editions.read_log(session)
        if conversion and conversion.is_of(boot.time):
            under_way = conversion.exit_code is None and editions.is_converting(session)
            right = wish.edition in (None, read_edition(conversion.edition_id).edition)
            if right and (conversion.succeeded or under_way):
                return _Start(boot, conversion, conversion.edition_id)
        if editions.reboot_pending(session):
            raise Failure([problem("reboot_pending")], result)
        try:
            offered = editions.read_target_editions(session)
        except editions.DismError as error:
            raise Failure([problem("dism_failed", detail=error)], result) from error
        target = choose_target(system, offered, wish)
        if isinstance(target, Problem):
            raise Failure([target], result)
        self._target = target
        return _Start(boot, None, target.edition_id)

    def _convert(self, start: _Start, result: dict[str, Any]) -> None:
        """Have DISM set the edition, and see it through."""
        conversion = start.conversion
        if conversion is None:
            self._say(f"DISM converts it to {start.edition_id}, which takes some minutes")
            try:
                editions.start_conversion(self._session, self._target, start.boot.time)
            except editions.DismError as error:
                raise Failure([problem("dism_failed", detail=error)], result) from error
            result["changed"] = True
        waits, told = self._waits(), 0.0
        while conversion is None or conversion.exit_code is None:
            if not waits.wait():
                percent = f" ({conversion.percent:.0f} %)" if conversion and conversion.percent else ""
                raise self._timed_out(f"DISM is still at work{percent}", result)
            runs = self._ask(editions.is_converting, waits, result)
            # Read afterwards: what has ended before has written all.
            conversion = self._ask(editions.read_log, waits, result)
            if conversion and conversion.percent and conversion.percent >= told + _STEP:
                told = conversion.percent
                self._say(f"DISM is at {told:.0f} %")
            if not runs and (conversion is None or conversion.exit_code is None):
                raise Failure([problem("dism_failed", detail="was ended before it was done")], result)
        if not conversion.succeeded:
            raise Failure([conversion.failure()], {**result, "changed": False})

    def _restart(self, start: _Start, result: dict[str, Any]) -> Machine:
        """Restart the machine and wait until it says what it is now."""
        self._say("restarting")
        try:
            editions.restart(self._session)
        except ProcessError as error:
            raise Failure([problem("restart_failed", detail=error)], {**result, "reboot_required": True}) from error
        result["changed"] = True
        waits, phase = self._waits(), "the machine has not gone down"
        aftermath = Aftermath(min(_PATIENCE, self._timeout * _PART))
        while waits.wait():
            try:
                boot = editions.read_boot(self._session)
                if boot.time == start.boot.time:
                    continue
                result["rebooted"] = True
                machine = read_machine(self._session)
                if not machine.system.evaluation:
                    self._say(f"is back, as {describe(machine.system)}")
                    return machine
                phase = f"the machine is back, and still {describe(machine.system)}"
                pending = editions.restart_to_come(self._session)
                if aftermath.is_final(self._clock.monotonic(), boot.time, pending=pending):
                    found = problem("edition_unchanged", system=describe(machine.system), edition_id=start.edition_id)
                    raise Failure([found], result)
            except (SessionError, AnsibleConnectionFailure) as error:
                phase = f"the machine is not back ({error})"
                aftermath.lose()
                self._open_anew()
        raise self._timed_out(phase, {**result, "reboot_required": not result["rebooted"]})

    def _ask(self, question: Callable[[Session], _T], waits: Waits, result: Mapping[str, Any]) -> _T:
        """Ask until there is an answer: what goes on does not depend on the connection."""
        while True:
            try:
                return question(self._session)
            except (UnreachableError, AnsibleConnectionFailure) as error:
                if not waits.wait():
                    raise self._timed_out(f"the machine is not reached any more ({error})", result) from error
                self._open_anew()

    def _open_anew(self) -> None:
        try:
            self._session = self.reconnect()
        except (SessionError, AnsibleConnectionFailure) as error:
            self._display.vvv(f"not yet: {error}")

    def _waits(self) -> Waits:
        return Waits(self._deadline - self._clock.monotonic(), self._clock)

    def _timed_out(self, phase: str, result: Mapping[str, Any]) -> Failure:
        return Failure([problem("edition_timed_out", timeout=self._timeout, phase=phase)], result)

    def _say(self, text: str) -> None:
        self._display.display(f"{self._session.machine}: {text}")


def _wish(arguments: Mapping[str, Any]) -> Named:
    with checking("release" if arguments["release"] else "edition"):
        return read_wish(arguments["release"], arguments["edition"])
