# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What runs on a machine when somebody gives it a command line: ``cmd.exe``, ``powershell.exe``, their streams and exit codes.

Sources: facts/powershell.md 37 to 48 (ConsoleHost.cs, Executor.cs, CommandLineParameterParser.cs of PowerShell's source).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from lab.cim import ProcessResult
from lab.counters import Journal
from lab.powershell import (
    Environment,
    HostText,
    NativeResult,
    Outcome,
    ParseError,
    PowerShellError,
    Session,
    Unsupported,
    category_text,
    format_lines,
    parse,
    syntax,
)

UTF8_CODE_PAGE = 65001
#: The longest command line of cmd.exe.
CMD_LIMIT = 8191
#: Exit codes of powershell.exe for parameters that it cannot read (facts 42).
_BAD_PARAMETER = 0xFFFD0000

#: Options of powershell.exe that take a value.
_WITH_VALUE = ("-executionpolicy", "-ep", "-ex", "-inputformat", "-outputformat", "-version", "-windowstyle")
_ENCODED = ("-encodedcommand", "-enc", "-ec", "-e")

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


@dataclass
class Console:
    """The console that a command line runs in: one for each, with the rights of its user.

    :ivar environment: Makes the environment of a PowerShell process.
    :ivar code_page: The code page of its streams; ``chcp`` changes it.
    :ivar programs: Runs a program of the machine; None for one that it does not have.
    :ivar profile: Lines that the user's profile prints when PowerShell starts without -NoProfile.
    """

    environment: Callable[[], Environment]
    journal: Journal
    code_page: int = UTF8_CODE_PAGE
    profile: Sequence[str] = ()
    programs: Callable[[str, list[str]], ProcessResult | None] = lambda command, arguments: None
    elapsed: float = field(default=0.0, init=False)

    def cmd(self, line: str, stdin: bytes) -> ProcessResult:
        """``cmd.exe /c "line"``, and so every command of a WinRS shell."""
        try:
            return self._cmd(line, stdin)
        except Unsupported as error:
            return self.unsupported(error)

    def powershell(self, line: str, stdin: bytes) -> ProcessResult:
        """``powershell.exe -c line``, as Windows OpenSSH starts it when it is the default shell."""
        try:
            return self._script(line, stdin, encoded=False, profile=True)
        except Unsupported as error:
            return self.unsupported(error)

    def unsupported(self, error: Unsupported) -> ProcessResult:
        """What the lab cannot do is in the journal, and no test passes with it there."""
        message = f"LabUnsupported: the lab's Windows does not know {error}"
        self.journal.unsupported.append(message)
        return ProcessResult(1, stderr=f"{message}\r\n".encode())

    @property
    def _encoding(self) -> str:
        return "utf-8" if self.code_page == UTF8_CODE_PAGE else f"cp{self.code_page}"

    def _encode(self, text: str) -> bytes:
        return text.encode(self._encoding, "replace")

    # cmd.exe

    def _cmd(self, line: str, stdin: bytes) -> ProcessResult:
        if len(line) > CMD_LIMIT:
            return ProcessResult(1, stderr=self._encode("The command line is too long.\r\n"))
        stdout, stderr, code, elapsed = b"", b"", 0, 0.0
        for operator, command in _commands(line):
            if (operator == "&&" and code) or (operator == "||" and not code):
                continue
            result = self._command(command, stdin)
            if "powershell" in command.lower():
                # Nothing else that the lab has reads it.
                stdin = b""
            code, elapsed = result.exit_code, elapsed + result.elapsed
            if not re.search(r"(?<![\d&])1?>\s*nul\b", command, re.I):
                stdout += result.stdout
            if not re.search(r"2>\s*(?:nul\b|&1)", command, re.I):
                stderr += result.stderr
        return ProcessResult(code, stdout, stderr, elapsed)

    def _command(self, command: str, stdin: bytes) -> ProcessResult:
        words = [word.strip('"') for word in re.findall(r'(?:[^\s"]|"[^"]*")+', command)]
        words = [word for word in words if not re.match(r"\d?>", word) and word.lower() != "nul"]
        program = words[0].lower().rsplit("\\", 1)[-1] if words else ""
        program = program.removesuffix(".exe").removesuffix(".com")
        if program == "chcp":
            if len(words) > 1:
                self.code_page = int(words[1])
            return ProcessResult(0, self._encode(f"Active code page: {self.code_page}\r\n"))
        if program == "exit":
            return ProcessResult(int(words[1]) if len(words) > 1 else 0)
        if program == "echo":
            return ProcessResult(0, self._encode(" ".join(words[1:]) + "\r\n"))
        if program == "powershell":
            return self._powershell(words[1:], stdin)
        found = self.programs(words[0], words[1:]) if words else None
        if found is not None:
            return found
        message = (
            f"'{program}' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n"
        )
        return ProcessResult(1, stderr=self._encode(message))

    # powershell.exe

    def _powershell(self, words: Sequence[str], stdin: bytes) -> ProcessResult:
        profile = not any(word.lower() in ("-noprofile", "-nop") for word in words)
        rest = iter(words)
        for word in rest:
            option = word.lower()
            if option in _ENCODED:
                try:
                    script = base64.b64decode(next(rest, ""), validate=True).decode("utf-16-le")
                except (binascii.Error, UnicodeDecodeError):
                    message = "Cannot process the command because the value specified with -EncodedCommand is not properly encoded.\r\n"
                    return ProcessResult(_BAD_PARAMETER, stderr=self._encode(message))
                return self._script(script, stdin, encoded=True, profile=profile)
            if option in ("-command", "-c"):
                script = " ".join(rest)
                return self._script(script if script != "-" else None, stdin, encoded=False, profile=profile)
            if option in _WITH_VALUE:
                next(rest, None)
            elif not option.startswith("-"):
                return self._script(" ".join((word, *rest)), stdin, encoded=False, profile=profile)
        return self._script(None, stdin, encoded=False, profile=profile)

    def _script(self, script: str | None, stdin: bytes, encoded: bool, profile: bool) -> ProcessResult:
        self.journal.powershell_starts += 1
        text = stdin.decode(self._encoding, "replace")
        lines: list[str] = []
        if script is None:
            script, text = text, ""
        if _ANSIBLE_MARK in script:
            return ProcessResult(0, json.dumps(_ANSIBLE_RESULT).encode())
        if mentions_input(script):
            lines, text = input_lines(text), ""
        environment = self.environment()
        environment.stdin = text
        environment.native = self.native
        outcome = Session(environment).run(script, lines)
        shown = [*self.profile] if profile else []
        for item in outcome.output:
            shown += [str(item)] if isinstance(item, HostText) else format_lines(item)
        if not encoded:
            shown += [f"WARNING: {warning}" for warning in outcome.warnings]
        stdout = "".join(f"{line}\r\n" for line in shown)
        stderr = _clixml(outcome) if encoded else "".join(_rendered(error) for error in outcome.errors)
        return ProcessResult(
            outcome.exit_code, self._encode(stdout), self._encode(outcome.stderr + stderr), outcome.elapsed
        )

    def native(self, name: str, arguments: list[str], stdin: str) -> NativeResult | None:
        """A program that a script starts."""
        result = self._command(" ".join([name, *arguments]), stdin.encode(self._encoding, "replace"))
        if b"is not recognized as an internal" in result.stderr:
            return None
        lines = result.stdout.decode(self._encoding).splitlines()
        stderr = result.stderr.decode(self._encoding)
        return NativeResult(lines, result.exit_code, stderr, result.elapsed)


def wants_stdin(line: str) -> bool:
    """Whether a command line reads its standard input to the end before it does anything, as far as it can be seen beforehand."""
    scripts = [line]
    for encoded in re.findall(r"(?i)(?<=\s)-e[a-z]*\s+([A-Za-z0-9+/=]{8,})", line):
        try:
            scripts.append(base64.b64decode(encoded).decode("utf-16-le"))
        except (binascii.Error, UnicodeDecodeError):
            continue
    bare = re.search(r"(?i)powershell(?:\.exe)?\"?((?:\s+-(?!c|e)\w+)*|.*-c(?:ommand)?\s+-)\s*$", line) is not None
    return bare or any(mentions_input(script) for script in scripts)


def mentions_input(script: str) -> bool:
    """Whether ``$input`` stands outside of script blocks and functions: only then PowerShell reads its standard input (facts 37)."""
    try:
        block = parse(script)
    except (ParseError, Unsupported):
        return False
    nodes = syntax.outer_nodes((block.begin, block.process, block.end))
    return any(isinstance(node, syntax.Variable) and node.name == "input" for node in nodes)


def input_lines(text: str) -> list[str]:
    """Standard input as ``$input`` has it: strings without their line ends (facts 38)."""
    if text.startswith("#< CLIXML"):
        raise Unsupported("CLIXML on standard input")
    lines = re.split(r"\r\n|\n|\r", text)
    return lines[:-1] if lines[-1] == "" else lines


def _commands(line: str) -> list[tuple[str, str]]:
    """The commands of a line with the operator before each."""
    found: list[tuple[str, str]] = []
    operator, command = "", ""
    # `2>&1` is no operator.
    for token in re.findall(r'"[^"]*"?|\d?>&\d|&&|\|\||&|.', line, re.S):
        if token in ("&&", "||", "&"):
            found.append((operator, command))
            operator, command = token, ""
        elif token == "|":
            raise Unsupported("a pipe of cmd.exe")
        else:
            command += token
    return [*found, (operator, command)]


def _clixml(outcome: Outcome) -> str:
    """Standard error as powershell.exe writes it when it is redirected: CLIXML, even when there is nothing to say (facts 41)."""
    warnings = "".join(f'<S S="warning">{_text(warning)}</S>' for warning in outcome.warnings)
    errors = "".join(f'<S S="Error">{_text(_rendered(error))}</S>' for error in outcome.errors)
    schema = "http://schemas.microsoft.com/powershell/2004/04"
    return f'#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="{schema}">{_PROGRESS}{warnings}{errors}</Objs>'


def _rendered(error: PowerShellError) -> str:
    """As the console shows an error."""
    category = f"    + CategoryInfo          : {category_text(error)}"
    return f"{error.message}\r\n{category}\r\n    + FullyQualifiedErrorId : {error.identifier}\r\n \r\n"


def _text(text: str) -> str:
    return escape(text).replace("\r", "_x000D_").replace("\n", "_x000A_")
