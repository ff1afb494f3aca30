# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ..plugin_utils._action import Failure
from ..plugin_utils._avma import keys
from ..plugin_utils._avma.answer_file import Place, read_keys, set_key
from ..plugin_utils._avma.problems import problem
from ..plugin_utils._avma.releases import System
from ..plugin_utils._avma.unattend import choose_key, show
from ..plugin_utils._files import write_file
from ..plugin_utils._unattend import IMAGE_ARGUMENTS, AnswerFileAction


class ActionModule(AnswerFileAction):
    """Put the AVMA key of an image into an answer file."""

    ARGUMENT_SPEC: ClassVar[dict[str, dict[str, Any]]] = {
        **IMAGE_ARGUMENTS,
        "product_key": {"type": "str", "no_log": False},
        "select_image": {"type": "bool", "default": False},
        "backup": {"type": "bool", "default": False},
    }

    def work(self, machine: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Read, decide, and write what is missing."""
        path, system, overrides = self.image(arguments)
        product_key = _chosen_key(system, arguments["product_key"], overrides)
        with self.explained(path):
            before = path.read_bytes() if path.exists() else None
            after = before
            for place in (Place.IMAGE, Place.ACTIVATION) if arguments["select_image"] else (Place.ACTIVATION,):
                after = set_key(after, place, arguments["architecture"], product_key)
            shown = [show(key) for key in read_keys(after or b"")]
            result: dict[str, Any] = {"path": str(path), "keys": shown, "problems": [], "changed": after != before}
            if self._task.diff:
                former = [show(key) for key in read_keys(before)] if before is not None else []
                result["diff"] = {"before": {"keys": former}, "after": {"keys": shown}}
            if result["changed"] and not self._task.check_mode:
                if arguments["backup"] and before is not None:
                    result["backup_file"] = _back_up(path, before)
                write_file(path, after or b"")
        return result


def _chosen_key(system: System, product_key: str | None, overrides: keys.Overrides) -> str:
    try:
        decision = choose_key(system, keys.normalize_key(product_key) if product_key else None, overrides)
    except keys.InvalidKeyError as error:
        raise Failure([problem("invalid_argument", detail=f"product_key: {error}")]) from error
    if decision.problems or decision.product_key is None:
        raise Failure(decision.problems)
    return decision.product_key


def _back_up(path: Path, content: bytes) -> str:
    # Named as Ansible's own modules name theirs.
    copy = path.with_name(f"{path.name}.{os.getpid()}.{time.strftime('%Y-%m-%d@%H:%M:%S')}~")
    write_file(copy, content, like=path)
    return str(copy)
