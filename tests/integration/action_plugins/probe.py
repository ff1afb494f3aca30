"""An action of the tests: what connection a plain task has on each machine."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase


def shown(connection: Any) -> dict[str, Any]:
    """A connection as its plugin sees it."""
    options = {name: connection.get_option(name) for name in connection._options}
    return {"plugin": connection.transport, **{name: value for name, value in options.items() if value is not None}}


class ActionModule(ActionBase):  # type: ignore[misc]
    """See above."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task."""
        assert task_vars is not None
        argument = self._task.args.get("value")
        return {"machines": {task_vars["inventory_hostname"]: {**shown(self._connection), "argument": argument}}}
