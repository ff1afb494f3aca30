# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Hyper-V hosts through which a task reaches guests. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

from .._avma.names import matches_any
from .._avma.problems import problem
from .._session.connection import open_interpreter, open_session
from .._session.errors import RouteError, SessionError, UnreachableError, UnsupportedConnectionError
from .._session.interpreter import Guest, Interpreter
from .._session.logins import Logins
from .._windows.cluster import read_cluster, read_owner
from .reach import TEMPLATING, Reach


class GuestHosts:
    """The hosts of the inventory, for one guest: each is reached as a task on it would be, when it is needed."""

    def __init__(
        self, action: ActionBase, task_vars: Mapping[str, Any], logins: Logins, reach: Reach | None = None
    ) -> None:
        """Look at a task.

        :param action: Of the task that wants to reach the guest.
        :param logins: Those of the task.
        :param reach: What is known of the task already.
        """
        self._action = action
        self._task_vars = task_vars
        self._logins = logins
        self._reach = reach
        self._interpreters: dict[str, Interpreter] = {}
        #: The connections by the names of their hosts in the inventory.
        self._connections: dict[str, Any] = {}

    def close(self) -> None:
        """Close what was opened."""
        for connection in self._connections.values():
            # What cannot be closed is gone already.
            with suppress(Exception):
                connection.close()

    def interpreter(self, name: str) -> Interpreter:
        """A PowerShell of a host.

        :raises RouteError: The inventory has no such host, or reaches it in a way that reaches no guest.
        :raises UnreachableError: It cannot be reached.
        """
        if name not in self._interpreters:
            connection = self._connect(name)
            try:
                self._interpreters[name] = open_interpreter(connection, name, self._logins)
            except UnsupportedConnectionError as error:
                raise RouteError(problem("vm_host_unsuitable", host=name, plugin=connection.transport)) from error
            except AnsibleConnectionFailure as error:
                raise UnreachableError(str(error)) from error
        return self._interpreters[name]

    def others(self, name: str, guest: Guest) -> Iterator[str]:
        """The other nodes of a host's cluster that are up and in the inventory, the owner of the VM first, if its name tells that."""
        try:
            session = open_session(self._connect(name), name, self._logins)
            cluster = read_cluster(session)
            owner = read_owner(session, guest.vm_name) if cluster and guest.vm_name else None
        except (SessionError, AnsibleConnectionFailure):
            # It was reached a moment ago: where the VM is not, is what there is to say.
            return
        nodes = [node.name for node in cluster.nodes if node.state != "down"] if cluster else []
        for node in sorted(nodes, key=lambda node: node.lower() != (owner or "").lower()):
            found = self._inventory_name(node)
            if found and not matches_any(name, [node]):
                yield found

    def _connect(self, name: str) -> Any:
        found = self._inventory_name(name)
        if found is None:
            raise RouteError(problem("vm_host_unlisted", host=name))
        if found not in self._connections:
            try:
                with TEMPLATING:
                    self._reach = self._reach or Reach(self._action, self._task_vars)
                    self._connections[found] = self._reach.target(found).connection()
            except AnsibleError as error:
                # A variable of the host cannot be templated, or there is no such connection plugin.
                raise RouteError(problem("vm_host_failed", host=name, detail=error)) from error
        return self._connections[found]

    def _inventory_name(self, name: str) -> str | None:
        """What the inventory calls a host: by this name or, if it is the only one, by another form of it."""
        known = self._task_vars["hostvars"]
        if name in known:
            return name
        matching = [host for host in self._hosts() if matches_any(host, [name])]
        return matching[0] if len(matching) == 1 else None

    def _hosts(self) -> list[str]:
        groups = self._task_vars.get("groups", {})
        return list(groups.get("avma_hosts") or groups.get("all") or ())
