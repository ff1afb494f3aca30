# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""WinRS shells: [MS-WSMV] 3.1.4 (Create, Command, Send, Receive, Signal, Delete on ``windows/shell/cmd``)."""

from __future__ import annotations

import base64
import binascii
import re
import time
import uuid
from dataclasses import dataclass, field

from lxml import etree

from lab.cim import Machine, ProcessResult
from lab.counters import Journal
from lab.soap import ADDRESSING, SHELL, TRANSFER, WSMAN, Prefixes, Request, WsmanFault, text_of, unexpected_selectors

RESOURCE_URI = f"{SHELL}/cmd"
_STATE = f"{SHELL}/CommandState/"
#: Bytes of output in one answer: the envelope that clients ask for (153,600) holds them in base64.
_OUTPUT_CHUNK = 65536


class NotEnded(Exception):
    """The program that an answer waits for runs for so many ``seconds`` yet."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass
class _Command:
    name: str
    arguments: list[str]
    stdin: bytearray = field(default_factory=bytearray)
    result: ProcessResult | None = None
    #: When it ends, by the monotonic clock.
    end: float = 0.0
    #: Output not received yet.
    stdout: bytes = b""
    stderr: bytes = b""


class Shells:
    """The open shells of a machine."""

    def __init__(self, machine: Machine, journal: Journal) -> None:
        self._machine = machine
        self._journal = journal
        self._shells: dict[str, dict[str, _Command]] = {}

    def __len__(self) -> int:
        return len(self._shells)

    def create(self, prefixes: Prefixes, address: str) -> list[etree._Element]:
        """x:ResourceCreated and rsp:Shell."""
        shell_id = str(uuid.uuid4()).upper()
        self._shells[shell_id] = {}
        created = etree.Element(f"{{{TRANSFER}}}ResourceCreated", nsmap=prefixes.map(TRANSFER, ADDRESSING, WSMAN))
        etree.SubElement(created, f"{{{ADDRESSING}}}Address").text = address
        parameters = etree.SubElement(created, f"{{{ADDRESSING}}}ReferenceParameters")
        etree.SubElement(parameters, f"{{{WSMAN}}}ResourceURI").text = RESOURCE_URI
        selectors = etree.SubElement(parameters, f"{{{WSMAN}}}SelectorSet")
        etree.SubElement(selectors, f"{{{WSMAN}}}Selector", Name="ShellId").text = shell_id
        shell = etree.Element(f"{{{SHELL}}}Shell", nsmap=prefixes.map(SHELL))
        values = {
            "ShellId": shell_id,
            "ResourceUri": RESOURCE_URI,
            "Owner": f"{self._machine.name}\\Administrator",
            "ClientIP": "127.0.0.1",
            "IdleTimeOut": "PT7200.000S",
            "InputStreams": "stdin",
            "OutputStreams": "stdout stderr",
            "ShellRunTime": "P0DT0H0M0S",
            "ShellInactivity": "P0DT0H0M0S",
        }
        for name, value in values.items():
            etree.SubElement(shell, f"{{{SHELL}}}{name}").text = value
        return [created, shell]

    def delete(self, request: Request) -> None:
        """Close a shell."""
        self._commands(request)
        del self._shells[request.selectors["ShellId"]]

    def command(self, request: Request, prefixes: Prefixes) -> etree._Element:
        """rsp:CommandResponse."""
        commands = self._commands(request)
        body = _body(request, "CommandLine")
        name = text_of(body.find(f"{{{SHELL}}}Command"))
        line = " ".join(text_of(item) for item in body.findall(f"{{{SHELL}}}Arguments"))
        self._journal.commanded(f"{name} {line}".rstrip())
        command_id = body.get("CommandId") or str(uuid.uuid4()).upper()
        # Clients send the arguments one by one or all in one; a program gets them split at spaces outside of quotes.
        commands[command_id] = _Command(name, re.findall(r'(?:[^\s"]|"[^"]*")+', line))
        response = etree.Element(f"{{{SHELL}}}CommandResponse", nsmap=prefixes.map(SHELL))
        etree.SubElement(response, f"{{{SHELL}}}CommandId").text = command_id
        return response

    def send(self, request: Request, prefixes: Prefixes) -> etree._Element:
        """rsp:SendResponse; the program runs when its input ends."""
        commands = self._commands(request)
        for stream in _body(request, "Send").findall(f"{{{SHELL}}}Stream"):
            command = _known(commands, stream.get("CommandId"))
            try:
                command.stdin += base64.b64decode(text_of(stream), validate=True)
            except binascii.Error as error:
                raise _invalid_parameter() from error
            if (stream.get("End") or "").lower() == "true":
                self._run(command)
        return etree.Element(f"{{{SHELL}}}SendResponse", nsmap=prefixes.map(SHELL))

    def receive(self, request: Request, prefixes: Prefixes) -> etree._Element:
        """rsp:ReceiveResponse, with as much output as fits."""
        commands = self._commands(request)
        desired = _body(request, "Receive").find(f"{{{SHELL}}}DesiredStream")
        command_id = "" if desired is None else desired.get("CommandId", "")
        command = _known(commands, command_id)
        result = self._run(command)
        if command.end > time.monotonic():
            raise NotEnded(command.end - time.monotonic())
        response = etree.Element(f"{{{SHELL}}}ReceiveResponse", nsmap=prefixes.map(SHELL))
        stdout, command.stdout = command.stdout[:_OUTPUT_CHUNK], command.stdout[_OUTPUT_CHUNK:]
        room = _OUTPUT_CHUNK - len(stdout)
        stderr, command.stderr = command.stderr[:room], command.stderr[room:]
        for name, data in (("stdout", stdout), ("stderr", stderr)):
            if data:
                stream = etree.SubElement(response, f"{{{SHELL}}}Stream", Name=name, CommandId=command_id)
                stream.text = base64.b64encode(data).decode()
        done = not command.stdout and not command.stderr
        if done:
            for name in ("stdout", "stderr"):
                etree.SubElement(response, f"{{{SHELL}}}Stream", Name=name, CommandId=command_id, End="true")
        state = etree.SubElement(response, f"{{{SHELL}}}CommandState", CommandId=command_id)
        state.set("State", _STATE + ("Done" if done else "Running"))
        if done:
            etree.SubElement(state, f"{{{SHELL}}}ExitCode").text = str(result.exit_code)
        return response

    def signal(self, request: Request, prefixes: Prefixes) -> etree._Element:
        """rsp:SignalResponse; every signal that clients send ends the command."""
        commands = self._commands(request)
        commands.pop(_body(request, "Signal").get("CommandId", ""), None)
        return etree.Element(f"{{{SHELL}}}SignalResponse", nsmap=prefixes.map(SHELL))

    def _run(self, command: _Command) -> ProcessResult:
        if command.result is None:
            command.result = self._machine.execute(command.name, command.arguments, bytes(command.stdin))
            command.stdout, command.stderr = command.result.stdout, command.result.stderr
            command.end = time.monotonic() + command.result.elapsed
        return command.result

    def _commands(self, request: Request) -> dict[str, _Command]:
        shell = self._shells.get(request.selectors.get("ShellId", ""))
        if shell is None:
            raise unexpected_selectors()
        return shell


def _known(commands: dict[str, _Command], command_id: str | None) -> _Command:
    command = commands.get(command_id or "")
    if command is None:
        raise _invalid_parameter()
    return command


def _invalid_parameter() -> WsmanFault:
    return WsmanFault(87, "The parameter is incorrect. ", "w:InvalidParameter", sender=True, detail="InvalidValue")


def _body(request: Request, name: str) -> etree._Element:
    if request.body is None or request.body.tag != f"{{{SHELL}}}{name}":
        raise _invalid_parameter()
    return request.body
