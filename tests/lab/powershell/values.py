# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values of .NET in Python. A plain ``int`` is an Int32, ``str`` a String, ``float`` a Double, ``None`` is ``$null``.

``wrapped`` says that a value is inside a PSObject, as everything is that a cmdlet wrote: ConvertTo-Json of 5.1 shows it
(facts/powershell.md 18, 19). For most types it makes no difference, and is not kept.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal

from lab.powershell import syntax
from lab.powershell.errors import Unsupported


class Nothing:
    """What a command without output leaves in a variable (AutomationNull): ``$null``, but nothing in a pipeline."""


NOTHING = Nothing()


# Numbers


class Number(int):
    """An integer that is no Int32."""

    type_name: ClassVar[str]
    bits: ClassVar[int]
    signed: ClassVar[bool]


class SByte(Number):
    """System.SByte."""

    type_name, bits, signed = "sbyte", 8, True


class Byte(Number):
    """System.Byte."""

    type_name, bits, signed = "byte", 8, False


class Int16(Number):
    """System.Int16."""

    type_name, bits, signed = "int16", 16, True


class UInt16(Number):
    """System.UInt16."""

    type_name, bits, signed = "uint16", 16, False


class UInt32(Number):
    """System.UInt32."""

    type_name, bits, signed = "uint32", 32, False


class Int64(Number):
    """System.Int64."""

    type_name, bits, signed = "int64", 64, True


class UInt64(Number):
    """System.UInt64."""

    type_name, bits, signed = "uint64", 64, False


#: By name, narrow ones first: the order in which arithmetic widens.
INTEGERS: Mapping[str, type[int]] = {
    "sbyte": SByte,
    "byte": Byte,
    "int16": Int16,
    "uint16": UInt16,
    "int32": int,
    "uint32": UInt32,
    "int64": Int64,
    "uint64": UInt64,
}


def is_integer(value: object) -> bool:
    """Whether it is a number without a fraction, and no Boolean."""
    return isinstance(value, int) and not isinstance(value, bool | EnumValue)


def is_number(value: object) -> bool:
    """Whether it is a number."""
    return is_integer(value) or isinstance(value, float)


def integer_kind(value: int) -> str:
    """The name of an integer's type."""
    return value.type_name if isinstance(value, Number) else "int32"


def bits_of(kind: str) -> tuple[int, bool]:
    """How many bits an integer type has, and whether it is signed."""
    number = INTEGERS[kind]
    return (number.bits, number.signed) if issubclass(number, Number) else (32, True)


def fits(value: int, kind: str) -> bool:
    """Whether an integer type holds a value."""
    bits, signed = bits_of(kind)
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return low <= value <= high


def narrowest(value: int) -> int | float:
    """The value as a literal or the result of arithmetic has it: Int32, else Int64, else Double."""
    value = int(value)
    if fits(value, "int32"):
        return value
    return Int64(value) if fits(value, "int64") else float(value)


def number_literal(text: str) -> int | float:
    """The value of a number in a script. A hexadecimal one is read as bits: ``0x80041003`` is negative."""
    found = re.fullmatch(r"(0x[0-9a-f]+|[\d.]+(?:e[+-]?\d+)?)([ld]?)([kmgtp]b)?", text, re.I)
    if found is None or found[2].lower() == "d":
        raise Unsupported(f"the number {text}")
    factor = 1 << 10 * " kmgtp".index(found[3][0].lower()) if found[3] else 1
    if found[1].lower().startswith("0x"):
        digits = found[1][2:]
        value = int(digits, 16)
        width = 32 if len(digits.lstrip("0")) <= 8 and not found[2] else 64
        if value >> width - 1 == 1:
            value -= 1 << width
        return Int64(value * factor) if width == 64 or found[2] else narrowest(value * factor)
    if re.fullmatch(r"\d+", found[1]):
        value = int(found[1]) * factor
        return Int64(value) if found[2] else narrowest(value)
    return float(found[1]) * factor


# Other simple values


class Char(str):
    """System.Char."""

    __slots__ = ()


class NotedString(str):
    """A string in a PSObject with note properties, as everything is that came through remoting (facts 20)."""

    notes: Mapping[str, Any]

    def __new__(cls, text: str, notes: Mapping[str, Any]) -> NotedString:
        """A string with notes."""
        made = super().__new__(cls, text)
        made.notes = notes
        return made


@dataclass(frozen=True)
class Version:
    """System.Version."""

    text: str

    @property
    def parts(self) -> tuple[int, ...]:
        """Its numbers."""
        return tuple(int(part) for part in self.text.split("."))


@dataclass(frozen=True)
class Guid:
    """System.Guid; ``text`` in lower case."""

    text: str


@dataclass(frozen=True)
class EnumValue:
    """A value of a .NET enumeration: shown by name, a number in JSON (or its name, when the numbers have 64 bits)."""

    name: str
    value: int
    type_name: str = "System.Enum"


Kind = Literal["Utc", "Local", "Unspecified"]
EPOCH = datetime(1, 1, 1)  # noqa: DTZ001 - clock time, in no zone


@dataclass(frozen=True)
class DateTime:
    """System.DateTime: 100 ns ``ticks`` since year 1. ``offset`` is the machine's time zone, in minutes, for conversions."""

    ticks: int
    kind: Kind
    offset: int
    wrapped: bool = False

    @classmethod
    def of(cls, moment: datetime, kind: Kind, offset: int) -> DateTime:
        """From an aware datetime."""
        shown = moment.astimezone(UTC).replace(tzinfo=None)
        if kind == "Local":
            shown += timedelta(minutes=offset)
        return cls((shown - EPOCH) // timedelta(microseconds=1) * 10, kind, offset)

    @property
    def naive(self) -> datetime:
        """Its clock time."""
        return EPOCH + timedelta(microseconds=self.ticks // 10)

    def to(self, kind: Literal["Utc", "Local"]) -> DateTime:
        """``ToUniversalTime`` or ``ToLocalTime``: an unspecified time is taken for the other one."""
        if self.kind == kind:
            return self
        shift = self.offset * 600_000_000
        ticks = self.ticks - shift if kind == "Utc" else self.ticks + shift
        return DateTime(min(max(ticks, 0), 3155378975999999999), kind, self.offset)

    def as_utc(self) -> datetime:
        """As an aware datetime."""
        return self.to("Utc").naive.replace(tzinfo=UTC)

    def round_trip(self) -> str:
        """The format ``o``."""
        sign, minutes = "-" if self.offset < 0 else "+", abs(self.offset)
        zone = {"Utc": "Z", "Local": f"{sign}{minutes // 60:02}:{minutes % 60:02}", "Unspecified": ""}[self.kind]
        return f"{self.naive:%Y-%m-%dT%H:%M:%S}.{self.ticks % 10_000_000:07}{zone}".rjust(27, "0")


@dataclass(frozen=True)
class TimeSpan:
    """System.TimeSpan, in 100 ns ticks."""

    ticks: int

    @property
    def parts(self) -> tuple[int, int, int, int, int]:
        """Days, hours, minutes, seconds, milliseconds; each with the sign."""
        sign, rest = (-1, -self.ticks) if self.ticks < 0 else (1, self.ticks)
        milliseconds = rest // 10_000
        days, milliseconds = divmod(milliseconds, 86_400_000)
        hours, milliseconds = divmod(milliseconds, 3_600_000)
        minutes, milliseconds = divmod(milliseconds, 60_000)
        seconds, milliseconds = divmod(milliseconds, 1000)
        return sign * days, sign * hours, sign * minutes, sign * seconds, sign * milliseconds

    @property
    def text(self) -> str:
        """As ``ToString()`` has it."""
        days, hours, minutes, seconds, _ = (abs(part) for part in self.parts)
        fraction = abs(self.ticks) % 10_000_000
        text = f"{hours:02}:{minutes:02}:{seconds:02}" + (f".{fraction:07}" if fraction else "")
        return ("-" if self.ticks < 0 else "") + (f"{days}." if days else "") + text


# Collections


class Array(list[Any]):
    """An array. ``element`` is the type of its elements, in lower case."""

    def __init__(self, items: Iterable[Any] = (), element: str = "object", wrapped: bool = False) -> None:
        super().__init__(items)
        self.element = element
        self.wrapped = wrapped


class Hashtable:
    """A Hashtable, whose order nobody may count on, or an OrderedDictionary. Text keys ignore case."""

    def __init__(self, items: Iterable[tuple[Any, Any]] = (), ordered: bool = False) -> None:
        self.ordered = ordered
        self._items: dict[Any, tuple[Any, Any]] = {}
        for key, value in items:
            self[key] = value

    def __getitem__(self, key: Any) -> Any:
        return self._items.get(_hash_key(key), (None, None))[1]

    def __setitem__(self, key: Any, value: Any) -> None:
        hashed = _hash_key(key)
        self._items[hashed] = (self._items[hashed][0] if hashed in self._items else key, value)

    def __contains__(self, key: Any) -> bool:
        return _hash_key(key) in self._items

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys())

    def remove(self, key: Any) -> None:
        """Remove a key, if it is there."""
        self._items.pop(_hash_key(key), None)

    def clear(self) -> None:
        """Remove all keys."""
        self._items.clear()

    def items(self) -> Iterator[tuple[Any, Any]]:
        """Keys and values: a Hashtable's in an order that has nothing to do with that of the script."""
        found = list(self._items.values())
        if not self.ordered:
            found.sort(key=lambda item: zlib.crc32(repr(item[0]).lower().encode("utf-8", "surrogatepass")))
        return iter(found)

    def keys(self) -> list[Any]:
        """The keys, in that order."""
        return [key for key, _ in self.items()]

    def copy(self) -> Hashtable:
        """Another with the same entries."""
        return Hashtable(self._items.values(), self.ordered)


def _hash_key(key: Any) -> Any:
    # Unlike in Python, numbers of different types are different keys.
    return key.lower() if isinstance(key, str) else (type(key), key)


# Objects


@dataclass
class PSObject:
    """An object with properties: a PSCustomObject, or one of a .NET type that only the properties count of.

    :ivar text: What ``ToString()`` gives, unless it is a PSCustomObject.
    :ivar methods: By lower-case name.
    """

    type_name: str
    properties: dict[str, Any]
    text: str | None = None
    methods: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    #: Base types that ``-is`` and ``catch`` see, full names.
    bases: tuple[str, ...] = ()


CUSTOM = "System.Management.Automation.PSCustomObject"


def custom_object(properties: Mapping[str, Any]) -> PSObject:
    """A PSCustomObject."""
    return PSObject(CUSTOM, dict(properties))


@dataclass(frozen=True)
class TypeValue:
    """``[type]`` as a value; the name in lower case, without ``system.``."""

    name: str


@dataclass(frozen=True)
class ScriptBlockValue:
    """``{ }`` as a value."""

    block: syntax.ScriptBlock


@dataclass
class SecureString:
    """System.Security.SecureString."""

    text: str = field(default="", repr=False)


@dataclass(frozen=True)
class Credential:
    """System.Management.Automation.PSCredential."""

    user: str
    password: SecureString = field(repr=False)


def wrap(value: Any) -> Any:
    """The value as a cmdlet writes it, or a pipeline hands it on: in a PSObject."""
    if isinstance(value, DateTime) and not value.wrapped:
        return replace(value, wrapped=True)
    if isinstance(value, Array) and not value.wrapped:
        return Array(value, value.element, wrapped=True)
    return value


def find(values: Mapping[str, Any], name: str) -> str | None:
    """The key that is ``name`` in any case."""
    if name in values:
        return name
    lowered = name.lower()
    return next((key for key in values if key.lower() == lowered), None)
