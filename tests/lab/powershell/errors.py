# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What can end a statement, a script or the lab's patience."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal


class Unsupported(Exception):
    """The script needs something of PowerShell that the lab does not have. No ``catch`` of a script sees it: it fails the test."""


class ParseError(Exception):
    """The text is no PowerShell."""


class ConnectionLost(Exception):
    """The machine, or the connection to it, is gone while a script runs.

    ``done``: the operation under way took effect. ``dies``: the machine is to be switched off.
    """

    def __init__(self, done: bool, dies: bool = False) -> None:
        super().__init__()
        self.done = done
        self.dies = dies


#: What an error ends unless it is caught: its statement, or the script (``throw``, and what ErrorAction Stop makes of the others).
#: ``continue`` ends nothing: the error of a cmdlet that goes on.
Severity = Literal["continue", "statement", "script"]


class PowerShellError(Exception):
    """An ErrorRecord.

    :ivar identifier: ``FullyQualifiedErrorId``.
    :ivar category: ``CategoryInfo.Category``.
    :ivar exception_type: Full name of the type of ``Exception``; ``CategoryInfo.Reason`` is its last part.
    :ivar members: More members of ``Exception`` by name.
    :ivar target: ``TargetObject``.
    """

    def __init__(
        self,
        message: str,
        identifier: str,
        category: str = "NotSpecified",
        severity: Severity = "statement",
        *,
        exception_type: str = "System.Management.Automation.RuntimeException",
        members: Mapping[str, Any] | None = None,
        target: Any = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.identifier = identifier
        self.category = category
        self.severity = severity
        self.exception_type = exception_type
        self.members = dict(members or {})
        self.target = target
        #: The cmdlet that raised it, as CategoryInfo.Activity has it.
        self.activity = ""

    @property
    def reason(self) -> str:
        """``CategoryInfo.Reason``."""
        return self.exception_type.rpartition(".")[2]


class Hang(Exception):
    """Something that never comes back."""
