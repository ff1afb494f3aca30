# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guest sees of its host. Private to this collection."""

from __future__ import annotations

from .._avma.guests import Hypervisor
from .._session.escape import wql_literal
from .._session.session import Session
from .registry import read_number, read_string

#: Where the host writes of itself (facts, section 5.5). Whether its numbers are REG_DWORD or REG_SZ is UNVERIFIED.
_PARAMETERS = r"SOFTWARE\Microsoft\Virtual Machine\Guest\Parameters"
#: VMBus class of the "Microsoft Hyper-V Activation Component" (facts, section 5.1).
_ACTIVATION_COMPONENT = "3375baf4-9e15-4b30-b765-67acb10d607b"


def read_vm_id(session: Session) -> str | None:
    """The ID of the virtual machine that the guest is, as its host wrote it there; None if no Hyper-V host did."""
    return read_string(session, _PARAMETERS, "VirtualMachineId")


def read_hypervisor(session: Session) -> Hypervisor:
    """What the guest sees of its host, and whether it has the device that AVMA needs."""

    def text(name: str) -> str | None:
        return read_string(session, _PARAMETERS, name)

    major, minor = (read_number(session, _PARAMETERS, f"HostingSystemOs{part}") for part in ("Major", "Minor"))
    devices = session.query(
        f"SELECT DeviceID FROM Win32_PnPEntity WHERE DeviceID LIKE {wql_literal(f'%{_ACTIVATION_COMPONENT}%')}"
    )
    return Hypervisor(
        host=text("PhysicalHostName") or text("HostName"),
        host_fqdn=text("PhysicalHostNameFullyQualified"),
        host_sku=read_number(session, _PARAMETERS, "HostingSystemEditionId"),
        host_version=None if major is None or minor is None else f"{major}.{minor}",
        vm_id=read_vm_id(session),
        vm_name=text("VirtualMachineName"),
        activation_component=bool(devices),
    )
