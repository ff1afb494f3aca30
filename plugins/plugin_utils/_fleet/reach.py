# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How one task reaches other machines of its play, each exactly as a task on that machine would. Private to this collection.

Ansible finalizes a task for the machine that it runs on: its keywords, its options and the connection. What another machine has
in their place is found out anew here, from what stands in the playbook and from the variables of that machine.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from ansible import constants, context
from ansible.errors import AnsibleError
from ansible.parsing.mod_args import ModuleArgsParser
from ansible.playbook.play_context import PlayContext
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import connection_loader
from ansible.template import Templar
from ansible.utils.sentinel import Sentinel

_MISSING = object()
#: A template that only names a variable, and what stands for it where there is none.
_MERE_VARIABLE = re.compile(r"\{\{ *(?P<name>[A-Za-z_]\w*) *(\| *default\((?P<default>omit|\[]|\{})\) *)?}}")
_DEFAULTS: Mapping[str, Any] = {"omit": _MISSING, "[]": [], "{}": {}}

#: Ansible's variables and templates are for one thread at a time.
TEMPLATING = threading.Lock()


def connect(plugin: str, templar: Any, variables: Mapping[str, Any], keywords: Mapping[str, Any] | None = None) -> Any:
    """One of Ansible's connection plugins with its options, as they are resolved for a task; not yet connected.

    :param templar: One that has the variables.
    :param keywords: Of the task, such as ``remote_user``; variables outrank them.
    :raises AnsibleError: There is no such plugin, or a variable cannot be templated.
    """
    connection = connection_loader.get(plugin, PlayContext())
    if connection is None:
        raise AnsibleError(f"there is no connection plugin {plugin}")
    options = [
        name for name in constants.config.get_plugin_vars("connection", connection._load_name) if name in variables
    ]
    extras: list[str] = []
    if getattr(connection, "allow_extras", False):
        prefix = f"ansible_{connection.extras_prefix}_"
        extras = [name for name in variables if name.startswith(prefix) and name not in options]
    resolved = _template(templar, variables, {name: variables[name] for name in (*options, *extras)})
    connection.set_options(
        task_keys=keywords,
        var_options={
            **{name: resolved[name] for name in options if name in resolved},
            "_extras": {name: resolved[name] for name in extras if name in resolved},
        },
    )
    return connection


def _template(templar: Any, variables: Mapping[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """Values with their templates resolved, without those that ``omit`` leaves out."""
    resolved: dict[str, Any] = templar.template(values)
    # Up to ansible-core 2.18, what is left out has this value; from 2.19 on, it is gone.
    omitted = variables.get("omit", _MISSING)
    return {name: value for name, value in resolved.items() if value != omitted}


def arguments_as_written(task: Any) -> dict[str, Any]:
    """The options of a task as they stand in the playbook."""
    parser = ModuleArgsParser(task_ds=task._ds, collection_list=task.collections)
    _action, arguments, _delegate_to = parser.parse(skip_action_validation=True)
    # Options that are one template for all of them are left as they are for the task.
    return {} if "_variable_params" in arguments else arguments


class Target:
    """A machine as the task sees it: its variables, and how it is reached."""

    def __init__(self, reach: Reach, name: str, variables: dict[str, Any]) -> None:
        self._reach = reach
        self.variables = variables
        # Never the templar of the task with other variables: in ansible-core 2.16 its lookups would still see those of the task's own
        # machine, and another machine's secret would be sent.
        self.templar = Templar(loader=reach.action._loader, variables=variables)
        self.name = name

    def options(self, names: Iterable[str]) -> dict[str, Any]:
        """Options of the task by their names, as they are for this machine; without those that are not given.

        :raises AnsibleError: One cannot be templated.
        """
        given = self._reach.action._task.args
        values: dict[str, Any] = {}
        for name in names:
            if name in given or name in self._reach.written:
                value = self._looked_up(self._reach.written.get(name, given.get(name)))
                if value is not _MISSING:
                    values[name] = value
        return _template(self.templar, self.variables, values)

    def _looked_up(self, value: Any) -> Any:
        """The value of the variable that a template only names, or ``_MISSING``; else what was given.

        Ansible compiles a template each time that it meets it, and each machine has those of the task.
        """
        mere = _MERE_VARIABLE.fullmatch(value) if isinstance(value, str) else None
        if mere is None:
            return value
        found = self.variables.get(mere["name"], _DEFAULTS.get(mere["default"], value))
        # Text may come out as something else: ansible-core up to 2.18 reads lists in it.
        return found if found is _MISSING or isinstance(found, (list, dict)) else value

    def connection(self) -> Any:
        """The connection to it, not yet connected.

        :raises AnsibleError: A variable cannot be templated, or there is no such connection plugin.
        """
        words = {word: self._reach.as_written(word) for word in ("connection", "remote_user", "port")}
        keywords = {**self._reach.keywords, **{word: self.templar.template(value) for word, value in words.items()}}
        own = self.variables.get("ansible_connection")
        plugin = self.templar.template(own) if own is not None else keywords["connection"]
        return connect(plugin, self.templar, self.variables, keywords)


class Reach:
    """The machines of a task's inventory, each as a task on it would see it."""

    def __init__(self, action: ActionBase, task_vars: Mapping[str, Any]) -> None:
        """Look at a task.

        :param action: Of a task that runs once for many machines. Where it is delegated to localhost, it has the password of
            ``--ask-pass`` for those that have none, and needs nothing of the first machine's own.
        """
        self.action = action
        self._task_vars = task_vars
        self._variable_manager = task_vars["hostvars"]._variable_manager
        self.written = arguments_as_written(action._task)
        task = action._task
        keywords = task.dump_attrs()
        del keywords["retries"]
        # The keyword is the time limit of the task.
        keywords["timeout"] = context.CLIARGS.get("timeout") or constants.DEFAULT_TIMEOUT
        keywords.pop("password", None)
        password = self._asked_password()
        if password:
            keywords["password"] = password
        self.keywords = keywords

    def target(self, name: str) -> Target:
        """A machine of the inventory, in the main thread only.

        :raises AnsibleError: There is none of that name.
        """
        task, variables = self.action._task, self._task_vars
        host = self._variable_manager._inventory.get_host(name)
        if host is None:
            raise AnsibleError(f"the inventory has no host {name}")
        own: dict[str, Any] = self._variable_manager.get_vars(
            play=task.get_play(),
            host=host,
            task=task,
            _hosts=variables["ansible_play_batch"],
            _hosts_all=variables["ansible_play_hosts_all"],
        )
        # Where lookups find their files, and the item of a loop.
        for inherited in ("ansible_search_path", str(variables.get("ansible_loop_var"))):
            if inherited in variables:
                own[inherited] = variables[inherited]
        return Target(self, name, own)

    def inventory_variable(self, name: str, variable: str) -> Any:
        """A variable that an inventory gives to a machine itself, as it stands there; None if none does."""
        host = self._variable_manager._inventory.get_host(name)
        return host.vars.get(variable) if host else None

    def as_written(self, word: str) -> Any:
        """A keyword that holds for the task, as it stands in the playbook or on the command line."""
        task = self.action._task
        if word in task._ds:
            return task._ds[word]
        value = task._parent._get_parent_attribute(word) if task._parent else Sentinel
        return context.CLIARGS.get(word) if value is Sentinel else value

    def _asked_password(self) -> str | None:
        """The password of ``--ask-pass``; None if it cannot be told from that of the task's own machine."""
        task, variables = self.action._task, self._task_vars
        if task.delegate_to:
            variables = variables.get("ansible_delegated_vars", {}).get(task.delegate_to, {})
        words = constants.MAGIC_VARIABLE_MAPPING["password"]
        return None if any(word in variables for word in words) else self.action._play_context.password
