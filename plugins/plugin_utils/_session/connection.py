# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the connection of the play to a session. Private to this collection."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .._powershell import through_host
from .._powershell.session import PowerShellSession
from .._powershell.ssh import SshInterpreter
from .._powershell.winrs import WinrsInterpreter
from .._wsman.psrp import PsrpTransport
from .._wsman.recording import RecordingTransport
from .._wsman.session import Transport, WSManSession
from .._wsman.winrm import WinrmTransport

# Here, and not when one is needed: Ansible forks a process for every task and host, and each would compile them anew. None
# needs the library of another.
from .errors import UnsupportedConnectionError
from .interpreter import Hosts, Interpreter, guest_of
from .logins import Logins
from .session import Route, Session

#: Names the folder to record into, on the controller; docs/recording.md is the guide.
RECORD_VARIABLE = "HYPERV_AVMA_RECORD"
#: The connection plugin of a guest that is reached through its host.
THROUGH_HOST = through_host.PLUGIN


def open_session(connection: Any, machine: str, logins: Logins, hosts: Hosts | None = None) -> Session:
    """A session on an Ansible connection; one by WS-Management is recorded if the environment says so.

    :param connection: The connection plugin of the task.
    :param machine: The name by which the user knows the machine.
    :param logins: Those of this task, or of this run of the inventory plugin.
    :param hosts: The Hyper-V hosts of the inventory: without them, no guest is reached through its host.
    :raises UnsupportedConnectionError: No session is known for the plugin.
    :raises RouteError: What the way through a host needs is not given.
    :raises AnsibleConnectionFailure: The plugin cannot connect.
    """
    if connection.transport == THROUGH_HOST and hosts is not None:
        guest = guest_of(connection)
        return PowerShellSession(through_host.HostInterpreter(guest, hosts, logins.guest(guest, machine)), machine)
    if connection.transport == "ssh":
        return PowerShellSession(logins.interpreter(connection, machine, SshInterpreter(connection)), machine)
    transport = logins.transport(connection, machine, _transport)
    folder = os.environ.get(RECORD_VARIABLE)
    session = WSManSession(RecordingTransport(transport, Path(folder)) if folder else transport, machine)
    session.route = Route(connection.transport)
    return session


def open_interpreter(connection: Any, machine: str, logins: Logins) -> Interpreter:
    """A PowerShell of the machine of an Ansible connection.

    :param machine: The name by which the user knows the machine.
    :param logins: Those of this task.
    :raises UnsupportedConnectionError: The plugin reaches no machine by itself.
    :raises AnsibleConnectionFailure: The plugin cannot connect.
    """
    if connection.transport == "ssh":
        return logins.interpreter(connection, machine, SshInterpreter(connection))
    return WinrsInterpreter(logins.transport(connection, machine, _transport), Route(connection.transport))


def _transport(connection: Any) -> Transport:
    if connection.transport == "winrm":
        return WinrmTransport(connection)
    if connection.transport == "psrp":
        return PsrpTransport(connection)
    raise UnsupportedConnectionError(
        f"the connection plugin {connection.transport} does not reach the WMI of Windows: set ansible_connection to "
        f"ansible.builtin.winrm, ansible.builtin.psrp or ansible.builtin.ssh or, for a guest without a network, to {THROUGH_HOST}"
    )
