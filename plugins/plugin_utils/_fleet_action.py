# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action plugins share that work on many machines in one task. Private to this collection."""

from __future__ import annotations

import difflib
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ._action import (
    CheckedAction,
    Failure,
    Interruption,
    InvalidArgumentsError,
    check_resolved,
    checking,
    failed,
    interrupted,
    invalid,
    validated,
)
from ._avma import keys
from ._avma.problems import Problem, problem
from ._fleet.guest_hosts import GuestHosts
from ._fleet.reach import TEMPLATING, Reach, Target
from ._fleet.verdict import accepted_codes
from ._fleet.workers import Workers, as_completed
from ._session.connection import open_session
from ._session.errors import RouteError, SessionError, UnreachableError
from ._session.logins import Logins
from ._session.session import Session

#: Seconds between two messages on how far long work has come.
_PROGRESS = 10.0

#: What a module returns.
Result: TypeAlias = "dict[str, Any]"
#: What is done with a machine: it is given the session, and the options of the task that are the machine's own.
Work: TypeAlias = Callable[[Session, Mapping[str, Any]], Result]


@dataclass(frozen=True)
class Machine:
    """A machine that the task works on.

    :ivar options: The options of the task that are its own.
    :ivar connection: The connection to it. All are kept to the end: with one of them goes the Kerberos ticket that the others may use.
    """

    options: Mapping[str, Any]
    connection: Any


class FleetAction(CheckedAction):
    """An action plugin whose task runs once, and works on many machines of the play."""

    #: Ansible itself refuses the strategies that would run it for every host, before anything ran.
    BYPASS_HOST_LOOP = True
    _requires_connection = False

    #: The options that each machine has with its own variables.
    PER_MACHINE: ClassVar[frozenset[str]] = frozenset()

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task."""
        self._reach = Reach(self, task_vars or {})
        self.machines: dict[str, Machine] = {}
        return super().run(tmp, task_vars)

    def lost(self) -> list[str]:
        """The machines of the play that failed or were unreachable earlier in this run; they are not contacted again."""
        still = set(self._variables["ansible_play_hosts"])
        return [name for name in self._variables["ansible_play_hosts_all"] if name not in still]

    def members(self, names: Iterable[str]) -> list[str]:
        """The machines of the inventory that are named, or are in groups that are.

        :raises Failure: The inventory has no such machine or group.
        """
        groups: Mapping[str, list[str]] = self._variables["groups"]
        found: dict[str, None] = {}
        for name in (text.strip() for text in names):
            if name not in groups and name not in groups["all"]:
                raise Failure([unknown_name(name, groups)])
            found.update(dict.fromkeys(groups.get(name, [name])))
        return list(found)

    def visit(self, machines: Mapping[str, Work]) -> dict[str, Result]:
        """Work on many machines at once; the result of each, which may be that it failed or was unreachable.

        :param machines: By name, what to do with each in a thread of its own.
        """
        results: dict[str, Result] = {}
        show = self._progress(len(machines))
        with Logins() as logins, Workers() as workers:
            visits: dict[Future[Result], str] = {}
            for name, work in machines.items():
                try:
                    machine = self.machines.get(name) or self._prepare(name)
                except (AnsibleError, Failure, InvalidArgumentsError) as error:
                    results[name] = _outcome(name, error)
                else:
                    self.machines[name] = machine
                    visits[workers.submit(self._visit, name, machine, logins, work)] = name
            for visit in as_completed(visits):
                results[visits[visit]] = visit.result()
                show(results)
        return {name: results[name] for name in machines}

    def _prepare(self, name: str) -> Machine:
        """A machine as a task on it would see it: each of its variables is templated once.

        :raises AnsibleError: One cannot be templated.
        :raises InvalidArgumentsError: An option is wrong.
        """
        # A guest that is reached through its host has that looked up in its own thread.
        with TEMPLATING:
            target = self._reach.target(name)
            return Machine(self.options_of(target, self.PER_MACHINE), target.connection())

    def options_of(self, target: Target, names: Iterable[str]) -> Mapping[str, Any]:
        """Options of the task as they are for a machine, checked.

        :raises AnsibleError: One cannot be templated.
        :raises Failure: A variable cannot be resolved.
        :raises InvalidArgumentsError: One is wrong.
        """
        specification = {name: self.ARGUMENT_SPEC[name] for name in names}
        self.warn_of_misspelt(target.variables)
        written = self._reach.written.keys() & names
        try:
            given = target.options(names)
        except AnsibleError:
            # Rather than of the option, it is told of the variable that the user set.
            check_resolved((), written, target.variables, target.templar)
            raise
        check_resolved(given, written, target.variables, target.templar)
        return validated(self._task.action, specification, given)

    def accepted(self, options: Mapping[str, Any]) -> frozenset[str]:
        """The codes in the option ``accepted_problems``, which may be a list of lists.

        :raises Failure: There is no such code.
        """
        given = options["accepted_problems"]
        flat = [code for item in given for code in (item if isinstance(item, list) else [item])]
        with checking("accepted_problems"):
            return accepted_codes(flat)

    def _visit(self, name: str, machine: Machine, logins: Logins, work: Work) -> Result:
        """In a thread of its own."""
        hosts = GuestHosts(self, self._variables, logins, self._reach)
        try:
            session = open_session(machine.connection, name, logins, hosts)
            if machine.options.get("timeout") is not None:
                session.patience = machine.options["timeout"]
            return work(session, machine.options)
        except Exception as error:
            # As Ansible treats what goes wrong on one machine: it is no matter of the others.
            self._display.vvv(keys.mask(f"{name}: {traceback.format_exc()}"))
            return _outcome(name, error)
        finally:
            # What cannot be closed is gone already.
            with suppress(Exception):
                machine.connection.close()
            hosts.close()

    def _progress(self, total: int) -> Callable[[Mapping[str, Result]], None]:
        """What tells how far long work has come, in the main thread."""
        last = time.monotonic()

        def show(results: Mapping[str, Result]) -> None:
            nonlocal last
            if time.monotonic() - last >= _PROGRESS:
                last = time.monotonic()
                lost = sum("msg" in result for result in results.values())
                self._display.display(f"{self._task.action}: {len(results):,} of {total:,} machines, {lost:,} failed")

        return show


def unknown_name(name: str, groups: Mapping[str, list[str]]) -> Problem:
    """The problem of a name that the inventory does not have, with those that it has."""
    near = difflib.get_close_matches(name, [*groups, *groups["all"]], cutoff=0.5)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    return problem(
        "not_in_inventory", name=name.strip() or "of an empty name", hint=hint, groups=", ".join(sorted(groups))
    )


def attempt(machine: str, module: Callable[[], Result]) -> Result:
    """What a module returns, also where it fails."""
    try:
        return module()
    except Interruption as interruption:
        return interrupted(machine, interruption)
    except (SessionError, Failure, AnsibleError) as error:
        return _outcome(machine, error)


def _outcome(machine: str, error: Exception) -> Result:
    """The result of a task on one machine that did not succeed."""
    if isinstance(error, RouteError):
        return failed(machine, error)
    if isinstance(error, (UnreachableError, AnsibleConnectionFailure)):
        return {"unreachable": True, "msg": str(error)}
    if isinstance(error, (SessionError, Failure)):
        return failed(machine, error)
    if isinstance(error, InvalidArgumentsError) and error.option:
        return failed(machine, invalid(error.option, str(error).partition(": ")[2]))
    plain = isinstance(error, (AnsibleError, InvalidArgumentsError))
    detail = str(error) if plain else f"{type(error).__name__}: {error}"
    return {"failed": True, "msg": detail}
