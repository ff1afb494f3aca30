# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A class of a simulated machine: its schema, its instances, its methods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lab.cim import CimClass, MethodResult, Property, Value

#: What a WMI datetime that was never set shows (facts/avma.md §3.4).
NEVER = datetime(1601, 1, 1, tzinfo=UTC)

#: What a WMI counter that was never set shows (§3.4).
UNSET = 0xFFFFFFFF

Method = Callable[[Mapping[str, str], Mapping[str, Value]], MethodResult]
Rows = Callable[[], Iterable[Mapping[str, Value]]]


def cim_class(namespace: str, name: str, key: str = "", **properties: str) -> CimClass:
    """A class whose properties are named by type, as ``string="Name Caption", uint16_array="OperationalStatus"``.

    ``key`` names the key properties. The order is that of recorded answers: alphabetical.
    """
    keys = key.split()
    found = [
        Property(item, kind.removesuffix("_array"), kind.endswith("_array"), item in keys)
        for kind, names in properties.items()
        for item in names.split()
    ]
    return CimClass(namespace, name, tuple(sorted(found, key=lambda item: item.name.lower())))


@dataclass(frozen=True)
class Provider:
    """Serves one class.

    Methods go by their name in lower case and get the selectors and the arguments, whose names are in lower case too.
    """

    cim_class: CimClass
    rows: Rows = tuple
    methods: Mapping[str, Method] = field(default_factory=dict)


def text(arguments: Mapping[str, Value], name: str) -> str:
    """A text argument by its lower-case name; one left out is empty."""
    value = arguments.get(name)
    return "" if value is None else str(value)
