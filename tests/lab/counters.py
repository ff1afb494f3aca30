# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What reached a machine: counts, bytes, method calls and command lines. Product keys are kept by their last five characters only."""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.cim import Reference, Value

_PRODUCT_KEY = re.compile(r"\b(?:[A-Z0-9]{5}-){4}([A-Z0-9]{5})\b", re.IGNORECASE)
_ENCODED_COMMAND = re.compile(r"(?<=\s)-e[a-z]*\s+([A-Za-z0-9+/=]{16,})", re.IGNORECASE)
#: Methods that change nothing, by the beginning of their names (StdRegProv.GetStringValue, EnumKey, CheckAccess).
_READ_ONLY = ("Get", "Enum", "Check")


def mask(text: str) -> str:
    """The text with every product key reduced to its last five characters."""
    return _PRODUCT_KEY.sub(lambda match: f"*****-*****-*****-*****-{match[1]}", text)


def readable_command(line: str) -> str:
    """A command line with PowerShell's ``-EncodedCommand`` decoded, so that a key inside is found (and masked)."""

    def decode(match: re.Match[str]) -> str:
        try:
            return "-EncodedCommand " + base64.b64decode(match[1], validate=True).decode("utf-16-le")
        except (binascii.Error, UnicodeDecodeError):
            return match[0]

    return mask(_ENCODED_COMMAND.sub(decode, line))


def _masked(value: Value) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if isinstance(value, Reference):
        return {"class": value.class_name, "keys": dict(value.keys)}
    return value


@dataclass
class Journal:
    """The journal of one machine since it was started or reset."""

    #: Requests by kind: ``Authentication`` (legs that only authenticate), ``Enumerate``, ``Pull``, ``Invoke``, ``Create``, ….
    requests: Counter[str] = field(default_factory=Counter)
    #: Bytes of the SOAP messages (decrypted) and of the HTTP messages that carried them, authentication left out.
    soap_received: int = 0
    soap_sent: int = 0
    wire_received: int = 0
    wire_sent: int = 0
    invokes: list[dict[str, Any]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    command_lines: list[str] = field(default_factory=list)
    #: How often powershell.exe was started, and every script text that PowerShell ran (what script block logging, event 4104, keeps).
    powershell_starts: int = 0
    scripts: list[str] = field(default_factory=list)
    #: What cmdlets were given, by parameter: what module logging, event 4103, keeps.
    parameters: set[str] = field(default_factory=set)
    #: What was asked of the lab that it does not know. No test may pass with something here.
    unsupported: list[str] = field(default_factory=list)

    def clear(self) -> None:
        """Begin anew; what the lab could not do is kept."""
        vars(self).update(vars(Journal(unsupported=self.unsupported)))

    def invoked(
        self, class_name: str, method: str, selectors: Mapping[str, str], arguments: Mapping[str, Value]
    ) -> None:
        """Note a method call."""
        self.invokes.append(
            {
                "class": class_name,
                "method": method,
                "selectors": {name: mask(value) for name, value in selectors.items()},
                "arguments": {name: _masked(value) for name, value in arguments.items()},
            }
        )

    def queried(self, wql: str) -> None:
        """Note a query."""
        self.queries.append(mask(wql))

    def commanded(self, line: str) -> None:
        """Note a command line."""
        self.command_lines.append(readable_command(line))

    def gave(self, parameter: str) -> None:
        """Note what a cmdlet was given."""
        self.parameters.add(mask(parameter))

    def ran(self, script: str) -> None:
        """Note the text of a script."""
        self.scripts.append(mask(script))

    def report(self) -> dict[str, Any]:
        """The journal as JSON can hold it; ``writes`` are the method calls that are not by their name read-only."""
        return {
            "requests": dict(self.requests),
            "operations": sum(count for kind, count in self.requests.items() if kind != "Authentication"),
            "soap_received": self.soap_received,
            "soap_sent": self.soap_sent,
            "wire_received": self.wire_received,
            "wire_sent": self.wire_sent,
            "invokes": list(self.invokes),
            "writes": [invoke for invoke in self.invokes if not invoke["method"].startswith(_READ_ONLY)],
            "queries": list(self.queries),
            "command_lines": list(self.command_lines),
            "powershell_starts": self.powershell_starts,
            "scripts": list(self.scripts),
            "parameters": sorted(self.parameters),
            "unsupported": list(self.unsupported),
        }
