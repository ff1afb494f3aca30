# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests: the VMs that hosts tell of, joined with what the machines of the inventory tell of themselves. Private to this collection."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .._avma.names import NETBIOS_LENGTH, domain_of, full_name, is_address, matches_any, names_match, short_name
from .._avma.problems import Problem, problem
from .._avma.words import say
from .identity import Host, Hosts, Result, vm_identity

#: How a VM's part in Hyper-V Replica goes into its problem (``ReplicationMode``), where it is not the VM that is in use.
_REPLICAS: Mapping[str, str] = {
    "replica": "replica",
    "extended_replica": "extended replica",
    "test_replica": "copy for a test failover",
}
#: How the inventory plugin tells VMs of one name apart.
_NAME_WITH_ID = re.compile("_([0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12})$", re.IGNORECASE)
#: What becomes of a guest on a host of the run that names another one.
_ANEW = "{run_guest_key} to have it activated anew, if it has moved or its host was renamed since. "
#: How many names a message lists.
_MOST_LISTED = 10


def listed(names: Iterable[str]) -> str:
    """Names in a message, not all if they are many."""
    names = list(names)
    rest = len(names) - _MOST_LISTED
    return ", ".join(names[:_MOST_LISTED]) + (f" and {rest} more" if rest > 0 else "")


def plural(count: int, noun: str) -> str:
    """A number of things in a message."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


@dataclass
class Guest:
    """A guest: a VM as its host tells of it, a machine of the inventory, or both, if they are one.

    :ivar vm: What ``vm_info`` returned for it; None if no host of the run has it.
    :ivar host: The host of the run that has it.
    :ivar machine: Its name in the inventory; None if the guest itself was not asked.
    :ivar result: What ``guest_info`` returned.
    :ivar told: What the guest tells of itself (RV(guest)); None if it was not read, or answered as another VM.
    :ivar vm_id: Which VM it is; None if that is not known.
    :ivar copy: Whether the VM is a replica, or a copy of one that is in use elsewhere.
    :ivar identity: What is wrong with who it is.
    """

    vm: Mapping[str, Any] | None = None
    host: Host | None = None
    machine: str | None = None
    result: Result | None = None
    told: Mapping[str, Any] | None = None
    vm_id: str | None = None
    copy: bool = False
    identity: list[Problem] = field(default_factory=list)
    time: str = ""
    events: Sequence[Mapping[str, Any]] = ()

    @property
    def vm_name(self) -> str:
        """What its host calls it, or if no host of the run has it, the inventory."""
        return str(self.vm["name"]) if self.vm else self.machine or ""


@dataclass(frozen=True)
class Machine:
    """A guest of the inventory as it was read.

    :ivar vm_id: The id of its VM as the inventory plugin told it; None if it did not.
    """

    name: str
    result: Result
    time: str
    events: Sequence[Mapping[str, Any]]
    vm_id: str | None = None

    @property
    def told(self) -> Mapping[str, Any] | None:
        """What it tells of itself."""
        return self.result.get("guest")

    @property
    def hypervisor(self) -> Mapping[str, Any]:
        """What it sees of its host; empty if that was not read."""
        return (self.told or {}).get("hypervisor") or {}

    @property
    def told_id(self) -> str | None:
        """The id that its host gave it, as it tells."""
        told = self.hypervisor.get("vm_id")
        return vm_identity(told) if told else None

    @property
    def known_id(self) -> str | None:
        """The id that the inventory knows."""
        if self.vm_id:
            return vm_identity(self.vm_id)
        named = _NAME_WITH_ID.search(self.name)
        return vm_identity(named[1]) if named else None

    @property
    def fqdn(self) -> str | None:
        """Its full DNS name as it tells; None if it does not tell one with a domain."""
        told = self.told or {}
        name = told.get("fqdn") or (told.get("system") or {}).get("fqdn")
        return name if name and domain_of(name) else None


def vms_of(host: Host, result: Result, time: str) -> list[Guest]:
    """The VMs that a host tells of.

    :param result: What ``vm_info`` returned.
    """
    return [Guest(vm=vm, host=host, vm_id=vm_identity(vm["id"]), time=time) for vm in result.get("vms", ())]


def tell_apart(vms: Iterable[Guest]) -> list[Guest]:
    """The VMs with what is to be said of those that share an id or a name. One that a host listed twice tells twice is left out once."""
    by_id: defaultdict[str, list[Guest]] = defaultdict(list)
    for guest in vms:
        same = by_id[guest.vm_id or ""]
        if not any(_one_host(guest, other) for other in same):
            same.append(guest)
    for guest in (guest for same in by_id.values() for guest in same):
        mode = str((guest.vm or {}).get("replication_mode"))
        if mode in _REPLICAS:
            guest.copy = True
            guest.identity.append(problem("vm_replica", vm=guest.vm_name, what=_REPLICAS[mode]))
    kept: list[Guest] = []
    for same in by_id.values():
        used = [guest for guest in same if not guest.copy]
        # Read at different times, it has moved since.
        newest = max((guest.time for guest in used), default="")
        used = [guest for guest in used if guest.time == newest]
        _tell_copies(used)
        kept += [guest for guest in same if guest.copy or any(guest is other for other in used)]
    _tell_names([guest for guest in kept if not guest.copy])
    return kept


def _one_host(one: Guest, other: Guest) -> bool:
    identity = one.host.identity if one.host else None
    return bool(identity and domain_of(identity) and other.host and other.host.identity == identity)


def _tell_copies(same: Sequence[Guest]) -> None:
    """VMs that have one id, on several hosts."""
    running = [guest for guest in same if guest.vm and guest.vm["state"] == "running"]
    if len(running) > 1:
        hosts = ", ".join(guest.host.machine for guest in running if guest.host)
        for guest in running:
            guest.identity.append(problem("duplicate_vm_id", vm=guest.vm_name, id=guest.vm_id, hosts=hosts))
    kept = running or same[:1]
    for guest in same:
        if not any(guest is other for other in kept):
            guest.copy = True
            host = kept[0].host.machine if kept[0].host else ""
            guest.identity.append(problem("vm_copy", vm=guest.vm_name, host=host))


def _tell_names(vms: Iterable[Guest]) -> None:
    """VMs that tell one full DNS name, as clones do."""
    by_name: defaultdict[str, list[Guest]] = defaultdict(list)
    for guest in vms:
        fqdn = (guest.vm or {}).get("fqdn")
        if fqdn and domain_of(fqdn) and guest.vm and guest.vm["state"] == "running":
            by_name[full_name(fqdn)].append(guest)
    for fqdn, same in by_name.items():
        if len({guest.vm_id for guest in same}) > 1:
            names = listed(f"{guest.vm_name} on {guest.host.machine}" for guest in same if guest.host)
            for guest in same:
                guest.identity.append(problem("duplicate_fqdn", vms=names, fqdn=fqdn))


def join(vms: list[Guest], machines: Sequence[Machine], hosts: Hosts) -> list[Guest]:
    """The guests: each machine of the inventory joined with the VM that it is, by id, or by its name if that is the name of one only.

    A guest may claim to be any VM: no VM is taken for two machines, and no machine's word proves another one.
    """
    finder = _Finder(vms, hosts)
    claims: defaultdict[object, list[Machine]] = defaultdict(list)
    found: dict[int, list[Guest]] = {}
    for machine in machines:
        found[id(machine)] = finder.find(machine)
        claims[_claim(machine, found[id(machine)])].append(machine)
    guests = list(vms)
    for claimants in claims.values():
        rightful = _rightful(claimants, found[id(claimants[0])]) if len(claimants) > 1 else claimants[0]
        for machine in claimants:
            known = finder.by_id(machine.known_id)
            if machine.told_id and machine.known_id and machine.told_id != machine.known_id:
                # What it told is the word of another VM, and nothing that it told is kept.
                guest = known[0] if len(known) == 1 and known[0].machine is None else Guest(vm_id=machine.known_id)
                _add(guest, machine, believed=False)
                guest.identity.append(
                    _other_vm(machine, finder, f"and the inventory says that it is {machine.known_id}")
                )
            elif machine is rightful:
                candidates = found[id(machine)]
                guest = candidates[0] if len(candidates) == 1 else Guest()
                _add(guest, machine)
                if len(candidates) > 1:
                    guest.identity.append(_ambiguous(machine, candidates))
            else:
                guest = Guest()
                _add(guest, machine)
                if machine.told is None:
                    guests.append(guest)
                    continue
                others = listed(other.name for other in claimants if other is not machine)
                guest.identity.append(_other_vm(machine, finder, f"as {others} did"))
            if guest.vm is None:
                guests.append(guest)
    return guests


def _claim(machine: Machine, candidates: Sequence[Guest]) -> object:
    """Which VM a machine says it is, or by its name seems to be; where that is open, a claim of its own."""
    if machine.told_id:
        return machine.told_id
    return candidates[0].vm_id if len(candidates) == 1 else id(machine)


def _add(guest: Guest, machine: Machine, *, believed: bool = True) -> None:
    guest.machine, guest.result, guest.time, guest.events = machine.name, machine.result, machine.time, machine.events
    guest.told = machine.told if believed else None
    guest.vm_id = guest.vm_id or machine.told_id


def _rightful(claimants: Sequence[Machine], candidates: Sequence[Guest]) -> Machine | None:
    """Which of the machines that answer as one VM it is: the one that the inventory says it is, or that has its name."""
    # The id that a host gave says more than a name does, and what a machine told more than silence.
    claimants = (
        [machine for machine in claimants if machine.told_id]
        or [machine for machine in claimants if machine.told is not None]
        or claimants
    )
    known = [machine for machine in claimants if machine.known_id and machine.told_id in (machine.known_id, None)]
    if known or len(claimants) == 1:
        return (known or claimants)[0] if len(known) < 2 else None
    vm_names = [guest.vm_name for guest in candidates if guest.vm]
    vm_names += [name for machine in claimants if (name := machine.hypervisor.get("vm_name"))]
    full_names = [guest.vm["fqdn"] for guest in candidates if guest.vm and guest.vm["fqdn"]]
    full_names += [machine.fqdn for machine in claimants if machine.fqdn]
    # A clone tells the full name of its original, but has a name of its own as a VM.
    for names in (vm_names, full_names):
        named = [machine for machine in claimants if machine.known_id is None and matches_any(machine.name, names)]
        if len(named) == 1:
            return named[0]
    return None


def _other_vm(machine: Machine, finder: _Finder, instead: str) -> Problem:
    answered = finder.by_id(machine.told_id)
    name = answered[0].vm_name if answered else machine.hypervisor.get("vm_name") or "unknown to its hosts"
    vm_id = machine.told_id or (answered[0].vm_id if answered else None) or "its id is not known"
    return problem("other_vm", machine=machine.name, vm=name, id=vm_id, instead=instead)


def _ambiguous(machine: Machine, candidates: Sequence[Guest]) -> Problem:
    names = listed(
        f"the VM {guest.vm_name} on {guest.host.machine if guest.host else 'no host'}" for guest in candidates
    )
    return problem("ambiguous_name", name=machine.name, candidates=names)


class _Finder:
    """Which VM a machine of the inventory is."""

    def __init__(self, vms: Iterable[Guest], hosts: Hosts) -> None:
        self._hosts = hosts
        self._by_id: defaultdict[str, list[Guest]] = defaultdict(list)
        self._by_fqdn: defaultdict[str, list[Guest]] = defaultdict(list)
        self._by_label: defaultdict[str, list[Guest]] = defaultdict(list)
        self._by_address: defaultdict[str, list[Guest]] = defaultdict(list)
        for guest in vms:
            if guest.copy or guest.vm is None:
                continue
            self._by_id[guest.vm_id or ""].append(guest)
            fqdn = guest.vm["fqdn"] or ""
            if fqdn:
                self._by_fqdn[full_name(fqdn)].append(guest)
            for label in {short_name(guest.vm_name), short_name(fqdn)} - {""}:
                self._by_label[label].append(guest)
            for address in guest.vm["addresses"]:
                self._by_address[full_name(address)].append(guest)

    def by_id(self, vm_id: str | None) -> list[Guest]:
        """The VMs with an id, which are more than one if an id is there twice."""
        return self._by_id.get(vm_id or "", [])

    def find(self, machine: Machine) -> list[Guest]:
        """The VMs that it can be: by the id that it was given by its host or that the inventory knows, or else by its name."""
        vm_id = machine.told_id or machine.known_id
        if vm_id:
            found = self.by_id(vm_id)
            if len(found) > 1 and machine.hypervisor.get("host"):
                there = self._hosts.find(machine.hypervisor["host"])
                found = [guest for guest in found if any(guest.host is host for host in there)] or found
            return found
        if machine.fqdn:
            return self._by_fqdn.get(full_name(machine.fqdn)) or [
                guest for guest in self._named(machine.fqdn) if guest.vm and not domain_of(guest.vm["fqdn"] or "")
            ]
        if is_address(machine.name):
            return self._by_address.get(full_name(machine.name), [])
        return self._by_fqdn.get(full_name(machine.name)) or self._named(machine.name)

    def _named(self, name: str) -> list[Guest]:
        """VMs with that name, unless the VM tells another domain."""
        return [
            guest
            for guest in self._by_label.get(short_name(name), ())
            if guest.vm
            and (not domain_of(name) or not domain_of(guest.vm["fqdn"] or "") or names_match(name, guest.vm["fqdn"]))
        ]


#: The hosts of which one must have activated a guest: for all guests, or by the name of the guest in the inventory. None, and for a
#: guest that has none, means those of the run and of their clusters.
Expected: TypeAlias = "Sequence[str] | Mapping[str, Sequence[str]] | None"


class Trust:
    """Whose word counts: the hosts that may have activated a guest."""

    def __init__(self, hosts: Hosts, expected: Expected, known: Sequence[str]) -> None:
        """Take who is trusted.

        :param known: More hosts that are trusted if none are expected, by their names in the inventory.
        """
        self._hosts = hosts
        self._expected = expected
        self._known = list(known)
        self._told: dict[tuple[str, tuple[str, ...] | None], Problem | None] = {}
        nodes = {node.full_name for cluster in hosts.clusters.values() for node in cluster.nodes.values()}
        self._nodes: defaultdict[str, set[str]] = defaultdict(set)
        for name in nodes | {full_name(name) for name in known}:
            self._nodes[short_name(name)[:NETBIOS_LENGTH]].add(name)

    def expects(self, machine: str) -> bool:
        """Whether certain hosts must have activated a guest."""
        return self._expected_of(machine) is not None

    def _expected_of(self, machine: str | None) -> Sequence[str] | None:
        if isinstance(self._expected, Mapping):
            return self._expected.get(machine or "") or None
        return self._expected

    def doubt(self, name: str, machine: str | None) -> Problem | None:
        """Why the word of a guest that this host activated it proves nothing; None if it does.

        :param machine: The name of the guest in the inventory.
        """
        expected = self._expected_of(machine)
        key = (name, None if expected is None else tuple(expected))
        if key not in self._told:
            self._told[key] = self._doubt_any(name) if expected is None else self._doubt_expected(name, expected)
        return self._told[key]

    def _doubt_any(self, name: str) -> Problem | None:
        if self._hosts.find(name) or matches_any(name, self._nodes.get(short_name(name)[:NETBIOS_LENGTH], ())):
            return None
        trusted = [*(host.machine for host in self._hosts), *self._known]
        if not trusted:
            return problem("activation_unwitnessed", host=name)
        return problem(
            "unexpected_host",
            host=name,
            expected=f"the hosts of this run and their clusters: {listed(trusted)}",
            anew=say(_ANEW),
        )

    def _doubt_expected(self, name: str, wanted: Sequence[str]) -> Problem | None:
        expected: list[Host] = []
        for one in wanted:
            hosts = self._hosts.named(one)
            expected += hosts
            # A name that is that of a host of the run means this host and no other of the same short name.
            if not hosts and names_match(name, one):
                return None
        found = self._hosts.find(name)
        right = [host for host in found if any(host is other for other in expected)]
        if not right:
            return problem("unexpected_host", host=name, expected=listed(wanted), anew="")
        if len(right) < len(found):
            return problem("ambiguous_name", name=name, candidates=listed(host.machine for host in found))
        return None
