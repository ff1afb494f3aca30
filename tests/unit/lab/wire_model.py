# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A model with nothing of Windows in it, for the tests of the wire: one class, made-up instances, a method that echoes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.cim import CimClass, CimError, Instance, MethodResult, ProcessResult, Property, Reference, Value
from lab.server import Lab
from lab.simulation import Account, DomainUser, ListenerOptions
from lab.traffic import Traffic

ACCOUNT = Account("Administrator", "Pa55-word")
THING = CimClass(
    "root/cimv2",
    "Test_Thing",
    (
        Property("Id", "uint32", key=True),
        Property("Name"),
        Property("Enabled", "boolean"),
        Property("Made", "datetime"),
        Property("Tags", array=True),
        Property("Missing"),
        Property("Owner", "reference"),
    ),
)
OWNER = Reference("root/cimv2", "Test_Owner", {"Name": "O'Brien"})


@dataclass
class ThingMachine:
    """A machine with ``count`` things."""

    name: str = "WIRE01"
    language: str = "en-US"
    count: int = 5
    listener: ListenerOptions = field(default_factory=ListenerOptions)
    account: Account = ACCOUNT
    services_registered: tuple[str, ...] = ()
    running: bool = True
    executed: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    invoked: list[tuple[str, Mapping[str, str], Mapping[str, Value]]] = field(default_factory=list)
    traffic: Traffic = field(default_factory=Traffic)

    def __post_init__(self) -> None:
        self.traffic.rules += [replace(rule) for rule in self.listener.faults]

    def when_restarting(self, callback: Callable[[float, float], None]) -> None:
        """It never does."""

    def cim_class(self, namespace: str, name: str) -> CimClass:
        """Only ``Test_Thing``."""
        if namespace.lower() != THING.namespace:
            raise CimError(0x8004100E, "Invalid namespace")
        if name.lower() != THING.name.lower():
            raise CimError(0x80041010, "Invalid class")
        return THING

    def instances(self, cim_class: CimClass) -> Iterable[Instance]:
        """As many as there are, numbered from 1."""
        for number in range(1, self.count + 1):
            yield Instance(
                THING,
                {
                    "Id": number,
                    "Name": f"Thing <{number}> & 'co'",
                    "Enabled": number % 2 == 0,
                    "Made": datetime(2026, 11, number % 28 + 1, 12, 30, 0, 500000, UTC),
                    "Tags": ["a", "b"],
                    "Owner": OWNER,
                },
            )

    def invoke(
        self, cim_class: CimClass, selectors: Mapping[str, str], method: str, arguments: Mapping[str, Value]
    ) -> MethodResult:
        """``Echo`` returns its arguments, ``Fail`` raises the HRESULT it is given."""
        self.invoked.append((method, selectors, arguments))
        if method == "Fail":
            raise CimError(int(str(arguments["Code"]), 0), "It failed.")
        return MethodResult(0, dict(arguments))

    def execute(self, command: str, arguments: list[str], stdin: bytes) -> ProcessResult:
        """Echo standard input, or 200,000 bytes for the program ``flood``."""
        self.executed.append((command, arguments, stdin))
        if command == "flood":
            return ProcessResult(0, b"x" * 200_000, b"y" * 100_000)
        return ProcessResult(3, b"out:" + stdin, b"err")


@dataclass
class ThingSimulation:
    """A simulation of such machines."""

    machines: dict[str, ThingMachine]
    groups: dict[str, list[str]] = field(default_factory=dict)
    variables: dict[str, dict[str, Any]] = field(default_factory=dict)
    domain: str = "lab.example"
    users: tuple[DomainUser, ...] = ()
    active_directory: bool = False

    def migrate(self, vm: str, host: str) -> None:
        """No guests here."""
        raise KeyError(vm)

    def stop(self, machine: str) -> None:
        """Switch off."""
        self.machines[machine].running = False

    def start(self, machine: str) -> None:
        """Switch on."""
        self.machines[machine].running = True

    def set(self, machine: str, key: str, value: str) -> None:
        """``count`` only."""
        if key != "count":
            raise ValueError(key)
        self.machines[machine].count = int(value)

    def state(self, machine: str) -> Mapping[str, Any]:
        """The count."""
        return {"count": self.machines[machine].count}

    def keystore(self) -> Mapping[str, Any]:
        """No keys here."""
        return {}


class WireLab:
    """A lab in a thread of its own, with the machine objects at hand."""

    def __init__(self, loop: asyncio.AbstractEventLoop, lab: Lab, simulation: ThingSimulation) -> None:
        self._loop = loop
        self.lab = lab
        self.machines = simulation.machines

    def call(self, verb: str, *arguments: Any) -> Any:
        """Run a control verb inside the lab's loop."""
        return asyncio.run_coroutine_threadsafe(getattr(self.lab, verb)(*arguments), self._loop).result(10)

    def port(self, name: str = "WIRE01") -> int:
        """Where a machine listens."""
        return self.lab.listeners[name].port


@contextmanager
def wire_lab(directory: Path, *machines: ThingMachine) -> Iterator[WireLab]:
    """Run a lab of these machines."""
    simulation = ThingSimulation({machine.name: machine for machine in machines})
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def begin() -> Lab:
        lab = Lab(simulation, directory)
        await lab.open()
        return lab

    try:
        lab = asyncio.run_coroutine_threadsafe(begin(), loop).result(10)
        yield WireLab(loop, lab, simulation)
        asyncio.run_coroutine_threadsafe(lab.close(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
