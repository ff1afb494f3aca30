# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..plugin_utils._action import AvmaAction, Failure
from ..plugin_utils._avma.problems import problem
from ..plugin_utils._session.session import Session
from ..plugin_utils._windows.kvp import read_pool, remove_from_pool


class ActionModule(AvmaAction):
    """Read a guest's KVP pool, or remove values from it."""

    ARGUMENT_SPEC: ClassVar[dict[str, dict[str, Any]]] = {
        "remove": {"type": "list", "elements": "str", "default": []},
    }

    def perform(self, session: Session, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Read, remove what is there and should not be, and look again."""
        before = read_pool(session)
        unwanted = {name.lower() for name in arguments["remove"]}
        removed = [name for name in before if name.lower() in unwanted]
        if removed and not self._task.check_mode:
            left = remove_from_pool(session, removed)
            if left:
                raise Failure([problem("kvp_not_removed", names=", ".join(left))], {"changed": left != removed})
        after = {name: value for name, value in before.items() if name not in removed}
        result = {"changed": bool(removed), "kvp": after, "removed": removed}
        return {**result, "diff": {"before": before, "after": after}} if self._task.diff else result
