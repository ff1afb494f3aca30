# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to a machine on Ansible's psrp connection, through pypsrp. Private to this collection."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from .._session.errors import ProcessError, SessionError
from .._session.session import ProcessResult
from .failures import PSRP, Login, innermost
from .http import UTF8_CODE_PAGE

# If they are missing, the connection plugin says so before this is used.
with suppress(ImportError):
    from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
    from pypsrp.shell import Process, SignalCode, WinRS
    from pypsrp.wsman import WSMan


class PsrpTransport:
    """A ``Transport`` with the options of an Ansible psrp connection. No RunspacePool is opened."""

    def __init__(self, connection: Any) -> None:
        """Take over a connection.

        :param connection: ``ansible.builtin.psrp``, connected or not.
        :raises UnreachableError: It cannot connect.
        """
        # pypsrp logs whole messages, with the product keys in them, and Ansible's debug mode would keep them.
        logging.getLogger("pypsrp").setLevel(logging.WARNING)
        # Connecting opens a RunspacePool, unless there seems to be one.
        runspace = connection.runspace
        connection.runspace = runspace or object()
        try:
            connection._connect()
            self._login = _login(connection)
            with self._login.errors():
                self._wsman = WSMan(**connection._psrp_conn_kwargs)
        except SessionError:
            raise
        except Exception as error:
            raise _login(connection).failed(str(error) or innermost(error)) from error
        finally:
            connection.runspace = runspace
        self._http = self._wsman.transport
        self.endpoint: str = self._http.endpoint
        self.operation_timeout: int = self._wsman.operation_timeout

    @property
    def encrypted(self) -> bool:
        return self._http.ssl or self._http.wrap_required

    def send(self, message: bytes) -> bytes:
        with self._errors():
            self._prepare()
            try:
                return self._http.send(message)
            except WinRMTransportError as error:
                # A fault comes as HTTP 500 (DSP0226, 14.6); the session reads it.
                if error.code != 500 or not error.response_text:
                    raise
                fault: str = error.response_text
                return fault.encode()

    def run(self, command: str, arguments: Sequence[str], stdin: bytes) -> ProcessResult:
        with self._errors():
            self._prepare()
            try:
                with WinRS(self._wsman, codepage=UTF8_CODE_PAGE) as shell:
                    process = Process(shell, command, list(arguments))
                    process.begin_invoke()
                    try:
                        process.send(stdin)
                        process.end_invoke()
                    finally:
                        process.signal(SignalCode.TERMINATE)
            except WSManFaultError as error:
                raise ProcessError(f"{command} could not be run: {error.reason}") from error
        return ProcessResult(process.rc if process.rc is not None else -1, process.stdout, process.stderr)

    def _prepare(self) -> None:
        """Once: have pypsrp make its HTTP session, so that no answer escapes the limit."""
        if self._http.session is None:
            self._http.session = self._http._build_session()
            self._login.watch.over(self._http.session)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with self._login.errors():
            try:
                yield
            except AuthenticationError as error:
                raise self._login.rejected() from error
            except WinRMTransportError as error:
                raise self._login.status(error.code) from error


def _login(connection: Any) -> Login:
    options = getattr(connection, "_psrp_conn_kwargs", {})
    scheme = "https" if options.get("ssl") else "http"
    host, port, path = (options.get(name, "") for name in ("server", "port", "path"))
    return Login(
        f"{scheme}://{host}:{port}/{path}",
        options.get("auth") or "psrp",
        options.get("username"),
        PSRP,
        options.get("negotiate_service"),
        options.get("negotiate_hostname_override"),
    )
