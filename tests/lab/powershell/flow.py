# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How control leaves a statement other than by its end."""

from __future__ import annotations

from typing import Any


class Exit(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Return(Exception):
    pass


class BreakLoop(Exception):
    pass


class ContinueLoop(Exception):
    pass


class StopUpstream(Exception):
    """``stage`` has all that it wants."""

    def __init__(self, stage: Any) -> None:
        super().__init__()
        self.stage = stage
