"""An action of the tests: what connections a task has that reaches all machines of the play."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.hyperv.avma.plugins.plugin_utils._fleet.reach import Reach


def shown(connection: Any) -> dict[str, Any]:
    """A connection as its plugin sees it."""
    options = {name: connection.get_option(name) for name in connection._options}
    return {"plugin": connection.transport, **{name: value for name, value in options.items() if value is not None}}


class ActionModule(ActionBase):  # type: ignore[misc]
    """See above."""

    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task."""
        assert task_vars is not None
        reach = Reach(self, task_vars)
        machines = {}
        for name in task_vars["ansible_play_hosts_all"]:
            target = reach.target(name)
            argument = target.options(["value"]).get("value")
            machines[name] = {**shown(target.connection()), "argument": argument}
        return {"machines": machines}
