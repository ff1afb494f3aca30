# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guest sees of its host. Private to this collection."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from .._avma.preflight import AZURE_HOSTS, HYPER_V_MODEL, Hypervisor, Preflight, Vm, preflight
from .._avma.releases import System
from .._session.errors import FaultError
from .._session.escape import wql_literal
from .._session.session import Query, Request, Session
from .registry import number_request, read_number, read_string, string_request
from .system import COMPUTER_SYSTEM, read_asset_tag, read_platform

#: Where the host writes of itself (facts, section 5.5). Whether its numbers are REG_DWORD or REG_SZ is UNVERIFIED.
_PARAMETERS = r"SOFTWARE\Microsoft\Virtual Machine\Guest\Parameters"
_MAJOR, _MINOR, _SKU, _NESTED_LEVEL = (
    "HostingSystemOsMajor",
    "HostingSystemOsMinor",
    "HostingSystemEditionId",
    "HostingSystemNestedLevel",
)
_VM_ID, _VM_NAME = "VirtualMachineId", "VirtualMachineName"
_HOST, _HOST_NAME, _HOST_FQDN = "PhysicalHostName", "HostName", "PhysicalHostNameFullyQualified"
#: VMBus class of the "Microsoft Hyper-V Activation Component" (facts, section 5.1).
_ACTIVATION_COMPONENT = "3375baf4-9e15-4b30-b765-67acb10d607b"
#: That of Data Exchange, and the guest's service for it (facts, section 5.6).
_DATA_EXCHANGE, _DATA_EXCHANGE_SERVICE = "a9a0f4e7-5a45-4d96-b827-8a841e8c03e6", "vmickvpexchange"
_DEVICES = Query("SELECT DeviceID, HardwareID FROM Win32_PnPEntity WHERE DeviceID LIKE 'VMBUS%'")
_SERVICE = Query(f"SELECT State FROM Win32_Service WHERE Name = {wql_literal(_DATA_EXCHANGE_SERVICE)}")
#: What ``read_vm_id`` asks.
VM_ID = string_request(_PARAMETERS, _VM_ID)
_DECIDING: tuple[Request, ...] = (
    _DEVICES,
    _SERVICE,
    *(number_request(_PARAMETERS, name) for name in (_MAJOR, _SKU, _NESTED_LEVEL)),
)
_NAMING = tuple(string_request(_PARAMETERS, name) for name in (_HOST, _HOST_FQDN, _VM_NAME))
#: What ``read_hypervisor`` asks.
HYPERVISOR: tuple[Request, ...] = (*_DECIDING, VM_ID, *_NAMING)


def read_vm_id(session: Session) -> str | None:
    """The ID of the virtual machine that the guest is, as its host wrote it there; None if no Hyper-V host did."""
    return read_string(session, _PARAMETERS, _VM_ID)


def read_hypervisor(session: Session) -> Hypervisor:
    """What the guest sees of its host, and whether it has the devices that AVMA needs."""
    session.expect(*HYPERVISOR)
    return _with_names(session, _with_values(session, _with_devices(session, Hypervisor())))


def read_what_decides(session: Session, vm_id: bool = False) -> Hypervisor:
    """Of the same, what tells whether the host can activate the guest. What Windows does not let be read is not known.

    :param vm_id: Also which VM the guest is.
    """
    session.expect(*_DECIDING, *([VM_ID] if vm_id else []))
    hypervisor = Hypervisor()
    for read in (_with_devices, _with_values, _with_vm_id) if vm_id else (_with_devices, _with_values):
        with suppress(FaultError):
            hypervisor = read(session, hypervisor)
    return hypervisor


def look_ahead(session: Session, system: System, vm: Vm | None) -> tuple[Preflight, Hypervisor]:
    """Whether the guest's host can activate it, as far as that is known, and what the guest sees of its host. Nothing is written.

    :param vm: What the host says, if it was asked.
    """
    session.expect(COMPUTER_SYSTEM, *_DECIDING, *([VM_ID] if vm else []))
    model = read_platform(session, asset_tag=False).model
    if model != HYPER_V_MODEL:
        return preflight(system, model, None, Hypervisor()), Hypervisor()
    hypervisor = read_what_decides(session, vm_id=vm is not None)
    tag = read_asset_tag(session) if hypervisor.host_sku is None or hypervisor.host_sku in AZURE_HOSTS else None
    ahead = preflight(system, model, tag, hypervisor, vm)
    if ahead.problems:
        # The name of the host belongs to what the user is told.
        with suppress(FaultError):
            hypervisor = _with_names(session, hypervisor)
            ahead = preflight(system, model, tag, hypervisor, vm)
    return ahead, hypervisor


def _with_devices(session: Session, hypervisor: Hypervisor) -> Hypervisor:
    # A device is of the class that its hardware ids name; that DeviceID holds it too is so on newer Windows only (UNVERIFIED).
    devices = [" ".join([row.text("DeviceID") or "", *row.texts("HardwareID")]).lower() for row in _DEVICES.on(session)]
    services = _SERVICE.on(session)
    # The host's offer of the service brings the device, which starts the guest's service. One without the other tells neither that it
    # works nor that it is off (that both go when the host turns it off is UNVERIFIED).
    signs = {
        any(_DATA_EXCHANGE in device for device in devices),
        any(row.text("State") == "Running" for row in services),
    }
    return replace(
        hypervisor,
        # A guest that shows no device of the bus at all tells nothing of this one.
        activation_component=any(_ACTIVATION_COMPONENT in device for device in devices) if devices else None,
        data_exchange=signs.pop() if len(signs) == 1 else None,
    )


def _with_values(session: Session, hypervisor: Hypervisor) -> Hypervisor:
    major = read_number(session, _PARAMETERS, _MAJOR)
    # Since Windows 10 it is always 10.0.
    minor = 0 if major is None or major >= 10 else read_number(session, _PARAMETERS, _MINOR)
    return replace(
        hypervisor,
        host_sku=read_number(session, _PARAMETERS, _SKU),
        host_version=None if major is None or minor is None else f"{major}.{minor}",
        nested_level=read_number(session, _PARAMETERS, _NESTED_LEVEL),
    )


def _with_vm_id(session: Session, hypervisor: Hypervisor) -> Hypervisor:
    return replace(hypervisor, vm_id=read_vm_id(session))


def _with_names(session: Session, hypervisor: Hypervisor) -> Hypervisor:
    def text(name: str) -> str | None:
        return read_string(session, _PARAMETERS, name)

    session.expect(VM_ID, *_NAMING)
    return replace(
        _with_vm_id(session, hypervisor),
        host=text(_HOST) or text(_HOST_NAME),
        host_fqdn=text(_HOST_FQDN),
        vm_name=text(_VM_NAME),
    )
