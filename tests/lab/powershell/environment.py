# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a session runs, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lab.powershell.binding import (
    Definition,
)
from lab.powershell.errors import PowerShellError


@dataclass(frozen=True)
class NativeResult:
    """What a program left: the lines of its output, its exit code, how long it took."""

    lines: Sequence[str]
    exit_code: int
    stderr: str = ""
    elapsed: float = 0.0


@dataclass
class Environment:
    """Where a session runs."""

    computer: str
    user: str
    #: BCP 47 tag of the display language.
    language: str
    constrained: bool
    #: Minutes east of UTC.
    zone: int
    clock: Callable[[], datetime]
    #: Cmdlets by lower-case name.
    cmdlets: Mapping[str, Definition]
    build: str = "10.0.20348.1"
    #: Runs a program with its standard input; None when there is none of that name.
    native: Callable[[str, list[str], str], NativeResult | None] | None = None
    #: Standard input as far as nobody has read it: what a program gets that is started without a pipeline.
    stdin: str = ""
    #: Told of every script text that is run (event 4104).
    log_script: Callable[[str], None] = lambda text: None
    #: Told of every parameter that a cmdlet is given (event 4103).
    log_parameter: Callable[[str], None] = lambda text: None


class HostText(str):
    """What Write-Host printed."""


@dataclass
class Outcome:
    """What a script left.

    :ivar output: What came to the end of the pipeline and what was printed, in order.
    :ivar errors: Errors that were shown, in order.
    :ivar warnings: Texts of warnings.
    :ivar elapsed: Seconds that it slept or waited.
    """

    output: list[Any] = field(default_factory=list)
    errors: list[PowerShellError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    stderr: str = ""
    exit_code: int = 0
    elapsed: float = 0.0
