# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows PowerShell over Ansible's ssh connection. Private to this collection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure
from ansible.release import __version__ as ansible_version

from .._session.errors import RejectedError, UnreachableError
from .._session.session import ProcessResult, Route
from . import scripts
from .limit import within

#: Seconds that one PowerShell may take: no request takes so long, but over ssh nothing else would end it.
_LIMIT = 900
#: Up to 2.17, Ansible puts every command for Windows into an -EncodedCommand of its own.
_WRAPS = tuple(map(int, ansible_version.split(".")[:2])) < (2, 18)


class SshInterpreter:
    """An ``Interpreter`` on ``ansible.builtin.ssh``, whether the default shell is cmd.exe or powershell.exe."""

    route = Route("ssh")
    encrypted = True

    def __init__(self, connection: Any) -> None:
        """Take over a connection."""
        self._connection = connection

    def run(self, script: str, data: Sequence[str], *, changes: bool) -> ProcessResult:
        """Start a PowerShell in a session of its own."""
        windows = getattr(self._connection._shell, "_IS_WINDOWS", False)
        command = scripts.BOOTSTRAP if _WRAPS and windows else " ".join(scripts.COMMAND)
        if changes:
            # Where the connection was lost, nobody knows whether it was done: the next run looks, and goes on from there.
            self._connection.set_option("reconnection_retries", 0)
        stdin = scripts.stdin(script, data)
        try:
            return ProcessResult(
                *within(_LIMIT, lambda: self._connection.exec_command(command, in_data=stdin, sudoable=False))
            )
        except TimeoutError as error:
            raise UnreachableError(f"no answer over ssh within {_LIMIT} s") from error
        except AnsibleAuthenticationFailure as error:
            raise RejectedError(str(error)) from error
        except AnsibleConnectionFailure as error:
            raise UnreachableError(str(error)) from error
