# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An end for calls that may have none. Private to this collection."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

_Answer = TypeVar("_Answer")


def within(seconds: float, function: Callable[[], _Answer]) -> _Answer:
    """What a function returns or raises, as neither WinRM nor ssh ever end a process that hangs.

    A function that takes longer is left alone: its thread does not hold the process, which is that of one task.

    :raises TimeoutError: It takes longer.
    """
    outcome: SimpleQueue[tuple[list[_Answer], BaseException | None]] = SimpleQueue()

    def call() -> None:
        try:
            outcome.put(([function()], None))
        except BaseException as error:
            outcome.put(([], error))

    threading.Thread(target=call, daemon=True).start()
    try:
        answers, error = outcome.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return answers[0]
