# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a machine is: its operating system, computer system, services and devices (facts/avma.md §5.1, §7).

The schemas are those of the recorded answers of a Windows Server 2012 (Win32_Service and Win32_PnPEntity: Microsoft's
documentation).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import NAMESPACE_DNS, uuid5

from lab.cim import Value
from lab.provider import Provider, cim_class
from lab.releases import Sku, WindowsRelease
from lab.spec import Platform, ServiceState

_OPERATING_SYSTEM = cim_class(
    "root/cimv2",
    "Win32_OperatingSystem",
    key="Name",
    string=(
        "BootDevice BuildNumber BuildType Caption CodeSet CountryCode CreationClassName CSCreationClassName CSDVersion"
        " CSName Description"
        " Locale Manufacturer Name Organization OSArchitecture OtherTypeDescription PlusProductID PlusVersionNumber"
        " RegisteredUser"
        " SerialNumber Status SystemDevice SystemDirectory SystemDrive Version WindowsDirectory"
    ),
    string_array="MUILanguages",
    boolean=(
        "DataExecutionPrevention_32BitApplications DataExecutionPrevention_Available DataExecutionPrevention_Drivers"
        " Debug Distributed"
        " PAEEnabled PortableOperatingSystem Primary"
    ),
    uint8="DataExecutionPrevention_SupportPolicy ForegroundApplicationBoost",
    sint16="CurrentTimeZone",
    uint16="OSType ServicePackMajorVersion ServicePackMinorVersion",
    uint32=(
        "EncryptionLevel LargeSystemCache MaxNumberOfProcesses NumberOfLicensedUsers NumberOfProcesses NumberOfUsers"
        " OperatingSystemSKU"
        " OSLanguage OSProductSuite ProductType SuiteMask"
    ),
    uint64=(
        "FreePhysicalMemory FreeSpaceInPagingFiles FreeVirtualMemory MaxProcessMemorySize SizeStoredInPagingFiles"
        " TotalSwapSpaceSize"
        " TotalVirtualMemorySize TotalVisibleMemorySize"
    ),
    datetime="InstallDate LastBootUpTime LocalDateTime",
)

_COMPUTER_SYSTEM = cim_class(
    "root/cimv2",
    "Win32_ComputerSystem",
    key="Name",
    string=(
        "BootupState Caption CreationClassName Description DNSHostName Domain LastLoadInfo Manufacturer Model Name"
        " NameFormat"
        " PrimaryOwnerContact PrimaryOwnerName Status SystemType UserName Workgroup"
    ),
    string_array="Roles",
    boolean=(
        "AutomaticManagedPagefile AutomaticResetBootOption AutomaticResetCapability BootROMSupported DaylightInEffect"
        " EnableDaylightSavingsTime HypervisorPresent InfraredSupported NetworkServerModeEnabled PartOfDomain"
        " PowerManagementSupported"
    ),
    sint16="CurrentTimeZone ResetCount ResetLimit",
    sint64="PauseAfterReset",
    uint16=(
        "AdminPasswordStatus BootOptionOnLimit BootOptionOnWatchDog ChassisBootupState DomainRole FrontPanelResetStatus"
        " KeyboardPasswordStatus PCSystemType PowerOnPasswordStatus PowerState PowerSupplyState ResetCapability"
        " SystemStartupDelay"
        " ThermalState WakeUpType"
    ),
    uint32="NumberOfLogicalProcessors NumberOfProcessors",
    uint64="TotalPhysicalMemory",
    datetime="InstallDate",
)

_SERVICE = cim_class(
    "root/cimv2",
    "Win32_Service",
    key="Name",
    string=(
        "Caption CreationClassName Description DisplayName ErrorControl Name PathName ServiceType StartMode StartName"
        " State Status"
        " SystemCreationClassName SystemName"
    ),
    boolean="AcceptPause AcceptStop DelayedAutoStart DesktopInteract Started",
    uint32="CheckPoint ExitCode ProcessId ServiceSpecificExitCode TagId WaitHint",
    datetime="InstallDate",
)

_PNP_ENTITY = cim_class(
    "root/cimv2",
    "Win32_PnPEntity",
    key="DeviceID",
    string=(
        "Caption ClassGuid CreationClassName Description DeviceID Manufacturer Name PNPClass PNPDeviceID Service Status"
        " SystemCreationClassName SystemName"
    ),
    string_array="CompatibleID HardwareID",
    boolean="ConfigManagerUserConfig ErrorCleared PowerManagementSupported Present",
    uint16="Availability StatusInfo",
    uint16_array="PowerManagementCapabilities",
    uint32="ConfigManagerErrorCode LastErrorCode",
    datetime="InstallDate",
)

_SYSTEM_ENCLOSURE = cim_class(
    "root/cimv2",
    "Win32_SystemEnclosure",
    key="Tag",
    string=(
        "Caption CreationClassName Description Manufacturer Model Name OtherIdentifyingInfo PartNumber"
        " SecurityBreach SerialNumber SKU SMBIOSAssetTag Status Tag Version"
    ),
    string_array="ServiceDescriptions TypeDescriptions",
    boolean="AudibleAlarm HotSwappable LockPresent PoweredOn Removable Replaceable VisibleAlarm",
    uint16="BreachDescription CableManagementStrategy SecurityStatus",
    uint16_array="ChassisTypes ServicePhilosophy",
    datetime="InstallDate",
)

#: The chassis asset tag of every Azure virtual machine (cloud-init, DataSourceAzure).
_AZURE_ASSET_TAG = "7783-7084-3265-9085-8269-3286-77"

#: VMBus interface → what Device Manager calls it (§5.1, §5.6).
ACTIVATION_COMPONENT = "{3375baf4-9e15-4b30-b765-67acb10d607b}"
_DATA_EXCHANGE = "{a9a0f4e7-5a45-4d96-b827-8a841e8c03e6}"
_VMBUS_DEVICES = {
    ACTIVATION_COMPONENT: "Microsoft Hyper-V Activation Component",
    "{f8e65716-3cb3-4a06-9a60-1889c5cccab5}": "Microsoft Hyper-V Remote Desktop Control Channel",
    _DATA_EXCHANGE: "Microsoft Hyper-V Data Exchange",
}
#: VMBus interface → the instance that a guest has of it, where a public report names it.
_INSTANCES = {ACTIVATION_COMPONENT: "4487b255-b88c-403f-bb51-d1f69cf17f87"}
#: The guest's part of Data Exchange (§5.6).
DATA_EXCHANGE_SERVICE = "vmickvpexchange"

#: Model and manufacturer (§7.4; those of other hypervisors UNVERIFIED).
_HARDWARE = {
    "hyperv": ("Microsoft Corporation", "Virtual Machine"),
    "azure": ("Microsoft Corporation", "Virtual Machine"),
    "vmware": ("VMware, Inc.", "VMware7,1"),
    "physical": ("Contoso", "PowerServer 1000"),
}

_OS_LANGUAGES = {"en-US": (1033, "0409"), "de-DE": (1031, "0407"), "ja-JP": (1041, "0411")}

#: Service → display names in English, German, Japanese (the translations UNVERIFIED: what matters is that they differ).
_DISPLAY_NAMES = {
    "sppsvc": ("Software Protection", "Software Protection", "Software Protection"),
    "vmickvpexchange": (
        "Hyper-V Data Exchange Service",
        "Hyper-V-Datenaustauschdienst",
        "Hyper-V Data Exchange Service (データ交換)",
    ),
    "vmicheartbeat": ("Hyper-V Heartbeat Service", "Hyper-V-Taktdienst", "Hyper-V ハートビート サービス"),
    "vmicvmsession": (
        "Hyper-V PowerShell Direct Service",
        "Hyper-V PowerShell Direct-Dienst",
        "Hyper-V PowerShell Direct サービス",
    ),
    "vmms": (
        "Hyper-V Virtual Machine Management",
        "Hyper-V-Verwaltung virtueller Computer",
        "Hyper-V 仮想マシンの管理",
    ),
    "ClusSvc": ("Cluster Service", "Clusterdienst", "クラスター サービス"),
    "WinRM": (
        "Windows Remote Management (WS-Management)",
        "Windows-Remoteverwaltung (WS-Verwaltung)",
        "Windows リモート管理 (WS-Management)",
    ),
    "EventLog": ("Windows Event Log", "Windows-Ereignisprotokoll", "Windows イベント ログ"),
}


@dataclass
class System:
    """The operating system of a machine and what it runs on; ``services`` by name."""

    name: str
    domain: str
    release: WindowsRelease
    edition: str
    sku: Sku
    language: str
    platform: Platform
    services: dict[str, ServiceState]
    hypervisor_present: bool
    activation_component: bool
    clock: Callable[[], datetime]
    domain_controller: bool = False
    booted: datetime | None = None
    #: Whether the host offers the Data Exchange service. Without it the guest has neither its device nor a reason to run its service,
    #: which is started by that device's arrival (UNVERIFIED; Linux drops the device when the host rescinds the offer).
    data_exchange: bool = True

    @property
    def fqdn(self) -> str:
        """The computer's name with its domain."""
        return f"{self.name}.{self.domain}"

    @property
    def caption(self) -> str:
        """``Win32_OperatingSystem.Caption``, as ``Microsoft Windows Server 2022 Datacenter``."""
        return f"Microsoft {self.release.product} {self.sku.caption}".rstrip()

    def running(self, service: str) -> bool:
        """Whether the service is there and runs."""
        if service == DATA_EXCHANGE_SERVICE and not self.data_exchange:
            return False
        return self.services.get(service) == "running"

    def providers(self) -> list[Provider]:
        """The classes."""
        return [
            Provider(_SYSTEM_ENCLOSURE, lambda: [self._enclosure()]),
            Provider(_OPERATING_SYSTEM, lambda: [self._operating_system()]),
            Provider(_COMPUTER_SYSTEM, lambda: [self._computer_system()]),
            Provider(_SERVICE, self._services),
            Provider(_PNP_ENTITY, self._devices),
        ]

    def _operating_system(self) -> Mapping[str, Value]:
        language, locale = _OS_LANGUAGES.get(self.language, _OS_LANGUAGES["en-US"])
        client = self.release.kind == "client"
        return {
            "BootDevice": r"\Device\HarddiskVolume1",
            "BuildNumber": str(self.release.build),
            "BuildType": "Multiprocessor Free",
            "Caption": self.caption,
            "CodeSet": "1252",
            "CountryCode": "1",
            "CreationClassName": "Win32_OperatingSystem",
            "CSCreationClassName": "Win32_ComputerSystem",
            "CSName": self.name.upper(),
            "CurrentTimeZone": 0,
            "Debug": False,
            "Description": "",
            "Distributed": False,
            "EncryptionLevel": 256,
            "InstallDate": self.clock() - timedelta(days=100),
            "LastBootUpTime": self.booted or self.clock() - timedelta(days=2),
            "LocalDateTime": self.clock(),
            "Locale": locale,
            "Manufacturer": "Microsoft Corporation",
            "MaxNumberOfProcesses": 0xFFFFFFFF,
            "MUILanguages": [self.language],
            "Name": rf"{self.caption}|C:\Windows|\Device\Harddisk0\Partition2",
            "OperatingSystemSKU": self.sku.number,
            "OSArchitecture": "64-bit",
            "OSLanguage": language,
            "OSProductSuite": 272,
            "OSType": 18,
            "Primary": True,
            "ProductType": 1 if client else 2 if self.domain_controller else 3,
            "SerialNumber": "00454-00000-00001-AA000",
            "ServicePackMajorVersion": 0,
            "ServicePackMinorVersion": 0,
            "Status": "OK",
            "SuiteMask": 272,
            "SystemDirectory": r"C:\Windows\system32",
            "SystemDrive": "C:",
            "Version": self.release.full_version,
            "WindowsDirectory": r"C:\Windows",
        }

    def _computer_system(self) -> Mapping[str, Value]:
        manufacturer, model = _HARDWARE[self.platform]
        return {
            "AutomaticManagedPagefile": True,
            "BootupState": "Normal boot",
            "Caption": self.name.upper(),
            "CreationClassName": "Win32_ComputerSystem",
            "CurrentTimeZone": 0,
            "Description": "AT/AT COMPATIBLE",
            "DNSHostName": self.name,
            "Domain": self.domain,
            "DomainRole": 1 if self.release.kind == "client" else 5 if self.domain_controller else 3,
            "HypervisorPresent": self.hypervisor_present,
            "Manufacturer": manufacturer,
            "Model": model,
            "Name": self.name.upper(),
            "NumberOfLogicalProcessors": 2,
            "NumberOfProcessors": 1,
            "PartOfDomain": True,
            "PauseAfterReset": -1,
            "Roles": ["LM_Workstation", "LM_Server", "NT", "Server_NT"],
            "Status": "OK",
            "SystemType": "x64-based PC",
            "TotalPhysicalMemory": 4294496256,
        }

    def _enclosure(self) -> Mapping[str, Value]:
        manufacturer, _model = _HARDWARE[self.platform]
        # Hyper-V makes up serial number and asset tag for each VM ("How to use uniquely identify a virtual machine in
        # Hyper-V", Microsoft, 2008).
        digits = str(uuid5(NAMESPACE_DNS, f"{self.fqdn}/enclosure").int)[:26]
        made_up = "-".join([*(digits[start : start + 4] for start in range(0, 24, 4)), digits[24:]])
        tags = {"hyperv": made_up, "azure": _AZURE_ASSET_TAG, "vmware": "No Asset Tag", "physical": "4711"}
        return {
            "Caption": "System Enclosure",
            "ChassisTypes": [3],
            "CreationClassName": "Win32_SystemEnclosure",
            "Description": "System Enclosure",
            "Manufacturer": manufacturer,
            "Name": "System Enclosure",
            "SerialNumber": made_up,
            "SMBIOSAssetTag": tags[self.platform],
            "Tag": "System Enclosure 0",
        }

    def _services(self) -> Iterator[Mapping[str, Value]]:
        column = {"de": 1, "ja": 2}.get(self.language[:2], 0)
        for name, state in sorted(self.services.items()):
            caption = _DISPLAY_NAMES[name][column]
            running = self.running(name)
            yield {
                "AcceptStop": running,
                "Caption": caption,
                "CreationClassName": "Win32_Service",
                "DisplayName": caption,
                "ErrorControl": "Normal",
                "ExitCode": 0,
                "Name": name,
                "ProcessId": 1000 if running else 0,
                "Started": running,
                "StartMode": {"running": "Auto", "stopped": "Manual", "disabled": "Disabled"}[state],
                "StartName": "LocalSystem",
                "State": "Running" if running else "Stopped",
                "Status": "OK",
                "SystemCreationClassName": "Win32_ComputerSystem",
                "SystemName": self.name.upper(),
            }

    def _devices(self) -> Iterator[Mapping[str, Value]]:
        yield self._device("ACPI\\ACPI0003\\0", "Microsoft AC Adapter", "ACPI\\ACPI0003")
        if self.platform not in ("hyperv", "azure"):
            return
        for interface, name in _VMBUS_DEVICES.items():
            present = {ACTIVATION_COMPONENT: self.activation_component, _DATA_EXCHANGE: self.data_exchange}
            if present.get(interface, True):
                # Two hardware ids, of the class and of the instance (public reports). That DeviceID begins with the class since 2016, and
                # has the instance only before that, is UNVERIFIED.
                instance = f"{{{_INSTANCES.get(interface) or uuid5(NAMESPACE_DNS, interface)}}}"
                old = self.release.version.startswith("6.")
                first, last = (instance, f"1&3189FA70&0&{instance}") if old else (interface, instance)
                identifier = rf"VMBUS\{first}\{last}".upper()
                yield self._device(identifier, name, rf"VMBUS\{interface}", rf"VMBUS\{instance}")

    def _device(self, identifier: str, name: str, *hardware: str) -> Mapping[str, Value]:
        return {
            "Caption": name,
            "ConfigManagerErrorCode": 0,
            "CreationClassName": "Win32_PnPEntity",
            "Description": name,
            "DeviceID": identifier,
            "HardwareID": list(hardware),
            "Manufacturer": "Microsoft",
            "Name": name,
            "PNPClass": "System",
            "PNPDeviceID": identifier,
            "Present": True,
            "Status": "OK",
            "SystemName": self.name.upper(),
        }
