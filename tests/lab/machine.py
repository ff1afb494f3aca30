# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The simulated machines: virtual machines, and the hosts that run and activate them."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from lab import cluster, errors
from lab.azure_local import AzureLocalActivation
from lab.cim import CimClass, Instance, MethodResult, ProcessResult, Value
from lab.cluster import Cluster
from lab.console import UTF8_CODE_PAGE, Console
from lab.events import HOST_EVENT, EventLog
from lab.hyperv import HyperV
from lab.keys import KeyStore
from lab.licensing import HostAnswer, Licensing
from lab.local_wmi import LocalWmi
from lab.os_info import DATA_EXCHANGE_SERVICE, System
from lab.powershell import Definition, Environment, Hang, broken, cim_cmdlets, direct_cmdlets, language_cmdlets, refused
from lab.provider import Provider
from lab.registry import CURRENT_VERSION, GUEST, PARAMETERS, VIRTUAL_MACHINE, Registry, RegistryValue
from lab.releases import RELEASES, Sku, sku_of
from lab.servicing import Servicing
from lab.simulation import Account, Computer, ListenerOptions
from lab.spec import GuestSpec, HostSpec, LicenseSpec, MachineSpec, ServiceState
from lab.traffic import Traffic

#: What new guests write into the items of their addresses (§12).
_DEPRECATED = "The following Msvm_KvpExchangeDataItem.Name keys are deprecated: NetworkAddressIPv4, NetworkAddressIPv6"


@dataclass
class Surroundings:
    """What all machines of a topology share."""

    domain: str
    kms: bool
    data_exchange_required: bool
    key_store: KeyStore
    clock: Callable[[], datetime]


class WindowsMachine:
    """A machine with Windows: a ``lab.simulation.SimulatedMachine``."""

    def __init__(self, spec: MachineSpec, surroundings: Surroundings, system: System) -> None:
        self.name = spec.name
        self.language = spec.language
        self.account = Account(spec.account.name, spec.account.password)
        self.listener = ListenerOptions.from_mapping(spec.listener)
        self.computer = Computer(tuple(spec.services_registered), spec.secure_channel, spec.rc4_only)
        self.traffic = Traffic(rules=[replace(rule) for rule in self.listener.faults])
        self.processes = spec.powershell
        self.ssh = spec.ssh
        self._administrator = spec.account.administrator
        self.system = system
        self.switched_on = spec.running
        self.surroundings = surroundings
        self.events = EventLog(system.fqdn, spec.language, spec.old_events, surroundings.clock)
        self._machine_spec = spec
        self.licensing = self._new_licensing()
        self.registry = Registry(spec.language, self.refresh_registry)
        self.registry.write(CURRENT_VERSION, {"InstallationType": _installation_type(system.release.kind, spec.core)})
        self._write_edition()
        self.servicing = Servicing(
            spec.servicing, system, self.registry, surroundings.key_store, surroundings.clock, self._convert
        )
        system.booted = surroundings.clock() - timedelta(days=2)
        self._providers: dict[tuple[str, str], Provider] = {}
        self.provide(
            [
                self.events.provider(),
                *self.licensing.providers(),
                *system.providers(),
                *self.registry.providers(),
                *self.servicing.providers(),
            ]
        )

    def _new_licensing(self) -> Licensing:
        spec, surroundings, system = self._machine_spec, self.surroundings, self.system
        return Licensing(
            spec.name,
            system.release,
            system.edition,
            system.sku,
            spec.language,
            spec.activation,
            surroundings.key_store,
            self.events,
            surroundings.clock,
            self.ask_host,
            lambda: surroundings.kms,
            lambda: system.services["sppsvc"] != "disabled",
        )

    def _write_edition(self) -> None:
        self.registry.write(
            CURRENT_VERSION,
            {
                "ProductName": self.system.caption.removeprefix("Microsoft "),
                "EditionID": self.system.sku.edition_id,
                "CurrentBuildNumber": str(self.system.release.build),
            },
        )

    def when_restarting(self, callback: Callable[[float, float], None]) -> None:
        """See ``lab.simulation.SimulatedMachine``."""
        self.servicing.restart = callback

    def boot(self) -> None:
        """Switch the machine on, anew."""
        self.switched_on = True
        self.system.booted = self.surroundings.clock()
        self.servicing.boot()

    def _convert(self, edition: str, sku: Sku, key: str) -> None:
        """Another edition, with the licences of that, of which this key is installed."""
        self.system.edition, self.system.sku = edition, sku
        self._write_edition()
        self.licensing = self._new_licensing()
        self.provide(self.licensing.providers())
        self.licensing.start_with(LicenseSpec(key=key, status="out_of_box_grace"), None)

    @property
    def running(self) -> bool:
        """Whether the machine is on."""
        return self.switched_on

    def provide(self, providers: Iterable[Provider]) -> None:
        """Add classes."""
        for provider in providers:
            self._providers[provider.cim_class.namespace.lower(), provider.cim_class.name.lower()] = provider

    def withdraw(self, namespace: str) -> None:
        """Remove a namespace."""
        self._providers = {key: value for key, value in self._providers.items() if key[0] != namespace.lower()}

    def ask_host(self) -> HostAnswer:
        """The AVMA exchange: on anything but a guest of Hyper-V there is no one to ask."""
        return HostAnswer(errors.SL_E_IA_INVALID_VIRTUALIZATION_PLATFORM)

    def refresh_registry(self) -> None:
        """Called before every access to the registry."""

    def methods(self) -> list[tuple[str, str]]:
        """Class and method, in lower case, of every method that the machine has."""
        return [(item.cim_class.name, method) for item in self._providers.values() for method in item.methods]

    def classes(self) -> list[tuple[str, str]]:
        """Namespace and name of every class that the machine has."""
        return [(item.cim_class.namespace, item.cim_class.name) for item in self._providers.values()]

    # lab.cim.Machine

    def cim_class(self, namespace: str, name: str) -> CimClass:
        """See ``lab.cim.Machine``."""
        wanted = namespace.lower().replace("\\", "/")
        provider = self._providers.get((wanted, name.lower()))
        if provider is None:
            known = any(item == wanted for item, _ in self._providers)
            raise errors.failure(
                errors.WBEM_E_INVALID_CLASS if known else errors.WBEM_E_INVALID_NAMESPACE, self.language
            )
        return provider.cim_class

    def instances(self, cim_class: CimClass) -> Iterable[Instance]:
        """See ``lab.cim.Machine``."""
        if cim_class.name == "Win32_OperatingSystem":
            self.servicing.settle_late()
        return (Instance(cim_class, dict(row)) for row in self._provider(cim_class).rows())

    def invoke(
        self, cim_class: CimClass, selectors: Mapping[str, str], method: str, arguments: Mapping[str, Value]
    ) -> MethodResult:
        """See ``lab.cim.Machine``."""
        found = self._provider(cim_class).methods.get(method.lower())
        if found is None:
            raise errors.failure(errors.WBEM_E_INVALID_METHOD, self.language)
        return found(_lowered(selectors), _lowered(arguments))

    def execute(self, command: str, arguments: list[str], stdin: bytes) -> ProcessResult:
        """See ``lab.cim.Machine``."""
        return self.console(UTF8_CODE_PAGE).cmd(" ".join([command, *arguments]), stdin)

    def console(self, code_page: int | None = None, elevated: bool = True) -> Console:
        """A console of the machine's user, with the machine's code page unless another is named."""
        page = self.processes.code_page if code_page is None else code_page
        return Console(
            lambda: self.environment(elevated), self.traffic.journal, page, self.processes.profile, self.servicing.run
        )

    def environment(self, elevated: bool = True) -> Environment:
        """What a PowerShell process of the machine's user runs in."""
        administrator = elevated and self._administrator
        wmi = LocalWmi(self, self.traffic, administrator, self.licensing.finish_installation)
        blocked = self.processes.cim_module == "blocked"
        cmdlets = {
            **language_cmdlets(),
            **cim_cmdlets(wmi, self.processes.hresult_in, blocked),
            **self.module_cmdlets(administrator),
        }
        return Environment(
            computer=self.system.name.upper(),
            user=self.account.name,
            language=self.language,
            constrained=self.constrained,
            zone=self.processes.utc_offset,
            clock=self.surroundings.clock,
            cmdlets=cmdlets,
            build=self.system.release.full_version,
            log_script=self.traffic.journal.ran,
            log_parameter=self.traffic.journal.gave,
        )

    @property
    def constrained(self) -> bool:
        """Whether PowerShell runs in Constrained Language Mode."""
        return bool(self.processes.constrained)

    def module_cmdlets(self, administrator: bool) -> Mapping[str, Definition]:
        """What the machine's own modules offer to PowerShell, by lower-case name."""
        return direct_cmdlets(None, self.knows_direct)

    @property
    def knows_direct(self) -> bool:
        """Whether its Windows has PowerShell Direct: 2016 and newer."""
        return self.system.release.version == "10.0"

    # What a test can do.

    def set(self, key: str, value: str) -> None:
        """Change a property; see README.md. Raises ValueError for one that there is not."""
        numbers = {"polls", "throttled", "in_progress", "install_polls"}
        if key == "license":
            self.restart_license(LicenseSpec(key=value))
        elif key.startswith("service."):
            self._set_service(key.removeprefix("service."), value)
        elif key == "servicing.polls":
            self.servicing.hurry(int(value))
        elif key == "automatic":
            self.licensing.automatic = to_bool(value)
        elif key in numbers and hasattr(self.licensing, key):
            setattr(self.licensing, key, int(value))
        else:
            raise ValueError(f"{self.name} has no property {key}")

    def restart_license(self, license: LicenseSpec) -> None:
        """Another product key, as if it had always been there."""
        if self.licensing.primary:
            self.licensing.primary.clear()
        self.licensing.start_with(license, None)

    def state(self) -> dict[str, Any]:
        """What a test may want to see."""
        return {
            "running": self.running,
            "release": self.system.release.name,
            "edition": self.system.edition,
            "license": self.licensing.state(),
            "restarts": self.servicing.restarts,
            "dism": list(self.servicing.commands),
        }

    def _set_service(self, name: str, value: str) -> None:
        if name not in self.system.services:
            raise ValueError(f"{self.name} has no service {name}")
        states: dict[str, ServiceState] = {"running": "running", "stopped": "stopped", "disabled": "disabled"}
        if value not in states:
            raise ValueError(f"a service is {', '.join(states)}, not {value}")
        self.system.services[name] = states[value]

    def _provider(self, cim_class: CimClass) -> Provider:
        return self._providers[cim_class.namespace.lower(), cim_class.name.lower()]


#: The guest's end of PowerShell Direct, started when it is asked for.
DIRECT_SERVICE = "vmicvmsession"
_DIRECT_STATES = ("ready", "booting", "no_accounts", "unequal_patches")

#: What an Azure virtual machine sees of its host: CLOUDHOST (facts/avma.md §5.5).
_AZURE_HOST_SKU = 199


class GuestMachine(WindowsMachine):
    """A virtual machine, on one of the hosts or on a hypervisor that the lab does not have."""

    def __init__(self, spec: GuestSpec, surroundings: Surroundings, host: HostMachine | None) -> None:
        self.spec = spec
        self.host = host
        self.vm_id = (spec.vm_id or str(uuid5(NAMESPACE_DNS, f"{spec.name}.{surroundings.domain}"))).upper()
        self.vm_name = spec.vm_name if spec.vm_name is not None else spec.name
        self._data_exchange = spec.data_exchange
        wanted = spec.guest_service_interface
        self.guest_service_interface = spec.edition == "azure" if wanted is None else wanted
        self.paused = spec.paused
        self.direct: str = spec.direct
        self.throttled = spec.activation.throttled
        services: dict[str, ServiceState] = {}
        if spec.platform in ("hyperv", "azure"):
            services = {DATA_EXCHANGE_SERVICE: "running", "vmicheartbeat": "running"}
            if RELEASES[spec.release].version == "10.0":
                services[DIRECT_SERVICE] = "stopped"
        super().__init__(spec, surroundings, _system(spec, surroundings, services, hypervisor_present=True))
        self.system.data_exchange = spec.data_exchange
        if spec.platform == "azure":
            self.registry.write(r"SOFTWARE\Microsoft\Windows Azure", {"VMType": "IAAS"})
            self.registry.write(PARAMETERS, {"HostingSystemEditionId": _AZURE_HOST_SKU})
        elif spec.platform == "hyperv":
            self.registry.write(rf"{VIRTUAL_MACHINE}\Auto", {"FullyQualifiedDomainName": self.system.fqdn})
            self.registry.write(rf"{VIRTUAL_MACHINE}\External", {})
            self.registry.write(GUEST, spec.kvp)
        named = spec.license.activated_by
        self.licensing.start_with(spec.license, named or (host.reported_name if host else None))

    @property
    def running(self) -> bool:
        """Whether it is on and not paused, which takes a host that is."""
        return self.switched_on and not self.paused and (self.host is None or self.host.running)

    @property
    def runs(self) -> bool:
        """See ``lab.powershell.direct.VirtualMachine``."""
        return self.running

    def enter(self, user: str, password: str) -> Environment:
        """See ``lab.powershell.direct.VirtualMachine``.

        UNVERIFIED: that unequal patches (CVE-2025-49734) show as refused credentials; the guest's log has failed logons.
        """
        self.traffic.journal.requests["PowerShellDirect"] += 1
        if self.direct == "booting":
            raise Hang
        if self.spec.linux or not self.knows_direct or self.system.services.get(DIRECT_SERVICE) == "disabled":
            raise broken(self.vm_name)
        # user@domain is not split, and is looked up as a local account (facts/powershell.md 65).
        right = self.account.is_named(user, self.name) and hmac.compare_digest(
            password.encode(), self.account.password.encode()
        )
        if not right or self.direct != "ready":
            raise refused(self.vm_name)
        self.traffic.journal.powershell_starts += 1
        environment = self.environment()
        environment.native = self.console().native
        return environment

    def die(self) -> None:
        """See ``lab.powershell.direct.VirtualMachine``."""
        self.switched_on = False

    @property
    def data_exchange(self) -> bool:
        """Whether the host offers the Data Exchange service."""
        return self._data_exchange

    @data_exchange.setter
    def data_exchange(self, value: bool) -> None:
        # What the host last said is what the guest keeps.
        self.refresh_registry()
        self._data_exchange = self.system.data_exchange = value

    @property
    def exchanges_data(self) -> bool:
        """Whether KVP items travel between host and guest."""
        return self.data_exchange and self.running and self.system.running(DATA_EXCHANGE_SERVICE)

    def ask_host(self) -> HostAnswer:
        """The AVMA exchange over VMBus (facts/avma.md §5.1).

        UNVERIFIED: what Windows answers when Data Exchange is off, and when there is no Activation Component.
        """
        if self.host is None or not self.spec.activation_component:
            return super().ask_host()
        if self.surroundings.data_exchange_required and not self.data_exchange:
            return HostAnswer(errors.SL_E_IA_MACHINE_NOT_BOUND)
        return self.host.answer(self)

    def refresh_registry(self) -> None:
        """The host describes itself as long as Data Exchange works; after that what it last said stays (§5.5)."""
        if self.host is None or not self.exchanges_data:
            return
        host = self.host.system
        major, minor = host.release.version.split(".")
        # That HostName is the cluster's name on clusters is UNVERIFIED (§7.4); here it is that of the node. UNVERIFIED, too,
        # that the numbers are REG_DWORD.
        self.registry.write(
            PARAMETERS,
            {
                "HostName": host.fqdn,
                "HostingSystemEditionId": host.sku.number,
                # UNVERIFIED: what it counts.
                "HostingSystemNestedLevel": 0 if host.platform == "physical" else 1,
                "HostingSystemOsMajor": int(major),
                "HostingSystemOsMinor": int(minor),
                "HostingSystemProcessorArchitecture": 9,
                "HostingSystemSpMajor": 0,
                "HostingSystemSpMinor": 0,
                "PhysicalHostName": host.name.upper(),
                "PhysicalHostNameFullyQualified": host.fqdn,
                "VirtualMachineDynamicMemoryBalancingEnabled": 0,
                "VirtualMachineId": self.vm_id,
                "VirtualMachineName": self.vm_name,
            },
        )

    def restart_license(self, license: LicenseSpec) -> None:
        """See ``WindowsMachine``."""
        if self.licensing.primary:
            self.licensing.primary.clear()
        self.licensing.start_with(license, self.host.reported_name if self.host else None)

    def set(self, key: str, value: str) -> None:
        """See ``WindowsMachine``."""
        if key == "data_exchange":
            self.data_exchange = to_bool(value)
        elif key == "paused":
            self.paused = to_bool(value)
        elif key == "direct":
            if value not in _DIRECT_STATES:
                raise ValueError(f"direct is {', '.join(_DIRECT_STATES)}, not {value}")
            self.direct = value
        elif key == "throttled":
            self.throttled = int(value)
        else:
            self.refresh_registry()
            super().set(key, value)

    def guest_items(self) -> Mapping[str, RegistryValue]:
        """The KVP items that the guest sends of its own accord."""
        return self.registry.read(GUEST)

    def intrinsic_items(self) -> Mapping[str, str]:
        """The KVP items that Data Exchange itself sends (facts/avma.md §5.3). Linux has fewer, and no edition."""
        ipv4, ipv6 = (";".join(item for item in self.addresses if mark in item) for mark in ".:")
        if self.spec.deprecated_addresses:
            ipv4 = ipv6 = _DEPRECATED
        items = {
            "FullyQualifiedDomainName": self.system.fqdn,
            "NetworkAddressIPv4": ipv4,
            "NetworkAddressIPv6": ipv6,
            "ProcessorArchitecture": "9",
        }
        if self.spec.linux:
            return items | {
                "IntegrationServicesVersion": "3.1",
                "OSBuildNumber": "6.8.0-60-generic",
                "OSMajorVersion": "24",
                "OSMinorVersion": "04",
                "OSName": "Ubuntu",
                "OSVersion": "6.8.0",
            }
        release = self.system.release
        major, minor = release.version.split(".")
        return items | {
            "CSDVersion": "",
            "IntegrationServicesVersion": release.full_version,
            "OSBuildNumber": str(release.build),
            "OSEditionId": str(self.system.sku.number),
            "OSMajorVersion": major,
            "OSMinorVersion": minor,
            "OSName": self.system.caption.removeprefix("Microsoft "),
            "OSPlatformId": "2",
            "OSVersion": release.full_version,
            "ProductType": "1" if release.kind == "client" else "3",
            "RDPAddressIPv4": items["NetworkAddressIPv4"],
            "RDPAddressIPv6": items["NetworkAddressIPv6"],
            "ServicePackMajor": "0",
            "ServicePackMinor": "0",
            "SuiteMask": "272",
        }

    @property
    def addresses(self) -> list[str]:
        """The IP addresses of its network adapter."""
        return self.spec.addresses or self._made_up_addresses()

    def _made_up_addresses(self) -> list[str]:
        number = int(self.vm_id[:6], 16)
        return [f"10.{number >> 16}.{number >> 8 & 0xFF}.{number & 0xFF}", f"fe80::{number:x}"]

    def state(self) -> dict[str, Any]:
        """See ``WindowsMachine``."""
        return super().state() | {
            "host": self.host.name if self.host else None,
            "vm_name": self.vm_name,
            "vm_id": self.vm_id,
            "paused": self.paused,
            "data_exchange": self.data_exchange,
            "guest_service_interface": self.guest_service_interface,
        }


class HostMachine(WindowsMachine):
    """A Hyper-V host."""

    def __init__(self, spec: HostSpec, surroundings: Surroundings) -> None:
        self.spec = spec
        self.guests: list[GuestMachine] = []
        services: dict[str, ServiceState] = {"vmms": "running"} if spec.hyperv else {}
        super().__init__(spec, surroundings, _system(spec, surroundings, services, hypervisor_present=spec.hyperv))
        self.azure_local: AzureLocalActivation | None = None
        if self.system.release.kind == "azure_local":
            self.azure_local = AzureLocalActivation(
                spec.name,
                spec.language,
                spec.azure_local,
                surroundings.key_store,
                surroundings.clock,
                self.licensing.show,
            )
        self.licensing.start_with(spec.license, None)
        self.node_state: str = spec.node_state
        self.hyperv: HyperV | None = None
        if spec.hyperv:
            self.hyperv = HyperV(self, spec.jobs)
            self.provide(self.hyperv.providers())
        self.cluster: Cluster | None = None

    @property
    def constrained(self) -> bool:
        """See ``WindowsMachine``: on Azure Local application control is on unless the topology says otherwise."""
        if self.processes.constrained is None and self.azure_local is not None:
            return self.azure_local.constrained
        return super().constrained

    def module_cmdlets(self, administrator: bool) -> Mapping[str, Definition]:
        """See ``WindowsMachine``. Who may not see virtual machines finds none (facts/powershell.md 63)."""
        seen = (lambda: tuple(self.guests)) if administrator else tuple
        has_module = self.hyperv is not None and self.spec.hyperv_module
        own = self.azure_local.cmdlets() if self.azure_local else {}
        return {**direct_cmdlets(seen if has_module else None, self.knows_direct), **own}

    def join(self, into: Cluster) -> None:
        """Become a node."""
        if self.cluster is not None:
            raise ValueError(f"{self.name} is a node of {self.cluster.name} already")
        self.cluster = into
        into.nodes.append(self)
        self.system.services["ClusSvc"] = "running"
        self.provide(into.providers())

    def leave(self) -> None:
        """Stop being a node."""
        if self.cluster is None:
            raise ValueError(f"{self.name} is no node of a cluster")
        self.cluster.nodes.remove(self)
        self.cluster = None
        del self.system.services["ClusSvc"]
        self.withdraw(cluster.NAMESPACE)

    def set(self, key: str, value: str) -> None:
        """See ``WindowsMachine``."""
        if key == "node_state":
            if value not in cluster.STATES:
                raise ValueError(f"a node is {', '.join(cluster.STATES)}, not {value}")
            self.node_state = value
        elif key == "jobs.polls" and self.hyperv:
            self.hyperv.job_polls = int(value)
        elif key == "jobs.fails" and self.hyperv:
            self.hyperv.job_fails = to_bool(value)
        elif key.startswith("azure_local.") and self.azure_local:
            self.azure_local.set(key.removeprefix("azure_local."), value)
        else:
            super().set(key, value)

    def state(self) -> dict[str, Any]:
        """See ``WindowsMachine``."""
        return super().state() | {
            "hyperv": self.hyperv is not None,
            "cluster": self.cluster.name if self.cluster else None,
            "guests": [guest.name for guest in self.guests],
            "azure_local": self.azure_local.state() if self.azure_local else None,
        }

    @property
    def reported_name(self) -> str:
        """The name that its guests show as AutomaticVMActivationHostMachineName; that it is the FQDN is UNVERIFIED."""
        return self.system.fqdn

    def answer(self, guest: GuestMachine) -> HostAnswer:
        """Answer a guest's request for activation, and log it."""
        hresult = self._verdict(guest)
        self.events.activation(HOST_EVENT, hresult, f"{guest.vm_id}, {guest.name}")
        return HostAnswer(hresult, self.reported_name, self.licensing.digital_pid)

    def _verdict(self, guest: GuestMachine) -> int:
        """S_OK or the HRESULT of the refusal (facts/avma.md §2.2, §6).

        UNVERIFIED: that a host of another edition, or for evaluation, answers C004FD03, and one with pay-as-you-go C004FD02, as one
        in Azure does (§12).
        """
        if guest.throttled:
            guest.throttled -= 1
            return errors.SL_E_IA_THROTTLE_LIMIT_EXCEEDED
        if self.spec.platform == "azure" or self.spec.pay_as_you_go:
            return errors.SL_E_IA_PARENT_PARTITION_NOT_ACTIVATED
        if self.azure_local is not None:
            if not self.azure_local.set_up:
                return errors.SL_E_IA_PARENT_PARTITION_NOT_ACTIVATED
            return errors.S_OK if self.azure_local.activates(guest.system.release.order) else errors.SL_E_IA_ID_MISMATCH
        if self.system.edition != "datacenter" or "Eval" in self.system.sku.edition_id:
            return errors.SL_E_IA_ID_MISMATCH
        if not self.licensing.licensed:
            return errors.SL_E_IA_PARENT_PARTITION_NOT_ACTIVATED
        # Azure Edition runs on Azure Local only (§2.2).
        if guest.system.edition == "azure" or not _not_newer(guest.system.release.order, self.system.release.order):
            return errors.SL_E_IA_ID_MISMATCH
        return errors.S_OK


def _not_newer(guest: int | None, host: int | None) -> bool:
    return guest is not None and host is not None and guest <= host


def _system(
    spec: MachineSpec, surroundings: Surroundings, services: Mapping[str, ServiceState], hypervisor_present: bool
) -> System:
    release = RELEASES[spec.release]
    implied = sku_of(release, spec.edition, spec.core, spec.evaluation)
    always: dict[str, ServiceState] = {"sppsvc": "stopped", "WinRM": "running", "EventLog": "running"}
    return System(
        name=spec.name,
        domain=surroundings.domain,
        release=release,
        edition=spec.edition,
        sku=Sku(
            implied.number if spec.sku is None else spec.sku,
            implied.edition_id if spec.license_family is None else spec.license_family,
            implied.caption,
        ),
        language=spec.language,
        platform=spec.platform if isinstance(spec, (GuestSpec, HostSpec)) else "physical",
        services=always | dict(services) | spec.services,
        hypervisor_present=hypervisor_present,
        domain_controller=spec.domain_controller,
        activation_component=isinstance(spec, GuestSpec) and spec.activation_component,
        clock=surroundings.clock,
    )


def _installation_type(kind: str, core: bool) -> str:
    if kind == "client":
        return "Client"
    return "Server Core" if core or kind != "ltsc" else "Server"


def to_bool(value: str) -> bool:
    """A switch as the control endpoint gets it. Raises ValueError."""
    if value.lower() not in ("true", "false"):
        raise ValueError(f"true or false, not {value}")
    return value.lower() == "true"


def _lowered(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in values.items()}
