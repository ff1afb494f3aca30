# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to a machine on Ansible's winrm connection, through pywinrm. Private to this collection."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from .._session.errors import ProcessError
from .._session.session import ProcessResult
from .failures import WINRM, Login, innermost
from .http import UTF8_CODE_PAGE

# If they are missing, the connection plugin says so before this is used.
with suppress(ImportError):
    from winrm.exceptions import AuthenticationError, WinRMOperationTimeoutError, WinRMTransportError, WSManFaultError

if TYPE_CHECKING:
    import requests
    from winrm.protocol import Protocol

#: What the connection plugin says before kinit's own words.
_KINIT_FAILED = re.compile(r"^Kerberos auth failure for principal .*?: (?=kinit)|^Kerberos auth failure when ")


class WinrmTransport:
    """A ``Transport`` over the ``winrm.Protocol`` of an Ansible winrm connection. No shell is opened but by ``run``."""

    def __init__(self, connection: Any) -> None:
        """Take over a connection.

        :param connection: ``ansible.builtin.winrm``, connected or not.
        :raises UnreachableError: It cannot connect.
        """
        # Connecting opens a shell, unless there seems to be one.
        shell_id = connection.shell_id
        connection.shell_id = shell_id or "none"
        try:
            connection._connect()
        except Exception as error:
            raise _login(connection).failed(_KINIT_FAILED.sub("", str(error) or innermost(error))) from error
        finally:
            connection.shell_id = shell_id
        self._protocol: Protocol = connection.protocol
        self._http: requests.Session | None = None
        self._login = _login(connection)
        self.endpoint: str = self._protocol.transport.endpoint
        self.operation_timeout: int = self._protocol.operation_timeout_sec

    @property
    def encrypted(self) -> bool:
        self._authenticate()
        return self.endpoint.lower().startswith("https:") or self._protocol.transport.encryption is not None

    def send(self, message: bytes) -> bytes:
        self._authenticate()
        with self._errors():
            try:
                answer: bytes = self._protocol.transport.send_message(message)
                return answer
            except WinRMTransportError as error:
                # A fault comes as HTTP 500 (DSP0226, 14.6); the session reads it.
                if error.code != 500 or not error.response_text:
                    raise
                return error.response_text.encode()

    def run(self, command: str, arguments: Sequence[str], stdin: bytes) -> ProcessResult:
        self._authenticate()
        with self._errors():
            try:
                return self._run(command, arguments, stdin)
            except WSManFaultError as error:
                raise ProcessError(f"{command} could not be run: {error.reason}") from error
            except WinRMOperationTimeoutError as error:
                raise ProcessError(f"{command} could not be started within {self.operation_timeout} s") from error

    def _run(self, command: str, arguments: Sequence[str], stdin: bytes) -> ProcessResult:
        protocol = self._protocol
        shell_id = protocol.open_shell(codepage=UTF8_CODE_PAGE)
        with _afterwards(lambda: protocol.close_shell(shell_id, close_session=False)):
            command_id = protocol.run_command(shell_id, command, arguments, console_mode_stdin=False)
            with _afterwards(lambda: protocol.cleanup_command(shell_id, command_id)):
                protocol.send_command_input(shell_id, command_id, stdin, end=True)
                stdout, stderr, exit_code = protocol.get_command_output(shell_id, command_id)
        return ProcessResult(exit_code, stdout, stderr)

    def _authenticate(self) -> None:
        """Once: authenticate, so that encryption is known, and watch what is sent and answered from the first request on."""
        if self._http is not None:
            return
        transport = self._protocol.transport
        set_up_encryption = transport.setup_encryption

        def watched(session: requests.Session) -> None:
            self._login.watch.over(session)
            set_up_encryption(session)

        # The first request is sent by this, while pywinrm makes its session.
        transport.setup_encryption = watched  # type: ignore[method-assign]
        with self._errors():
            self._http = transport.build_session()
            self._login.watch.over(self._http)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with self._login.errors():
            try:
                yield
            except AuthenticationError as error:
                raise self._login.rejected() from error
            except WinRMTransportError as error:
                raise self._login.status(error.code) from error


@contextmanager
def _afterwards(tidy_up: Callable[[], object]) -> Iterator[None]:
    """Tidy up in any case; an error within the block counts, not what it makes impossible after it."""
    try:
        yield
    except BaseException:
        with suppress(Exception):
            tidy_up()
        raise
    tidy_up()


def _login(connection: Any) -> Login:
    scheme, host, port, path = (
        getattr(connection, f"_winrm_{name}", "") for name in ("scheme", "host", "port", "path")
    )
    transport = getattr(connection.protocol, "transport", None)
    ways = getattr(connection, "_winrm_transport", None) or ["winrm"]
    return Login(
        transport.endpoint if transport else f"{scheme}://{host}:{port}{path}",
        transport.auth_method if transport else ways[0],
        getattr(connection, "_winrm_user", None),
        WINRM,
        getattr(transport, "service", None),
        getattr(transport, "kerberos_hostname_override", None),
    )
