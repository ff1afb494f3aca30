# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hyper-V's WMI provider on a host, root/virtualization/v2 (facts/avma.md §5; schemas: a recorded host, Microsoft's docs)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import NAMESPACE_DNS, uuid5

from lab import embedded
from lab.cim import MethodResult, Reference, Value
from lab.provider import NEVER, Provider, cim_class
from lab.spec import JobSpec

if TYPE_CHECKING:
    from lab.machine import GuestMachine, HostMachine

NAMESPACE = "root/virtualization/v2"

#: The Data Exchange service: last part of the ids of its component and settings (§5.6).
DATA_EXCHANGE = "2A34B1C2-FD73-4043-8A5B-DD2159BC743F"
#: The same of the Guest Service Interface.
GUEST_SERVICE_INTERFACE = "6C09BB55-D683-4DA0-8931-C9BF705F6480"

_ENABLED, _DISABLED, _PAUSED = 2, 3, 9
_OPERATIONAL_OK, _OPERATIONAL_NO_CONTACT = 2, 12
_COMPLETED, _JOB_STARTED, _FAILED, _INVALID_PARAMETER = 0, 4096, 2, 4
_JOB_RUNNING, _JOB_COMPLETED, _JOB_EXCEPTION = 4, 7, 10
_GUEST_ITEMS, _INTRINSIC_ITEMS = 1, 2

_COMPUTER_SYSTEM = cim_class(
    NAMESPACE,
    "Msvm_ComputerSystem",
    key="CreationClassName Name",
    string=(
        "Caption CreationClassName Description ElementName InstanceID Name NameFormat OtherEnabledState PrimaryOwnerContact"
        " PrimaryOwnerName Status ManagementVtlImageFileName ManagementVtlImageVersion"
    ),
    string_array="StatusDescriptions",
    uint16=(
        "CommunicationStatus DetailedStatus EnabledDefault EnabledState EnhancedSessionModeState FailedOverReplicationType"
        " HealthState LastReplicationType NumberOfNumaNodes OperatingStatus PrimaryStatus ReplicationHealth ReplicationMode"
        " ReplicationState RequestedState ResetCapability TransitioningToState"
    ),
    uint16_array="OperationalStatus",
    uint32="HwThreadsPerCoreRealized ProcessID",
    uint64="OnTimeInMilliseconds",
    datetime=(
        "InstallDate LastApplicationConsistentReplicationTime LastReplicationTime LastSuccessfulBackupTime TimeOfLastConfigurationChange"
        " TimeOfLastStateChange"
    ),
)

_SETTINGS = cim_class(
    NAMESPACE,
    "Msvm_VirtualSystemSettingData",
    key="InstanceID",
    string=(
        "Caption ConfigurationDataRoot ConfigurationFile ConfigurationID Description ElementName InstanceID Parent SnapshotDataRoot"
        " SwapFileDataRoot Version VirtualSystemIdentifier VirtualSystemSubType VirtualSystemType"
    ),
    string_array="Notes",
    boolean="BIOSNumLock IncrementalBackupEnabled IsSaved SecureBootEnabled VirtualNumaEnabled",
    uint16="AutomaticRecoveryAction AutomaticShutdownAction AutomaticStartupAction UserSnapshotType",
    datetime="AutomaticStartupActionDelay CreationTime",
)

_KVP_COMPONENT = cim_class(
    NAMESPACE,
    "Msvm_KvpExchangeComponent",
    key="CreationClassName DeviceID SystemCreationClassName SystemName",
    string=(
        "Caption CreationClassName Description DeviceID ElementName InstanceID Name OtherEnabledState Status SystemCreationClassName"
        " SystemName"
    ),
    string_array="GuestExchangeItems GuestIntrinsicExchangeItems StatusDescriptions",
    uint16="EnabledDefault EnabledState HealthState RequestedState",
    uint16_array="OperationalStatus",
    datetime="InstallDate TimeOfLastStateChange",
)

#: DisableHostKVPItems came with 1703 (§5.2).
_KVP_SETTINGS_2012_R2, _KVP_SETTINGS = (
    cim_class(
        NAMESPACE,
        "Msvm_KvpExchangeComponentSettingData",
        key="InstanceID",
        string=(
            "Address AddressOnParent AllocationUnits Caption Description ElementName InstanceID OtherResourceType Parent PoolID"
            " ResourceSubType VirtualQuantityUnits"
        ),
        string_array="Connection HostExchangeItems HostOnlyItems HostResource",
        boolean=f"AutomaticAllocation AutomaticDeallocation {newer}".rstrip(),
        uint16="ConsumerVisibility EnabledState MappingBehavior ResourceType",
        uint32="Weight",
        uint64="Limit Reservation VirtualQuantity",
    )
    for newer in ("", "DisableHostKVPItems")
)

_INTERFACE_SETTINGS = cim_class(
    NAMESPACE,
    "Msvm_GuestServiceInterfaceComponentSettingData",
    key="InstanceID",
    string=(
        "Address AddressOnParent AllocationUnits Caption Description ElementName InstanceID OtherResourceType Parent PoolID"
        " ResourceSubType VirtualQuantityUnits"
    ),
    string_array="Connection HostResource",
    boolean="AutomaticAllocation AutomaticDeallocation",
    uint16="ConsumerVisibility DefaultEnabledStatePolicy EnabledState MappingBehavior ResourceType",
    uint32="Weight",
    uint64="Limit Reservation VirtualQuantity",
)

_SERVICE = cim_class(
    NAMESPACE,
    "Msvm_VirtualSystemManagementService",
    key="CreationClassName Name SystemCreationClassName SystemName",
    string="Caption CreationClassName Description ElementName Name Status SystemCreationClassName SystemName",
    uint16="EnabledState HealthState RequestedState",
    uint16_array="OperationalStatus",
)

_GUEST_NETWORK = cim_class(
    NAMESPACE,
    "Msvm_GuestNetworkAdapterConfiguration",
    key="InstanceID",
    string="InstanceID",
    string_array="DefaultGateways DNSServers IPAddresses Subnets",
    boolean="DHCPEnabled",
    uint16="ProtocolIFType",
    uint16_array="IPAddressOrigins",
)

#: ``ReplicationMode`` (win32-docs, Msvm_ComputerSystem).
_REPLICATION_MODES = {"none": 0, "primary": 1, "replica": 2, "test_replica": 3, "extended_replica": 4}

_JOB = cim_class(
    NAMESPACE,
    "Msvm_ConcreteJob",
    key="InstanceID",
    string="Caption Description ElementName ErrorDescription ErrorSummaryDescription InstanceID JobStatus Name OtherRecoveryAction Owner",
    boolean="Cancellable DeleteOnCompletion",
    uint16="ErrorCode HealthState JobState JobType PercentComplete",
    uint16_array="OperationalStatus",
    datetime="ElapsedTime InstallDate StartTime TimeBeforeRemoval TimeOfLastStateChange",
)

#: What the host shows in its own language. Japanese: recorded; German: UNVERIFIED.
_WORDS = {
    "en": ("Hosting Computer System", "Virtual Machine", "Operating normally", "Key-Value Pair Exchange"),
    "de": ("Hostcomputersystem", "Virtueller Computer", "Normaler Betrieb", "Austausch von Schlüsselwertpaaren"),
    "ja": ("ホスト コンピューター システム", "仮想マシン", "正常稼働中", "キー値ペア交換"),
}


@dataclass
class _Job:
    """A change of settings under way: ``polls`` reads until ``change`` is applied."""

    id: str
    polls: int
    fails: bool
    change: Callable[[], None]
    state: int = _JOB_RUNNING

    def read(self) -> None:
        """One more read."""
        if self.state != _JOB_RUNNING:
            return
        self.polls -= 1
        if self.polls < 0:
            self.finish()

    def finish(self) -> None:
        """To its end."""
        if self.fails:
            self.state = _JOB_EXCEPTION
        else:
            self.change()
            self.state = _JOB_COMPLETED


class HyperV:
    """The provider of one host."""

    def __init__(self, host: HostMachine, jobs: JobSpec) -> None:
        self._host = host
        self.job_polls = jobs.polls
        self.job_fails = jobs.fails
        self._jobs: list[_Job] = []
        self._hosting, self._virtual, self._normal, self._data_exchange = _WORDS.get(host.language[:2], _WORDS["en"])

    def providers(self) -> list[Provider]:
        """The classes of root/virtualization/v2."""
        old = self._host.system.release.version != "10.0"
        # On 2012 R2 guest services are set as any other resource; that this works there is UNVERIFIED (§5.6).
        methods = {"modifyresourcesettings": lambda _, arguments: self._modify(arguments, "ResourceSettings")}
        if not old:
            methods["modifyguestservicesettings"] = lambda _, arguments: self._modify(arguments, "GuestServiceSettings")
        return [
            Provider(_COMPUTER_SYSTEM, self._computer_systems),
            Provider(_SETTINGS, self._settings),
            Provider(_KVP_COMPONENT, self._kvp_components),
            Provider(_KVP_SETTINGS_2012_R2 if old else _KVP_SETTINGS, self._kvp_settings),
            Provider(_INTERFACE_SETTINGS, self._interface_settings),
            Provider(_SERVICE, lambda: [self._service()], methods),
            Provider(_GUEST_NETWORK, self._guest_networks),
            Provider(_JOB, self._job_rows),
        ]

    def _computer_systems(self) -> Iterator[Mapping[str, Value]]:
        now = self._host.surroundings.clock()
        yield {
            "Caption": self._hosting,
            "CreationClassName": "Msvm_ComputerSystem",
            "Description": "Microsoft Hosting Computer System",
            "ElementName": self._host.system.name.upper(),
            "EnabledDefault": 2,
            "EnabledState": _ENABLED,
            "HealthState": 5,
            "InstallDate": now - timedelta(days=100),
            "Name": self._host.system.name.upper(),
            "OperationalStatus": [_OPERATIONAL_OK],
            "RequestedState": 12,
            "ResetCapability": 1,
            "Status": "OK",
            "StatusDescriptions": [self._normal],
        }
        for guest in self._host.guests:
            yield {
                "Caption": self._virtual,
                "CreationClassName": "Msvm_ComputerSystem",
                "Description": "Microsoft Virtual Machine",
                "ElementName": guest.vm_name,
                "EnabledDefault": 2,
                "EnabledState": _PAUSED if guest.paused else _ENABLED if guest.running else _DISABLED,
                "EnhancedSessionModeState": 6,
                "FailedOverReplicationType": 0,
                "HealthState": 5,
                "HwThreadsPerCoreRealized": 2,
                "InstallDate": now - timedelta(days=90),
                "LastApplicationConsistentReplicationTime": NEVER,
                "LastReplicationTime": NEVER,
                "LastReplicationType": 0,
                "Name": guest.vm_id,
                "NumberOfNumaNodes": 1,
                "OnTimeInMilliseconds": 172800000 if guest.running else 0,
                "OperationalStatus": [_OPERATIONAL_OK],
                "ProcessID": 9624 if guest.running else None,
                "ReplicationHealth": 0,
                "ReplicationMode": _REPLICATION_MODES[guest.spec.replication],
                "ReplicationState": 0,
                "RequestedState": 5,
                "ResetCapability": 1,
                "Status": "OK",
                "StatusDescriptions": [self._normal],
                "TimeOfLastConfigurationChange": now - timedelta(days=2),
                "TimeOfLastStateChange": now - timedelta(days=2),
            }

    def _settings(self) -> Iterator[Mapping[str, Value]]:
        for guest in self._host.guests:
            current: dict[str, Value] = {
                "AutomaticRecoveryAction": 3,
                "AutomaticShutdownAction": 3,
                "AutomaticStartupAction": 3,
                "Caption": self._virtual,
                "ConfigurationDataRoot": r"C:\ClusterStorage\Volume1",
                "ConfigurationID": guest.vm_id,
                "CreationTime": self._host.surroundings.clock() - timedelta(days=90),
                "ElementName": guest.vm_name,
                "InstanceID": f"Microsoft:{guest.vm_id}",
                "IsSaved": False,
                "Notes": [""],
                "SecureBootEnabled": True,
                "Version": "10.0",
                "VirtualSystemIdentifier": guest.vm_id,
                "VirtualSystemSubType": "Microsoft:Hyper-V:SubType:2",
                "VirtualSystemType": "Microsoft:Hyper-V:System:Realized",
            }
            yield current
            if guest.spec.checkpoint:
                snapshot = str(uuid5(NAMESPACE_DNS, f"{guest.vm_id}/snapshot")).upper()
                yield current | {
                    "ConfigurationID": snapshot,
                    "ElementName": f"{guest.vm_name} - (11/1/2026)",
                    "InstanceID": f"Microsoft:{snapshot}",
                    "VirtualSystemType": "Microsoft:Hyper-V:Snapshot:Realized",
                }

    def _kvp_components(self) -> Iterator[Mapping[str, Value]]:
        for guest in self._host.guests:
            alive = guest.exchanges_data
            own = [embedded.kvp_item(name, str(value), _GUEST_ITEMS) for name, value in guest.guest_items().items()]
            intrinsic = [
                embedded.kvp_item(name, value, _INTRINSIC_ITEMS) for name, value in guest.intrinsic_items().items()
            ]
            yield {
                "Caption": self._data_exchange,
                "CreationClassName": "Msvm_KvpExchangeComponent",
                "Description": "Microsoft Key-Value Pair Exchange Component",
                "DeviceID": f"Microsoft:{guest.vm_id}\\{DATA_EXCHANGE}",
                "ElementName": self._data_exchange,
                "EnabledDefault": 2,
                "EnabledState": _ENABLED if guest.data_exchange else _DISABLED,
                "GuestExchangeItems": own or None if alive else None,
                "GuestIntrinsicExchangeItems": intrinsic if alive else None,
                "HealthState": 5,
                "Name": "Microsoft:Hyper-V:Key-Value Pair Exchange Component",
                "OperationalStatus": [_OPERATIONAL_OK if alive else _OPERATIONAL_NO_CONTACT],
                "RequestedState": 12,
                "StatusDescriptions": [self._normal],
                "SystemCreationClassName": "Msvm_ComputerSystem",
                "SystemName": guest.vm_id,
            }

    def _guest_networks(self) -> Iterator[Mapping[str, Value]]:
        """One adapter a VM. Its id is as in public code that reads it: Microsoft:GuestNetwork, the VM's id, the adapter's."""
        for guest in self._host.guests:
            adapter = str(uuid5(NAMESPACE_DNS, f"{guest.vm_id}/adapter")).upper()
            yield {
                "DHCPEnabled": True,
                "InstanceID": f"Microsoft:GuestNetwork\\{guest.vm_id}\\{adapter}",
                "IPAddresses": guest.addresses if guest.exchanges_data else [],
                "ProtocolIFType": 4096,
            }

    def _kvp_settings(self) -> Iterator[Mapping[str, Value]]:
        common: dict[str, Value] = {
            "Caption": self._data_exchange,
            "Description": "Microsoft Key-Value Pair Exchange Setting Data",
            "ElementName": self._data_exchange,
            "ResourceSubType": "Microsoft:Hyper-V:Key-Value Pair Exchange Component",
            "ResourceType": 1,
            "OtherResourceType": "Microsoft:Hyper-V:Key-Value Pair Exchange Component",
        }
        if self._host.system.release.version == "10.0":
            common["DisableHostKVPItems"] = False
        # The class also lists what is possible, as every class of settings does (recorded: Microsoft:Definition\…\Increment).
        for limit in ("Default", "Maximum", "Minimum", "Increment"):
            yield common | {"EnabledState": _ENABLED, "InstanceID": rf"Microsoft:Definition\{DATA_EXCHANGE}\{limit}"}
        for guest in self._host.guests:
            yield common | {
                "EnabledState": _ENABLED if guest.data_exchange else _DISABLED,
                "InstanceID": _setting_id(guest, DATA_EXCHANGE),
            }

    def _interface_settings(self) -> Iterator[Mapping[str, Value]]:
        for guest in self._host.guests:
            yield {
                "ElementName": "Guest Service Interface",
                "EnabledState": _ENABLED if guest.guest_service_interface else _DISABLED,
                "InstanceID": _setting_id(guest, GUEST_SERVICE_INTERFACE),
                "ResourceSubType": "Microsoft:Hyper-V:Guest Service Interface Component",
                "ResourceType": 1,
            }

    def _service(self) -> Mapping[str, Value]:
        return {
            "Caption": "Hyper-V Virtual System Management Service",
            "CreationClassName": "Msvm_VirtualSystemManagementService",
            "ElementName": "Hyper-V Virtual System Management Service",
            "EnabledState": 5,
            "HealthState": 5,
            "Name": "vmms",
            "OperationalStatus": [_OPERATIONAL_OK],
            "RequestedState": 12,
            "Status": "OK",
            "SystemCreationClassName": "Msvm_ComputerSystem",
            "SystemName": self._host.system.name.upper(),
        }

    def _job_rows(self) -> Iterator[Mapping[str, Value]]:
        for job in self._jobs:
            job.read()
            failed = job.state == _JOB_EXCEPTION
            yield {
                "Caption": "Modifying Resource Settings",
                "ElementName": "Modifying Resource Settings",
                "ErrorCode": 32768 if failed else 0,
                "ErrorDescription": f"Failed to modify device '{self._data_exchange}'." if failed else "",
                "HealthState": 5,
                "InstanceID": job.id,
                "JobState": job.state,
                "JobStatus": {_JOB_RUNNING: "Job is running", _JOB_COMPLETED: "Job is completed"}.get(
                    job.state, "Job failed"
                ),
                "Name": "Msvm_ConcreteJob",
                "PercentComplete": 50 if job.state == _JOB_RUNNING else 100,
            }

    def _modify(self, arguments: Mapping[str, Value], parameter: str) -> MethodResult:
        """Switch Data Exchange as the settings say; several at once are changed by one job."""
        given = arguments.get(parameter.lower())
        texts = given if isinstance(given, list) else [given]
        changes = []
        for text in texts:
            try:
                class_name, values = embedded.parse(str(text))
            except ValueError:
                return MethodResult(_INVALID_PARAMETER)
            service = {_KVP_SETTINGS.name: DATA_EXCHANGE, _INTERFACE_SETTINGS.name: GUEST_SERVICE_INTERFACE}.get(
                class_name, ""
            )
            guests = self._host.guests
            guest = next((guest for guest in guests if _setting_id(guest, service) == values.get("InstanceID")), None)
            state = values.get("EnabledState")
            if guest is None or state not in ("2", "3"):
                return MethodResult(_INVALID_PARAMETER)
            changes.append((guest, service, state == str(_ENABLED)))

        def change() -> None:
            for guest, service, enabled in changes:
                if service == DATA_EXCHANGE:
                    guest.data_exchange = enabled
                else:
                    guest.guest_service_interface = enabled

        identifier = str(uuid5(NAMESPACE_DNS, f"{self._host.name}/job/{len(self._jobs)}")).upper()
        job = _Job(identifier, self.job_polls, self.job_fails, change)
        if not self.job_polls and not self.job_fails:
            job.finish()
            return MethodResult(_COMPLETED, {"Job": None, f"Resulting{parameter}": None})
        self._jobs.append(job)
        reference = Reference(NAMESPACE, _JOB.name, {"InstanceID": identifier})
        return MethodResult(_JOB_STARTED, {"Job": reference, f"Resulting{parameter}": None})


def _setting_id(guest: GuestMachine, service: str) -> str:
    return f"Microsoft:{guest.vm_id}\\{service}"
