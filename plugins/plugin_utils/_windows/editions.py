# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edition of a machine, through DISM, and its restart. Private to this collection.

Windows offers no WMI class for either. DISM takes minutes to set an edition: it is started as a process of its own
(``Win32_Process.Create``, the way in which Ansible starts what shall outlive a task), so that no limit of a shell and no cut connection
ends it half-way. What it says goes to a log on the machine, which is read until it has ended.

Sources: Microsoft, "DISM Windows edition-servicing command-line options" and "Upgrade and conversion options for Windows Server" (facts,
section 9); win32-docs, Win32_Process, Win32_OperatingSystem; ansible.windows, win_reboot, for shutdown.exe.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .._avma.editions import BEGINNING, END, Conversion, Target, read_conversion, read_edition_ids
from .._session.errors import InvalidAnswerError, ProcessError
from .._session.session import ProcessResult, Session
from .registry import key_exists

#: Only administrators write there. It holds no secret.
_LOG = r"%SystemRoot%\Temp\hyperv.avma.guest_edition.log"
_LOG_PROCESSES = (
    "SELECT ProcessId FROM Win32_Process WHERE Name = 'cmd.exe' AND CommandLine LIKE '%hyperv.avma.guest_edition.log%'"
)
#: Where component servicing and Windows Update say that they wait for a reboot.
_PENDING = (
    r"SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending",
    r"SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired",
)
#: Where component servicing says besides that it is not done. What of it a second restart of a conversion sets is UNVERIFIED.
_UNFINISHED = (
    r"SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootInProgress",
    r"SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\PackagesPending",
)
_DOMAIN_CONTROLLER = 2
#: Time for the answer to come through before the network goes, as win_reboot gives it.
_DELAY = 2
#: shutdown.exe: a restart goes on already (ERROR_SHUTDOWN_IN_PROGRESS, ERROR_SHUTDOWN_IS_SCHEDULED).
_RESTARTING = frozenset({0, 1115, 1190})


class DismError(Exception):
    """DISM could not be started, or did not do what it was asked."""


@dataclass(frozen=True)
class Boot:
    """Since when a machine runs, and as what.

    :ivar time: ``LastBootUpTime``.
    """

    time: datetime | None
    domain_controller: bool


def read_boot(session: Session) -> Boot:
    """Read it, by one query.

    :raises InvalidAnswerError: There is no operating system.
    """
    rows = session.query("SELECT ProductType, LastBootUpTime FROM Win32_OperatingSystem")
    if not rows:
        raise InvalidAnswerError("there is no Win32_OperatingSystem")
    return Boot(rows[0].datetime("LastBootUpTime"), rows[0].integer("ProductType") == _DOMAIN_CONTROLLER)


def reboot_pending(session: Session) -> bool:
    """Whether component servicing or Windows Update wait for a reboot."""
    return any(key_exists(session, key) for key in _PENDING)


def restart_to_come(session: Session) -> bool:
    """Whether anything says that the machine, which was restarted, may restart once more."""
    return reboot_pending(session) or any(key_exists(session, key) for key in _UNFINISHED)


def read_target_editions(session: Session) -> list[str]:
    """What DISM offers to convert the machine to. It changes nothing.

    :raises DismError: It fails.
    """
    result = session.run("dism.exe", ("/Online", "/English", "/Get-TargetEditions"))
    if result.exit_code:
        said = [line.strip() for line in _text(result).splitlines() if line.strip()]
        raise DismError(f"/Get-TargetEditions ended with {result.exit_code}: {' '.join(said[-3:])[:300]}")
    return read_edition_ids(_text(result))


def start_conversion(session: Session, target: Target, booted: datetime | None) -> None:
    """Have DISM set an edition, without a restart.

    The key is in the command line: it is the KMS client key of the edition, which Microsoft publishes.

    :raises DismError: Windows does not start it.
    """
    time = booted.isoformat() if booted else "unknown"
    dism = f"dism.exe /Online /English /Set-Edition:{target.edition_id} /ProductKey:{target.product_key} /AcceptEula /NoRestart"
    # The exit code is that of DISM, at the time when it has ended: delayed expansion.
    commands = f"(echo {BEGINNING} {time} {target.edition_id}& {dism}& echo {END} !errorlevel!)"
    command_line = f'cmd.exe /d /v:on /c "{commands} > {_LOG} 2>&1"'
    output = session.invoke("Win32_Process", "Create", {"CommandLine": command_line})
    if output.integer("ReturnValue") != 0:
        raise DismError(f"could not be started: Win32_Process.Create returned {output.integer('ReturnValue')}")


def read_log(session: Session) -> Conversion | None:
    """What DISM has said so far; None if it was never started by this collection."""
    result = session.run("cmd.exe", ("/d", "/c", "type", _LOG))
    return None if result.exit_code else read_conversion(_text(result))


def is_converting(session: Session) -> bool:
    """Whether what was started still runs."""
    return bool(session.query(_LOG_PROCESSES))


def restart(session: Session) -> None:
    """Restart the machine, in a moment.

    :raises ProcessError: It refuses.
    """
    # A planned restart because of a reconfiguration of the operating system.
    arguments = ("/r", "/t", str(_DELAY), "/d", "p:2:4", "/c", "hyperv.avma")
    result = session.run("shutdown.exe", arguments)
    if result.exit_code not in _RESTARTING:
        raise ProcessError(f"shutdown.exe ended with {result.exit_code}: {_text(result).strip()[:300]}")


def _text(result: ProcessResult) -> str:
    return (result.stdout or result.stderr).decode("utf-8", "replace")
