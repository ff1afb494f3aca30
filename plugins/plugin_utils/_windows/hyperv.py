# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual machines of a Hyper-V host. Private to this collection.

Source: win32-docs, "Hyper-V WMI provider (V2)": Msvm_ComputerSystem, Msvm_KvpExchangeComponent,
Msvm_KvpExchangeComponentSettingData, Msvm_KvpExchangeDataItem, Msvm_GuestNetworkAdapterConfiguration,
Msvm_VirtualSystemManagementService, Msvm_ConcreteJob,
Msvm_GuestServiceInterfaceComponentSettingData.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from .._avma.hresults import explain
from .._avma.vms import STATES, Vm
from .._session import xml
from .._session.errors import FaultError, InvalidAnswerError
from .._session.escape import wql_literal, xml_text
from .._session.instance import Instance, Reference
from .._session.session import Query, Session
from .attempts import Attempts
from .licensing import known_hresult

_NAMESPACE = "root/virtualization/v2"
_SYSTEMS = Query("SELECT Name, ElementName, EnabledState, ReplicationMode FROM Msvm_ComputerSystem", _NAMESPACE)


@dataclass(frozen=True)
class IntegrationService:
    """An integration service of virtual machines.

    :ivar component: Its id, as it stands in the ids of its settings: its names are localized, this is not (facts, section 5.6).
    :ivar settings: The class of its settings.
    """

    component: str
    settings: str


DATA_EXCHANGE = IntegrationService("2A34B1C2-FD73-4043-8A5B-DD2159BC743F", "Msvm_KvpExchangeComponentSettingData")
GUEST_SERVICE_INTERFACE = IntegrationService(
    "6C09BB55-D683-4DA0-8931-C9BF705F6480", "Msvm_GuestServiceInterfaceComponentSettingData"
)

_ENABLED, _DISABLED = 2, 3
#: The host is an instance of Msvm_ComputerSystem too, but only the Name of a VM is a GUID. Caption is localized.
_GUID = re.compile("[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", re.IGNORECASE)
#: Above so many VMs, asking for all is easier on WMI than a condition that names each.
_MOST_NAMED = 20
#: ``Msvm_ComputerSystem.ReplicationMode`` (win32-docs).
_REPLICATION_MODES: Mapping[int | None, str] = {
    0: "none",
    1: "primary",
    2: "replica",
    3: "test_replica",
    4: "extended_replica",
}
#: What the ids of Msvm_GuestNetworkAdapterConfiguration begin with, before the id of the VM.
_GUEST_NETWORK = "Microsoft:GuestNetwork\\"
#: Windows Server 2016, the first build with ModifyGuestServiceSettings. Before, ModifyResourceSettings takes every setting that is
#: derived from CIM_ResourceAllocationSettingData, as this one is; that it works for it is UNVERIFIED.
_FIRST_GUEST_SERVICE_BUILD = 14393
_SERVICE_KEYS = ("CreationClassName", "Name", "SystemCreationClassName", "SystemName")
_COMPLETED, _JOB_STARTED = 0, 4096
#: ``JobState`` of a job that has ended: completed, and completed with warnings; terminated, killed, exception.
_JOB_SUCCEEDED = frozenset({7, 32768})
_JOB_FAILED = frozenset({8, 9, 10})


class HyperVError(Exception):
    """Hyper-V did not carry a change out.

    :ivar hresult: What WMI said, if it answered a fault.
    """

    def __init__(self, detail: str, hresult: int | None = None) -> None:
        super().__init__(detail)
        self.hresult = hresult


def read_vms(session: Session, names: Collection[str] = (), *, kvp: bool = True, interface: bool = False) -> list[Vm]:
    """The virtual machines of a host, by name: three queries, however many there are, and one more if guests tell no addresses.

    :param names: Only those with one of these names or ids, in any case; none means all.
    :param kvp: Also what their guests tell over Data Exchange; without, two queries.
    :param interface: Also whether their Guest Service Interface is on; one query more.
    """
    wanted = {name.lower() for name in names}

    def details(ids: Collection[str]) -> Iterator[Query]:
        yield _service_query(DATA_EXCHANGE, ids)
        if interface:
            yield _service_query(GUEST_SERVICE_INTERFACE, ids)
        if kvp:
            yield _kvp_query(ids)

    session.expect(_SYSTEMS, *([] if wanted else details([])))
    systems = {
        (row.text("Name") or "").upper(): row
        for row in _SYSTEMS.on(session)
        if _GUID.fullmatch(row.text("Name") or "")
        and (not wanted or wanted & {(row.text(name) or "").lower() for name in ("Name", "ElementName")})
    }
    if not systems:
        return []
    few = [row.text("Name") or "" for row in systems.values()] if wanted and len(systems) <= _MOST_NAMED else []
    session.expect(*details(few))
    exchanging = _read_service(session, DATA_EXCHANGE, few)
    interfaces = _read_service(session, GUEST_SERVICE_INTERFACE, few) if interface else {}
    items = _read_kvp(session, few) if kvp else {}
    vms = [
        Vm(
            row.text("Name") or "",
            row.text("ElementName") or "",
            STATES.get(row.integer("EnabledState"), "other"),
            exchanging.get(vm_id, False),
            items.get(vm_id, {}),
            replication_mode=_REPLICATION_MODES.get(row.integer("ReplicationMode")),
            guest_service_interface=interfaces.get(vm_id, False) if interface else None,
        )
        for vm_id, row in systems.items()
    ]
    if kvp and any(vm.kvp and not vm.addresses for vm in vms):
        adapters = _read_adapters(session)
        vms = [replace(vm, adapters=adapters.get(vm.id.upper(), ())) for vm in vms]
    return sorted(vms, key=lambda vm: (vm.name.lower(), vm.id))


def _read_adapters(session: Session) -> dict[str, tuple[str, ...]]:
    """The IP addresses of the network adapters of each VM, by its id."""
    rows = session.query("SELECT InstanceID, IPAddresses FROM Msvm_GuestNetworkAdapterConfiguration", _NAMESPACE)
    found: dict[str, tuple[str, ...]] = {}
    for row in rows:
        vm_id = (row.text("InstanceID") or "").removeprefix(_GUEST_NETWORK).partition("\\")[0].upper()
        found[vm_id] = (*found.get(vm_id, ()), *row.texts("IPAddresses"))
    return found


def _read_service(session: Session, service: IntegrationService, ids: Collection[str]) -> dict[str, bool]:
    """Whether it is on, by the id of the VM. Definitions and checkpoints are settings too; theirs are ids of no VM."""
    rows = _service_query(service, ids).on(session)
    return {_vm_id(row.text("InstanceID") or ""): row.integer("EnabledState") == _ENABLED for row in rows}


def _read_kvp(session: Session, ids: Collection[str]) -> dict[str, dict[str, str]]:
    return {(row.text("SystemName") or "").upper(): _items(row) for row in _kvp_query(ids).on(session)}


def _service_query(service: IntegrationService, ids: Collection[str]) -> Query:
    settings = [_setting_id(service, vm_id) for vm_id in ids]
    return Query(f"SELECT InstanceID, EnabledState FROM {service.settings}{_where('InstanceID', settings)}", _NAMESPACE)


def _kvp_query(ids: Collection[str]) -> Query:
    columns = "SystemName, GuestExchangeItems, GuestIntrinsicExchangeItems"
    return Query(f"SELECT {columns} FROM Msvm_KvpExchangeComponent{_where('SystemName', ids)}", _NAMESPACE)


def _where(column: str, values: Collection[str]) -> str:
    return " WHERE " + " OR ".join(f"{column} = {wql_literal(value)}" for value in values) if values else ""


def _items(row: Instance) -> dict[str, str]:
    """Name and data of the KVP items; what the system itself tells goes before what programs of the guest added."""
    items: dict[str, str] = {}
    for text in row.texts("GuestExchangeItems") + row.texts("GuestIntrinsicExchangeItems"):
        try:
            instance = xml.parse(text)
        except InvalidAnswerError:
            # The guest wrote it: one that is broken must not hide the others, or the other VMs.
            continue
        values = {
            item.get("NAME"): item.findtext("VALUE") or ""
            for item in instance.iter("PROPERTY")
            if item.get("NAME") in ("Name", "Data")
        }
        if values.get("Name"):
            items[values["Name"]] = values.get("Data", "")
    return items


def _setting_id(service: IntegrationService, vm_id: str) -> str:
    return f"Microsoft:{vm_id}\\{service.component}"


def _vm_id(setting_id: str) -> str:
    return setting_id.removeprefix("Microsoft:").partition("\\")[0].upper()


def switch_service(
    session: Session, service: IntegrationService, vms: Iterable[Vm], enabled: bool, build: int, attempts: Attempts
) -> dict[str, HyperVError]:
    """Switch an integration service of VMs on or off, one after the other. Read back what came of it.

    :param build: The build of the host.
    :param attempts: For how long to wait for Hyper-V's jobs.
    :returns: By the id of the VM, why it could not be done.
    """
    rows = session.query(f"SELECT {', '.join(_SERVICE_KEYS)} FROM Msvm_VirtualSystemManagementService", _NAMESPACE)
    management = {key: row.text(key) or "" for row in rows for key in _SERVICE_KEYS}
    failures = {}
    for vm in vms:
        try:
            _switch(session, management, _setting(service, vm.id, enabled), build, attempts)
        except HyperVError as error:
            failures[vm.id] = error
    return failures


def _switch(session: Session, management: Mapping[str, str], setting: str, build: int, attempts: Attempts) -> None:
    kind = "GuestService" if build >= _FIRST_GUEST_SERVICE_BUILD else "Resource"
    try:
        output = session.invoke(
            "Msvm_VirtualSystemManagementService",
            f"Modify{kind}Settings",
            {f"{kind}Settings": [setting]},
            management,
            _NAMESPACE,
        )
        code, job = output.integer("ReturnValue"), output.reference("Job")
        if code == _JOB_STARTED and job is not None:
            _wait_for(session, job, attempts)
        elif code != _COMPLETED:
            raise HyperVError(f"Hyper-V returned {code}")
    except FaultError as fault:
        # Windows stopped waiting, not working: what is read back afterwards decides.
        if not fault.timed_out:
            hresult = known_hresult(fault)
            explanation = f" - {explain(hresult)}" if hresult is not None else ""
            raise HyperVError(fault.reason + explanation, hresult) from fault


def _setting(service: IntegrationService, vm_id: str, enabled: bool) -> str:
    """The changed part of a setting, in CIM-XML (DTD 2.0): Hyper-V takes "the modified aspects" and the id (win32-docs)."""
    state = _ENABLED if enabled else _DISABLED
    return (
        f'<INSTANCE CLASSNAME="{service.settings}">'
        f'<PROPERTY NAME="EnabledState" TYPE="uint16"><VALUE>{state}</VALUE></PROPERTY>'
        f'<PROPERTY NAME="InstanceID" TYPE="string"><VALUE>{xml_text(_setting_id(service, vm_id))}</VALUE></PROPERTY>'
        "</INSTANCE>"
    )


def _wait_for(session: Session, job: Reference, attempts: Attempts) -> None:
    class_name = job.resource_uri.rpartition("/")[2]
    while True:
        row = session.get(class_name, job.selectors, _NAMESPACE)
        state = row.integer("JobState")
        if state in _JOB_SUCCEEDED:
            return
        if state in _JOB_FAILED:
            raise HyperVError(f"{row.text('ErrorDescription') or 'no reason given'} (error {row.integer('ErrorCode')})")
        if not attempts.wait():
            raise HyperVError("its job has not ended in time")
