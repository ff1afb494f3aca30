# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How one process logs in to many machines: with one Kerberos ticket for each principal, and no login twice that was rejected.

Private to this collection.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.module_utils.parsing.convert_bool import boolean

from .._wsman.session import Transport
from .errors import RejectedError, RouteError, RouteRejectedError, SessionError, UnreachableError
from .interpreter import Guest, Interpreter
from .session import ProcessResult, Route

#: What names the ticket cache to MIT Kerberos: one for the whole process.
_TICKET_CACHE = "KRB5CCNAME"
#: Seconds that a login waits for the outcome of the same login at another machine, which may not answer at all.
_PATIENCE = 3.0
#: The same for a guest through its host, where two PowerShells start before anybody logs in.
_PATIENCE_THROUGH_HOST = 30.0


class Logins:
    """The logins of one task, or of one run of the inventory plugin. Its block is entered for each use of connections."""

    def __init__(self) -> None:
        self._turns: defaultdict[tuple[str | None, ...], _Turn] = defaultdict(_Turn)
        self._tickets: dict[tuple[str | None, ...], _Ticket] = {}
        self._lock = threading.Lock()
        self._environment = _Environment(os.environ.get(_TICKET_CACHE))
        self._folder: Path | None = None

    def __enter__(self) -> Logins:
        self._environment = _Environment(os.environ.get(_TICKET_CACHE))
        return self

    def __exit__(self, *_: object) -> None:
        self._environment.restore()
        with self._lock:
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
            # What was rejected stays so.
            self._tickets = {key: ticket for key, ticket in self._tickets.items() if ticket.error is not None}

    def transport(self, connection: Any, machine: str, make: Callable[[Any], Transport]) -> Transport:
        """The way to a machine.

        :param connection: One of Ansible's winrm and psrp connections, not connected.
        :param make: Makes the transport.
        :raises UnreachableError: It cannot be made.
        """
        cache: list[str] = []
        if connection.transport == "winrm":
            # In its place the plugin would name a new and empty cache to the whole process, for every machine.
            connection._kerb_auth = lambda principal, password: cache.append(
                self._ticket(connection, principal, password)
            )
        transport = make(connection)
        if cache:
            # The domain has accepted the login already.
            return _Transport(transport, machine, _Turn(), self._environment.naming(cache[0]))
        option = connection.get_option
        turn = self._turn_of(option("remote_user"), option("remote_password"), machine)
        by_ticket = connection.transport == "winrm" and connection.protocol.transport.auth_method == "kerberos"
        if by_ticket or not option("remote_password"):
            return _Transport(transport, machine, turn, self._environment.naming(None))
        return _Transport(transport, machine, turn, nullcontext())

    def interpreter(self, connection: Any, machine: str, interpreter: Interpreter) -> Interpreter:
        """A PowerShell of a machine whose login takes its turn.

        :param connection: One of Ansible's ssh connections.
        """
        user, password = (connection.get_option(name) for name in ("remote_user", "password"))
        if not password:
            # A key locks no account.
            return interpreter
        return _Interpreter(interpreter, machine, self._turn_of(user, password, machine))

    def guest(self, guest: Guest, machine: str) -> Callable[[], AbstractContextManager[None]]:
        """Makes the block within which a guest is logged in to through its host."""
        # Without a domain, PowerShell Direct takes the guest's own account (facts: Credential.cs), which may not be there before its setup
        # is over: a task that waits for that tries it again.
        if guest.user.rpartition("\\")[0] in ("", "."):
            return nullcontext
        turn = self._turn_of(guest.user, guest.password, machine)
        return lambda: turn.at(machine, patience=_PATIENCE_THROUGH_HOST)

    def _turn_of(self, user: str | None, password: str | None, machine: str) -> _Turn:
        # Windows does not tell small letters from capitals.
        user = (user or "").lower()
        domain, _separator, name = user.rpartition("\\")
        # An account of the machine's own is another one everywhere.
        own = domain and name and domain in {".", machine.lower().partition(".")[0]}
        with self._lock:
            return self._turns[user, password, machine if own else None]

    def _ticket(self, connection: Any, principal: str, password: str | None) -> str:
        """The name of the cache that has the principal's ticket; the first that needs it gets it, the others wait."""
        option = connection.get_option
        key = (option("kerberos_command"), option("kinit_args"), principal, password)
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="avma-"))
            # The library looks in all files of a collection whose name begins so.
            ticket = self._tickets.setdefault(key, _Ticket(self._folder / f"tkt{len(self._tickets)}"))
        ticket.get(connection, principal, password or "")
        return f"DIR:{ticket.file.parent}"


class _Turn:
    """A login at many machines: until one has accepted it, only one at a time tries it, and none after one has rejected it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._busy_since: float | None = None
        self._accepted = False
        self._rejected_by: str | None = None

    @contextmanager
    def at(self, machine: str, proves: bool = True, patience: float | None = None) -> Iterator[None]:
        """Log in to a machine within the block.

        :param proves: The login was accepted if nothing says otherwise.
        :param patience: Seconds to wait for the outcome of the same login at another machine.
        :raises RejectedError: This machine or another one has rejected the login.
        """
        with self._changed:
            while self._busy_since is not None and not self._accepted and self._rejected_by is None:
                left = self._busy_since + (patience or _PATIENCE) - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            if self._rejected_by == machine and not self._accepted:
                # As in a task with until.
                raise RejectedError(
                    "not tried again: it has rejected this user and password, and every try counts towards a lockout. Correct "
                    "ansible_user and ansible_password, or run again once the machine accepts them"
                )
            if self._rejected_by is not None and not self._accepted:
                raise RejectedError(
                    f"not tried: {self._rejected_by} rejected the same user and password, and every try counts towards a lockout. Where "
                    f"{self._rejected_by} alone is wrong, give it an ansible_user and an ansible_password of its own"
                )
            self._busy_since = time.monotonic()
        accepted = False
        try:
            yield
            accepted = proves
        except RouteRejectedError:
            # That was another login.
            raise
        except RejectedError:
            self._rejected_by = self._rejected_by or machine
            raise
        except (UnreachableError, RouteError):
            raise
        except SessionError:
            accepted = proves
            raise
        finally:
            with self._changed:
                self._accepted |= accepted
                self._busy_since = None
                self._changed.notify_all()


class _Ticket:
    """The ticket of a principal, in a file of its own. What kinit says is said to all who need it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.error: AnsibleConnectionFailure | None = None
        self._lock = threading.Lock()
        self._there = False

    def get(self, connection: Any, principal: str, password: str) -> None:
        """Get it, unless that was tried already.

        :raises AnsibleConnectionFailure: It cannot be got.
        """
        with self._lock:
            if self.error is None and not self._there:
                try:
                    self._kinit(connection, principal, password)
                    self._there = True
                except AnsibleConnectionFailure as error:
                    self.error = error
            if self.error is not None:
                raise self.error

    def _kinit(self, connection: Any, principal: str, password: str) -> None:
        option = connection.get_option
        try:
            arguments = shlex.split(option("kinit_args") or "")
        except ValueError as error:
            raise AnsibleConnectionFailure(
                f"ansible_winrm_kinit_args cannot be split into arguments: {error}"
            ) from error
        if not arguments and boolean(option("_extras").get("ansible_winrm_kerberos_delegation", False)):
            arguments = ["-f"]
        # As the plugin calls it: with nothing of the environment that is not named.
        names = ("PATH", *option("kinit_env_vars"))
        environment = {name: os.environ[name] for name in names if name in os.environ}
        environment[_TICKET_CACHE] = f"FILE:{self.file}"
        command = option("kerberos_command")
        try:
            done = subprocess.run(
                [command, *arguments, principal],
                env=environment,
                input=f"{password}\n".encode(),
                capture_output=True,
                # Without a terminal that it could ask.
                start_new_session=True,
                check=False,
            )
        except OSError as error:
            raise AnsibleConnectionFailure(f"calling kinit cmd '{command}': {error}") from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()
            # An empty password is in every text.
            raise AnsibleConnectionFailure(said.replace(password, "<redacted>") if password else said)


class _Environment:
    """The ticket cache that the environment names. Those who need the same one log in together, the others wait."""

    def __init__(self, own: str | None) -> None:
        """Begin with the user's own."""
        self._own = own
        self._cache = own
        self._users = 0
        self._changed = threading.Condition()

    def naming(self, cache: str | None) -> AbstractContextManager[None]:
        """A block, which can be entered again, within which it names a cache, or the user's own."""
        return _Naming(self, cache or self._own)

    def enter(self, cache: str | None) -> None:
        """Wait until all who need another one are done."""
        with self._changed:
            self._changed.wait_for(lambda: self._users == 0 or self._cache == cache)
            self._users += 1
            self._name(cache)

    def leave(self) -> None:
        """Let others have another one."""
        with self._changed:
            self._users -= 1
            self._changed.notify_all()

    def restore(self) -> None:
        """Have it name the user's own again."""
        with self._changed:
            self._name(self._own)

    def _name(self, cache: str | None) -> None:
        self._cache = cache
        # Where the libraries of Kerberos look. os.environ must stay as it is: requests goes through it in other threads.
        if cache is None:
            os.unsetenv(_TICKET_CACHE)
        else:
            os.putenv(_TICKET_CACHE, cache)


class _Naming(AbstractContextManager[None]):
    def __init__(self, environment: _Environment, cache: str | None) -> None:
        self._environment = environment
        self._cache = cache

    def __enter__(self) -> None:
        self._environment.enter(self._cache)

    def __exit__(self, *_: object) -> None:
        self._environment.leave()


class _Transport:
    """A ``Transport`` whose login takes its turn."""

    def __init__(
        self, transport: Transport, machine: str, turn: _Turn, environment: AbstractContextManager[None]
    ) -> None:
        self._transport = transport
        self._machine = machine
        self._turn = turn
        self._environment = environment
        self._logged_in = False
        self.endpoint = transport.endpoint
        self.operation_timeout = transport.operation_timeout

    @property
    def encrypted(self) -> bool:
        # With some ways of authentication nothing is sent for that.
        with self._login(proves=False):
            return self._transport.encrypted

    def send(self, message: bytes) -> bytes:
        with self._login():
            return self._transport.send(message)

    def run(self, command: str, arguments: Sequence[str], stdin: bytes) -> ProcessResult:
        with self._login():
            return self._transport.run(command, arguments, stdin)

    @contextmanager
    def _login(self, proves: bool = True) -> Iterator[None]:
        if self._logged_in:
            yield
            return
        with self._turn.at(self._machine, proves), self._environment:
            yield
        self._logged_in = proves


class _Interpreter:
    """An ``Interpreter`` whose login takes its turn."""

    def __init__(self, interpreter: Interpreter, machine: str, turn: _Turn) -> None:
        self._interpreter = interpreter
        self._machine = machine
        self._turn = turn

    @property
    def route(self) -> Route:
        return self._interpreter.route

    @property
    def encrypted(self) -> bool:
        return self._interpreter.encrypted

    def run(self, script: str, data: Sequence[str], *, changes: bool) -> ProcessResult:
        # Each is a login of its own, unless ssh shares connections.
        with self._turn.at(self._machine):
            return self._interpreter.run(script, data, changes=changes)
