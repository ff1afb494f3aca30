# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs PowerShell scripts on a machine, and the guests whose hosts do it for them. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from .._avma.problems import problem
from .errors import RouteError
from .escape import wql_literal
from .session import ProcessResult, Route

#: The Name of a VM is a GUID, that of the host, which is such an instance too, is none.
_GUID_PATTERN = "-".join("_" * length for length in (8, 4, 4, 4, 12))


class Interpreter(Protocol):
    """The way to a Windows PowerShell of the machine."""

    @property
    def route(self) -> Route:
        """How it is reached."""

    @property
    def encrypted(self) -> bool:
        """Whether what is sent is encrypted."""

    def run(self, script: str, data: Sequence[str], *, changes: bool) -> ProcessResult:
        """Start it, and have it run a script of ``scripts``.

        :param data: Lines for the script; the first is the marker of its answer.
        :param changes: Whether it must not be run twice.
        :raises UnreachableError: The machine cannot be reached, cut the connection or turned the credentials down.
        :raises RouteError: What this way needs is not there.
        """


@dataclass(frozen=True)
class Guest:
    """A virtual machine, and how to log on to it.

    :ivar host: The inventory name of its Hyper-V host, as far as the inventory knows.
    :ivar vm_id: Decides, if there is one.
    :ivar timeout: Seconds that one PowerShell in it may take.
    """

    host: str
    vm_id: str | None
    vm_name: str | None
    user: str
    password: str = field(repr=False)
    timeout: int = 120

    @property
    def label(self) -> str:
        """What to call it in messages."""
        return self.vm_name or self.vm_id or ""

    @property
    def wql(self) -> str:
        """The query that finds it on a host."""
        condition = (
            f"Name = {wql_literal(self.vm_id)}"
            if self.vm_id
            else f"ElementName = {wql_literal(self.vm_name or '')} AND Name LIKE {wql_literal(_GUID_PATTERN)}"
        )
        return f"SELECT Name, ElementName, EnabledState FROM Msvm_ComputerSystem WHERE {condition}"


def guest_of(connection: Any) -> Guest:
    """The guest of a connection of the plugin ``hyperv.avma.powershell_direct``.

    :raises RouteError: Something is not given, or cannot be used.
    """
    option = connection.get_option
    host, vm_id, vm_name, user, password = (
        str(option(name) or "") for name in ("host", "vm_id", "vm_name", "remote_user", "remote_password")
    )
    needed = {
        "the Hyper-V host (avma_host or ansible_powershell_direct_host)": host,
        "the virtual machine (avma_vm_id, ansible_powershell_direct_vm_id or ansible_powershell_direct_vm_name)": vm_id
        or vm_name,
        "the user (ansible_user)": user,
        "the password (ansible_password)": password,
    }
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise RouteError(problem("powershell_direct_incomplete", missing=", ".join(missing)))
    if "@" in user:
        raise RouteError(problem("powershell_direct_user", user=user))
    timeout = option("timeout")
    if timeout < 1:
        raise RouteError(
            problem("invalid_argument", option="ansible_powershell_direct_timeout", detail="it must be 1 or more")
        )
    return Guest(host, vm_id or None, vm_name or None, user, password, timeout)


class Hosts(Protocol):
    """The Hyper-V hosts of the inventory."""

    def interpreter(self, name: str) -> Interpreter:
        """A PowerShell of a host.

        :raises RouteError: The inventory has no such host.
        :raises UnreachableError: It cannot be reached.
        """

    def others(self, name: str, guest: Guest) -> Iterator[str]:
        """The other nodes of a host's cluster that may run a guest, the one that the cluster says first."""
