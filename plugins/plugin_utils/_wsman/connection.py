# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the connection of the play to a session. Private to this collection."""

from __future__ import annotations

from typing import Any

from .errors import UnsupportedConnectionError
from .session import Session


def open_session(connection: Any, machine: str) -> Session:
    """A session on an Ansible connection.

    :param connection: The connection plugin of the task.
    :param machine: The name by which the user knows the machine.
    :raises UnsupportedConnectionError: The plugin is not one that speaks WS-Management.
    :raises AnsibleConnectionFailure: The plugin cannot connect.
    """
    if connection.transport == "winrm":
        # Here, so that only the library of the connection in use must be installed.
        from .winrm import WinrmTransport

        return Session(WinrmTransport(connection), machine)
    if connection.transport == "psrp":
        from .psrp import PsrpTransport

        return Session(PsrpTransport(connection), machine)
    raise UnsupportedConnectionError(
        f"the connection plugin {connection.transport} does not speak WS-Management: "
        "set ansible_connection to ansible.builtin.winrm or ansible.builtin.psrp"
    )
