# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action plugins for answer files share. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ._action import CheckedAction, Failure, checking
from ._avma import keys
from ._avma.answer_file import InvalidAnswerFileError
from ._avma.problems import problem
from ._avma.releases import System
from ._avma.unattend import ARCHITECTURES, image_system

#: The answer file, and the image that it is for.
IMAGE_ARGUMENTS: dict[str, dict[str, Any]] = {
    "path": {"type": "path", "required": True},
    "release": {"type": "str", "required": True},
    "edition": {"type": "str"},
    "architecture": {"type": "str", "choices": list(ARCHITECTURES), "default": "amd64"},
    "key_overrides": {"type": "dict", "default": {}, "no_log": False},
}


class AnswerFileAction(CheckedAction):
    """An action plugin that works on an answer file on the controller."""

    _requires_connection = False

    def image(self, arguments: Mapping[str, Any]) -> tuple[Path, System, keys.Overrides]:
        """The answer file, the Windows in the image that it is for, and the additions to the key table.

        :raises Failure: An argument is wrong.
        """
        with checking("key_overrides"):
            overrides = keys.read_overrides(arguments["key_overrides"])
        with checking("release"):
            system = image_system(arguments["release"], arguments["edition"])
        # Links are followed, so that a file is replaced where it is.
        return Path(self._loader.path_dwim(arguments["path"])).resolve(), system, overrides

    @contextmanager
    def explained(self, path: Path) -> Iterator[None]:
        """Say in plain words what is wrong with an answer file."""
        try:
            yield
        except (InvalidAnswerFileError, OSError) as error:
            detail = error.strerror if isinstance(error, OSError) else error
            raise Failure([problem("invalid_answer_file", path=path, detail=detail)]) from error
