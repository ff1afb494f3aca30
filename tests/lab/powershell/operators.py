# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the operators do (about_Operators, about_Comparison_Operators, about_Split, .NET composite formatting)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from lab.powershell.errors import PowerShellError, Unsupported
from lab.powershell.types import as_array, convert, null, text, truth, type_of
from lab.powershell.values import (
    INTEGERS,
    Array,
    Char,
    DateTime,
    EnumValue,
    Guid,
    Hashtable,
    TimeSpan,
    Version,
    bits_of,
    fits,
    integer_kind,
    is_integer,
    is_number,
    narrowest,
)

#: What ``-match`` found, by group: for ``$Matches``.
Groups = dict[int | str, str]


def add(left: Any, right: Any) -> Any:
    """``+``."""
    if null(left):
        return right
    if isinstance(left, Array):
        return Array([*left, *(right if isinstance(right, Array) else [None if null(right) else right])])
    if isinstance(left, Hashtable) and isinstance(right, Hashtable):
        joined = left.copy()
        for key, value in right.items():
            if key in joined:
                raise PowerShellError(
                    f"Item has already been added. Key in dictionary: '{text(key)}'",
                    "ArgumentException",
                    "OperationStopped",
                )
            joined[key] = value
        return joined
    if isinstance(left, str):
        return str(left) + text(right)
    if isinstance(left, DateTime) and isinstance(right, TimeSpan):
        return DateTime(left.ticks + right.ticks, left.kind, left.offset)
    if isinstance(left, TimeSpan) and isinstance(right, TimeSpan):
        return TimeSpan(left.ticks + right.ticks)
    return _arithmetic("+", left, right)


def subtract(left: Any, right: Any) -> Any:
    """``-``."""
    if isinstance(left, DateTime) and isinstance(right, DateTime):
        return TimeSpan(left.ticks - right.ticks)
    if isinstance(left, DateTime) and isinstance(right, TimeSpan):
        return DateTime(left.ticks - right.ticks, left.kind, left.offset)
    if isinstance(left, TimeSpan) and isinstance(right, TimeSpan):
        return TimeSpan(left.ticks - right.ticks)
    return _arithmetic("-", left, right)


def multiply(left: Any, right: Any) -> Any:
    """``*``."""
    if isinstance(left, str) and not isinstance(left, Char):
        return str(left) * int(convert(right, "int"))
    if isinstance(left, Array):
        return Array(list(left) * int(convert(right, "int")))
    return _arithmetic("*", left, right)


def divide(left: Any, right: Any) -> Any:
    """``/``."""
    return _arithmetic("/", left, right)


def remainder(left: Any, right: Any) -> Any:
    """``%``."""
    return _arithmetic("%", left, right)


def _operand(value: Any, sign: str) -> int | float:
    if null(value):
        return 0
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, EnumValue):
        return value.value
    if is_number(value):
        number: int | float = value
        return number
    if isinstance(value, str) and not value.strip():
        return 0
    if isinstance(value, str):
        parsed: float = convert(value, "double")
        return (
            narrowest(int(parsed))
            if parsed == int(parsed) and "." not in value and "e" not in value.lower()
            else parsed
        )
    raise PowerShellError(
        f"Method invocation failed because [{type_of(value)}] does not contain a method named '{sign}'.",
        "MethodNotFound",
        "InvalidOperation",
    )


def _arithmetic(sign: str, left: Any, right: Any) -> int | float:
    first, second = _operand(left, sign), _operand(right, sign)
    if sign in "/%" and second == 0 and not isinstance(first, float) and not isinstance(second, float):
        raise PowerShellError("Attempted to divide by zero.", "RuntimeException", "NotSpecified")
    if isinstance(first, float) or isinstance(second, float):
        return float(_FLOAT[sign](float(first), float(second)))
    if sign == "/":
        quotient = first / second
        exact = first // second if first % second == 0 else None
        return _widened(first, second, exact) if exact is not None else quotient
    if sign == "%":
        magnitude = abs(first) % abs(second)
        return _widened(first, second, -magnitude if first < 0 else magnitude)
    return _widened(first, second, int(_FLOAT[sign](int(first), int(second))))


_FLOAT: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda left, right: (
        left / right if right else float("nan") if not left else float("inf") * (1 if left > 0 else -1)
    ),
    "%": lambda left, right: left - right * int(left / right) if right else float("nan"),
}


def _widened(first: int, second: int, value: int) -> int | float:
    """A result in the wider of both types, at least Int32; a Double where that is too narrow."""
    order = list(INTEGERS)
    kind = max(integer_kind(first), integer_kind(second), "int32", key=order.index)
    if not bits_of(kind)[1] and (first < 0 or second < 0):
        return float(value)
    if not fits(value, kind):
        return float(value)
    number = INTEGERS[kind]
    return number(value) if number is not int else int(value)


def negative(value: Any) -> Any:
    """``-`` before a value."""
    number = _operand(value, "-")
    return (
        -number
        if isinstance(number, float)
        else _widened(0, number if bits_of(integer_kind(number))[1] else int(number), -int(number))
    )


def bitwise(name: str, left: Any, right: Any) -> Any:
    """``-band``, ``-bor``, ``-bxor``, ``-shl``, ``-shr``."""
    if isinstance(left, EnumValue) or isinstance(right, EnumValue):
        raise Unsupported(f"-{name} of enumerations")
    first, second = (int_operand(value) for value in (left, right))
    if name in ("shl", "shr"):
        kind = integer_kind(first) if integer_kind(first) in ("uint32", "int64", "uint64") else "int32"
        bits, signed = bits_of(kind)
        amount = int(second) % bits
        return _bits(int(first) << amount if name == "shl" else int(first) >> amount, kind, bits, signed)
    order = list(INTEGERS)
    kind = max(integer_kind(first), integer_kind(second), "int32", key=order.index)
    bits, signed = bits_of(kind)
    value: int = {"band": operator.and_, "bor": operator.or_, "bxor": operator.xor}[name](int(first), int(second))
    return _bits(value, kind, bits, signed)


def int_operand(value: Any) -> int:
    """An operand of a bitwise operator."""
    number: int = value if is_integer(value) else convert(value, "int64")
    return number


def _bits(value: int, kind: str, bits: int, signed: bool) -> int:
    value &= (1 << bits) - 1
    if signed and value >> bits - 1:
        value -= 1 << bits
    number = INTEGERS[kind]
    return number(value) if number is not int else value


# Comparison


def _same_type(left: Any, right: Any) -> tuple[Any, Any]:
    """Both sides as they are compared: the left one's type decides. Raises ``PowerShellError``."""
    if isinstance(left, EnumValue):
        if isinstance(right, str):
            return left.name, right
        return left.value, right.value if isinstance(right, EnumValue) else _operand(right, "=")
    if isinstance(left, str) and not isinstance(left, Char):
        return str(left), text(right)
    if isinstance(left, Char):
        return str(left), text(right)
    if isinstance(left, bool):
        return left, truth(right)
    if is_number(left):
        return left, _operand(right, "=")
    if isinstance(left, Version):
        return _padded(left), _padded(convert(right, "version"))
    if isinstance(left, DateTime):
        return left.ticks, convert(right, "datetime", left.offset).ticks
    if isinstance(left, TimeSpan):
        return left.ticks, convert(right, "timespan").ticks
    if isinstance(left, Guid):
        return left.text, convert(right, "guid").text
    raise TypeError


def _padded(version: Version) -> tuple[int, ...]:
    return (*version.parts, -1, -1)[:4]


def equal(left: Any, right: Any, sensitive: bool = False) -> bool:
    """``-eq`` of two single values."""
    if null(left) or null(right):
        return null(left) and null(right)
    try:
        first, second = _same_type(left, right)
    except TypeError:
        return left is right
    except PowerShellError:
        return False
    if isinstance(first, str) and isinstance(second, str) and not sensitive:
        return first.lower() == second.lower()
    return bool(first == second)


def order(left: Any, right: Any, sensitive: bool = False) -> int:
    """Negative, zero or positive, as ``left`` is less, equal or greater. Raises ``PowerShellError`` for what has no order."""
    if null(left):
        return 0 if null(right) else -1 if not is_number(right) or right >= 0 else 1
    if null(right):
        return 1 if not is_number(left) or left >= 0 else -1
    try:
        first, second = _same_type(left, right)
    except TypeError:
        raise PowerShellError(
            f'Cannot compare "{text(left)}" because it is not IComparable.', "NotIcomparable", "InvalidOperation"
        ) from None
    if isinstance(first, str) and not sensitive:
        first, second = first.lower(), second.lower()
    return int(first > second) - int(first < second)


def like(left: Any, right: Any, sensitive: bool = False) -> bool:
    """``-like``."""
    return wildcard(text(right), sensitive).fullmatch(text(left)) is not None


def wildcard(pattern: str, sensitive: bool = False) -> re.Pattern[str]:
    """A pattern of ``*``, ``?`` and ``[a-z]`` (about_Wildcards)."""
    parts = []
    for token in re.findall(r"`.|\[[^\]]+\]|.", pattern, re.S):
        if token.startswith("`") and len(token) == 2:
            parts.append(re.escape(token[1]))
        elif token.startswith("[") and len(token) > 1:
            parts.append("[" + token[1:-1].replace("\\", "\\\\").replace("^", "\\^") + "]")
        else:
            parts.append({"*": ".*", "?": "."}.get(token, re.escape(token)))
    return re.compile("".join(parts), re.S if sensitive else re.S | re.I)


def regex(pattern: str, sensitive: bool = False) -> re.Pattern[str]:
    """A .NET regular expression. Raises ``Unsupported`` for what Python writes otherwise."""
    if re.search(r"(?<!\\)(?:\\\\)*(?:\\[pPGzZkK]|\(\?<[a-zA-Z]\w*-|\(\?>)", pattern):
        raise Unsupported(f"the regular expression {pattern}")
    translated = re.sub(r"\(\?<([a-zA-Z]\w*)>", r"(?P<\1>", pattern)
    try:
        # \d and \w are Unicode's in .NET too; $ stands before a last line feed in both.
        return re.compile(translated, re.NOFLAG if sensitive else re.I)
    except re.error as error:
        raise PowerShellError(f'parsing "{pattern}" - {error}.', "RuntimeException", "InvalidOperation") from None


def groups_of(found: re.Match[str]) -> Groups:
    """Groups for ``$Matches``: those that took part, by number, or by name if they have one."""
    names = {number: name for name, number in found.re.groupindex.items()}
    groups: Groups = {0: found[0]}
    for number in range(1, found.re.groups + 1):
        if found[number] is not None:
            groups[names.get(number, number)] = found[number]
    return groups


def replace(left: Any, right: Any, sensitive: bool = False) -> Any:
    """``-replace``."""
    if isinstance(left, Array):
        return Array(replace(item, right, sensitive) for item in left)
    parts = as_array(right)
    if len(parts) > 2:
        raise PowerShellError(
            "The -replace operator allows only two elements to follow it.", "BadReplaceArgument", "InvalidOperation"
        )
    pattern = regex(text(parts[0]) if parts else "", sensitive)
    replacement = text(parts[1]) if len(parts) > 1 else ""
    return pattern.sub(lambda found: substitute(replacement, found), text(left))


def substitute(replacement: str, found: re.Match[str]) -> str:
    """The text that replaces a match: ``$1``, ``${name}``, ``$&``, ``$$``."""

    def group(token: re.Match[str]) -> str:
        name = token[1] or token[2]
        if name == "$":
            return "$"
        if name in ("&", "0"):
            return found[0]
        key: int | str = int(name) if name.isdigit() else name
        known = key <= found.re.groups if isinstance(key, int) else key in found.re.groupindex
        return (found[key] or "") if known else token[0]

    return re.sub(r"\$(?:(\d+|[$&])|\{(\w+)\})", group, replacement)


def split(left: Any, right: Any, sensitive: bool = False) -> Array:
    """``-split``."""
    options = as_array(right)
    if len(options) > 2:
        raise Unsupported("-split with options")
    pattern = regex(text(options[0]), sensitive)
    most = int(convert(options[1], "int")) if len(options) > 1 else 0
    result: list[str] = []
    for item in as_array(left) if not null(left) else [""]:
        result += [part for part in pattern.split(text(item), max(most - 1, 0) if most else 0) if part is not None]
    return Array(result, "string")


def split_blanks(value: Any) -> Array:
    """``-split`` before a value: at white space."""
    return Array([part for item in as_array(value) for part in text(item).split()], "string")


def join(left: Any, separator: Any) -> str:
    """``-join``."""
    return text(separator).join(text(item) for item in as_array(left)) if isinstance(left, Array) else text(left)


def number_range(first: Any, last: Any) -> Array:
    """``..``."""
    start, end = convert(first, "int"), convert(last, "int")
    return Array(range(start, end + 1) if start <= end else range(start, end - 1, -1))


# Formatting


def format_text(template: Any, values: Any) -> str:
    """``-f``. Raises ``PowerShellError`` for a bad template, ``Unsupported`` for a format that depends on the culture."""
    arguments = as_array(values) if isinstance(values, Array) else Array([values])
    parts: list[str] = []
    source = text(template)
    position = 0
    pattern = re.compile(r"\{\{|\}\}|\{(\d+)(?:,(-?\d+))?(?::((?:[^{}]|\{\{|\}\})*))?\}|[{}]")
    for found in pattern.finditer(source):
        parts.append(source[position : found.start()])
        position = found.end()
        if found[0] in ("{{", "}}"):
            parts.append(found[0][0])
            continue
        if found[1] is None or int(found[1]) >= len(arguments):
            raise PowerShellError(
                "Error formatting a string: Index (zero based) must be greater than or equal to zero and less than the size of the argument"
                " list..",
                "FormatError",
                "InvalidOperation",
            )
        shown = format_value(arguments[int(found[1])], found[3] or "")
        width = int(found[2] or 0)
        parts.append(shown.ljust(-width) if width < 0 else shown.rjust(width))
    parts.append(source[position:])
    return "".join(parts)


def format_value(value: Any, form: str) -> str:
    """One value by a format string."""
    if not form:
        if isinstance(value, DateTime):
            raise Unsupported("a date as text, which depends on the culture")
        return text(value)
    if isinstance(value, DateTime):
        return format_datetime(value, form)
    if isinstance(value, Guid) and form.lower() in "ndb":
        shown = {"n": value.text.replace("-", ""), "d": value.text, "b": f"{{{value.text}}}"}
        return shown[form.lower()]
    standard = re.fullmatch(r"([xXdD])(\d*)", form)
    if standard and is_integer(value):
        width = int(standard[2] or 0)
        if standard[1] in "dD":
            return ("-" if value < 0 else "") + str(abs(int(value))).zfill(width)
        bits, _ = bits_of(integer_kind(value))
        digits = f"{int(value) & (1 << bits) - 1:x}".zfill(width)
        return digits.upper() if standard[1] == "X" else digits
    if re.fullmatch(r"0+", form) and is_integer(value):
        return ("-" if value < 0 else "") + str(abs(int(value))).zfill(len(form))
    if isinstance(value, str) or null(value):
        return text(value)
    raise Unsupported(f"the format {form} of {type_of(value)}")


_DATE_PARTS = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}


def format_datetime(value: DateTime, form: str) -> str:
    """A date by ``o``, ``s``, ``u`` or a custom format of digits."""
    if form in ("o", "O"):
        return value.round_trip()
    if form == "s":
        return f"{value.naive:%Y-%m-%dT%H:%M:%S}"
    if form == "u":
        return f"{value.naive:%Y-%m-%d %H:%M:%SZ}"
    parts = []
    for token in re.findall(r"yyyy|MM|dd|HH|mm|ss|f{1,7}|'[^']*'|\\.|[-_.T:/ Z]|.", form):
        if token in _DATE_PARTS:
            parts.append(value.naive.strftime(_DATE_PARTS[token]))
        elif set(token) == {"f"}:
            parts.append(f"{value.ticks % 10_000_000:07}"[: len(token)])
        elif token.startswith("'"):
            parts.append(token[1:-1])
        elif token.startswith("\\"):
            parts.append(token[1:])
        elif token in "-_.T Z":
            parts.append(token)
        else:
            # ":" and "/" are the culture's separators.
            raise Unsupported(f"the date format {form}")
    return "".join(parts)


def shifted(value: DateTime, delta: timedelta) -> DateTime:
    """A date and a duration added."""
    return DateTime(value.ticks + delta // timedelta(microseconds=1) * 10, value.kind, value.offset)
