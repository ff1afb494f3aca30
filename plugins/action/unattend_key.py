# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..plugin_utils._action import Failure, checking
from ..plugin_utils._avma import keys
from ..plugin_utils._avma.answer_file import Place, read_image_names, read_keys, set_key
from ..plugin_utils._avma.problems import problem
from ..plugin_utils._avma.releases import System
from ..plugin_utils._avma.unattend import assess_image_names, choose_image_key, choose_key, show
from ..plugin_utils._avma.words import say
from ..plugin_utils._files import back_up, write_file
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
        architecture = arguments["architecture"]
        wanted = _wanted_keys(system, arguments["product_key"], overrides, arguments["select_image"])
        with self.explained(path):
            before = path.read_bytes() if path.exists() else None
            after = before
            for place, product_key in wanted.items():
                after = set_key(after, place, architecture, product_key)
            document = after or b""
            shown = [show(key) for key in read_keys(document)]
            problems = assess_image_names(read_image_names(document, architecture), system)
            result: dict[str, Any] = {
                "path": str(path),
                "keys": shown,
                "problems": [item.to_dict() for item in problems],
                "changed": after != before,
            }
            for item in problems:
                self._display.warning(str(item))
            if self._task.diff:
                former = [show(key) for key in read_keys(before)] if before is not None else []
                result["diff"] = {"before": {"keys": former}, "after": {"keys": shown}}
            if result["changed"] and not self._task.check_mode:
                if arguments["backup"] and before is not None:
                    result["backup_file"] = str(back_up(path))
                write_file(path, document)
        return result


def _wanted_keys(
    system: System, product_key: str | None, overrides: keys.Overrides, select_image: bool
) -> dict[Place, str]:
    with checking("product_key"):
        product_key = keys.normalize_key(product_key) if product_key else None
    decision = choose_key(system, product_key, overrides)
    if decision.problems or decision.product_key is None:
        raise Failure(decision.problems)
    try:
        wanted = {Place.IMAGE: choose_image_key(system)} if select_image else {}
    except LookupError as error:
        remedy = say("Leave {select_image} out, and name the image in the answer file (/IMAGE/NAME).")
        raise Failure([problem("no_kms_client_key", name=error, remedy=remedy)]) from error
    return {**wanted, Place.ACTIVATION: decision.product_key}
