# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual machines of a host: which key each needs, and whether its host activates it. Private to this collection."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from .guests import Wish, describe, plan
from .hosts import HostFacts, assess_host
from .keys import Overrides
from .problems import Kind, Problem, problem
from .releases import Edition, Release, System, identify_system

#: ``Msvm_ComputerSystem.EnabledState``: win32-docs, and the values that Hyper-V's own cmdlets know. 32768 and 32769 are of the
#: first version of the provider; win32-docs still name 32768 for a VM that was paused because its disk is full.
STATES: Mapping[int | None, str] = {
    2: "running",
    3: "off",
    4: "stopping",
    6: "saved",
    9: "paused",
    10: "starting",
    32768: "paused",
    32769: "saved",
    32773: "saving",
    32776: "pausing",
    32777: "resuming",
}
#: KVP ``ProcessorArchitecture`` of Windows (SYSTEM_INFO.wProcessorArchitecture); Linux gives a word of its own.
_ARCHITECTURES: Mapping[str, str] = {"0": "x86", "5": "arm", "9": "x64", "12": "arm64"}
#: KVP ``OSPlatformId`` of Windows (VER_PLATFORM_WIN32_NT); Linux has none.
_WINDOWS_PLATFORM = "2"


@dataclass(frozen=True)
class Vm:
    """A virtual machine as its host knows it.

    :ivar id: Its GUID, as Windows writes it.
    :ivar state: ``running``, ``off``, ``saved`` and so on.
    :ivar data_exchange: Whether the Data Exchange integration service is on.
    :ivar kvp: What its guest tells over Data Exchange, by name (KVP; facts, section 5.3). Whoever administers the guest can write
        anything into it.
    :ivar possible_owners: The cluster nodes that may run it; empty if the VM is not clustered or that is not known.
    :ivar clustered: Whether it is a role of the cluster of its host; None if that is not known.
    :ivar replication_mode: Its part in Hyper-V Replica: ``none``, ``primary``, ``replica``, ``test_replica`` or ``extended_replica``;
        None if that is not known.
    :ivar guest_service_interface: Whether the Guest Service Interface is on; None if that was not asked.
    :ivar adapters: The IP addresses of its network adapters, as its host knows them without Data Exchange items.
    """

    id: str
    name: str
    state: str
    data_exchange: bool
    kvp: Mapping[str, str] = field(default_factory=dict)
    possible_owners: tuple[str, ...] = ()
    clustered: bool | None = None
    replication_mode: str | None = None
    adapters: tuple[str, ...] = ()
    guest_service_interface: bool | None = None

    @property
    def addresses(self) -> list[str]:
        """The IP addresses of its guest, IPv4 first: those that the guest tells, else those of its adapters.

        New guests put prose into the items of their addresses (facts, section 12).
        """
        told = self._addresses("NetworkAddressIPv4", "NetworkAddressIPv6")
        return told or sorted(filter(None, map(_address, self.adapters)), key=lambda address: ":" in address)

    @property
    def system(self) -> System | None:
        """The Windows of its guest, from KVP; None if that is not known, or is not Windows."""
        build, sku = _number(self.kvp.get("OSBuildNumber")), _number(self.kvp.get("OSEditionId"))
        # Linux and FreeBSD tell of no platform and of no edition, and their build may be a number.
        windows = self.kvp.get("OSPlatformId", _WINDOWS_PLATFORM if sku is not None else "") == _WINDOWS_PLATFORM
        if build is None or not windows:
            return None
        return identify_system(build, sku, caption=self.kvp.get("OSName", ""))

    def to_dict(self) -> dict[str, object]:
        """The part of RV(vms) that is read, not decided."""
        system = self.system
        return {
            "name": self.name,
            "id": self.id,
            "state": self.state,
            "system": system.to_dict() if system else None,
            "fqdn": self.kvp.get("FullyQualifiedDomainName") or None,
            "addresses": self.addresses,
            "rdp_addresses": self._addresses("RDPAddressIPv4", "RDPAddressIPv6"),
            "service_pack": self.kvp.get("CSDVersion") or None,
            "architecture": self._architecture(),
            "kvp": dict(self.kvp),
            "data_exchange": self.data_exchange,
            "guest_service_interface": self.guest_service_interface,
            "possible_owners": list(self.possible_owners),
            "clustered": self.clustered,
            "replication_mode": self.replication_mode,
        }

    def _addresses(self, *names: str) -> list[str]:
        items = (item for name in names for item in self.kvp.get(name, "").split(";"))
        return [address for item in items if (address := _address(item))]

    def _architecture(self) -> str | None:
        value = self.kvp.get("ProcessorArchitecture")
        return _ARCHITECTURES.get(value, value) if value else None


def _address(text: str) -> str | None:
    """An IP address without its zone, which is the guest's own number of an interface; None if the text is none."""
    try:
        return str(ipaddress.ip_address(text.strip().partition("%")[0]))
    except ValueError:
        return None


def _number(text: str | None) -> int | None:
    # Not int() alone: it takes "1_0" and other scripts' digits, and a guest may write anything.
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 10 else None


@dataclass(frozen=True)
class Activator:
    """What of a host decides which guests it activates.

    :ivar name: As the user knows it.
    :ivar azure_local: Whether it is an Azure Local host.
    :ivar activates: The releases that it activates; None if it cannot be told.
    :ivar problems: Why it activates none.
    """

    name: str
    azure_local: bool
    activates: tuple[Release, ...] | None
    problems: tuple[Problem, ...]

    @classmethod
    def of(cls, name: str, host: HostFacts) -> Activator:
        """From what was read of a host."""
        return cls(name, host.system.azure_local, host.activates, tuple(assess_host(host)))

    def refuse(self, guest: System) -> Problem | None:
        """Why the host does not activate a guest that has its AVMA key; None if it does.

        :param guest: A system for which there is an AVMA key.
        """
        if guest.edition is Edition.AZURE and not self.azure_local:
            return problem("azure_edition_needs_azure_local", guest=describe(guest), host=self.name)
        if self.activates is None:
            in_azure = next((item for item in self.problems if item.code == "host_in_azure"), None)
            return in_azure or problem("host_avma_unknown", host=self.name)
        if not self.activates:
            return self._inability()
        # Of a release that only the user knows, nothing is known here.
        if guest.release is None or guest.release in self.activates:
            return None
        return problem(
            "host_release_too_old",
            host=f" {self.name}",
            explanation=f"it activates {', '.join(self.activates)}, and the guest is {describe(guest)}",
            remedy="Run the VM on a host of its release or a newer one.",
        )

    def _inability(self) -> Problem:
        reason = self.problems[0]
        if reason.code == "host_not_licensed":
            return reason
        return problem("host_unsuitable", host=self.name, reason=reason.message, remedy=reason.remedy)


@dataclass(frozen=True)
class Assessment:
    """What a VM needs and whether it gets it.

    :ivar avma_key: The AVMA key that its guest needs; None if there is none, or the guest is not known.
    """

    avma_key: str | None
    problems: tuple[Problem, ...]

    @property
    def eligible(self) -> bool | None:
        """Whether the host can activate the guest; None if it cannot be told."""
        if not self.problems:
            return True
        return None if all(item.kind is Kind.UNKNOWN for item in self.problems) else False

    def to_dict(self) -> dict[str, object]:
        """The part of RV(vms) that is decided."""
        return {
            "avma_key": self.avma_key,
            "eligible": self.eligible,
            "problems": [item.to_dict() for item in self.problems],
        }


def missing_services(
    name: str, data_exchange: bool, guest_service_interface: bool | None, guest: System | None, azure_local: bool
) -> list[Problem]:
    """Which integration services a VM needs and has not.

    :param guest_service_interface: None if that was not asked: nothing is said of it.
    :param guest: The Windows of its guest; None if that is not known.
    :param azure_local: Whether its host is an Azure Local host.
    """
    missing = [] if data_exchange else [problem("data_exchange_disabled", vm=name)]
    if guest and guest.edition is Edition.AZURE and azure_local and guest_service_interface is False:
        missing.append(problem("guest_service_interface_disabled", vm=name))
    return missing


def assess_vm(vm: Vm, host: Activator, overrides: Overrides | None = None) -> Assessment:
    """Which key a VM's guest needs, and what keeps its host from activating it.

    :param overrides: A user's additions to the table of AVMA keys.
    """
    system = vm.system
    problems = missing_services(vm.name, vm.data_exchange, vm.guest_service_interface, system, host.azure_local)
    if system is None:
        if vm.kvp.get("OSName"):
            problems.append(problem("not_windows", vm=vm.name, system=vm.kvp["OSName"]))
        elif vm.data_exchange:
            problems.append(problem("guest_unknown", vm=vm.name, state=vm.state))
        return Assessment(None, tuple(problems))
    decision = plan(system, None, Wish(key_overrides=overrides or {}))
    # The host matters to an evaluation edition too: it is converted only where it can be activated afterwards.
    refusal = host.refuse(system) if system.evaluation or not decision.problems else None
    return Assessment(decision.product_key, (*problems, *decision.problems, *((refusal,) if refusal else ())))
