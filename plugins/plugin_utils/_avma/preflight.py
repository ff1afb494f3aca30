# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a guest's host can activate it, as far as that is known before anything is written. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .guests import describe
from .hresults import parse_hresult
from .problems import PROBLEMS, Kind, Problem, problem
from .releases import AZURE_LOCAL_SKU, Edition, Release, System, identify_system

#: ``Win32_ComputerSystem.Model`` of a virtual machine on Hyper-V (facts, section 7.4).
HYPER_V_MODEL = "Virtual Machine"
#: ``Win32_SystemEnclosure.SMBIOSAssetTag`` of an Azure virtual machine; on Hyper-V it is a random number. Source: Microsoft, "Troubleshoot
#: Update Management agent issues" (Linux), "Dmidecode check"; cloud-init, DataSourceAzure.
AZURE_ASSET_TAG = "7783-7084-3265-9085-8269-3286-77"
#: ``OperatingSystemSKU`` of the hosts of Azure itself (facts, section 5.5).
AZURE_HOSTS = frozenset({168, 199})
#: Systems with Hyper-V that are no Windows Server with AVMA keys (win32-docs, OperatingSystemSKU).
_OTHER_HOSTS: Mapping[int, str] = {
    4: "Windows Enterprise",
    42: "Microsoft Hyper-V Server",
    48: "Windows Pro",
    121: "Windows Education",
    161: "Windows Pro for Workstations",
}
#: What a host says of a guest's Windows, which the guest itself knows better, and of other hosts than the one that runs it.
_NOT_THE_HOSTS_WORD = frozenset(
    {
        "evaluation_edition",
        "failover_gap",
        "guest_unknown",
        "no_avma_key_for_edition",
        "no_avma_key_for_release",
        "not_windows",
    }
)


@dataclass(frozen=True)
class Hypervisor:
    """What a guest sees of its host: devices, and registry values that the host writes (facts, section 5.5).

    The values are stale or missing when Data Exchange is off.

    :ivar host_sku: ``HostingSystemEditionId``, the host's operating system SKU.
    :ivar host_version: Major and minor version of its Windows; ``10.0`` since 2016.
    :ivar nested_level: ``HostingSystemNestedLevel``: above 0 if the host is a virtual machine itself.
    :ivar activation_component: Whether the Microsoft Hyper-V Activation Component device is there; None if that cannot be told.
    :ivar data_exchange: Whether Data Exchange works; None if that cannot be told.
    """

    host: str | None = None
    host_fqdn: str | None = None
    host_sku: int | None = None
    host_version: str | None = None
    nested_level: int | None = None
    vm_id: str | None = None
    vm_name: str | None = None
    activation_component: bool | None = None
    data_exchange: bool | None = None

    def to_dict(self) -> dict[str, object]:
        """As the modules return it (RV(hypervisor))."""
        return dict(vars(self))


@dataclass(frozen=True)
class Vm:
    """What a host says of the guest's virtual machine: an entry of RV(vms) of M(vm_info).

    :ivar eligible: Whether the host can activate the guest; None if it cannot be told.
    :ivar problems: Why not, or why that cannot be told.
    """

    id: str
    data_exchange: bool | None
    eligible: bool | None
    problems: tuple[Problem, ...]

    @classmethod
    def from_result(cls, entry: Mapping[str, Any]) -> Vm:
        """From what M(vm_info) returned.

        :raises ValueError: It is something else.
        """
        try:
            if not {entry["data_exchange"], entry["eligible"]} <= {True, False, None}:
                raise ValueError
            problems = tuple(_problem(item) for item in entry["problems"])
            return cls(str(entry["id"]), entry["data_exchange"], entry["eligible"], problems)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError("it is not an entry of the vms that the module hyperv.avma.vm_info returns") from error

    @property
    def refusals(self) -> tuple[Problem, ...]:
        """Why the host does not activate the guest."""
        if self.eligible is not False:
            return ()
        return tuple(item for item in self._of_host() if item.kind is Kind.WRONG)

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the host cannot tell whether it does."""
        return () if self.eligible else tuple(item.message for item in self._of_host() if item.kind is Kind.UNKNOWN)

    def _of_host(self) -> Iterator[Problem]:
        return (item for item in self.problems if item.code not in _NOT_THE_HOSTS_WORD)


def _problem(shown: Mapping[str, Any]) -> Problem:
    if shown["code"] not in PROBLEMS:
        raise ValueError
    hresult = shown.get("hresult")
    return Problem(
        shown["code"], str(shown["message"]), str(shown["remedy"]), parse_hresult(hresult) if hresult else None
    )


@dataclass(frozen=True)
class Preflight:
    """Whether the host can activate the guest.

    :ivar problems: Why it is known not to.
    :ivar doubts: Why it cannot be told, in words; none if nothing speaks against it.
    """

    problems: tuple[Problem, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def doubt(self) -> Problem | None:
        """What could not be told, as a problem."""
        return problem("host_unknown", reasons="; ".join(self.doubts)) if self.doubts else None


def preflight(
    system: System, model: str | None, asset_tag: str | None, hypervisor: Hypervisor, vm: Vm | None = None
) -> Preflight:
    """Whether a guest's host can activate it: known to, known not to, or not known.

    :param model: ``Win32_ComputerSystem.Model``.
    :param asset_tag: ``Win32_SystemEnclosure.SMBIOSAssetTag``.
    :param vm: What the host says, if it was asked.
    """
    misplaced = platform_problem(model, asset_tag, hypervisor.host_sku)
    if misplaced:
        return Preflight((misplaced,))
    if vm and hypervisor.data_exchange and hypervisor.vm_id and _differ(vm.id, hypervisor.vm_id):
        return Preflight((problem("vm_mismatch", vm=vm.id, guest=hypervisor.vm_id),))
    problems = (vm.refusals if vm else ()) or tuple(_problems(system, hypervisor, vm))
    return Preflight(problems, () if problems else tuple(_doubts(asset_tag, hypervisor, vm)))


def _differ(one: str, other: str) -> bool:
    return one.strip("{} ").lower() != other.strip("{} ").lower()


_WRONG_GROUP = "Is it a Hyper-V host, and in the wrong group? Then it belongs to avma_hosts, not to avma_guests. "


def platform_problem(model: str | None, asset_tag: str | None, host_sku: int | None) -> Problem | None:
    """Why a machine is no guest that AVMA is for.

    Azure has no AVMA. Azure Stack Hub, whose guests carry the same asset tag, has nothing else (facts, section 12): the host's SKU must
    say so too.
    """
    if model != HYPER_V_MODEL:
        return problem("not_a_hyper_v_guest", detail=f": its model is {model or 'not known'}", wrong_group=_WRONG_GROUP)
    if asset_tag == AZURE_ASSET_TAG and host_sku in AZURE_HOSTS:
        return problem("not_a_hyper_v_guest", detail=": it runs in Azure", wrong_group="")
    return None


def _problems(system: System, hypervisor: Hypervisor, vm: Vm | None) -> Iterator[Problem]:
    if hypervisor.activation_component is False:
        yield problem("no_activation_component")
    # The host knows best.
    if hypervisor.data_exchange is False and not (vm and vm.data_exchange):
        yield problem("data_exchange_disabled", vm=hypervisor.vm_name or "of this guest")
    if hypervisor.data_exchange:
        unsuitable = _unsuitable_host(system, hypervisor)
        if unsuitable:
            yield unsuitable


def _unsuitable_host(guest: System, hypervisor: Hypervisor) -> Problem | None:
    windows = _windows_of(hypervisor)
    name = hypervisor.host or "that runs it"
    if guest.edition is Edition.AZURE and windows and windows.edition is not Edition.AZURE:
        return problem("azure_edition_needs_azure_local", guest=describe(guest), host=name)
    if windows and (windows.evaluation or windows.edition not in (Edition.DATACENTER, Edition.AZURE)):
        return problem("host_not_datacenter", host=name, system=windows.name)
    version = tuple(int(part) for part in (hypervisor.host_version or "10.0").split("."))
    if version < (6, 3) or (version < (10, 0) and guest.release is not Release.WS2012R2):
        runs = "Windows Server 2012 R2" if version == (6, 3) else "a Windows that is older than 2012 R2"
        return problem(
            "host_release_too_old",
            host=f" {hypervisor.host}" if hypervisor.host else "",
            explanation=f"it runs {runs}, and the guest is {describe(guest)}",
            remedy="Run the VM on a host of its release or a newer one.",
        )
    return None


@dataclass(frozen=True)
class _Windows:
    """What a SKU tells of a host that is not Azure Local."""

    name: str
    edition: Edition | None = None
    evaluation: bool = False


def _windows_of(hypervisor: Hypervisor) -> _Windows | None:
    sku = hypervisor.host_sku
    if sku is not None and sku in _OTHER_HOSTS:
        return _Windows(_OTHER_HOSTS[sku])
    known = identify_system(0, sku)
    if known.edition is None:
        return None
    return _Windows(
        f"Windows Server {known.edition}{' Evaluation' if known.evaluation else ''}", known.edition, known.evaluation
    )


def _edition_of(hypervisor: Hypervisor) -> Edition | None:
    windows = _windows_of(hypervisor)
    return windows.edition if windows else None


def _doubts(asset_tag: str | None, hypervisor: Hypervisor, vm: Vm | None) -> Iterator[str]:
    if vm and vm.eligible:
        return
    if vm:
        yield from vm.doubts
    if hypervisor.activation_component is None:
        yield "the guest does not tell its devices"
    if asset_tag == AZURE_ASSET_TAG:
        yield "the guest runs in Azure, which does not activate it, or on Azure Stack Hub, which does"
    if not hypervisor.data_exchange:
        yield "Data Exchange does not work in the guest, so that what it knows of its host may be of a former one"
    elif hypervisor.host_sku is None:
        yield "the host does not tell the guest which edition it runs"
    elif hypervisor.host_sku != AZURE_LOCAL_SKU and _edition_of(hypervisor) is not Edition.DATACENTER:
        yield f"of hosts of its edition (SKU {hypervisor.host_sku}) nothing is documented"
    if hypervisor.nested_level:
        yield "the host is a virtual machine itself, and one in Azure activates no guest"
