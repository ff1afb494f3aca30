# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all action plugins of this collection share. Private to this collection."""

from __future__ import annotations

import difflib
import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from ansible import context
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.yaml import yaml_load
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase

from ._avma.hresults import DENIED, explain
from ._avma.problems import Problem, problem
from ._avma.words import speak_to, variable
from ._fleet.guest_hosts import GuestHosts
from ._fleet.reach import arguments_as_written
from ._session.connection import open_session
from ._session.errors import (
    FaultError,
    ProcessError,
    RouteError,
    SessionError,
    UnreachableError,
    UnsupportedConnectionError,
)
from ._session.logins import Logins
from ._session.session import Session
from ._windows.licensing import known_hresult

#: Ansible forks a process for each task and host, which runs all items of a loop: what one has rejected is not tried at the next.
_logins = Logins()


class Failure(Exception):  # ends the task with a message, and is no error of the program
    """Ends the task as failed."""

    def __init__(self, problems: Sequence[Problem], result: Mapping[str, Any] | None = None) -> None:
        """End the task.

        :param problems: What is wrong; the message is made of them.
        :param result: What else the task returns.
        """
        super().__init__()
        self.problems = problems
        self.result = result or {}


@contextmanager
def checking(option: str) -> Iterator[None]:
    """Say of which option a value cannot be used.

    :raises Failure: It cannot; the message is that of the ValueError.
    """
    try:
        yield
    except ValueError as error:
        # Not "from" that error: what it is about may be a secret.
        raise invalid(option, error) from None


def invalid(option: str, why: object) -> Failure:
    """That the value of an option cannot be used."""
    return Failure([problem("invalid_argument", option=variable(option), detail=why)])


def check_resolved(given: Iterable[str], options: Iterable[str], variables: Mapping[str, Any], templar: Any) -> None:
    """See that no option was left out because its variable cannot be resolved: C(default(omit)) passes over that.

    :param given: The options that were not left out.
    :param options: Those that the task has. A variable of another is of no matter.
    :raises Failure: One was.
    """
    for option in set(options) - set(given):
        name = variable(option)
        if name != option and name in variables:
            try:
                # In a dictionary, which "omit" may leave empty. As text: up to ansible-core 2.18, what is vaulted is decrypted only then.
                str(templar.template({name: variables[name]}).get(name))
            except AnsibleError as error:
                hint = ": give --ask-vault-pass or --vault-password-file" if "vault secrets" in str(error) else ""
                raise invalid(option, f"{error}".rstrip(".") + hint) from None


@cache
def _variables_of(role: str) -> frozenset[str]:
    """The variables that a role takes. Those that it registers end with C(_result)."""
    # By libyaml where that is there: a task on each of many guests reads it in each of their processes.
    specs = yaml_load((_COLLECTION / "roles" / role / "meta/argument_specs.yml").read_text(encoding="utf-8"))
    return frozenset(name for entry in specs["argument_specs"].values() for name in entry.get("options", {}))


def _near(name: str, known: Iterable[str], prefix: int) -> list[str]:
    """Which variables may be meant by a name that is none of them, as by ``…_key``: likely ones, since a user has variables too.

    :param prefix: The length of what all of them begin with.
    """
    if any(name.startswith(f"{one}_") for one in known):
        return []
    ends = {one[prefix:]: one for one in sorted(known)}
    close = difflib.get_close_matches(name[prefix:], ends, cutoff=0.75)
    words = set(name[prefix:].split("_"))
    return [ends[end] for end in close or ends if end in close or words < set(end.split("_"))]


class InvalidArgumentsError(Exception):
    """An option is unknown, missing or wrong.

    :ivar option: Which one, if its value is wrong.
    """

    def __init__(self, message: str, option: str | None = None) -> None:
        """Say what is wrong."""
        super().__init__(message)
        self.option = option


def validated(module: str, specification: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Options as they were given, checked and with defaults.

    :raises InvalidArgumentsError: One is wrong. The message repeats no secret.
    """
    result = ArgumentSpecValidator(specification).validate(given)
    if result.error_messages:
        # As AnsibleModule says it; the validator alone does not say of what the parameters are.
        messages = [
            f"Unsupported parameters for ({module}) module: {error}"
            if isinstance(error, UnsupportedError)
            else f"{module}: {error}"
            for error in result.errors
        ]
        # Ansible repeats a wrong value, also one that is no_log.
        named = re.search(r"(?:argument '|value of )(\w+)", messages[0])
        raise InvalidArgumentsError(_redact("; ".join(messages), result._no_log_values), named[1] if named else None)
    arguments: Mapping[str, Any] = result.validated_parameters
    return arguments


class Interruption(Exception):  # ends the task with a message, and is no error of the program
    """A machine could not be talked to any more, after something was written."""

    def __init__(self, error: SessionError, problems: Sequence[Problem], result: Mapping[str, Any]) -> None:
        """End the task as the error does.

        :param error: What came in between.
        :param problems: What else is wrong.
        :param result: What else the task returns, ``changed`` among it.
        """
        super().__init__()
        self.error = error
        self.problems = problems
        self.result = result


def interrupted(machine: str, interruption: Interruption) -> dict[str, Any]:
    """The result of a task that an error ended after something was written."""
    error, problems = interruption.error, interruption.problems
    if isinstance(error, UnreachableError):
        ended: dict[str, Any] = {"unreachable": True, "msg": f"{machine}: {error}", "problems": []}
    else:
        ended = failed(machine, error)
    return {
        **interruption.result,
        **ended,
        "msg": " ".join([f"{ended['msg'].rstrip('.')}.", *(str(item) for item in problems)]),
        "problems": [*ended.get("problems", []), *(item.to_dict() for item in problems)],
    }


def failed(machine: str, error: SessionError | Failure) -> dict[str, Any]:
    """The result of a task that failed."""
    if isinstance(error, UnsupportedConnectionError):
        return {"failed": True, "msg": f"{machine}: {error}."}
    if isinstance(error, RouteError):
        result = _failure(machine, [error.problem])
        # Ansible takes it for unreachable when the result says so, and keeps the code.
        return {**result, "failed": False, "unreachable": True} if isinstance(error, UnreachableError) else result
    if isinstance(error, Failure):
        return {**error.result, **_failure(machine, error.problems)}
    if isinstance(error, FaultError):
        return _failure(machine, [_fault_problem(error)])
    code = "process_failed" if isinstance(error, ProcessError) else "invalid_answer"
    return _failure(machine, [problem(code, detail=error)])


class CheckedAction(ActionBase):
    """An action plugin: it checks the arguments and turns errors into results."""

    _supports_check_mode = True
    _supports_async = False

    #: As AnsibleModule takes it; a test holds it against the module's documentation.
    ARGUMENT_SPEC: ClassVar[dict[str, dict[str, Any]]] = {}

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        self._variables: Mapping[str, Any] = task_vars or {}
        machine = self._task.delegate_to or self._variables.get("inventory_hostname", "")
        if self.BYPASS_HOST_LOOP:
            # The task is about many machines.
            machine = ""
        self.role = _role(self._task.get_path())
        speak_to(self.role, _plays_playbook())
        self.warn_of_misspelt(self._variables)
        try:
            if self.role:
                check_resolved(self._task.args, arguments_as_written(self._task), self._variables, self._templar)
            result.update(self.work(machine, validated(self._task.action, self.ARGUMENT_SPEC, self._task.args)))
        except InvalidArgumentsError as error:
            result.update(failed=True, msg=str(error))
        except RouteError as error:
            result.update(failed(machine, error))
        except UnreachableError as error:
            # The cause is in the message already, in plain words.
            raise AnsibleConnectionFailure(f"{machine}: {error}") from None
        except (SessionError, Failure) as error:
            result.update(failed(machine, error))
        except Interruption as interruption:
            result.update(interrupted(machine, interruption))
        return result

    def warn_of_misspelt(self, variables: Iterable[str]) -> None:
        """Say which variables are called almost like one of the role that runs: Ansible itself passes over them."""
        if self.role is None:
            return
        known = _variables_of(self.role)
        for name in variables:
            if name.startswith(f"{self.role}_") and not name.endswith("_result") and name not in known:
                near = " or ".join(_near(name, known, len(f"{self.role}_")))
                if near:
                    self._display.warning(f"{name} is no variable of the role {self.role}: is {near} meant?")

    @abstractmethod
    def work(self, machine: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Do the work; the result of the task.

        :param machine: The name of the target.
        :param arguments: Checked, with defaults.
        :raises Failure: The task fails.
        """


class AvmaAction(CheckedAction):
    """An action plugin that works on a Windows machine, through a session on the play's connection."""

    _requires_connection = True

    def work(self, machine: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Open the session and do the work."""
        if self._task.become or self._play_context.become:
            self._display.warning(
                f"{machine}: become does not apply to {self._task.action}: WMI runs as the user of the connection"
            )
        hosts = GuestHosts(self, self._variables, _logins)

        def connect() -> Session:
            session = open_session(self._connection, machine, _logins, hosts)
            if arguments.get("timeout") is not None:
                session.patience = arguments["timeout"]
            return session

        self._connect = connect
        with _logins:
            try:
                return self.perform(connect(), arguments)
            finally:
                hosts.close()
                # In a loop, Ansible keeps a connection for the next item if only the address is the same, whatever port, user and
                # password that has. What cannot be closed is gone already.
                with suppress(Exception):
                    self._connection.close()

    def reconnect(self) -> Session:
        """A new session on the play's connection, where the present one is of no use any more.

        :raises SessionError: The machine cannot be reached.
        """
        with suppress(Exception):
            self._connection.close()
        return self._connect()

    @abstractmethod
    def perform(self, session: Session, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Do the work; the result of the task.

        :param arguments: Checked, with defaults.
        :raises Failure: The task fails.
        """


#: The collection's folder, where its roles and playbooks are.
_COLLECTION = Path(__file__).parents[2]


def _role(path: str) -> str | None:
    """The role of this collection whose variables set the options of a task; None for a task of the user's own.

    :param path: Where the task stands: its file and line.
    """
    # Not resolved: a collection may be a link, and Ansible names its files by it.
    place = Path(path.rpartition(":")[0])
    if not place.is_relative_to(_COLLECTION):
        return None
    folder, name = place.relative_to(_COLLECTION).parts[:2]
    # The playbooks' own tasks take the variables of that role.
    return {"roles": name, "playbooks": "guest_activation"}.get(folder)


def _plays_playbook() -> bool:
    """Whether ansible-playbook was started with a playbook of this collection, by its name."""
    return any(argument.startswith("hyperv.avma.") for argument in context.CLIARGS.get("args") or ())


def _redact(text: str, secrets: set[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER")
    return text


def _failure(machine: str, problems: Sequence[Problem]) -> dict[str, Any]:
    return {
        "failed": True,
        "msg": f"{machine}: ".removeprefix(": ") + " ".join(str(item) for item in problems),
        "problems": [item.to_dict() for item in problems],
    }


def _fault_problem(fault: FaultError) -> Problem:
    hresult = known_hresult(fault)
    if hresult in DENIED:
        return problem("access_denied", hresult)
    if hresult is None:
        return problem(
            "wmi_error", reason=fault.reason, explanation="", remedy="Check the machine's WMI and event log."
        )
    return problem("wmi_error", hresult, reason=fault.reason.rstrip(". "), explanation=f" - {explain(hresult)}")
