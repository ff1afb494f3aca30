# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Hyper-V host is and can activate. Private to this collection."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from . import hresults, keys
from .guests import Step, describe, evaluation_problem
from .licenses import License
from .matrix import AZURE_LOCAL, WINDOWS_SERVER, Subscription
from .problems import Problem, problem
from .releases import Edition, Release, System
from .words import say

#: What JSON holds.
Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"


class Backend(str, Enum):
    """Where a host has the right to activate guests from."""

    #: The product key of its Windows Server Datacenter.
    WINDOWS_SERVER = "windows_server"
    #: A key or subscription in ServerAVMAManager; its own licence does not matter.
    AZURE_LOCAL = "azure_local"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Node:
    """A node of a failover cluster; ``state`` is ``up``, ``down``, ``paused``, ``joining`` or ``unknown``."""

    name: str
    state: str


@dataclass(frozen=True)
class Cluster:
    """The failover cluster that a host belongs to."""

    name: str
    nodes: tuple[Node, ...]

    def to_dict(self) -> dict[str, object]:
        """As the modules return it (RV(host.cluster))."""
        return {"name": self.name, "nodes": [{"name": node.name, "state": node.state} for node in self.nodes]}


# The last five characters of a key as a whole value, or at the end of a masked key. (No word has no vowel.)
_LAST_FIVE = re.compile(f"(?:[*X]+-)*({keys.GROUP})")

# A release as the whole of a value, so that no date and no version number is taken for one.
_RELEASE = re.compile(r"(?:(?:Microsoft )?Windows Server |WS ?)?(20\d\d)(?: \D*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Avma:
    """What an Azure Local host says of its AVMA.

    The shape of what ``Get-VMAutomaticActivation`` returns is documented nowhere (facts, section 1.2): nothing here depends on
    the name of a property.

    :ivar module: The version of ServerAVMAManager; None if the host lacks the update that brings it.
    :ivar subscription: The status of the Windows Server subscription (``Active``, ``Disabled``, …); None if there is none.
    :ivar result: What ``Get-VMAutomaticActivation`` returned, with no whole key in it.
    :ivar error: Why that could not be read, in the host's language; None if it could.
    :ivar license_last_fives: What of their keys the host's licence rows show, but for that of its own Windows. One of them may be that
        of ServerAVMAManager (UNVERIFIED).
    :ivar asked_for: The last five characters of the key that a run asked it to set, if nothing told what came of that.
    :ivar answered: Whether it answered then: without an answer, that nothing is set up is to be believed.
    """

    module: str | None
    subscription: str | None
    result: Json
    error: str | None
    license_last_fives: frozenset[str] = frozenset()
    asked_for: str | None = None
    answered: bool = False

    @property
    def subscribed(self) -> bool:
        """Whether a Windows Server subscription activates guests, so that no key is needed."""
        return (self.subscription or "").lower() == "active"

    @property
    def last_fives(self) -> frozenset[str]:
        """The last five characters of keys that the result names."""
        texts = (leaf.strip() for leaf in _leaves(self.result) if isinstance(leaf, str))
        return frozenset(match[1] for text in texts if (match := _LAST_FIVE.fullmatch(text)))

    @property
    def set_up(self) -> bool | None:
        """Whether guests can be activated; None if it cannot be told."""
        if self.subscribed or self.last_fives:
            return True
        if self.module is None:
            return False
        if self.error is not None:
            return None
        # An answer that says nothing at all is that of a host where nothing is set up; any other might be (UNVERIFIED).
        return None if any(_leaves(self.result)) else False

    def has_key(self, product_key: str) -> bool | None:
        """Whether this key is the one set, as far as its last five characters tell; None if it cannot be told."""
        last_five = keys.last_five(product_key)
        if last_five in self.last_fives | self.license_last_fives:
            return True
        if self.last_fives:
            return False
        silent = self.answered and self.asked_for == last_five
        return False if self.set_up is False and not silent else None

    @property
    def key_release(self) -> Release | None:
        """The release of the host's key, if the result names exactly one."""
        named = {match[1] for leaf in _leaves(self.result) if (match := _RELEASE.fullmatch(str(leaf).strip()))}
        found = [release for release in Release if str(release) in named]
        return found[0] if len(found) == 1 else None

    @property
    def activates(self) -> tuple[Release, ...] | None:
        """The releases that the host activates; None if it cannot be told."""
        if self.subscribed:
            return AZURE_LOCAL[Subscription.WINDOWS_SERVER]
        if self.set_up is False:
            return ()
        return AZURE_LOCAL.get(self.key_release, ()) if self.key_release else None

    def to_dict(self) -> dict[str, object]:
        """As the modules return it (RV(host.avma))."""
        return {
            "module": self.module,
            "subscription": self.subscription,
            "subscribed": self.subscribed,
            "set_up": self.set_up,
            "key_release": str(self.key_release) if self.key_release else None,
            "result": self.result,
            "error": self.error,
            "license_last_fives": sorted(self.license_last_fives),
            "asked_for": self.asked_for,
            "answered": self.answered,
        }

    @classmethod
    def from_dict(cls, shown: Mapping[str, Any]) -> Avma:
        """From what the modules return."""
        return cls(
            shown["module"],
            shown["subscription"],
            shown["result"],
            shown["error"],
            frozenset(shown.get("license_last_fives", ())),
            shown.get("asked_for"),
            shown.get("answered", False),
        )


def _leaves(value: Json) -> Iterator[Json]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


@dataclass(frozen=True)
class HostFacts:
    """A Hyper-V or Azure Local host.

    :ivar name: Its computer name, which is also that of a cluster's node.
    :ivar hyperv: Whether it has the Hyper-V role.
    :ivar license: The licence of its own Windows.
    :ivar avma: On Azure Local only.
    :ivar fqdn: Its full DNS name; None if it is in no domain.
    :ivar azure_vm: Whether it is itself a virtual machine of Azure or Azure Stack Hub.
    :ivar cluster_service: Whether the cluster service runs on it: without, there is no cluster to ask.
    """

    name: str
    system: System
    hyperv: bool
    license: License | None
    avma: Avma | None
    fqdn: str | None = None
    azure_vm: bool = False
    cluster_service: bool = False

    @property
    def backend(self) -> Backend:
        """From the SKU, never from the build, which Azure Local shares with Windows Server."""
        return Backend.AZURE_LOCAL if self.system.azure_local else Backend.WINDOWS_SERVER

    @property
    def licensed(self) -> bool | None:
        """Whether the host itself has what activates guests; None if it cannot be told."""
        if self.avma is not None:
            return self.avma.set_up
        return self.license is not None and self.license.licensed

    @property
    def activates(self) -> tuple[Release, ...] | None:
        """The releases whose guests the host activates, oldest first; None if it cannot be told.

        Guests of Azure Edition it activates on Azure Local only.
        """
        if not self.hyperv:
            return ()
        if self.avma is not None:
            return self.avma.activates
        system = self.system
        if system.evaluation or system.edition is not Edition.DATACENTER or system.release is None or not self.licensed:
            return ()
        return None if self.azure_vm else WINDOWS_SERVER[system.release]

    def to_dict(self) -> dict[str, object]:
        """As the modules return it (RV(host)), without its cluster and problems."""
        return {
            "name": self.name,
            "fqdn": self.fqdn,
            "azure_vm": self.azure_vm,
            "cluster_service": self.cluster_service,
            "system": self.system.to_dict(),
            "backend": str(self.backend),
            "hyperv": self.hyperv,
            "license": self.license.to_dict() if self.license else None,
            "avma": self.avma.to_dict() if self.avma else None,
            "activates": [str(release) for release in self.activates or ()],
            "activates_known": self.activates is not None,
        }

    @classmethod
    def from_dict(cls, shown: Mapping[str, Any]) -> HostFacts:
        """From what ``host_info`` returns (RV(host)): nothing that a plan or an assessment needs is lost on the way."""
        return cls(
            name=shown["name"],
            system=System.from_dict(shown["system"]),
            hyperv=shown["hyperv"],
            license=License.from_dict(shown["license"]) if shown["license"] else None,
            avma=Avma.from_dict(shown["avma"]) if shown["avma"] else None,
            fqdn=shown.get("fqdn"),
            azure_vm=shown.get("azure_vm", False),
            cluster_service=shown.get("cluster_service", False),
        )


def unsuitable(host: HostFacts) -> list[Problem]:
    """Why a host can activate no guest, whatever its key."""
    problems = [] if host.hyperv else [problem("hyperv_role_missing")]
    if host.avma is not None:
        if host.avma.module is None and not host.avma.subscribed:
            problems.append(problem("update_missing"))
        return problems
    system = host.system
    if system.evaluation:
        problems.append(evaluation_problem(system, host=True))
    elif system.edition is not Edition.DATACENTER:
        problems.append(problem("host_not_datacenter", host=host.name, system=describe(system)))
    elif system.release is None:
        problems.append(problem("no_avma_on_host_release", name=describe(system), documented=", ".join(Release)))
    return problems


def assess_host(host: HostFacts) -> list[Problem]:
    """What keeps a host from activating guests, as it is now."""
    problems = unsuitable(host)
    if problems:
        return problems
    if host.avma is not None and host.avma.error is not None:
        return [problem("avma_unreadable", detail=host.avma.error)]
    if host.licensed is False:
        return [_not_licensed(host)]
    if host.activates is not None:
        return []
    return [problem("host_avma_unknown" if host.avma is not None else "host_in_azure", host=host.name)]


def cluster_unreadable(reason: str, hresult: int | None) -> Problem:
    """That a host on which the cluster service runs does not tell of its cluster.

    :param reason: What it said.
    """
    remedy = None
    if hresult in hresults.DENIED:
        remedy = "Give the user of the connection access to the cluster (Grant-ClusterAccess), or make it an administrator of the host."
    explanation = f" - {hresults.explain(hresult)}" if hresult is not None else ""
    return problem("cluster_unreadable", hresult, detail=reason.rstrip(". ") + explanation, remedy=remedy)


def _not_licensed(host: HostFacts) -> Problem:
    if host.avma is not None:
        explanation = "AVMA is set up neither with a key nor by a subscription"
    elif host.license is None:
        explanation = "no product key is installed"
    else:
        explanation = f"the status of its licence is {host.license.status}"
        if host.license.reason:
            explanation += f", {hresults.explain(host.license.reason)}"
    kms_client = host.avma is None and host.license is not None and host.license.kms_client
    how = (
        "; as a KMS client it takes no key, but its KMS host must answer."
        if kms_client
        else ", with a product key of its own in {host_product_key}."
    )
    remedy = say(f"{{run_host_key}}{how}")
    return problem("host_not_licensed", host=f" {host.name}", explanation=explanation, remedy=remedy)


@dataclass(frozen=True)
class HostWish:
    """What the user wants of a host.

    :ivar product_key: The host's own key, normalized; None to have it activated with what it has.
    :ivar replace: Whether a key that works may be replaced.
    :ivar activate: On Windows Server, whether to activate, not only to install the key.
    """

    product_key: str | None
    replace: bool = False
    activate: bool = True


@dataclass(frozen=True)
class HostPlan:
    """What to do with a host.

    :ivar problems: Why it is refused; then nothing may be written.
    :ivar doubts: Why nothing is written, though that may be wrong.
    """

    step: Step
    problems: tuple[Problem, ...] = ()
    doubts: tuple[Problem, ...] = ()


def check_key(product_key: str) -> Problem | None:
    """Why a key is not one for a host; None if it may be."""
    known = keys.identify_key(product_key)
    if known is None:
        return None
    kind = "AVMA key" if known.channel == keys.AVMA_CHANNEL else "KMS client key"
    return problem("not_a_host_key", last_five=keys.last_five(product_key), kind=kind, key=known.name)


def plan_host(host: HostFacts, wish: HostWish) -> HostPlan:
    """What to do with a host, from what it is and what it has."""
    refused = unsuitable(host)
    if refused:
        return HostPlan(Step.NOTHING, tuple(refused))
    license = host.license if host.avma is None else None
    if wish.product_key is None and license is not None and license.kms_client and not license.licensed:
        # A KMS host or Active Directory activates it, and no key is spent.
        return HostPlan(Step.ACTIVATE if wish.activate else Step.NOTHING)
    if wish.product_key is None:
        # Azure Local whose answer cannot be read may well be set up: to say so is for assess_host.
        return HostPlan(Step.NOTHING, () if host.licensed is not False else (_no_key(license),))
    if host.avma is not None:
        return _plan_azure_local(host.avma, wish, wish.product_key)
    return _plan_windows_server(host, wish, wish.product_key)


def _no_key(license: License | None) -> Problem:
    if license is None or not license.working:
        return problem("no_host_key")
    # Another one would be refused, since the present one works.
    remedy = say(
        f"The key that it has, ending in {license.partial_product_key}, works, and must be activated anew: give that key in "
        "{host_product_key}, or another one with {host_replace}. A MAK may be charged an activation."
    )
    return problem("no_host_key", remedy=remedy)


def _plan_windows_server(host: HostFacts, wish: HostWish, product_key: str) -> HostPlan:
    license = host.license
    present = license is not None and license.has_key(product_key)
    if license is not None and present and (license.licensed or not wish.activate):
        return HostPlan(Step.NOTHING)
    if license is not None and not present and license.kms_host:
        return HostPlan(Step.NOTHING, (problem("kms_host", last_five=license.partial_product_key),))
    if license is not None and not present and license.working and not wish.replace:
        return HostPlan(Step.NOTHING, (problem("other_host_key", current=license.partial_product_key),))
    if host.azure_vm and not wish.replace:
        return HostPlan(Step.NOTHING, doubts=(problem("host_in_azure", host=host.name),))
    # Installed and not activated, as after a run that was cut off: the key must not be spent twice.
    return HostPlan(Step.ACTIVATE if present else Step.INSTALL)


def _plan_azure_local(avma: Avma, wish: HostWish, product_key: str) -> HostPlan:
    if avma.subscribed:
        return HostPlan(Step.NOTHING)
    last_five = keys.last_five(product_key)
    present = avma.has_key(product_key)
    if present:
        return HostPlan(Step.NOTHING)
    if present is None and avma.asked_for == last_five:
        # Whatever the user says: a write whose outcome cannot be told is not repeated.
        return HostPlan(Step.NOTHING, doubts=(problem("host_key_asked_for", last_five=last_five),))
    if avma.set_up is False or wish.replace:
        return HostPlan(Step.INSTALL)
    if present is False:
        return HostPlan(Step.NOTHING, (problem("other_host_key", current=", ".join(sorted(avma.last_fives))),))
    return HostPlan(Step.NOTHING, doubts=(problem("host_key_unknown", last_five=last_five),))


def spends_activation(host: HostFacts, wish: HostWish, step: Step) -> bool:
    """Whether a step asks Microsoft for an activation. On Azure Local setting a key does; that of a KMS client does not."""
    if step is Step.ACTIVATE and host.license is not None and host.license.kms_client:
        return False
    return step is Step.ACTIVATE or (step is Step.INSTALL and (wish.activate or host.backend is Backend.AZURE_LOCAL))


def host_activation_problem(license: License | None, hresult: int | None, timeout: int) -> Problem:
    """Why a host is not activated after all was done.

    :param hresult: What Windows answered to the last attempt; None if it accepted it.
    :param timeout: For how long it was tried, in seconds.
    """
    if hresult is None:
        status = str(license.status) if license else "no product key"
        # It may be left from before: it hints at the cause, and is not one.
        if license and license.reason:
            status += f", {hresults.explain(license.reason)}"
        return problem("host_activation_timed_out", status=status, timeout=timeout)
    return problem("access_denied" if hresult in hresults.DENIED else "activation_failed", hresult)


def changed_meanwhile(license: License | None, last_five: str) -> Problem:
    """Another key is installed than the one that the work is about."""
    held = f"the one ending in {license.partial_product_key}" if license else "none"
    return problem("host_key_changed", last_five=last_five, held=held)


def former_key_lost(former: License | None, present: License | None) -> Problem | None:
    """That a key which worked is gone from the host after a failure; None if it is not."""
    if former is None or not former.working or (present is not None and present.licensed):
        return None
    if present is not None and present.partial_product_key == former.partial_product_key:
        return None
    again = say("run with the former key as {host_product_key}")
    if former.public_key:
        again = "install the KMS client key of its release and edition again (slmgr.vbs /ipk)"
    return problem("former_host_key_gone", last_five=former.partial_product_key, kind=former.key_name, again=again)


_HRESULT = re.compile(r"0x([89A-F][0-9A-F]{7})", re.IGNORECASE)


@dataclass(frozen=True)
class Verdict:
    """What came of setting a key on Azure Local.

    :ivar told: Whether it is known: if not, it must not be tried again by itself.
    """

    told: bool
    problem: Problem | None = None
    doubt: Problem | None = None


def judge_azure_local(avma: Avma, product_key: str, said: Json, error: str | None) -> Verdict:
    """What came of ``Set-VMAutomaticActivation``: what is read back decides, before what it said.

    :param avma: As read back.
    :param said: What it returned, in whatever shape.
    :param error: The text of its error.
    """
    last_five = keys.last_five(product_key)
    present = avma.has_key(product_key)
    if present:
        return Verdict(told=True)
    texts = ", ".join(leaf.strip() for leaf in _leaves(error or said) if isinstance(leaf, str))
    code = _HRESULT.search(texts)
    refused = error is not None or code is not None or bool(avma.last_fives)
    # An answer that is not empty, of a host where nothing is set up afterwards, is likely a refusal in words that are not known.
    if refused or (avma.set_up is False and any(leaf is not None for leaf in _leaves(said))):
        found = problem(
            "key_rejected",
            int(code[1], 16) if code else None,
            last_five=last_five,
            explanation=texts or "it gave no reason",
            remedy="Use a key of Windows Server Datacenter 2019 or later, not older than the one in use and used on no other machine.",
        )
        return Verdict(told=refused, problem=found)
    return Verdict(told=False, doubt=problem("host_key_unproved", last_five=last_five))
