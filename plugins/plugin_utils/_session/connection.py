# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the connection of the play to a session. Private to this collection."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .._wsman.psrp import PsrpTransport
from .._wsman.recording import RecordingTransport
from .._wsman.session import Transport, WSManSession
from .._wsman.winrm import WinrmTransport

# Here, and not when one is needed: Ansible forks a process for every task and host, and each would compile them anew. Neither
# needs the library of the other.
from .errors import UnsupportedConnectionError
from .session import Session

#: Names the folder to record into, on the controller; docs/recording.md is the guide.
RECORD_VARIABLE = "HYPERV_AVMA_RECORD"
_TICKET_CACHE = "KRB5CCNAME"


def open_session(connection: Any, machine: str) -> Session:
    """A session on an Ansible connection, recorded if the environment says so.

    :param connection: The connection plugin of the task.
    :param machine: The name by which the user knows the machine.
    :raises UnsupportedConnectionError: The plugin is not one that speaks WS-Management.
    :raises AnsibleConnectionFailure: The plugin cannot connect.
    """
    transport = _transport(connection)
    folder = os.environ.get(RECORD_VARIABLE)
    return WSManSession(RecordingTransport(transport, Path(folder)) if folder else transport, machine)


@contextmanager
def own_ticket_cache() -> Iterator[None]:
    """Have the environment name the user's own Kerberos ticket cache again at the end.

    The winrm plugin gets itself a ticket into a cache of its own, and names that in the environment. Whoever connects next, and has no
    password, would be that principal.
    """
    name = os.environ.get(_TICKET_CACHE)
    try:
        yield
    finally:
        os.environ.pop(_TICKET_CACHE, None)
        if name is not None:
            os.environ[_TICKET_CACHE] = name


def _transport(connection: Any) -> Transport:
    if connection.transport == "winrm":
        return WinrmTransport(connection)
    if connection.transport == "psrp":
        return PsrpTransport(connection)
    raise UnsupportedConnectionError(
        f"the connection plugin {connection.transport} does not speak WS-Management: "
        "set ansible_connection to ansible.builtin.winrm or ansible.builtin.psrp"
    )
