# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..plugin_utils._avma.answer_file import read_image_names, read_keys
from ..plugin_utils._avma.unattend import assess, show
from ..plugin_utils._unattend import IMAGE_ARGUMENTS, AnswerFileAction


class ActionModule(AnswerFileAction):
    """Tell which product keys an answer file carries and whether they fit an image."""

    ARGUMENT_SPEC: ClassVar[dict[str, dict[str, Any]]] = IMAGE_ARGUMENTS

    def work(self, machine: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Read and judge."""
        path, system, overrides = self.image(arguments)
        with self.explained(path):
            document = path.read_bytes()
            carried = read_keys(document)
            relevant = read_keys(document, arguments["architecture"])
            images = read_image_names(document, arguments["architecture"])
        return {
            "changed": False,
            "answer_file": {
                "path": str(path),
                "images": images,
                "keys": [show(key) for key in carried],
                "problems": [problem.to_dict() for problem in assess(relevant, system, overrides, images)],
            },
        }
