# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Properties and methods of values, as far as the lab has them; a member that a type may have and the lab has not is an ``Unsupported``."""

from __future__ import annotations

import operator
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from lab.cim import CimClass
from lab.powershell import operators
from lab.powershell.cim_values import CimInstance, CimProperty
from lab.powershell.errors import PowerShellError, Unsupported
from lab.powershell.types import as_array, convert, null, spelled, text, type_names, type_of
from lab.powershell.values import (
    CUSTOM,
    INTEGERS,
    NOTHING,
    Array,
    Char,
    Credential,
    DateTime,
    EnumValue,
    Guid,
    Hashtable,
    NotedString,
    PSObject,
    ScriptBlockValue,
    SecureString,
    TimeSpan,
    TypeValue,
    Version,
    bits_of,
    find,
    is_integer,
    narrowest,
)

MI = "Microsoft.Management.Infrastructure"

#: Types whose properties are known to be all that there are, so that one that is not there is ``$null``.
_MISSING = object()


# Properties


def properties(value: Any) -> dict[str, Any]:
    """The properties of a value that ``PSObject.Properties`` shows, in order."""
    match value:
        case PSObject():
            return value.properties
        case CimInstance():
            shown = {item.name: item.value for item in value.properties}
            return shown | {"PSComputerName": value.computer}
        case CimProperty():
            return {"Name": value.name, "Value": value.value, "CimType": cim_type(value), "Flags": _flags(value)}
        case Version():
            names = ("Major", "Minor", "Build", "Revision")
            return dict(zip(names, (*value.parts, -1, -1), strict=False)) | {"MajorRevision": -1, "MinorRevision": -1}
        case TimeSpan():
            return _time_span(value)
        case DateTime():
            return _date_time(value)
        case NotedString():
            return {"Length": len(value), **value.notes}
        case Char():
            return {}
        case str():
            return {"Length": len(value)}
        case Array():
            return {"Count": len(value), "Length": len(value)}
        case Hashtable():
            fixed = {"IsReadOnly": False, "IsFixedSize": False, "IsSynchronized": False}
            return fixed | {
                "Keys": Array(value.keys()),
                "Values": Array(item for _, item in value.items()),
                "Count": len(value),
            }
        case EnumValue():
            return {"value__": value.value}
        case PowerShellError():
            return error_properties(value)
        case Credential():
            return {"UserName": value.user, "Password": value.password}
        case SecureString():
            return {"Length": len(value.text)}
        case CimClass():
            return {
                "CimClassName": value.name,
                "CimSystemProperties": _system_properties(value.namespace, value.name, ""),
            }
    return {}


def _time_span(value: TimeSpan) -> dict[str, Any]:
    days, hours, minutes, seconds, milliseconds = value.parts
    total = value.ticks / 10_000_000
    return {
        "Ticks": narrowest(value.ticks),
        "Days": days,
        "Hours": hours,
        "Milliseconds": milliseconds,
        "Minutes": minutes,
        "Seconds": seconds,
        "TotalDays": total / 86400,
        "TotalHours": total / 3600,
        "TotalMilliseconds": total * 1000,
        "TotalMinutes": total / 60,
        "TotalSeconds": total,
    }


def _date_time(value: DateTime) -> dict[str, Any]:
    shown = value.naive
    return {
        "Year": shown.year,
        "Month": shown.month,
        "Day": shown.day,
        "Hour": shown.hour,
        "Minute": shown.minute,
        "Second": shown.second,
        "Millisecond": shown.microsecond // 1000,
        "Ticks": narrowest(value.ticks),
        "Kind": EnumValue(value.kind, {"Unspecified": 0, "Utc": 1, "Local": 2}[value.kind], "System.DateTimeKind"),
        "DayOfYear": shown.timetuple().tm_yday,
    }


_CIM_TYPES = (
    "Unknown", "boolean", "uint8", "sint8", "uint16", "sint16", "uint32", "sint32", "uint64", "sint64", "real32", "real64", "char16",
    "datetime", "string", "reference", "instance",
)  # fmt: skip


def cim_type(item: CimProperty) -> EnumValue:
    """``CimType``; of an array 16 more (MI_ARRAY)."""
    number = _CIM_TYPES.index(item.type) if item.type in _CIM_TYPES else 0
    name = {"uint8": "UInt8", "datetime": "DateTime"}.get(
        item.type, item.type[:1].upper() + item.type[1:].replace("int", "Int")
    )
    name = re.sub("^S[Ii]nt", "SInt", re.sub("^U[Ii]nt", "UInt", name))
    return EnumValue(name + "Array" * item.array, number + 16 * item.array, f"{MI}.CimType")


def _flags(item: CimProperty) -> EnumValue:
    names = ["Property"] + ["Key"] * item.key + ["NullValue"] * (item.value is None)
    return EnumValue(", ".join(names), 4 + 4096 * item.key + 536870912 * (item.value is None), f"{MI}.CimFlags")


def _system_properties(namespace: str, class_name: str, server: str) -> PSObject:
    values = {"Namespace": namespace, "ServerName": server, "ClassName": class_name, "Path": None}
    return PSObject(f"{MI}.CimSystemProperties", values)


def error_properties(error: PowerShellError) -> dict[str, Any]:
    """The properties of an ErrorRecord."""
    category = PSObject(
        "System.Management.Automation.ErrorCategoryInfo",
        {
            "Category": EnumValue(
                error.category, _CATEGORIES.get(error.category, 0), "System.Management.Automation.ErrorCategory"
            ),
            "Activity": error.activity,
            "Reason": error.reason,
            "TargetName": text(error.target),
            "TargetType": "" if null(error.target) else spelled(type_of(error.target)).removeprefix("System."),
        },
        text=category_text(error),
    )
    return {
        "Exception": exception_of(error),
        "TargetObject": error.target,
        "CategoryInfo": category,
        "FullyQualifiedErrorId": error.identifier,
        "ErrorDetails": None,
        "ScriptStackTrace": "at <ScriptBlock>, <No file>: line 1",
    }


def category_text(error: PowerShellError) -> str:
    """``CategoryInfo`` as text."""
    kind = "" if null(error.target) else spelled(type_of(error.target)).removeprefix("System.")
    return f"{error.category}: ({text(error.target)}:{kind}) [{error.activity}], {error.reason}"


def exception_of(error: PowerShellError) -> PSObject:
    """``Exception``."""
    members = {"Message": error.message, "HResult": -2146233087, "InnerException": None, "Source": None} | error.members
    return PSObject(
        error.exception_type, members, text=f"{error.exception_type}: {error.message}", bases=("System.Exception",)
    )


_CATEGORIES = {
    "NotSpecified": 0, "OpenError": 1, "CloseError": 2, "DeviceError": 3, "DeadlockDetected": 4, "InvalidArgument": 5, "InvalidData": 6,
    "InvalidOperation": 7, "InvalidResult": 8, "InvalidType": 9, "MetadataError": 10, "NotImplemented": 11, "NotInstalled": 12,
    "ObjectNotFound": 13, "OperationStopped": 14, "OperationTimeout": 15, "SyntaxError": 16, "ParserError": 17, "PermissionDenied": 18,
    "ResourceBusy": 19, "ResourceExists": 20, "ResourceUnavailable": 21, "ReadError": 22, "WriteError": 23, "FromStdErr": 24,
    "SecurityError": 25, "ProtocolError": 26, "ConnectionError": 27, "AuthenticationError": 28, "LimitsExceeded": 29,
    "QuotaExceeded": 30, "NotEnabled": 31,
}  # fmt: skip


def get(value: Any, name: str) -> Any:
    """``$value.name``: of an array that has no such property, that of its elements; ``$null`` if there is none."""
    if null(value):
        return None
    found = _own(value, name)
    if found is not _MISSING:
        return found
    if isinstance(value, Array):
        found_items = [
            (_own(item, name) if not isinstance(item, Array) else get(item, name)) for item in value if not null(item)
        ]
        collected: list[Any] = []
        for item in found_items:
            if item is not _MISSING:
                collected += item if isinstance(item, Array) else [item]
        return None if not collected else collected[0] if len(collected) == 1 else Array(collected)
    return None


def _own(value: Any, name: str) -> Any:
    lowered = name.lower()
    if lowered == "psobject":
        return _psobject(value)
    if isinstance(value, Hashtable):
        if name in value:
            return value[name]
        known = properties(value)
        key = find(known, name)
        return _MISSING if key is None else known[key]
    if isinstance(value, CimInstance):
        special = _cim_member(value, lowered)
        if special is not _MISSING:
            return special
    known = properties(value)
    key = find(known, name)
    if key is not None:
        return known[key]
    if lowered in ("count", "length"):
        # Since version 3, what is no collection has one, too.
        return 1
    return _MISSING


def _cim_member(value: CimInstance, lowered: str) -> Any:
    match lowered:
        case "ciminstanceproperties":
            return CimPropertyArray(value.properties)
        case "cimsystemproperties":
            return _system_properties(value.namespace, value.class_name, value.server)
        case "cimclass":
            return value.cim_class
    return _MISSING


class CimPropertyArray(Array):
    """``CimInstanceProperties``: enumerated like an array, indexed by name too."""

    def __init__(self, items: Sequence[CimProperty]) -> None:
        super().__init__(items, f"{MI.lower()}.cimproperty")


def _psobject(value: Any) -> PSObject:
    pairs = [
        PSObject(
            f"System.Management.Automation.{_property_kind(value)}",
            {"Name": key, "Value": item, "MemberType": _member_type(value)},
        )
        for key, item in properties(value).items()
    ]
    return PSObject(
        "System.Management.Automation.PSMemberSet",
        {"Properties": Array(pairs), "TypeNames": Array(type_names(value), "string"), "BaseObject": value},
    )


def _property_kind(value: Any) -> str:
    return "PSNoteProperty" if isinstance(value, PSObject) else "PSProperty"


def _member_type(value: Any) -> EnumValue:
    kind = "System.Management.Automation.PSMemberTypes"
    return EnumValue("NoteProperty", 8, kind) if isinstance(value, PSObject) else EnumValue("Property", 4, kind)


def index(value: Any, key: Any) -> Any:
    """``$value[key]``."""
    if null(value):
        raise PowerShellError("Cannot index into a null array.", "NullArray", "InvalidOperation")
    if isinstance(value, Hashtable):
        if isinstance(key, Array):
            return Array(value[item] for item in key)
        if value.ordered and isinstance(key, int):
            return value[value.keys()[key]]
        return value[key]
    if isinstance(value, CimPropertyArray) and isinstance(key, str):
        return next((item for item in value if item.name.lower() == key.lower()), None)
    if isinstance(value, PSObject) and value.type_name == _GROUPS:
        if not isinstance(key, str):
            return value.properties["Items"][convert(key, "int")]
        return value.properties["Named"][key]
    if isinstance(key, Array):
        return Array(item for item in (_item(value, single, skip=True) for single in key) if item is not _MISSING)
    return _item(value, key)


def _item(value: Any, key: Any, skip: bool = False) -> Any:
    position = convert(key, "int")
    if isinstance(value, str):
        items: Sequence[Any] = [Char(character) for character in value]
    else:
        items = value if isinstance(value, Array) else [value]
    if -len(items) <= position < len(items):
        return items[position]
    return _MISSING if skip else None


# Methods


def invoke(value: Any, name: str, arguments: list[Any], zone: int, language: str) -> Any:
    """``$value.name(arguments)``. Raises ``PowerShellError``, or ``Unsupported`` for one that the lab does not know."""
    lowered = name.lower()
    if null(value):
        raise PowerShellError(
            "You cannot call a method on a null-valued expression.", "InvokeMethodOnNull", "InvalidOperation"
        )
    if lowered == "gettype":
        return PSObject(
            "System.RuntimeType", {"Name": type_names(value)[0].rpartition(".")[2], "FullName": type_names(value)[0]}
        )
    if lowered == "equals":
        return operators.equal(value, arguments[0], sensitive=True)
    if isinstance(value, DateTime):
        return _date_method(value, lowered, arguments, language)
    if lowered == "tostring":
        return operators.format_value(value, text(arguments[0])) if arguments else to_string(value)
    if isinstance(value, str):
        return _string_method(value, lowered, arguments)
    if isinstance(value, Hashtable):
        return _hashtable_method(value, lowered, arguments)
    if isinstance(value, SecureString) and lowered == "appendchar":
        value.text += convert(arguments[0], "char")
        return NOTHING
    if isinstance(value, SecureString) and lowered == "makereadonly":
        return NOTHING
    if isinstance(value, PSObject) and lowered in value.methods:
        return value.methods[lowered](*arguments)
    if isinstance(value, Array) and lowered in _ARRAY_METHODS:
        return _ARRAY_METHODS[lowered](value, *arguments)
    if isinstance(value, Array) and value and not any(isinstance(item, Array) or null(item) for item in value):
        # A method that the array lacks is called on its elements.
        return Array(invoke(item, name, arguments, zone, language) for item in value)
    if isinstance(value, Version | Guid | TimeSpan) and lowered == "compareto":
        return operators.order(value, arguments[0])
    raise Unsupported(f"the method {name} of {type_of(value)}")


def to_string(value: Any) -> str:
    """``ToString()`` without arguments."""
    if isinstance(value, PSObject) and value.type_name == CUSTOM:
        return ""
    if isinstance(value, Array):
        return spelled(type_of(value))
    if isinstance(value, ScriptBlockValue):
        return value.block.text
    return text(value)


def _date_method(value: DateTime, name: str, arguments: list[Any], language: str) -> Any:
    match name:
        case "tostring":
            return operators.format_datetime(value, text(arguments[0])) if arguments else cultured(value, language)
        case "touniversaltime":
            return value.to("Utc")
        case "tolocaltime":
            return value.to("Local")
        case "tofiletimeutc" | "tofiletime":
            return convert(value.to("Utc").ticks - 504911232000000000, "int64")
        case "addticks":
            return DateTime(value.ticks + int(arguments[0]), value.kind, value.offset)
        case "subtract":
            return operators.subtract(value, arguments[0])
    unit = {
        "adddays": 86400.0,
        "addhours": 3600.0,
        "addminutes": 60.0,
        "addseconds": 1.0,
        "addmilliseconds": 0.001,
    }.get(name)
    if unit is None:
        raise Unsupported(f"the method {name} of a date")
    return operators.shifted(value, timedelta(seconds=unit * float(convert(arguments[0], "double"))))


def cultured(value: DateTime, language: str) -> str:
    """A date as the machine's language writes it: what ``ToString()`` gives, and nobody should read."""
    shown = value.naive
    if language.startswith("de"):
        return f"{shown:%d.%m.%Y %H:%M:%S}"
    if language.startswith("ja"):
        return f"{shown:%Y/%m/%d} {shown.hour}:{shown:%M:%S}"
    hour = shown.hour % 12 or 12
    return f"{shown.month}/{shown.day}/{shown.year} {hour}:{shown:%M:%S} {'AM' if shown.hour < 12 else 'PM'}"


def _string_method(value: str, name: str, arguments: list[Any]) -> Any:
    found = _STRING_METHODS.get(name)
    if found is None:
        raise Unsupported(f"the method {name} of a string")
    try:
        return found(str(value), *arguments)
    except (TypeError, ValueError) as error:
        raise _method_failed(
            f'Exception calling "{name}" with "{len(arguments)}" argument(s): "{error}"', "ArgumentOutOfRangeException"
        ) from None


def _characters(given: tuple[Any, ...]) -> str | None:
    """The characters that ``Trim`` removes; all white space without any."""
    joined = "".join(text(part) for item in given for part in as_array(item))
    return joined or None


def _split(value: str, *arguments: Any) -> Array:
    """``Split``: in .NET Framework at each *character* of its arguments."""
    separators = _characters(arguments)
    if any(isinstance(item, EnumValue) or is_integer(item) for item in arguments):
        raise Unsupported("Split with a count or options")
    if separators is None:
        return Array(re.split(r"\s", value), "string")
    return Array(re.split("[" + re.escape(separators) + "]", value), "string")


def _substring(value: str, start: Any, length: Any = None) -> str:
    first = convert(start, "int")
    count = len(value) - first if length is None else convert(length, "int")
    if first < 0 or count < 0 or first + count > len(value):
        raise ValueError("Index and length must refer to a location within the string. Parameter name: length")
    return value[first : first + count]


def _replace_text(value: str, old: Any, new: Any) -> str:
    if not text(old):
        raise ValueError("String cannot be of zero length. Parameter name: oldValue")
    return _joined(_units(value).replace(_units(text(old)), _units(text(new))))


def _units(value: str) -> str:
    """A string as .NET has it, in UTF-16: a character beyond the first plane is two."""
    pairs = value.encode("utf-16-be", "surrogatepass")
    return "".join(chr(int.from_bytes(pairs[index : index + 2], "big")) for index in range(0, len(pairs), 2))


def _joined(units: str) -> str:
    """The same as Python has it; half a character stays one."""
    return units.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "surrogatepass")


_STRING_METHODS: dict[str, Callable[..., Any]] = {
    "contains": lambda value, part: text(part) in value,
    "endswith": lambda value, part: value.endswith(text(part)),
    "indexof": lambda value, part: value.find(text(part)),
    "insert": lambda value, at, part: value[: convert(at, "int")] + text(part) + value[convert(at, "int") :],
    "lastindexof": lambda value, part: value.rfind(text(part)),
    "padleft": lambda value, width, fill=" ": value.rjust(convert(width, "int"), text(fill)),
    "padright": lambda value, width, fill=" ": value.ljust(convert(width, "int"), text(fill)),
    "remove": lambda value, at, count=None: value[: int(at)] + ("" if count is None else value[int(at) + int(count) :]),
    "replace": _replace_text,
    "split": _split,
    "startswith": lambda value, part: value.startswith(text(part)),
    "substring": _substring,
    "tochararray": lambda value: Array(map(Char, _units(value)), "char"),
    "tolower": str.lower,
    "tolowerinvariant": str.lower,
    "toupper": str.upper,
    "toupperinvariant": str.upper,
    "trim": lambda value, *given: value.strip(_characters(given)),
    "trimend": lambda value, *given: value.rstrip(_characters(given)),
    "trimstart": lambda value, *given: value.lstrip(_characters(given)),
}

_ARRAY_METHODS: dict[str, Callable[..., Any]] = {
    "contains": lambda value, item: any(operators.equal(one, item, sensitive=True) for one in value),
    "indexof": lambda value, item: next(
        (at for at, one in enumerate(value) if operators.equal(one, item, sensitive=True)), -1
    ),
    "getlength": lambda value, _: len(value),
}


def _hashtable_method(value: Hashtable, name: str, arguments: list[Any]) -> Any:
    match name:
        case "containskey" | "contains":
            return arguments[0] in value
        case "containsvalue":
            return any(operators.equal(item, arguments[0], sensitive=True) for _, item in value.items())
        case "add":
            if arguments[0] in value:
                raise PowerShellError(
                    f'Exception calling "Add" with "2" argument(s): "Item has already been added. Key in dictionary:'
                    f" '{text(arguments[0])}'\"",
                    "ArgumentException",
                    exception_type="System.Management.Automation.MethodInvocationException",
                )
            value[arguments[0]] = arguments[1]
        case "remove":
            value.remove(arguments[0])
        case "clear":
            value.clear()
        case "clone":
            return value.copy()
        case "getenumerator":
            return Array(
                PSObject("System.Collections.DictionaryEntry", {"Name": key, "Key": key, "Value": item})
                for key, item in value.items()
            )
        case _:
            raise Unsupported(f"the method {name} of a hashtable")
    return NOTHING


# Static members

_GROUPS = "System.Text.RegularExpressions.GroupCollection"


def _match_object(found: re.Match[str] | None) -> PSObject:
    kind = "System.Text.RegularExpressions.Match"
    if found is None:
        empty = PSObject(_GROUPS, {"Items": [], "Named": Hashtable()})
        return PSObject(kind, {"Success": False, "Value": "", "Index": 0, "Length": 0, "Groups": empty}, text="")
    items = [_group(found[number], found.start(number)) for number in range(found.re.groups + 1)]
    named = Hashtable((name, items[number]) for name, number in found.re.groupindex.items())
    groups = PSObject(_GROUPS, {"Items": items, "Named": named, "Count": len(items)})
    values = {"Success": True, "Value": found[0], "Index": found.start(), "Length": len(found[0]), "Groups": groups}
    return PSObject(kind, values, text=found[0])


def _group(value: str | None, start: int) -> PSObject:
    values = {"Success": value is not None, "Value": value or "", "Index": max(start, 0), "Length": len(value or "")}
    return PSObject("System.Text.RegularExpressions.Group", values, text=value or "")


def _method_failed(message: str, identifier: str) -> PowerShellError:
    return PowerShellError(message, identifier, exception_type="System.Management.Automation.MethodInvocationException")


def _unescape_regex(value: str) -> str:
    """``[regex]::Unescape``."""

    def character(token: re.Match[str]) -> str:
        escaped = token[1]
        if escaped[0] in "ux" and len(escaped) > 1:
            return chr(int(escaped[1:], 16))
        if escaped[0] in "ux" or escaped[0].isdigit() or escaped[0] == "c":
            raise _method_failed(
                f'Exception calling "Unescape" with "1" argument(s): "parsing "{value}" - Unrecognized escape sequence."',
                "ArgumentException",
            )
        return {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "e": "\x1b"}.get(
            escaped, escaped
        )

    units = re.sub(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", character, value, flags=re.S)
    # .NET's strings are UTF-16: two escapes make one character beyond the first plane.
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _sensitive_regex(pattern: Any) -> re.Pattern[str]:
    return operators.regex(text(pattern), sensitive=True)


def _regex_replace(value: Any, pattern: Any, replacement: Any) -> str:
    if isinstance(replacement, ScriptBlockValue):
        raise Unsupported("[regex]::Replace with a script block")
    return _sensitive_regex(pattern).sub(lambda found: operators.substitute(text(replacement), found), text(value))


STATIC_METHODS: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("string", "isnullorempty"): lambda value: not text(value),
    ("string", "isnullorwhitespace"): lambda value: not text(value).strip(),
    ("string", "join"): lambda separator, *items: text(separator).join(
        text(part) for item in items for part in as_array(item)
    ),
    ("string", "equals"): lambda left, right: text(left) == text(right),
    ("string", "concat"): lambda *items: "".join(text(part) for item in items for part in as_array(item)),
    ("text.regularexpressions.regex", "match"): lambda value, pattern: _match_object(
        _sensitive_regex(pattern).search(text(value))
    ),
    ("text.regularexpressions.regex", "matches"): lambda value, pattern: Array(
        _match_object(found) for found in _sensitive_regex(pattern).finditer(_units(text(value)))
    ),
    ("text.regularexpressions.regex", "ismatch"): lambda value, pattern: (
        _sensitive_regex(pattern).search(text(value)) is not None
    ),
    ("text.regularexpressions.regex", "replace"): _regex_replace,
    ("text.regularexpressions.regex", "split"): lambda value, pattern: Array(
        _sensitive_regex(pattern).split(text(value)), "string"
    ),
    ("text.regularexpressions.regex", "escape"): lambda value: re.sub(r"([\\*+?|{\[()^$.# ])", r"\\\1", text(value)),
    ("text.regularexpressions.regex", "unescape"): lambda value: _unescape_regex(text(value)),
    ("guid", "newguid"): lambda: Guid(str(uuid.uuid4())),
    ("char", "isdigit"): lambda value: text(value).isdecimal(),
    ("math", "floor"): lambda value: float(operator.floordiv(convert(value, "double"), 1)),
    ("math", "max"): lambda left, right: left if operators.order(left, right) >= 0 else right,
    ("math", "min"): lambda left, right: left if operators.order(left, right) <= 0 else right,
}


def static_property(kind: str, name: str, clock: datetime, zone: int) -> Any:
    """``[kind]::name``."""
    lowered = name.lower()
    if kind == "datetime" and lowered in ("now", "utcnow", "minvalue", "maxvalue"):
        return {
            "now": lambda: DateTime.of(clock, "Local", zone),
            "utcnow": lambda: DateTime.of(clock.astimezone(UTC), "Utc", zone),
            "minvalue": lambda: DateTime(0, "Unspecified", zone),
            "maxvalue": lambda: DateTime(3155378975999999999, "Unspecified", zone),
        }[lowered]()
    if kind == "string" and lowered == "empty":
        return ""
    if kind == "guid" and lowered == "empty":
        return Guid("00000000-0000-0000-0000-000000000000")
    if kind == "timespan" and lowered == "zero":
        return TimeSpan(0)
    if kind in INTEGERS and lowered in ("maxvalue", "minvalue"):
        bits, signed = bits_of(kind)
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        return convert(high if lowered == "maxvalue" else low, kind)
    raise Unsupported(f"[{kind}]::{name}")


def new_object(kind: TypeValue, arguments: list[Any]) -> Any:
    """``[kind]::new(arguments)`` or New-Object. Raises ``Unsupported`` for a type that the lab does not know."""
    match kind.name:
        case "management.automation.pscredential":
            if len(arguments) != 2 or not isinstance(arguments[1], SecureString) or not text(arguments[0]):
                raise PowerShellError(
                    f'Cannot find an overload for ".ctor" and the argument count: "{len(arguments)}".', "MethodCountCouldNotFindBest",
                    exception_type="System.Management.Automation.MethodException",
                )  # fmt: skip
            return Credential(text(arguments[0]), arguments[1])
        case "security.securestring":
            return SecureString()
        case "management.automation.psobject" | "management.automation.pscustomobject":
            return PSObject(CUSTOM, {})
        case "collections.hashtable":
            return Hashtable()
        case "guid" | "version" | "timespan" | "text.regularexpressions.regex" if len(arguments) == 1:
            return convert(arguments[0], kind.name)
    raise Unsupported(f"a new {kind.name}")
