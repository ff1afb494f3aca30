# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a WinRS shell can start on a machine: ``powershell.exe``, its command line, its standard streams.

Text is UTF-8: shells are taken to be opened with code page 65001, as Ansible's connections open theirs.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from lab.cim import ProcessResult
from lab.powershell import Cmdlet, Outcome, PowerShell, PowerShellError, format_lines

#: Options of powershell.exe that take a value, by the shortest form that the project sends.
_WITH_VALUE = ("-executionpolicy", "-ep", "-ex", "-inputformat", "-outputformat", "-version", "-windowstyle")

#: What powershell.exe writes to its standard error when it loads its first module.
_PROGRESS = (
    '<Obj S="progress" RefId="0"><TN RefId="0"><T>System.Management.Automation.PSCustomObject</T><T>System.Object</T></TN><MS>'
    '<I64 N="SourceId">1</I64><PR N="Record"><AV>Preparing modules for first use.</AV><AI>0</AI><Nil /><PI>-1</PI><PC>-1</PC>'
    "<T>Completed</T><SR>-1</SR><SD> </SD></PR></MS></Obj>"
)


#: What Ansible's bootstrap script looks for between the runner and the module that it is sent on standard input.
_ANSIBLE_MARK = '"`0`0`0`0"'

#: Ansible's PowerShell modules are not run but answered at once, as by one that found all well: for benchmarks against them.
_ANSIBLE_RESULT = {
    "changed": True,
    "cmd": "",
    "rc": 0,
    "stdout": "",
    "stderr": "",
    "start": "2026-01-01 00:00:00.000000",
    "end": "2026-01-01 00:00:00.000000",
    "delta": "0:00:00.000000",
    "ping": "pong",
    "output": [],
    "result": {},
    "error": [],
    "warning": [],
    "verbose": [],
    "debug": [],
    "information": [],
    "host_out": "",
    "host_err": "",
}


def run(
    command: str,
    arguments: Sequence[str],
    stdin: bytes,
    cmdlets: Mapping[str, Cmdlet],
    computer: str,
    constrained: bool,
) -> ProcessResult:
    """Run a command line to its end. ``cmdlets`` are those of the machine's modules."""
    words = [word for part in (command, *arguments) for word in part.split()]
    program = words[0].lower().rsplit("\\", 1)[-1] if words else ""
    if program not in ("powershell", "powershell.exe"):
        return ProcessResult(1, stderr=f"'{program}' is not recognized as an internal or external command\r\n".encode())
    text = stdin.decode("utf-8", "replace")
    try:
        script = _script(words[1:], text)
    except ValueError as error:
        return ProcessResult(1, stderr=f"{error}\r\n".encode())
    if _ANSIBLE_MARK in script:
        return ProcessResult(0, json.dumps(_ANSIBLE_RESULT).encode())
    outcome = PowerShell(cmdlets, computer, constrained, text.splitlines()).run(script)
    lines = [line for item in outcome.output for line in format_lines(item)]
    stdout = "".join(f"{line}\r\n" for line in lines).encode()
    return ProcessResult(outcome.exit_code, stdout, _clixml(outcome).encode())


def _script(words: Sequence[str], stdin: str) -> str:
    """The script that the options name. Raises ValueError."""
    rest = iter(words)
    for word in rest:
        option = word.lower()
        if option in ("-encodedcommand", "-enc", "-ec", "-e"):
            try:
                return base64.b64decode(next(rest, ""), validate=True).decode("utf-16-le")
            except (binascii.Error, UnicodeDecodeError) as error:
                raise ValueError(
                    "Cannot process the command because the value specified with -EncodedCommand is not correct."
                ) from error
        if option in ("-command", "-c"):
            script = " ".join(rest)
            return stdin if script == "-" else script
        if option in _WITH_VALUE:
            next(rest, None)
        elif not option.startswith("-"):
            return " ".join((word, *rest))
    return stdin


def _clixml(outcome: Outcome) -> str:
    """Standard error as powershell.exe writes it when it is redirected: CLIXML, even when there is nothing to say."""
    errors = "".join(f'<S S="Error">{_error(error)}</S>' for error in outcome.errors)
    objects = (
        f'<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">{_PROGRESS}{errors}</Objs>'
    )
    return f"#< CLIXML\r\n{objects}"


def _error(error: PowerShellError) -> str:
    category = f"    + CategoryInfo          : {error.category}: (:) [], Exception"
    text = f"{error.message}\n{category}\n    + FullyQualifiedErrorId : {error.identifier}\n"
    return escape(text).replace("\n", "_x000D__x000A_")
