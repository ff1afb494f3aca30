# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An honest part of Windows PowerShell 5.1: its language, the CIM cmdlets, its JSON, Constrained Language Mode, PowerShell Direct.

``parser`` makes a tree of ``syntax`` of a text, ``interpreter`` runs it on ``values``, with ``operators``, ``members`` and ``types``;
``cmdlets``, ``cim``, ``json`` and ``direct`` are the cmdlets. What it does not know is an ``Unsupported``, which no script can catch: a
script never seems to work because the lab skipped a part of it. Facts are cited by their numbers in facts/powershell.md; what is
UNVERIFIED there, or inferred, says so.
"""

from __future__ import annotations

from lab.powershell import syntax
from lab.powershell.binding import Bound, Definition, Parameter, function
from lab.powershell.cim import definitions as cim_cmdlets
from lab.powershell.cmdlets import format_lines, language_cmdlets
from lab.powershell.direct import broken, refused
from lab.powershell.direct import definitions as direct_cmdlets
from lab.powershell.environment import Environment, HostText, NativeResult, Outcome
from lab.powershell.errors import ConnectionLost, Hang, ParseError, PowerShellError, Severity, Unsupported
from lab.powershell.interpreter import Session
from lab.powershell.members import category_text
from lab.powershell.parser import parse
from lab.powershell.values import Array, EnumValue, Hashtable, PSObject, Version

__all__ = [
    "Array",
    "Bound",
    "ConnectionLost",
    "Definition",
    "EnumValue",
    "Environment",
    "Hang",
    "Hashtable",
    "HostText",
    "NativeResult",
    "Outcome",
    "PSObject",
    "Parameter",
    "ParseError",
    "PowerShellError",
    "Session",
    "Severity",
    "Unsupported",
    "Version",
    "broken",
    "category_text",
    "cim_cmdlets",
    "direct_cmdlets",
    "format_lines",
    "function",
    "language_cmdlets",
    "parse",
    "refused",
    "syntax",
]
