# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Servicing of a machine: DISM's edition commands, processes that outlive their caller, restarts (facts/avma.md §9, §12).

DISM's texts are those of public transcripts; what it prints in other languages is UNVERIFIED, only that it differs is used. UNVERIFIED too:
by which key Windows waits for its second restart, of which users report, what is left of a rollback, the exit codes of
refusals but 1168, what DISM says of a domain controller, and that the key is looked at before the edition.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from lab.cim import MethodResult, ProcessResult, Value
from lab.keys import KeyStore
from lab.os_info import System
from lab.provider import Provider, cim_class, text
from lab.registry import Registry
from lab.releases import Sku, sku_of
from lab.spec import ServicingSpec

CBS = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing"
_SYSTEM_ROOT = r"C:\Windows"

_PROCESS = cim_class(
    "root/cimv2",
    "Win32_Process",
    key="Handle",
    string="Caption CommandLine CreationClassName Description ExecutablePath Handle Name OSName Status",
    uint32="ExitCode HandleCount ParentProcessId Priority ProcessId SessionId ThreadCount",
    datetime="CreationDate",
)

#: Exit codes of DISM, Win32 errors: success that needs a restart, and refusals.
_SUCCESS_REBOOT_REQUIRED = 3010
_FAIL_REBOOT_REQUIRED, _NOT_FOUND, _NOT_SUPPORTED, _INVALID_COMMAND_LINE = 3017, 1168, 50, 1639
_PKEY_INVALID_CONFIG = 0xC004E016

_HEAD = "\r\nDeployment Image Servicing and Management tool\r\nVersion: 10.0.20348.681\r\n\r\nImage Version: 10.0.20348.169\r\n\r\n"
_TEXTS = {
    "en": ("Editions that can be upgraded to:", "Target Edition", "The operation completed successfully."),
    "de": ("Editionen, auf die ein Upgrade möglich ist:", "Zieledition", "Der Vorgang wurde erfolgreich beendet."),
    "ja": ("アップグレード先のエディション:", "ターゲット エディション", "操作は正常に完了しました。"),
}
_NO_TARGETS = "The current edition cannot be upgraded to any target editions."


@dataclass
class _Job:
    """A command line that ``cmd.exe /v:on /c`` runs with its output in a file: what is still to come of it."""

    process_id: int
    command_line: str
    path: str
    created: datetime
    commands: list[str]
    exit_code: int = 0
    #: How often its file is still read until DISM ends; None before it has begun.
    polls: int | None = None


@dataclass
class Servicing:
    """DISM and processes of one machine. ``convert`` makes the machine the edition, when it restarts."""

    spec: ServicingSpec
    system: System
    registry: Registry
    key_store: KeyStore
    clock: Callable[[], datetime]
    convert: Callable[[str, Sku, str], None]
    #: Asks whoever runs the machine to switch it off and on: seconds until it goes down, and for how long.
    restart: Callable[[float, float], None] = lambda after, down: None
    staged: tuple[str, Sku, str] | None = None
    restarts: int = 0
    commands: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    _jobs: list[_Job] = field(default_factory=list)
    _next_process: int = 4200
    _late_boots: int = 0
    _rolled_back: int = 0

    def __post_init__(self) -> None:
        if self.spec.pending_reboot:
            self.registry.write(rf"{CBS}\RebootPending", {})

    def providers(self) -> list[Provider]:
        """Win32_Process."""
        return [
            Provider(
                _PROCESS, self._processes, {"create": lambda _, arguments: self._create(text(arguments, "commandline"))}
            )
        ]

    def run(self, command: str, arguments: list[str]) -> ProcessResult | None:
        """A program that this knows; None for any other."""
        program = command.lower().rsplit("\\", 1)[-1].removesuffix(".exe")
        line = " ".join([command, *arguments])
        if program == "dism":
            return self._dism(arguments)
        if program == "shutdown":
            return self._shutdown(arguments)
        if program == "cmd" and (match := re.search(r"/c\s+type\s+\"?(?P<path>[^\"]+?)\"?$", line, re.IGNORECASE)):
            return self._type(_expand(match["path"]))
        return None

    def boot(self) -> None:
        """The machine starts: what was staged comes into force, and what ran is gone."""
        self._jobs.clear()
        self.restarts += 1
        self._late_boots = 0
        self.registry.remove(rf"{CBS}\RebootPending")
        if self.staged and self._rolled_back < self.spec.rolls_back:
            self._rolled_back += 1
            self.staged = None
        elif self.staged and self.restarts < self.spec.restarts:
            self.registry.write(rf"{CBS}\RebootPending", {})
            self._restart_after(self.spec.between)
        else:
            self._late_boots = self.spec.late_boots
            self._settle()

    def settle_late(self) -> None:
        """Windows is asked what it is, while it may still configure what was staged."""
        if self._late_boots:
            self._late_boots -= 1
            self._settle()

    def _settle(self) -> None:
        if self.staged and not self._late_boots:
            staged, self.staged = self.staged, None
            self.convert(*staged)

    def hurry(self, polls: int) -> None:
        """From now on, DISM takes so many readings of its output."""
        self.spec = self.spec.model_copy(update={"polls": polls})
        for job in self._jobs:
            job.polls = polls

    # DISM

    def targets(self) -> dict[str, tuple[str, Sku]]:
        """What the installed edition can become: by the id of the edition, its name here and its SKU."""
        if self.spec.targets is not None:
            names = [name for name in self.spec.targets if name in _EDITIONS]
        elif "Eval" not in self.system.sku.edition_id or self.staged or self.system.domain_controller:
            names = []
        elif self.system.sku.edition_id.lower().endswith("cor"):
            # Of Standard without a desktop only Datacenter comes (§12).
            names = ["ServerDatacenterCor"]
        else:
            names = (
                ["ServerStandard", "ServerDatacenter"] if self.system.edition == "standard" else ["ServerDatacenter"]
            )
        return {
            name: (_EDITIONS[name][0], sku_of(self.system.release, *_EDITIONS[name], evaluation=False))
            for name in names
        }

    def _dism(self, arguments: list[str]) -> ProcessResult:
        self.commands.append(" ".join(arguments))
        options = [argument.lower() for argument in arguments]
        if "/online" not in options or "/get-targeteditions" not in options:
            return _error(_INVALID_COMMAND_LINE)
        heading, label, done = _TEXTS["en" if "/english" in options else self.system.language[:2]]
        lines = [f"{label} : {name}" for name in self.targets()]
        listed = "\r\n".join([heading, "", *lines]) if lines else _NO_TARGETS
        return ProcessResult(0, f"{_HEAD}{listed}\r\n\r\n{done}\r\n".encode())

    def _set_edition(self, words: list[str]) -> int:
        """Stage an edition; DISM's exit code."""
        self.commands.append(" ".join(words))
        given = dict(word.split(":", 1) for word in words if ":" in word)
        values = {name.lower(): value for name, value in given.items()}
        options = {word.lower() for word in words}
        if self.spec.fails is not None:
            return self.spec.fails
        if not {"/online", "/accepteula"} <= options:
            return _INVALID_COMMAND_LINE
        if self.registry.has(rf"{CBS}\RebootPending"):
            return _FAIL_REBOOT_REQUIRED
        if self.system.domain_controller:
            return _NOT_SUPPORTED
        target = next(
            (item for name, item in self.targets().items() if name.lower() == values.get("/set-edition", "").lower()),
            None,
        )
        if target is None:
            return _NOT_FOUND
        edition, sku = target
        key = self.key_store.find(values.get("/productkey", ""))
        if key is None or (key.generation, key.edition) != (self.system.release.generation, edition):
            return _PKEY_INVALID_CONFIG
        self.staged = (edition, sku, key.key)
        self.registry.write(rf"{CBS}\RebootPending", {})
        if "/norestart" not in options:
            self._restart_after(0)
        return _SUCCESS_REBOOT_REQUIRED

    # Processes

    def _processes(self) -> Iterator[Mapping[str, Value]]:
        for job in self._jobs:
            yield {
                "Caption": "cmd.exe",
                "CommandLine": job.command_line,
                "CreationClassName": "Win32_Process",
                "CreationDate": job.created,
                "Handle": str(job.process_id),
                "Name": "cmd.exe",
                "ProcessId": job.process_id,
            }

    def _create(self, command_line: str) -> MethodResult:
        match = re.fullmatch(
            r"cmd\.exe /d /v:on /c \"\((?P<commands>.*)\) > (?P<path>\S+) 2>&1\"", command_line, re.IGNORECASE
        )
        if match is None:
            # UNVERIFIED which of the documented codes it is; 9 is "path not found".
            return MethodResult(9, {"ProcessId": None})
        self._next_process += 4
        commands = [command.strip() for command in match["commands"].split("&")]
        job = _Job(self._next_process, command_line, _expand(match["path"]).lower(), self.clock(), commands)
        self._jobs.append(job)
        self.files[job.path] = ""
        self._go_on(job)
        return MethodResult(0, {"ProcessId": job.process_id})

    def _type(self, path: str) -> ProcessResult:
        key = path.lower()
        if key not in self.files:
            return ProcessResult(1, stderr=b"The system cannot find the file specified.\r\n")
        for job in [job for job in self._jobs if job.path == key]:
            if self.spec.dies and job.polls == 1:
                self._jobs.remove(job)
            else:
                self._go_on(job)
        return ProcessResult(0, self.files[key].encode())

    def _go_on(self, job: _Job) -> None:
        while job.commands:
            words = job.commands[0].split()
            if words[0].lower() == "echo":
                self.files[job.path] += (
                    " ".join(words[1:]).replace("!errorlevel!", str(_signed(job.exit_code))) + "\r\n"
                )
            elif words[0].lower().removesuffix(".exe") == "dism":
                if job.polls is None:
                    job.polls = self.spec.polls
                    self.files[job.path] += _HEAD + "Starting to update components...\r\n"
                if job.polls:
                    job.polls -= 1
                    percent = 100 - 100 * (job.polls + 1) / (self.spec.polls + 1)
                    self.files[job.path] += f"\r[{'=' * int(percent / 2):<58}] {percent:.1f}%"
                    return
                job.exit_code = self._set_edition(words[1:])
                self.files[job.path] += "\r\n" + (
                    _error(job.exit_code).stdout.decode()
                    if job.exit_code != _SUCCESS_REBOOT_REQUIRED
                    else "The operation completed successfully.\r\n"
                )
            job.commands.pop(0)
        self._jobs.remove(job)

    def _shutdown(self, arguments: list[str]) -> ProcessResult:
        words = [argument.lower() for argument in arguments]
        if "/r" not in words:
            return ProcessResult(87)
        self._restart_after(float(words[words.index("/t") + 1]) if "/t" in words else 30)
        return ProcessResult(0)

    def _restart_after(self, seconds: float) -> None:
        if not self.spec.stays_up:
            self.restart(seconds, self.spec.down)


#: EditionID → edition here and whether it is Server Core.
_EDITIONS = {
    "ServerStandard": ("standard", False),
    "ServerDatacenter": ("datacenter", False),
    "ServerStandardCor": ("standard", True),
    "ServerDatacenterCor": ("datacenter", True),
}


def _expand(path: str) -> str:
    return re.sub("%systemroot%", lambda _: _SYSTEM_ROOT, path, flags=re.IGNORECASE)


def _signed(code: int) -> int:
    return code - 2**32 if code >= 2**31 else code


def _error(code: int) -> ProcessResult:
    shown = f"0x{code:08x}" if code >= 2**31 else str(code)
    return ProcessResult(
        code,
        f"{_HEAD}Error: {shown}\r\n\r\nThe DISM log file can be found at C:\\Windows\\Logs\\DISM\\dism.log\r\n".encode(),
    )
