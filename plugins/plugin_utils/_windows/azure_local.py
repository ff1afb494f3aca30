# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AVMA of Azure Local, through ServerAVMAManager. Private to this collection.

The one place where PowerShell is started on a machine: Windows offers no WMI class for it. The scripts are a few cmdlets that run
in Constrained Language Mode (no method calls, no types, no properties set), which Azure Local enforces by default.

They go as ``-EncodedCommand``, and the product key as the first line of standard input, which such a script finds in ``$input``:
the way in which Ansible's own winrm connection feeds its modules. So a key is in no command line, and in no script, which Windows
writes to its event log. (``-Command -`` would read the script from standard input, and so put the key into one.)

Sources: vm-activate and WAC (facts, section 1).
"""

from __future__ import annotations

import base64
import json

from .._avma import keys
from .._avma.hosts import Avma, Json
from .._session.errors import FaultError, ProcessError
from .._session.session import Session
from . import registry

# The subscription's status is an enumeration, called Status in WAC and SubscriptionStatus in Microsoft's troubleshooting guide; in
# a string it becomes its name, and a property that is not there becomes nothing.
_GET = """
$ProgressPreference = 'SilentlyContinue'
$module = Get-Module -Name ServerAVMAManager -ListAvailable | Sort-Object -Property Version -Descending | Select-Object -First 1
$result = $null
$failure = $null
if ($module) {
    try { $result = @(Get-VMAutomaticActivation -ErrorAction Stop) } catch { $failure = "$_" }
}
$subscription = $null
try {
    $subscription = Get-AzureStackHCISubscriptionStatus -ErrorAction Stop |
        Where-Object { $_.SubscriptionName -eq 'Windows Server Subscription' } |
        ForEach-Object { "$($_.Status)$($_.SubscriptionStatus)" } |
        Select-Object -First 1
} catch { }
@{ module = "$($module.Version)"; result = $result; error = $failure; subscription = "$subscription" } |
    ConvertTo-Json -Compress -Depth 5
"""

_SET = """
$ProgressPreference = 'SilentlyContinue'
$key = $input | Select-Object -First 1
$result = $null
$failure = $null
try { $result = @(Set-VMAutomaticActivation -ProductKey $key -ErrorAction Stop) } catch { $failure = "$_" }
@{ result = $result; error = $failure } | ConvertTo-Json -Compress -Depth 5
"""

#: The licence rows that hold a key and are not that of the host's own Windows: which of them, if any, holds the one of ServerAVMAManager,
#: is UNVERIFIED.
_LICENSES = (
    "SELECT PartialProductKey FROM SoftwareLicensingProduct WHERE PartialProductKey <> NULL AND LicenseIsAddon = TRUE"
)
#: Where the host itself remembers that it was asked to set a key, by any controller, until it is known what came of it.
_MEMORY, _ASKED_FOR = r"SOFTWARE\hyperv.avma", "ProductKeyAskedFor"


def read_avma(session: Session) -> Avma:
    """What the host says of its AVMA.

    :raises ProcessError: PowerShell could not be run, or answered something else.
    """
    answer = _run(session, _GET)
    result = keys.mask(answer.get("result"))
    shown = (row.text("PartialProductKey") for row in session.query(_LICENSES))
    error = answer.get("error")
    asked_for, answered = _remembered(session)
    return Avma(
        module=str(answer.get("module") or "") or None,
        subscription=str(answer.get("subscription") or "") or None,
        result=result,
        error=str(keys.mask(error)) if error else None,
        license_last_fives=frozenset(last_five for last_five in shown if last_five),
        asked_for=asked_for,
        answered=answered,
    )


def _remembered(session: Session) -> tuple[str | None, bool]:
    try:
        text = registry.read_string(session, _MEMORY, _ASKED_FOR)
    except FaultError:
        # Who may not read it may not write it either: then nothing is set.
        return None, False
    last_five, _separator, answered = str(keys.mask(text or "")).partition(" ")
    return last_five or None, bool(answered)


def remember(session: Session, product_key: str, answered: bool) -> None:
    """Have the host remember that it is asked to set this key, by the last five characters.

    :param answered: Whether it has answered, and it is not known what.
    :raises FaultError: It does not: then it must not be asked.
    """
    registry.write_string(session, _MEMORY, _ASKED_FOR, keys.last_five(product_key) + (" answered" if answered else ""))


def forget(session: Session) -> None:
    """What came of setting a key is known.

    :raises FaultError: The host does not forget.
    """
    registry.delete_value(session, _MEMORY, _ASKED_FOR)


def set_product_key(session: Session, product_key: str) -> tuple[Json, str | None]:
    """Set the product key of the host's AVMA: what ``Set-VMAutomaticActivation`` returned, and the text of its error, if any.

    This may spend an activation. That there was no error proves nothing: read back.

    :raises ProcessError: PowerShell could not be run, or answered something else; the key may have been set.
    """
    answer = _run(session, _SET, f"{product_key}\r\n")
    error = answer.get("error")
    return keys.mask(answer.get("result")), str(keys.mask(error)) if error else None


def _run(session: Session, script: str, stdin: str = "") -> dict[str, Json]:
    encoded = base64.b64encode(script.encode("utf-16-le")).decode()
    process = session.run(
        "powershell.exe", ["-NoProfile", "-NonInteractive", "-EncodedCommand", encoded], stdin.encode()
    )
    # Warnings and what a module writes to the host come on standard output too, before the answer.
    last_line = process.stdout.decode("utf-8-sig", errors="replace").rstrip().rpartition("\n")[2]
    try:
        answer = json.loads(last_line)
    except ValueError as error:
        raise ProcessError(f"powershell.exe ended with exit code {process.exit_code} and no answer") from error
    if not isinstance(answer, dict):
        raise ProcessError("powershell.exe gave an answer that is no object")
    return answer
