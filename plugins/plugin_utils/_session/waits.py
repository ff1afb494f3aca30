# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for what Windows does in its own time. Private to this collection."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """Time as the controller needs it: a monotonic clock and a way to wait, both in seconds."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Waits:
    """Growing pauses, until the time is out."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        """Begin now.

        :param seconds: After how long the time is out.
        """
        self._clock = clock
        self._deadline = clock.monotonic() + seconds
        self._pauses = self._grow()

    @staticmethod
    def _grow() -> Iterator[float]:
        pause = 1.0
        while True:
            yield pause
            pause = min(pause * 2, 15.0)

    def wait(self) -> bool:
        """Wait before the next attempt; False if the time is out."""
        left = self._deadline - self._clock.monotonic()
        if left <= 0:
            return False
        self._clock.sleep(min(next(self._pauses), left))
        return True
