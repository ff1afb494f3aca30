# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows PowerShell over Ansible's ssh connection. Private to this collection."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleAuthenticationFailure, AnsibleError
from ansible.release import __version__ as ansible_version

from .._avma.problems import problem
from .._session.errors import RejectedError, RouteUnreachableError, UnreachableError
from .._session.session import ProcessResult, Route
from . import scripts
from .limit import within

#: Seconds that one PowerShell may take: no request takes so long, but over ssh nothing else would end it.
_LIMIT = 900
#: Up to 2.17, Ansible puts every command for Windows into an -EncodedCommand of its own.
_WRAPS = tuple(map(int, ansible_version.split(".")[:2])) < (2, 18)
#: What OpenSSH says, in English always, of a login that is refused, and of the machine's key; the last is what Ansible makes of that where
#: there is a password.
_REJECTED = "Permission denied ("
_KEY_NOT_TRUSTED = ("Host key verification failed", "Host Key checking is enabled")
#: Lines of its output that never say why: those of -v, and the end of what failed.
_NO_REASON = re.compile(r"debug\d: |Disconnected from |Shared connection to |$")
#: What Ansible puts before the output.
_PREFACE = re.compile(r".*? (?:via|over) ssh: ", re.IGNORECASE)


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
        except AnsibleError as error:
            raise self._explained(error) from error

    def _explained(self, error: AnsibleError) -> UnreachableError:
        """Why ssh did not reach the machine."""
        text = str(error)
        if any(words in text for words in _KEY_NOT_TRUSTED):
            host, port = self._connection.host, self._connection.get_option("port") or 22
            # As known_hosts has it.
            address = host if port == 22 else f"[{host}]:{port}"
            return RouteUnreachableError(problem("ssh_host_key_untrusted", address=address))
        # Before the reason there may be the server's banner. What the server says, is nothing to decide on.
        reasons = [line.strip() for line in text.splitlines() if not _NO_REASON.match(line.strip())]
        reason = _PREFACE.sub("", reasons[-1] if reasons else text)
        if isinstance(error, AnsibleAuthenticationFailure) or _REJECTED in reason:
            # Ansible itself tells a refused password only with sshpass, and where nothing is sent.
            return RejectedError(f"rejected the credentials: {reason}")
        return UnreachableError(reason)
