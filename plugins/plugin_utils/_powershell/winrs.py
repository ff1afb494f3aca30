# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows PowerShell in a WinRS shell. Private to this collection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .._session.session import ProcessResult, Route
from . import scripts


class Programs(Protocol):
    """What runs programs on a machine."""

    @property
    def encrypted(self) -> bool:
        """Whether what is sent is encrypted."""

    def run(self, command: str, arguments: Sequence[str], stdin: bytes) -> ProcessResult:
        """Run a program.

        :raises UnreachableError: The machine cannot be reached, cut the connection or turned the credentials down.
        :raises ProcessError: The program could not be run to its end.
        """


class WinrsInterpreter:
    """An ``Interpreter`` of a machine that is reached by winrm or psrp."""

    def __init__(self, programs: Programs, route: Route) -> None:
        """Run it as one of a machine's programs."""
        self._programs = programs
        self.route = route

    @property
    def encrypted(self) -> bool:
        """Whether what is sent is encrypted."""
        return self._programs.encrypted

    def run(self, script: str, data: Sequence[str], *, changes: bool) -> ProcessResult:
        """Start a PowerShell in a shell of its own; nothing ever does that twice."""
        program, *arguments = scripts.COMMAND
        return self._programs.run(program, arguments, scripts.stdin(script, data))
