# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Types by name: which there are, which are core types, and conversion to them (LanguagePrimitives.ConvertTo).

A type's name here is in lower case, without ``System.``; accelerators are resolved, so ``[int]`` is ``int32``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from lab.cim import CimClass
from lab.powershell.cim_values import CimInstance, CimProperty
from lab.powershell.errors import PowerShellError, Unsupported
from lab.powershell.values import (
    CUSTOM,
    EPOCH,
    INTEGERS,
    NOTHING,
    Array,
    Char,
    Credential,
    DateTime,
    EnumValue,
    Guid,
    Hashtable,
    PSObject,
    ScriptBlockValue,
    SecureString,
    TimeSpan,
    TypeValue,
    Version,
    fits,
    integer_kind,
    is_integer,
)

_ACCELERATORS = {
    "bool": "boolean", "int": "int32", "long": "int64", "float": "single", "short": "int16", "ushort": "uint16", "uint": "uint32",
    "ulong": "uint64", "regex": "text.regularexpressions.regex", "xml": "xml.xmldocument", "hashtable": "collections.hashtable",
    "pscredential": "management.automation.pscredential", "securestring": "security.securestring",
    "psobject": "management.automation.psobject", "pscustomobject": "management.automation.psobject",
    "switch": "management.automation.switchparameter", "scriptblock": "management.automation.scriptblock",
    "ciminstance": "microsoft.management.infrastructure.ciminstance", "cimclass": "microsoft.management.infrastructure.cimclass",
    "cimtype": "microsoft.management.infrastructure.cimtype", "cultureinfo": "globalization.cultureinfo",
    "ordered": "collections.specialized.ordereddictionary", "bigint": "numerics.biginteger", "ipaddress": "net.ipaddress",
    "math": "math", "convert": "convert", "array": "array",
}  # fmt: skip

#: Types whose methods, conversions and property sets Constrained Language Mode allows (about_Language_Modes; facts/powershell.md 3).
CORE_TYPES = {
    "string", "char", "boolean", "byte", "sbyte", "int16", "int32", "int64", "uint16", "uint32", "uint64", "decimal", "double", "single",
    "numerics.biginteger", "guid", "datetime", "timespan", "version", "uri", "text.regularexpressions.regex", "xml.xmldocument",
    "collections.hashtable", "array", "object", "management.automation.psobject", "management.automation.pscredential",
    "security.securestring", "globalization.cultureinfo", "microsoft.management.infrastructure.ciminstance",
    "microsoft.management.infrastructure.cimclass", "microsoft.management.infrastructure.cimtype",
    "management.automation.switchparameter", "net.ipaddress", "void",
}  # fmt: skip

#: Types that exist, but that scripts in Constrained Language Mode cannot use (facts 6).
OTHER_TYPES = {
    "math", "convert", "bitconverter", "environment", "console", "text.encoding", "io.file", "io.path", "io.directory", "io.streamreader",
    "io.memorystream", "text.stringbuilder", "collections.arraylist", "net.webclient", "activator", "gc", "diagnostics.process", "ref",
    "management.automation.scriptblock", "type", "exception", "collections.specialized.ordereddictionary",
    "security.principal.windowsidentity", "security.principal.windowsprincipal", "runtime.interopservices.marshal", "adsi", "wmi",
    "wmiclass", "management.managementdatetimeconverter", "management.automation.pscustomobject",
    "microsoft.management.infrastructure.serialization.cimserializer",
}  # fmt: skip

#: Full names as .NET spells them, for texts.
_SPELLED = {
    "boolean": "Boolean", "datetime": "DateTime", "timespan": "TimeSpan", "int16": "Int16", "int32": "Int32", "int64": "Int64",
    "uint16": "UInt16", "uint32": "UInt32", "uint64": "UInt64", "sbyte": "SByte", "collections.hashtable": "Collections.Hashtable",
    "management.automation.psobject": "Management.Automation.PSObject",
    "management.automation.pscredential": "Management.Automation.PSCredential", "security.securestring": "Security.SecureString",
    "management.automation.scriptblock": "Management.Automation.ScriptBlock",
    "collections.specialized.ordereddictionary": "Collections.Specialized.OrderedDictionary",
    "text.regularexpressions.regex": "Text.RegularExpressions.Regex",
}  # fmt: skip


def resolve(name: str) -> str:
    """The type's own name, without ``[]``."""
    plain = name.lower().removesuffix("[]").removeprefix("system.")
    return _ACCELERATORS.get(plain, plain)


def exists(name: str) -> bool:
    """Whether there is such a type, as far as the lab knows: one it does not know is an ``Unsupported``, not an error of the script."""
    plain = resolve(name)
    return plain in CORE_TYPES or plain in OTHER_TYPES or plain.startswith(("management.automation.", "microsoft."))


def is_core(name: str) -> bool:
    """Whether Constrained Language Mode lets a script use the type; of an array, whether it does of the elements."""
    return resolve(name) in CORE_TYPES


def spelled(name: str) -> str:
    """The full name, as .NET spells it."""
    plain = resolve(name)
    known = _SPELLED.get(plain, plain[:1].upper() + plain[1:])
    prefix = "" if plain.startswith("microsoft.") else "System."
    return prefix + known + ("[]" if name.endswith("[]") else "")


def type_of(value: Any) -> str:
    """The type of a value, which is not ``$null``."""
    match value:
        case bool():
            return "boolean"
        case EnumValue():
            return value.type_name.lower().removeprefix("system.")
        case int():
            return integer_kind(value)
        case float():
            return "double"
        case Char():
            return "char"
        case str():
            return "string"
        case Array():
            return f"{value.element}[]"
        case Hashtable():
            return resolve("ordered") if value.ordered else resolve("hashtable")
        case DateTime():
            return "datetime"
        case TimeSpan():
            return "timespan"
        case Guid():
            return "guid"
        case Version():
            return "version"
        case CimInstance():
            return resolve("ciminstance")
        case CimProperty():
            return "microsoft.management.infrastructure.cimproperty"
        case CimClass():
            return resolve("cimclass")
        case SecureString():
            return resolve("securestring")
        case Credential():
            return resolve("pscredential")
        case ScriptBlockValue():
            return resolve("scriptblock")
        case TypeValue():
            return "type"
        case PSObject():
            return value.type_name.lower().removeprefix("system.")
        case PowerShellError():
            return "management.automation.errorrecord"
    raise Unsupported(f"the type of {value!r}")


def type_names(value: Any) -> list[str]:
    """The full names of its type and the types that it derives from, the nearest first (``PSObject.TypeNames``)."""
    if isinstance(value, PSObject):
        return [value.type_name, *value.bases, "System.Object"]
    return [spelled(type_of(value)), "System.Object"]


def is_instance(value: Any, name: str) -> bool:
    """``-is``."""
    if value is None or value is NOTHING:
        return False
    wanted = resolve(name)
    if name.endswith("[]"):
        return isinstance(value, Array) and resolve(value.element) == wanted
    if wanted == "array":
        return isinstance(value, Array)
    if wanted in ("object", "management.automation.psobject"):
        # -is [psobject] depends on a value's being wrapped.
        if wanted != "object" and not isinstance(value, PSObject):
            raise Unsupported("-is [psobject] of a value that may or may not be wrapped")
        return True
    if isinstance(value, PSObject):
        return wanted in [item.lower().removeprefix("system.") for item in type_names(value)]
    return type_of(value) == wanted


def null(value: Any) -> bool:
    """Whether it is ``$null``."""
    return value is None or value is NOTHING


def truth(value: Any) -> bool:
    """Whether a condition holds (about_Booleans)."""
    if null(value):
        return False
    if isinstance(value, Array):
        return truth(value[0]) if len(value) == 1 else len(value) > 1
    if isinstance(value, EnumValue):
        return value.value != 0
    if isinstance(value, str | int | float):
        return bool(value)
    return True


def text(value: Any) -> str:
    """As a string (invariant culture), which ``"$x"`` and ``[string]`` give."""
    match value:
        case None | Nothing_():
            return ""
        case bool():
            return "True" if value else "False"
        case EnumValue():
            return value.name
        case float():
            return _double(value)
        case str():
            return str(value)
        case int():
            return str(int(value))
        case Version() | Guid() | TimeSpan():
            return value.text
        case DateTime():
            return f"{value.naive:%m/%d/%Y %H:%M:%S}"
        case Array():
            return " ".join(text(item) for item in value)
        case PSObject() if value.type_name == CUSTOM or value.type_name.startswith(("Selected.", "Deserialized.")):
            return "@{" + "; ".join(f"{name}={text(item)}" for name, item in value.properties.items()) + "}"
        case PSObject():
            return value.type_name if value.text is None else value.text
        case PowerShellError():
            return value.message
        case ScriptBlockValue():
            return value.block.text
        case TypeValue():
            return spelled(value.name)
        case CimInstance():
            return value.text
    return spelled(type_of(value))


def _double(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    mantissa, _, exponent = f"{value:.15g}".partition("e")
    return mantissa + (f"E{exponent[0]}{exponent[1:].zfill(2)}" if exponent else "")


Nothing_ = type(NOTHING)


def enumerate_value(value: Any) -> Iterable[Any]:
    """What a pipeline gets of a value: the elements of an array, ``$null`` itself, nothing of ``NOTHING``."""
    if value is NOTHING:
        return ()
    return list(value) if isinstance(value, Array) else (value,)


def as_array(value: Any) -> Array:
    """The value if it is an array, else one with it alone; of ``$null`` an empty one."""
    if null(value):
        return Array()
    return value if isinstance(value, Array) else Array([value])


def convert(value: Any, name: str, zone: int = 0) -> Any:
    """Convert to a type. ``zone``: the machine's time zone in minutes. Raises ``PowerShellError`` when that is impossible."""
    wanted = resolve(name)
    if name.endswith("[]"):
        if null(value):
            return None
        element = "object" if wanted == "object" else wanted
        return Array((convert(item, element, zone) for item in as_array(value)), element)
    if wanted in INTEGERS:
        return _to_integer(value, wanted)
    match wanted:
        case "object":
            return None if value is NOTHING else value
        case "array":
            return None if null(value) else as_array(value)
        case "string":
            return _to_string(value)
        case "boolean":
            return truth(value)
        case "double":
            return _to_double(value)
        case "char":
            return _to_char(value)
        case "void":
            return NOTHING
        case "guid":
            return _to_guid(value)
        case "version":
            return _to_version(value)
        case "datetime":
            return _to_datetime(value, zone)
        case "timespan":
            return _to_timespan(value)
        case "type":
            return value if isinstance(value, TypeValue) else TypeValue(text(value).lower())
        case "management.automation.switchparameter":
            return truth(value)
        case "management.automation.psobject":
            return value
    if null(value):
        return None
    if type_of(value) == wanted:
        return value
    if wanted == "collections.specialized.ordereddictionary" and isinstance(value, Hashtable):
        return value
    known = {
        "collections.hashtable",
        "management.automation.scriptblock",
        resolve("ciminstance"),
        resolve("securestring"),
    }
    if wanted in known:
        raise _cannot(value, wanted)
    raise Unsupported(f"conversion of {type_of(value)} to [{name}]")


def _cannot(value: Any, wanted: str, identifier: str = "ConvertToFinalInvalidCastException") -> PowerShellError:
    shown = text(value)
    message = f'Cannot convert value "{shown}" to type "{spelled(wanted)}".'
    return PowerShellError(
        message,
        identifier,
        "InvalidArgument",
        exception_type="System.Management.Automation.PSInvalidCastException",
    )


def _to_string(value: Any) -> str:
    # [string]$null is an empty string.
    return str(value) if isinstance(value, str) else text(value)


def _to_integer(value: Any, wanted: str) -> int:
    if null(value):
        number: int = 0
    elif isinstance(value, EnumValue):
        number = value.value
    elif isinstance(value, bool):
        number = int(value)
    elif isinstance(value, Char):
        number = ord(value)
    elif isinstance(value, int):
        number = int(value)
    elif isinstance(value, float):
        if value != value or abs(value) == float("inf"):
            raise _cannot(value, wanted)
        number = round(value)
    elif isinstance(value, str):
        number = _parsed(value, wanted)
    else:
        raise _cannot(value, wanted)
    if not fits(number, wanted):
        raise PowerShellError(
            f'Cannot convert value "{text(value)}" to type "{spelled(wanted)}". Error: "Value was either too large or too small for'
            f' {spelled(wanted).removeprefix("System.")}."',
            "InvalidCastIConvertible" if not isinstance(value, str) else "InvalidCastFromStringToInteger",
            "InvalidArgument",
            exception_type="System.Management.Automation.PSInvalidCastException",
        )
    kind = INTEGERS[wanted]
    return kind(number) if kind is not int else number


def _parsed(value: str, wanted: str) -> int:
    stripped = value.strip()
    if not stripped:
        return 0
    if re.fullmatch(r"0x[0-9a-f]+", stripped, re.I):
        bits = int(stripped, 16)
        # Read as bits, as in a script.
        return bits - (1 << 32) if wanted == "int32" and 1 << 31 <= bits < 1 << 32 else bits
    try:
        return int(stripped) if re.fullmatch(r"[+-]?\d+", stripped) else round(float(stripped))
    except ValueError:
        raise PowerShellError(
            f'Cannot convert value "{value}" to type "{spelled(wanted)}". Error: "Input string was not in a correct format."',
            "InvalidCastFromStringToInteger",
            "InvalidArgument",
            exception_type="System.Management.Automation.PSInvalidCastException",
        ) from None


def _to_double(value: Any) -> float:
    try:
        return float(value) if isinstance(value, str | int | float) else float(_to_integer(value, "int64"))
    except ValueError:
        raise _cannot(value, "double", "InvalidCastFromStringToDoubleOrSingle") from None


def _to_char(value: Any) -> Char:
    if isinstance(value, str) and len(value) == 1:
        return Char(value)
    if is_integer(value) and 0 <= value <= 0xFFFF:
        return Char(chr(value))
    raise _cannot(value, "char")


def _to_guid(value: Any) -> Guid:
    if isinstance(value, Guid):
        return value
    found = re.fullmatch(
        r"[{(]?([0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12})[)}]?", text(value).strip(), re.I
    )
    if found is None:
        raise _cannot(value, "guid", "InvalidCastParseTargetInvocation")
    digits = found[1].replace("-", "").lower()
    return Guid("-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])))


def _to_version(value: Any) -> Version:
    if isinstance(value, Version):
        return value
    if not re.fullmatch(r"\d+(\.\d+){1,3}", text(value).strip()):
        raise _cannot(value, "version", "InvalidCastParseTargetInvocation")
    return Version(text(value).strip())


_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,7}))?)?)?(Z|[+-]\d\d:\d\d)?")


def _to_datetime(value: Any, zone: int) -> DateTime:
    if isinstance(value, DateTime):
        # A conversion takes it out of its PSObject.
        return DateTime(value.ticks, value.kind, value.offset)
    if is_integer(value):
        return DateTime(int(value), "Unspecified", zone)
    found = _ISO.fullmatch(text(value).strip())
    if found is None:
        raise Unsupported(f"the date {text(value)!r}, whose reading depends on the culture")
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    moment = EPOCH.replace(year, month, day, hour, minute, second)
    ticks = (moment - EPOCH) // timedelta(microseconds=1) * 10 + int((found[7] or "0").ljust(7, "0"))
    if found[8] is None:
        return DateTime(ticks, "Unspecified", zone)
    shift = 0 if found[8] == "Z" else int(found[8][0] + "1") * (int(found[8][1:3]) * 60 + int(found[8][4:6]))
    return DateTime(ticks - shift * 600_000_000, "Utc", zone).to("Local")


def _to_timespan(value: Any) -> TimeSpan:
    if isinstance(value, TimeSpan):
        return value
    if is_integer(value):
        return TimeSpan(int(value))
    raise Unsupported(f"the time span {text(value)!r}")
