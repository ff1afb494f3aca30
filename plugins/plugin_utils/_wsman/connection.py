# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the connection of the play to a session. Private to this collection."""

from __future__ import annotations

from typing import Any

# Here, and not when one is needed: Ansible forks a process for every task and host, and each would compile them anew. Neither
# needs the library of the other.
from .errors import UnsupportedConnectionError
from .psrp import PsrpTransport
from .session import Session
from .winrm import WinrmTransport


def open_session(connection: Any, machine: str) -> Session:
    """A session on an Ansible connection.

    :param connection: The connection plugin of the task.
    :param machine: The name by which the user knows the machine.
    :raises UnsupportedConnectionError: The plugin is not one that speaks WS-Management.
    :raises AnsibleConnectionFailure: The plugin cannot connect.
    """
    if connection.transport == "winrm":
        return Session(WinrmTransport(connection), machine)
    if connection.transport == "psrp":
        return Session(PsrpTransport(connection), machine)
    raise UnsupportedConnectionError(
        f"the connection plugin {connection.transport} does not speak WS-Management: "
        "set ansible_connection to ansible.builtin.winrm or ansible.builtin.psrp"
    )
