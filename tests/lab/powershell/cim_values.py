# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CimInstance: an instance of the model in the types that MI.NET gives it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lab.cim import CimClass, Instance, Property, Reference, Value
from lab.powershell.values import INTEGERS, Array, DateTime, narrowest

#: What FILETIME 0 is: WMI's "never".
_NEVER = datetime(1601, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class CimProperty:
    """A property: its value and its type, as CIM names it."""

    name: str
    value: Any
    type: str
    array: bool
    key: bool


@dataclass(frozen=True)
class CimInstance:
    """Microsoft.Management.Infrastructure.CimInstance.

    ``cim_class`` is None for one that only the client has, or a reference.
    """

    namespace: str
    class_name: str
    server: str
    properties: tuple[CimProperty, ...]
    cim_class: CimClass | None = None
    #: Whether ``PSComputerName`` is set: not on instances of a local session.
    computer: str | None = None

    def find(self, name: str) -> CimProperty | None:
        """The property of that name, in any case."""
        lowered = name.lower()
        return next((item for item in self.properties if item.name.lower() == lowered), None)

    @property
    def keys(self) -> dict[str, str]:
        """The values of its key properties that are filled, as text."""
        return {item.name: str(item.value) for item in self.properties if item.key and item.value is not None}

    @property
    def text(self) -> str:
        """As ``ToString()`` has it: the class, its Caption if there is one, its keys."""
        keys = ", ".join(
            f'{item.name} = "{item.value}"' if isinstance(item.value, str) else f"{item.name} = {item.value}"
            for item in self.properties
            if item.key and item.value is not None
        )
        caption = self.find("Caption")
        shown = f": {caption.value}" if caption is not None and caption.value is not None else ""
        return f"{self.class_name}{shown}" + (f" ({keys})" if keys else "")


def from_model(instance: Instance, selected: Collection[str] | None, server: str, zone: int) -> CimInstance:
    """An instance that a query found.

    ``selected`` are the lower-case names that it asked for; the others are there, as ``$null`` (facts 16).
    """
    cim_class = instance.cim_class
    properties = tuple(
        CimProperty(
            item.name,
            typed(instance.values.get(item.name), item, server, zone)
            if selected is None or item.name.lower() in selected
            else None,
            item.type,
            item.array,
            item.key,
        )
        for item in cim_class.properties
    )
    # MI gives namespaces with slashes, as WS-Management has them; WMI's own start with ROOT, here they do as the model's.
    return CimInstance(cim_class.namespace, cim_class.name, server, properties, cim_class)


def from_reference(reference: Reference, server: str) -> CimInstance:
    """A reference: an instance that has its keys only (facts 78)."""
    properties = tuple(CimProperty(name, value, "string", False, True) for name, value in reference.keys.items())
    return CimInstance(reference.namespace, reference.class_name, server, properties)


def typed(value: Value, declared: Property, server: str, zone: int) -> Any:
    """A value of the model in the type that its property has: timestamps are local, numbers as wide as declared (facts 27, 79)."""
    if value is None:
        return None
    if isinstance(value, list):
        element = {"boolean": "boolean", "datetime": "datetime"}.get(declared.type, declared.type)
        return Array((_scalar(item, declared.type, server, zone) for item in value), element)
    return _scalar(value, declared.type, server, zone)


def untyped(value: Value, server: str, zone: int) -> Any:
    """An out parameter, whose type the model does not say."""
    if isinstance(value, list):
        return Array(value, "string" if all(isinstance(item, str) for item in value) else "uint32")
    if isinstance(value, int) and not isinstance(value, bool):
        return INTEGERS["uint32"](value) if 0 <= value < 1 << 32 else narrowest(value)
    return None if value is None else _scalar(value, "", server, zone)


def _scalar(value: Any, kind: str, server: str, zone: int) -> Any:
    if isinstance(value, datetime):
        return DateTime.of(value, "Local", zone)
    if isinstance(value, Reference):
        return from_reference(value, server)
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    integer = INTEGERS.get(kind.replace("sint", "int") if kind != "sint8" else "sbyte", int)
    if kind == "uint8":
        integer = INTEGERS["byte"]
    return integer(value) if integer is not int else value
