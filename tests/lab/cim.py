# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The seam of the lab: what a simulated machine offers (the model) and what the wire serves of it.

The model (``machine``, ``licensing``, ``hyperv``, …) knows Windows and no XML; the wire (``listener``, ``wsman``, ``wql``, …)
knows WS-Management and no Windows. Both speak only the types of this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Reference:
    """A reference to an instance; on the wire an ``a:EndpointReference``."""

    namespace: str
    class_name: str
    keys: Mapping[str, str]


#: A CIM value. An embedded instance is its CIM-XML (DTD 2.0) text. ``None`` is NULL.
Value = str | int | bool | datetime | Reference | list[str] | list[int] | None


@dataclass(frozen=True)
class Property:
    """A property of a class: ``type`` as CIM spells it (``string``, ``boolean``, ``uint16``, ``datetime``, ``reference``, …)."""

    name: str
    type: str = "string"
    array: bool = False
    key: bool = False


@dataclass(frozen=True)
class CimClass:
    """A WMI class: ``namespace`` as ``root/cimv2``, its properties in the order the wire shows them."""

    namespace: str
    name: str
    properties: tuple[Property, ...]

    def property(self, name: str) -> Property | None:
        """The property of that name, whatever its case."""
        lowered = name.lower()
        return next((item for item in self.properties if item.name.lower() == lowered), None)


@dataclass
class Instance:
    """An instance: values by property name as the class spells it; a property left out is NULL."""

    cim_class: CimClass
    values: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class MethodResult:
    """Out parameters and ReturnValue of a method that Windows ran."""

    return_value: int = 0
    out: Mapping[str, Value] = field(default_factory=dict)


class CimError(Exception):
    """What Windows refuses, by HRESULT; the wire turns it into a fault.

    ``wmi`` says that WMI's provider raised it (an ``MSFT_WmiError`` in the fault's detail), otherwise WS-Management did
    (``f:WSManFault``).
    """

    def __init__(self, hresult: int, message: str, wmi: bool = True) -> None:
        super().__init__(f"0x{hresult:08X}: {message}")
        self.hresult = hresult & 0xFFFFFFFF
        self.message = message
        self.wmi = wmi


@dataclass(frozen=True)
class ProcessResult:
    """What a process started in a WinRS shell left behind."""

    exit_code: int
    stdout: bytes = b""
    stderr: bytes = b""
    #: Seconds that it took, which the model does not wait; ``inf`` for one that never ends.
    elapsed: float = 0.0


class Machine(Protocol):
    """A simulated Windows machine as the wire sees it. Names of namespaces, classes and methods come in any case."""

    name: str
    #: BCP 47 tag of the machine's display language, as ``ja-JP``: the ``xml:lang`` of its answers.
    language: str

    def cim_class(self, namespace: str, name: str) -> CimClass:
        """The class. Raises ``CimError``: invalid namespace (0x8004100E) or class (0x80041010)."""
        ...

    def instances(self, cim_class: CimClass) -> Iterable[Instance]:
        """The instances, made as they are asked for (an event log may hold 100,000)."""
        ...

    def invoke(
        self, cim_class: CimClass, selectors: Mapping[str, str], method: str, arguments: Mapping[str, Value]
    ) -> MethodResult:
        """Run a method on the instance that the selectors name, or on the class. Raises ``CimError``.

        Arguments come as text, or a list of text when the element is repeated.
        """
        ...

    def execute(self, command: str, arguments: list[str], stdin: bytes) -> ProcessResult:
        """Run a program to its end, as a WinRS shell does."""
        ...
