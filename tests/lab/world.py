# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All machines of a topology: a ``lab.simulation.Simulation``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from lab.cluster import Cluster
from lab.keys import AVMA, CSVLK, MAK, OEM, PUBLIC_KEYS, RETAIL, KeyStore, ProductKey
from lab.machine import GuestMachine, HostMachine, Surroundings, WindowsMachine
from lab.releases import RELEASES
from lab.simulation import DomainUser, SimulatedMachine
from lab.spec import GuestSpec, TopologySpec

_CHANNELS = {"mak": MAK, "retail": RETAIL, "oem": OEM, "csvlk": CSVLK, "avma": AVMA}


def _now() -> datetime:
    return datetime.now(UTC)


def _reaching(guest: GuestMachine) -> dict[str, Any]:
    """What the inventory has to say of a guest that only its host can reach. Raises ValueError if it has no host in the lab."""
    if guest.listener.connection != "powershell_direct":
        return {}
    if guest.host is None:
        raise ValueError(f"{guest.name} is not on a host of the lab, and so cannot be reached through one")
    return {"ansible_powershell_direct_host": guest.host.name, "ansible_powershell_direct_vm_id": guest.vm_id.lower()}


class World:
    """The machines, the keys, and what a test can do to them."""

    def __init__(self, spec: TopologySpec, clock: Callable[[], datetime] = _now) -> None:
        self.key_store = KeyStore(
            ProductKey(
                item.key, RELEASES[item.release].generation, item.edition, _CHANNELS[item.channel], item.activations
            )
            for item in spec.keys
        )
        self.spec = spec
        self.domain = spec.domain
        self.active_directory = spec.active_directory
        self.users = [DomainUser(item.name, item.password, item.state, item.upn) for item in spec.users]
        surroundings = Surroundings(spec.domain, spec.kms, spec.data_exchange_required, self.key_store, clock)
        self._all: dict[str, WindowsMachine] = {}
        machines: dict[str, SimulatedMachine] = {}
        self.variables: dict[str, Mapping[str, Any]] = {}
        hosts: list[str] = []
        guests: list[str] = []

        def guest(item: GuestSpec, host: HostMachine | None) -> None:
            machine = GuestMachine(item, surroundings, host)
            self._add(machine)
            if host is not None:
                host.guests.append(machine)
            if item.listen:
                machines[machine.name] = machine
                self.variables[machine.name] = _reaching(machine) | item.variables
                guests.append(machine.name)

        for host_spec in spec.hosts:
            host = HostMachine(host_spec, surroundings)
            self._add(host)
            machines[host.name] = host
            self.variables[host.name] = host_spec.variables
            hosts.append(host.name)
            for item in host_spec.guests:
                guest(item, host)
        for item in spec.guests:
            guest(item, None)
        self.machines: Mapping[str, SimulatedMachine] = machines
        self._host_names, self._guest_names = hosts, guests
        self._clusters: dict[str, Cluster] = {}
        for named in spec.clusters:
            self._clusters[named.name] = Cluster(named.name, spec.domain)
            for node in named.nodes:
                self._known_host(node).join(self._clusters[named.name])

    @property
    def groups(self) -> Mapping[str, Sequence[str]]:
        """See ``lab.simulation.Simulation``. A cluster's group is its name, with ``_`` for what a group name cannot have."""
        clusters = {
            re.sub(r"\W", "_", name): [node.name for node in cluster.nodes] for name, cluster in self._clusters.items()
        }
        return {"avma_hosts": self._host_names, "avma_guests": self._guest_names, **clusters}

    def machine(self, name: str) -> WindowsMachine:
        """The machine of that name, with a listener or without. Raises KeyError."""
        return self._all[name]

    def migrate(self, vm: str, host: str) -> None:
        """See ``lab.simulation.Simulation``. The guest's licence row keeps the former host until it activates again."""
        guest, target = self._guest(vm), self._host(host)
        if not target.running or target.hyperv is None:
            raise ValueError(f"{host} runs no virtual machines")
        if guest.host is None:
            raise ValueError(f"{vm} is not on a host of the lab")
        guest.host.guests.remove(guest)
        guest.host = target
        target.guests.append(guest)

    def stop(self, machine: str) -> None:
        """See ``lab.simulation.Simulation``."""
        stopped = self.machine(machine)
        stopped.switched_on = False
        if isinstance(stopped, HostMachine) and stopped.cluster:
            self._fail_over(stopped, stopped.cluster)

    def start(self, machine: str) -> None:
        """See ``lab.simulation.Simulation``."""
        self.machine(machine).boot()

    def set(self, machine: str, key: str, value: str) -> None:
        """See ``lab.simulation.Simulation``; README.md lists the properties."""
        if key == "cluster":
            node = self._host(machine)
            if value == "none":
                node.leave()
            elif value in self._clusters:
                node.join(self._clusters[value])
            else:
                raise ValueError(f"there is no cluster {value}")
        else:
            self.machine(machine).set(key, value)

    def state(self, machine: str) -> Mapping[str, Any]:
        """See ``lab.simulation.Simulation``."""
        return self.machine(machine).state()

    def keystore(self) -> Mapping[str, Any]:
        """See ``lab.simulation.Simulation``."""
        return {
            key.last_five: {
                "release": key.generation,
                "edition": key.edition,
                "channel": key.channel,
                "activations": key.activations,
                "spent": [item.machine for item in self.key_store.activations if item.key == key],
            }
            for key in self.key_store
            if key not in PUBLIC_KEYS
        }

    def _add(self, machine: WindowsMachine) -> None:
        if machine.name in self._all:
            raise ValueError(f"there are two machines named {machine.name}")
        self._all[machine.name] = machine

    def _fail_over(self, node: HostMachine, cluster: Cluster) -> None:
        """Move the clustered guests of a node that died to the nodes that may own them and have the fewest guests."""
        for guest in list(node.guests):
            owners = [item for item in cluster.may_own(guest) if item.running and item.node_state == "up"]
            if guest.spec.clustered and owners:
                self.migrate(guest.name, min(owners, key=lambda item: len(item.guests)).name)

    def _known_host(self, name: str) -> HostMachine:
        """A host of the topology. Raises ValueError."""
        if name not in self._all:
            raise ValueError(f"there is no host {name}")
        return self._host(name)

    def _guest(self, name: str) -> GuestMachine:
        machine = self.machine(name)
        if not isinstance(machine, GuestMachine):
            raise ValueError(f"{name} is not a virtual machine")
        return machine

    def _host(self, name: str) -> HostMachine:
        machine = self.machine(name)
        if not isinstance(machine, HostMachine):
            raise ValueError(f"{name} is not a host")
        return machine
