# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All machines of a topology in one process and one event loop, and the control endpoint beside them."""

from __future__ import annotations

import asyncio
import functools
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from lab.active_directory import ActiveDirectory
from lab.auth import Authenticator
from lab.faults import FaultRule, RandomFaults
from lab.kerberos import Domain
from lab.listener import Listener
from lab.simulation import Simulation
from lab.ssh import NoDoor, SshKeys, SshServer
from lab.tls import Certificates


class Door(Protocol):
    """How a machine is reached: a WinRM listener, an ssh server, or not at all."""

    @property
    def port(self) -> int:
        """Its TCP port."""
        ...

    @property
    def listening(self) -> bool:
        """Whether connections are accepted."""
        ...

    async def start(self) -> None:
        """Accept connections."""
        ...

    def stop(self) -> None:
        """Refuse connections, and cut those there are."""
        ...

    async def close(self) -> None:
        """Give everything back."""
        ...

    def report(self) -> Mapping[str, int]:
        """What is open."""
        ...


class Lab:
    """A running topology."""

    def __init__(self, simulation: Simulation, directory: Path, port_base: int | None = None) -> None:
        """Bind the ports; ``port_base`` gives ports in a row to the machines that ask for none, otherwise free ones are picked."""
        self.simulation = simulation
        self._private = tempfile.TemporaryDirectory(prefix="lab-")
        private = Path(self._private.name)
        machines = simulation.machines
        self.domain: Domain | ActiveDirectory | None = None
        if simulation.users:
            computers = {name: machine.computer for name, machine in machines.items()}
            kind = ActiveDirectory if simulation.active_directory else Domain
            self.domain = kind(simulation.domain, simulation.users, computers, directory, private)
        tls = any(machine.listener.tls for machine in machines.values())
        self.certificates = Certificates(directory) if tls else None
        over_ssh = any(machine.listener.connection == "ssh" for machine in machines.values())
        self.ssh_keys = SshKeys(directory) if over_ssh else None
        self.listeners: dict[str, Door] = {}
        self._authenticators: list[Authenticator] = []
        self._tasks: set[asyncio.Task[None]] = set()
        for index, (name, machine) in enumerate(machines.items()):
            machine.when_restarting(functools.partial(self._restart, name))
            if machine.listener.connection == "powershell_direct":
                self.listeners[name] = NoDoor()
                continue
            port = machine.listener.port or (0 if port_base is None else port_base + index)
            if machine.listener.connection == "ssh" and self.ssh_keys is not None:
                self.listeners[name] = SshServer(machine, port, self.ssh_keys, self._stopped_itself)
                continue
            certificates = self.certificates if machine.listener.tls else None
            authenticator = Authenticator(machine, private, self.domain, certificates)
            self._authenticators.append(authenticator)
            context = certificates.context if certificates else None
            self.listeners[name] = Listener(machine, port, authenticator, context, self._stopped_itself)

    async def open(self) -> None:
        """Listen on behalf of every machine that is switched on."""
        if self.domain is not None:
            self.domain.start()
        for name, listener in self.listeners.items():
            if self.simulation.machines[name].running:
                await listener.start()

    async def close(self) -> None:
        """Stop all and give everything back."""
        for listener in self.listeners.values():
            await listener.close()
        if self.domain is not None:
            self.domain.close()
        self._private.cleanup()

    def _stopped_itself(self, name: str) -> None:
        self.simulation.stop(name)
        self.listeners[name].stop()

    def _restart(self, name: str, after: float, down: float) -> None:
        """A machine restarts itself: it goes off, and is on again, both in a while."""
        loop = asyncio.get_running_loop()
        loop.call_later(after, self._stopped_itself, name)
        loop.call_later(after + down, lambda: self._tasks.add(loop.create_task(self.start(name))))

    async def _follow(self) -> None:
        """Bring the listeners in line with what the model says is running."""
        for name, machine in self.simulation.machines.items():
            if machine.running:
                await self.listeners[name].start()
            else:
                self.listeners[name].stop()

    # The verbs of the control endpoint. Each takes and returns what JSON can hold.

    async def migrate(self, vm: str, host: str) -> None:
        """Live-migrate a guest."""
        self.simulation.migrate(vm, host)

    async def stop(self, machine: str) -> None:
        """Switch a machine off."""
        self._stopped_itself(machine)

    async def start(self, machine: str) -> None:
        """Switch a machine on."""
        self.simulation.start(machine)
        await self._follow()

    async def set(self, machine: str, key: str, value: str) -> None:
        """Change a property of the model."""
        self.simulation.set(machine, key, value)
        await self._follow()

    async def state(self, machine: str) -> Mapping[str, Any]:
        """What the model and the wire know of a machine."""
        listener = self.listeners[machine]
        return {"listening": listener.listening, "port": listener.port, **self.simulation.state(machine)}

    async def status(self) -> Mapping[str, Any]:
        """Which machines listen where."""
        return {name: {"port": item.port, "listening": item.listening} for name, item in self.listeners.items()}

    async def keystore(self) -> Mapping[str, Any]:
        """The keys there are, by their last five."""
        return self.simulation.keystore()

    async def failed_logins(self, user: str) -> int:
        """How many wrong passwords of a user of the domain its KDC has seen since the last right one."""
        return self._the_domain.failed_logins(user)

    async def set_password(self, user: str, password: str) -> None:
        """Give a user of the domain another password."""
        self._the_domain.set_password(user, password)
        for authenticator in self._authenticators:
            authenticator.write_accounts()

    async def unlock(self, user: str) -> None:
        """Let in a user of the domain that too many wrong passwords have locked."""
        self._the_domain.unlock(user)

    @property
    def _the_domain(self) -> Domain | ActiveDirectory:
        if self.domain is None:
            raise ValueError("this lab has no domain")
        return self.domain

    async def counters(self) -> Mapping[str, Any]:
        """The journals of all machines."""
        return {
            name: {
                **machine.traffic.journal.report(),
                **self.listeners[name].report(),
            }
            for name, machine in self.simulation.machines.items()
        }

    async def reset_counters(self) -> None:
        """Begin new journals."""
        for machine in self.simulation.machines.values():
            machine.traffic.journal.clear()

    async def fault(self, machine: str, rule: Mapping[str, Any]) -> None:
        """Add a fault rule to a machine (``lab.faults``)."""
        self.simulation.machines[machine].traffic.rules.append(FaultRule.from_mapping(rule))

    async def random_faults(self, seed: str, probability: float) -> None:
        """From now on, give each request to any machine a fault with that probability; each machine has a sequence of its own."""
        for name, machine in self.simulation.machines.items():
            machine.traffic.random_faults = RandomFaults(f"{seed} {name}", probability) if probability else None

    async def clear_faults(self) -> None:
        """Remove all fault rules, those of the topology too."""
        for machine in self.simulation.machines.values():
            machine.traffic.rules.clear()
            machine.traffic.random_faults = None
