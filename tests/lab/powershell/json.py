# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ConvertTo-Json and ConvertFrom-Json of Windows PowerShell 5.1, which are JavaScriptSerializer's (facts/powershell.md 16 to 25).

Source: ConvertToJsonCommand.cs and ConvertFromJsonCommand.cs of PowerShell's source, the branch that is not CORECLR.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from lab.powershell import members
from lab.powershell.binding import MISSING, Cmdlet, Parameter
from lab.powershell.cim_values import CimInstance
from lab.powershell.errors import PowerShellError, Unsupported
from lab.powershell.types import null, text
from lab.powershell.values import (
    Array,
    Char,
    DateTime,
    EnumValue,
    Guid,
    Hashtable,
    NotedString,
    PSObject,
    custom_object,
    narrowest,
)

_EPOCH_TICKS = 621355968000000000
#: Enumerations whose numbers have 64 bits are written by name.
_WIDE_ENUMS: set[str] = set()


class _Date(str):
    """A date in JavaScriptSerializer's form, whose slashes are escaped."""


class _Writer:
    def __init__(self, depth: int, array_type_data: bool, language: str) -> None:
        self._depth = depth
        self._array_type_data = array_type_data
        self._language = language

    def tree(self, value: Any, depth: int) -> Any:
        """The value as dictionaries, lists and simple values."""
        if null(value):
            return None
        if isinstance(value, NotedString):
            # AddPsProperties: a string that has note properties becomes an object.
            return {"value": str(value)} | {name: self.tree(item, depth + 1) for name, item in value.notes.items()}
        if isinstance(value, EnumValue):
            return value.name if value.type_name in _WIDE_ENUMS else value.value
        if isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, Guid):
            return value.text
        if isinstance(value, DateTime):
            milliseconds = (value.to("Utc").ticks - _EPOCH_TICKS) // 10_000
            shown = _Date(f"/Date({milliseconds})/")
            if not value.wrapped:
                return shown
            return {"value": shown, "DateTime": _long_date(value, self._language)}
        if depth > self._depth:
            return text(value)
        if isinstance(value, Hashtable):
            return self._dictionary(value, depth)
        if isinstance(value, Array):
            items = [self.tree(item, depth + 1) for item in value]
            # The alias property Count of System.Array shows on an array in a PSObject.
            return {"value": items, "Count": len(items)} if value.wrapped and self._array_type_data else items
        return {name: self.tree(item, depth + 1) for name, item in self._members(value)}

    def _dictionary(self, value: Hashtable, depth: int) -> dict[str, Any]:
        for key in value:
            if not isinstance(key, str):
                raise PowerShellError(
                    "The type 'System.Collections.Hashtable' is not supported for serialization or deserialization of a dictionary."
                    " Keys must be strings.",
                    "NonStringKeyInDictionary",
                    "InvalidOperation",
                    exception_type="System.InvalidOperationException",
                )
        return {str(key): self.tree(item, depth + 1) for key, item in value.items()}

    def _members(self, value: Any) -> Iterable[tuple[str, Any]]:
        if isinstance(value, CimInstance):
            yield "CimClass", members.get(value, "CimClass")
            yield "CimInstanceProperties", Array(value.properties)
            yield "CimSystemProperties", members.get(value, "CimSystemProperties")
        yield from members.properties(value).items()


def _long_date(value: DateTime, language: str) -> str:
    """The script property DateTime of a date in a PSObject: words in the machine's language."""
    shown = value.naive
    if language.startswith("en"):
        hour = shown.hour % 12 or 12
        return f"{shown:%A, %B} {shown.day}, {shown.year} {hour}:{shown:%M:%S} {'AM' if shown.hour < 12 else 'PM'}"
    return f"{shown:%Y-%m-%d} ({language}) {shown:%H:%M:%S}"


def dumps(value: Any, depth: int, compress: bool, array_type_data: bool = True, language: str = "en-US") -> str:
    """What ConvertTo-Json writes. Raises ``PowerShellError`` for a key that is no text."""
    tree = _Writer(depth, array_type_data, language).tree(value, 0)
    return _compact(tree) if compress else _pretty(tree, 0)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, _Date):
        return f'"\\{value[:-1]}\\/"'
    if isinstance(value, Char) and value == "\0":
        return "null"
    if isinstance(value, str):
        return f'"{_escaped(value)}"'
    if isinstance(value, float):
        return text(value) if value == int(value) and abs(value) < 1e15 else repr(value).upper()
    return str(int(value))


def _escaped(value: str) -> str:
    """JavaScriptStringEncode: ASCII's dangerous ones and line separators, no other character beyond ASCII (facts 23)."""
    short = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}

    def one(found: re.Match[str]) -> str:
        return short.get(found[0]) or f"\\u{ord(found[0]):04x}"

    return re.sub("[\"\\\\\x00-\x1f'<>&\x85\u2028\u2029]", one, value)


def _compact(tree: Any) -> str:
    if isinstance(tree, dict):
        return "{" + ",".join(f'"{_escaped(name)}":{_compact(item)}' for name, item in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ",".join(_compact(item) for item in tree) + "]"
    return _scalar(tree)


def _pretty(tree: Any, column: int) -> str:
    """5.1's own form: two spaces after a colon, and what is nested indented from where it begins."""
    pad = " " * column
    inner = " " * (column + 4)
    if isinstance(tree, dict):
        entries = []
        for name, item in tree.items():
            head = f'"{_escaped(name)}":  '
            entries.append(f"{inner}{head}{_pretty(item, column + 4 + len(head))}")
        return "{\r\n" + ",\r\n".join(entries) + f"\r\n{pad}}}"
    if isinstance(tree, list):
        return "[\r\n" + ",\r\n".join(f"{inner}{_pretty(item, column + 4)}" for item in tree) + f"\r\n{pad}]"
    return _scalar(tree)


class ConvertToJson(Cmdlet):
    """ConvertTo-Json."""

    name, command_type = "ConvertTo-Json", "Microsoft.PowerShell.Commands.ConvertToJsonCommand"
    parameters = (
        Parameter("InputObject", position=0, mandatory=True, pipeline=True),
        Parameter("Depth", "int"),
        Parameter("Compress", "switch"),
    )

    def begin(self) -> None:
        self._items: list[Any] = []

    def process(self, item: Any) -> None:
        value = self.bound["InputObject"] if item is MISSING else item
        if not null(value):
            self._items.append(value)

    def end(self) -> None:
        depth = self.bound.get("Depth", 2)
        if not 1 <= depth <= 100:
            raise PowerShellError(
                f"Cannot validate argument on parameter 'Depth'. The {depth} argument is not in the range 1 to 100.",
                f"ParameterArgumentValidationError,{self.command_type}",
                "InvalidData",
                exception_type="System.Management.Automation.ParameterBindingValidationException",
            )
        if not self._items:
            return
        value = self._items[0] if len(self._items) == 1 else Array(self._items)
        session = self.session
        try:
            written = dumps(
                value, depth, self.bound.is_set("Compress"), session.array_type_data, session.environment.language
            )
        except PowerShellError as error:
            raise self.signed(error) from None
        self.write(written)


class ConvertFromJson(Cmdlet):
    """ConvertFrom-Json. An array is written as one object (facts 21)."""

    name, command_type = "ConvertFrom-Json", "Microsoft.PowerShell.Commands.ConvertFromJsonCommand"
    parameters = (Parameter("InputObject", "string", 0, mandatory=True, pipeline=True),)

    def begin(self) -> None:
        self._lines: list[str] = []

    def process(self, item: Any) -> None:
        self._lines.append(text(self.bound["InputObject"] if item is MISSING else item))

    def end(self) -> None:
        # It tries the first line alone first; then all are one document.
        if len(self._lines) > 1:
            try:
                for line in self._lines:
                    json.loads(line)
            except ValueError:
                self.write(self._parsed("\r\n".join(self._lines)))
                return
            for line in self._lines:
                self.write(self._parsed(line))
            return
        self.write(self._parsed(self._lines[0]))

    def _parsed(self, source: str) -> Any:
        try:
            return _value(json.loads(source, object_pairs_hook=self._object, parse_int=_integer, parse_float=_number))
        except ValueError as error:
            raise self.signed(
                PowerShellError(
                    f"Invalid JSON primitive: {source[:20]}.",
                    "System.ArgumentException",
                    "NotSpecified",
                    exception_type="System.ArgumentException",
                )
            ) from error

    def _object(self, pairs: list[tuple[str, Any]]) -> PSObject:
        values: dict[str, Any] = {}
        for key, value in pairs:
            if not key:
                raise self.signed(
                    PowerShellError(
                        "The provided JSON includes a property whose name is an empty string.", "EmptyKeyInJsonString"
                    )
                )
            if any(known.lower() == key.lower() for known in values) and key not in values:
                raise self.signed(
                    PowerShellError(
                        f"Cannot convert the JSON string because a dictionary that was converted from the string contains the duplicated"
                        f" keys '{key}'.",
                        "DuplicateKeysInJsonString",
                        "InvalidOperation",
                        exception_type="System.InvalidOperationException",
                    )
                )
            values[key] = _value(value)
        return custom_object(values)


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return Array(_value(item) for item in value)
    if isinstance(value, str):
        found = re.fullmatch(r"/Date\((-?\d+)\)/", value)
        if found:
            return DateTime.of(datetime.fromtimestamp(int(found[1]) / 1000, UTC), "Utc", 0)
    return value


def _integer(digits: str) -> Any:
    value = narrowest(int(digits))
    if isinstance(value, float):
        raise Unsupported(f"the number {digits}, which becomes a Decimal")
    return value


def _number(digits: str) -> Any:
    # With a fraction it becomes a Decimal, with an exponent a Double.
    if "e" in digits.lower():
        return float(digits)
    exact = Decimal(digits)
    return float(exact)
