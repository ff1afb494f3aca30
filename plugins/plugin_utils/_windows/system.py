# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Windows a machine runs, and on what. Private to this collection."""

from __future__ import annotations

from dataclasses import dataclass

from .._avma.preflight import AZURE_ASSET_TAG, HYPER_V_MODEL
from .._session.errors import FaultError, InvalidAnswerError
from .._session.instance import Instance
from .._session.session import Query, Session
from .registry import read_string, string_request

#: Which Windows it is, and on what it runs.
OPERATING_SYSTEM = Query("SELECT BuildNumber, OperatingSystemSKU, Caption, CSName FROM Win32_OperatingSystem")
COMPUTER_SYSTEM = Query("SELECT Model, DNSHostName, Domain, PartOfDomain FROM Win32_ComputerSystem")
ENCLOSURE = Query("SELECT SMBIOSAssetTag FROM Win32_SystemEnclosure")
_CURRENT_VERSION, _INSTALLATION_TYPE = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion", "InstallationType"
INSTALLATION_TYPE = string_request(_CURRENT_VERSION, _INSTALLATION_TYPE)


@dataclass(frozen=True)
class OperatingSystem:
    """The one instance of Win32_OperatingSystem (win32-docs).

    :ivar caption: In the machine's language: to show, never to decide on.
    """

    build: int
    sku: int | None
    caption: str
    computer_name: str


def read_operating_system(session: Session) -> OperatingSystem:
    """Read Win32_OperatingSystem.

    :raises InvalidAnswerError: There is none, or it has no build number.
    """
    rows = OPERATING_SYSTEM.on(session)
    build = rows[0].integer("BuildNumber") if rows else None
    if build is None:
        raise InvalidAnswerError("Win32_OperatingSystem tells no build number")
    row = rows[0]
    return OperatingSystem(
        build, row.integer("OperatingSystemSKU"), (row.text("Caption") or "").strip(), row.text("CSName") or ""
    )


@dataclass(frozen=True)
class Platform:
    """On what a machine runs, and who it is (win32-docs, Win32_ComputerSystem and Win32_SystemEnclosure).

    :ivar asset_tag: Of a virtual machine only.
    :ivar fqdn: Its full DNS name; None if it is in no domain, or does not tell.
    """

    model: str | None
    asset_tag: str | None
    fqdn: str | None = None

    @property
    def azure(self) -> bool:
        """Whether it is a virtual machine of Azure or Azure Stack Hub."""
        return self.model == HYPER_V_MODEL and self.asset_tag == AZURE_ASSET_TAG


def read_platform(session: Session, *, asset_tag: bool = True) -> Platform:
    """On what the machine runs: one query, and of a virtual machine a second one.

    :param asset_tag: Whether to make the second one.
    """
    if asset_tag:
        session.expect(COMPUTER_SYSTEM, ENCLOSURE)
    systems = COMPUTER_SYSTEM.on(session)
    if not systems:
        return Platform(None, None)
    model = systems[0].text("Model")
    tag = read_asset_tag(session) if asset_tag and model == HYPER_V_MODEL else None
    return Platform(model, tag, _fqdn(systems[0]))


def read_asset_tag(session: Session) -> str | None:
    """What the case of the machine, or who made it up, says of itself."""
    enclosures = ENCLOSURE.on(session)
    return enclosures[0].text("SMBIOSAssetTag") if enclosures else None


def _fqdn(system: Instance) -> str | None:
    """Of a machine in a workgroup, Domain is the name of that."""
    name, domain = system.text("DNSHostName"), system.text("Domain")
    return f"{name}.{domain}" if name and domain and system.boolean("PartOfDomain") else None


def read_installation_type(session: Session) -> str | None:
    """``Server``, ``Server Core``, ``Nano Server`` or ``Client`` (facts, section 12); None if it cannot be told."""
    try:
        return read_string(session, _CURRENT_VERSION, _INSTALLATION_TYPE)
    except FaultError:
        # Who may not read the registry may do all the rest.
        return None
