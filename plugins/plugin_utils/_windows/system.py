# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Windows a machine runs, and on what. Private to this collection."""

from __future__ import annotations

from dataclasses import dataclass

from .._session.errors import InvalidAnswerError
from .._session.session import Session


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
    rows = session.query("SELECT BuildNumber, OperatingSystemSKU, Caption, CSName FROM Win32_OperatingSystem")
    build = rows[0].integer("BuildNumber") if rows else None
    if build is None:
        raise InvalidAnswerError("Win32_OperatingSystem tells no build number")
    row = rows[0]
    return OperatingSystem(
        build, row.integer("OperatingSystemSKU"), (row.text("Caption") or "").strip(), row.text("CSName") or ""
    )


@dataclass(frozen=True)
class Platform:
    """On what a machine runs (win32-docs, Win32_ComputerSystem and Win32_SystemEnclosure)."""

    model: str | None
    asset_tag: str | None


def read_platform(session: Session) -> Platform:
    """On what the machine runs. Queries only: also check mode needs it."""
    systems = session.query("SELECT Model FROM Win32_ComputerSystem")
    enclosures = session.query("SELECT SMBIOSAssetTag FROM Win32_SystemEnclosure")
    return Platform(
        systems[0].text("Model") if systems else None,
        enclosures[0].text("SMBIOSAssetTag") if enclosures else None,
    )
