# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an evaluation edition is converted to, and how DISM tells what it does. Private to this collection.

Source: Microsoft, "Upgrade and conversion options for Windows Server" (facts, section 9); facts, section 12.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from . import hresults, keys
from .guests import describe
from .problems import Problem, problem
from .releases import Edition, System
from .spelling import Named, NotUnderstoodError, read_edition

#: What DISM ends with when all is well: ERROR_SUCCESS, and ERROR_SUCCESS_REBOOT_REQUIRED.
_SUCCEEDED = frozenset({0, 3010})
#: By how much the time of a boot may differ from one reading to the next: Windows computes it from a clock that is corrected.
_SAME_BOOT = timedelta(minutes=1)


@dataclass(frozen=True)
class Target:
    """What a machine is converted to.

    :ivar edition_id: As DISM names it.
    :ivar product_key: The KMS client key of the edition. It is public, and may stand in a command line.
    """

    edition_id: str
    edition: Edition
    product_key: str


def read_edition_ids(output: str) -> list[str]:
    """The editions in an output of DISM: by their ids, which are the same in every language."""
    return re.findall(r"\b(Server[A-Za-z]+)[ \t\0]*\r?$", output, re.MULTILINE)


def choose_target(system: System, offered: Sequence[str], wish: Named) -> Target | Problem:
    """To what an evaluation edition is converted, or why it is not.

    :param offered: What DISM offers.
    :param wish: What the user wants of edition and installation; by default, the edition that corresponds.
    """
    if wish.core is not None and system.core is not None and wish.core is not system.core:
        return problem("installation_type_fixed", system=describe(system), has=_installation(system.core))
    known = [(edition_id, named) for edition_id in offered if (named := _read(edition_id)) and not named.evaluation]
    # An id that does not say Core is one with a desktop.
    same = [item for item in known if system.core is None or bool(item[1].core) is system.core]
    if not same:
        return problem("no_target_edition", system=describe(system), offered=", ".join(offered) or "none")
    wanted = wish.edition or system.edition
    edition_id = next((edition_id for edition_id, named in same if named.edition is wanted), None)
    if edition_id is None or wanted is None:
        return problem(
            "edition_not_offered",
            system=describe(system),
            wanted=wanted,
            offered=", ".join(edition_id for edition_id, _named in same),
            choices=" or ".join(str(named.edition) for _edition_id, named in same),
        )
    key = keys.kms_client_key(keys.version_of(system), wanted)
    if key is None:
        remedy = "Convert it by hand, with a product key of its own (DISM /Online /Set-Edition)."
        return problem("no_kms_client_key", name=f"{system.name} {wanted}", remedy=remedy)
    return Target(edition_id, wanted, key)


def _read(edition_id: str) -> Named | None:
    try:
        return read_edition(edition_id)
    except NotUnderstoodError:
        return None


def _installation(core: bool) -> str:
    return "Server Core" if core else "a desktop"


@dataclass(frozen=True)
class Conversion:
    """What DISM has written of a conversion so far.

    :ivar booted: When the machine was booted that it runs, or ran, on.
    :ivar edition_id: What it converts to.
    :ivar exit_code: Of DISM, unsigned; None while it has not ended.
    :ivar percent: How far it is; None if it has not told.
    :ivar last_line: What it said last.
    """

    booted: datetime | None
    edition_id: str
    exit_code: int | None
    percent: float | None
    last_line: str

    @property
    def succeeded(self) -> bool:
        """Whether the edition is set, and waits for a reboot."""
        return self.exit_code in _SUCCEEDED

    def is_of(self, booted: datetime | None) -> bool:
        """Whether it belongs to the boot that the machine runs on: one of an earlier boot is over."""
        return self.booted is not None and booted is not None and abs(self.booted - booted) < _SAME_BOOT

    def failure(self) -> Problem:
        """Why it did not succeed."""
        if self.exit_code is None:
            return problem("dism_failed", detail="was ended before it was done")
        code = self.exit_code
        known = hresults.HRESULTS.get(code) or hresults.HRESULTS.get(0x80070000 | code)
        shown = hresults.format_hresult(code) if code > 0xFFFF else str(code)
        meaning = f" ({known.meaning})" if known else ""
        return problem("dism_failed", detail=f"ended with {shown}{meaning}: {self.last_line}")


@dataclass
class Aftermath:
    """Tells when a machine that came back with its former edition will not get the new one any more.

    Windows may restart once more by itself before the new edition is in force: users report it ("it will reboot twice"), Microsoft does
    not say when. So nothing is concluded from a machine that waits for a restart, was just restarted, or did not answer.

    :ivar patience: For how many seconds it must have been at rest.
    """

    patience: float
    _booted: datetime | None = None
    _since: float | None = None

    def is_final(self, now: float, booted: datetime | None, *, pending: bool) -> bool:
        """What a reading tells.

        :param now: When it was made, by a monotonic clock, in seconds.
        :param booted: When the machine was booted.
        :param pending: Whether it waits for a restart.
        """
        if pending:
            self._since = None
        elif self._since is None or booted != self._booted:
            self._since = now
        self._booted = booted
        return self._since is not None and now - self._since >= self.patience

    def lose(self) -> None:
        """The machine did not answer."""
        self._since = None


#: What the log of a conversion begins and ends with: our own words, around those of DISM.
BEGINNING, END = "conversion", "ended"


def read_conversion(log: str) -> Conversion | None:
    """What a log says; None if it is none of a conversion."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", log.replace("\0", "")) if line.strip()]
    begun = re.fullmatch(rf"{BEGINNING} (\S+) (Server[A-Za-z]+)", lines[0]) if lines else None
    if begun is None:
        return None
    ended = re.fullmatch(rf"{END} (-?\d{{1,10}})", lines[-1])
    said = lines[1:-1] if ended else lines[1:]
    percents = re.findall(r"(\d{1,3}(?:[.,]\d+)?)\s*%", " ".join(said))
    errors = [line for line in said if re.match(r"\D{1,20}:\s*(?:0x)?[0-9A-Fa-f]+$", line)]
    try:
        booted = datetime.fromisoformat(begun[1])
    except ValueError:
        booted = None
    return Conversion(
        booted,
        begun[2],
        int(ended[1]) & 0xFFFFFFFF if ended else None,
        min(float(percents[-1].replace(",", ".")), 100.0) if percents else None,
        (errors or said or [""])[-1][:200],
    )
