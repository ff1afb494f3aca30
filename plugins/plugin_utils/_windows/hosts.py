# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host, read as a whole. Private to this collection."""

from __future__ import annotations

from .._avma.hosts import HostFacts
from .._avma.releases import identify_system
from .._wsman.session import Session
from .azure_local import read_avma
from .licensing import read_license
from .system import read_operating_system

#: The Hyper-V Virtual Machine Management service, which comes with the role (facts, section 7.4).
_HYPERV_SERVICE = "vmms"


def read_host(session: Session) -> HostFacts:
    """What a host is and has: three queries, and on Azure Local one PowerShell process.

    :raises ProcessError: On Azure Local, PowerShell could not be run.
    """
    operating_system = read_operating_system(session)
    license = read_license(session, operating_system.build)
    system = identify_system(
        operating_system.build,
        operating_system.sku,
        license.license_family if license else None,
        operating_system.caption,
    )
    services = session.query(f"SELECT Name FROM Win32_Service WHERE Name = '{_HYPERV_SERVICE}'")
    return HostFacts(system, bool(services), license, read_avma(session) if system.azure_local else None)
