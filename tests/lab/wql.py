# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""WQL data queries: ``SELECT a, b | * FROM Class [WHERE condition]``, parsed and evaluated as WMI does.

Source: "Querying with WQL" and its pages on the WHERE clause, LIKE and SELECT (MicrosoftDocs/win32, desktop-src/WmiSdk). Names,
keywords and string comparison ignore case. Schema and event queries, ASSOCIATORS and REFERENCES are not data queries.

UNVERIFIED: a comparison with a NULL property is neither true nor false, under NOT too (three-valued, as in SQL); a backslash in a
string that escapes neither a quote nor a backslash is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from lab.cim import CimClass, CimError, Instance, Property, Value

WBEM_E_INVALID_QUERY = 0x80041017

Literal = str | int | float | bool | None
#: True, False or unknown.
Truth = bool | None
Condition = Callable[[Instance], Truth]

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<number>[+-]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))(?![\w.])
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<symbol><=|>=|<>|!=|[=<>(),*])
    )""",
    re.VERBOSE | re.DOTALL,
)
_KEYWORDS = {"select", "from", "where", "and", "or", "not", "like", "is", "null", "true", "false"}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": eq,
    "<>": ne,
    "!=": ne,
    "<": lt,
    ">": gt,
    "<=": le,
    ">=": ge,
}
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str

    def is_word(self, word: str) -> bool:
        return self.kind == "word" and self.text.lower() == word


@dataclass(frozen=True)
class Query:
    """A parsed query; ``properties`` is None for ``*``. The condition is bound to a class by ``bind``."""

    properties: tuple[str, ...] | None
    class_name: str
    _where: Callable[[CimClass], Condition] | None

    def bind(self, cim_class: CimClass) -> tuple[tuple[Property, ...], Callable[[Instance], bool]]:
        """The properties asked for, in the query's order, and the filter. Raises ``CimError`` (invalid query)."""
        if self.properties is None:
            chosen = cim_class.properties
        else:
            chosen = tuple(_property(cim_class, name) for name in self.properties)
        if self._where is None:
            return chosen, lambda instance: True
        condition = self._where(cim_class)
        return chosen, lambda instance: condition(instance) is True


def parse(text: str) -> Query:
    """Parse a query. Raises ``CimError`` (invalid query)."""
    return _Parser(_tokens(text)).query()


def _invalid(why: str) -> CimError:
    # WMI says no more than this; `why` helps whoever develops against the lab.
    return CimError(WBEM_E_INVALID_QUERY, f"Invalid query: {why}")


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None:
            raise _invalid(f"cannot be read from character {position + 1}")
        kind = match.lastgroup or ""
        tokens.append(_Token(kind, match[kind]))
        position = match.end()
    return tokens


class _Parser:
    """Recursive descent; NOT binds tighter than AND, AND than OR."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._position = 0

    def _peek(self) -> _Token:
        return self._tokens[self._position] if self._position < len(self._tokens) else _Token("end", "")

    def _next(self) -> _Token:
        token = self._peek()
        self._position += 1
        return token

    def _take_word(self, word: str) -> bool:
        if self._peek().is_word(word):
            self._position += 1
            return True
        return False

    def _take_symbol(self, symbol: str) -> bool:
        token = self._peek()
        if token.kind == "symbol" and token.text == symbol:
            self._position += 1
            return True
        return False

    def _expect_word(self, word: str) -> None:
        if not self._take_word(word):
            raise _invalid(f"{word.upper()} expected, found {self._peek().text!r}")

    def _name(self) -> str:
        token = self._next()
        if token.kind != "word" or token.text.lower() in _KEYWORDS:
            raise _invalid(f"a name expected, found {token.text!r}")
        return token.text

    def query(self) -> Query:
        self._expect_word("select")
        properties: tuple[str, ...] | None = None
        if not self._take_symbol("*"):
            names = [self._name()]
            while self._take_symbol(","):
                names.append(self._name())
            properties = tuple(names)
        self._expect_word("from")
        class_name = self._name()
        where = self._or() if self._take_word("where") else None
        if self._peek().kind != "end":
            raise _invalid(f"the end expected, found {self._peek().text!r}")
        return Query(properties, class_name, where)

    def _or(self) -> Callable[[CimClass], Condition]:
        terms = [self._and()]
        while self._take_word("or"):
            terms.append(self._and())
        return terms[0] if len(terms) == 1 else lambda cim_class: _any([term(cim_class) for term in terms])

    def _and(self) -> Callable[[CimClass], Condition]:
        terms = [self._not()]
        while self._take_word("and"):
            terms.append(self._not())
        return terms[0] if len(terms) == 1 else lambda cim_class: _all([term(cim_class) for term in terms])

    def _not(self) -> Callable[[CimClass], Condition]:
        if self._take_word("not"):
            inner = self._not()
            return lambda cim_class: _negate(inner(cim_class))
        if self._take_symbol("("):
            inner = self._or()
            if not self._take_symbol(")"):
                raise _invalid(f"')' expected, found {self._peek().text!r}")
            return inner
        return self._comparison()

    def _comparison(self) -> Callable[[CimClass], Condition]:
        token = self._peek()
        if token.kind in {"string", "number"} or token.text.lower() in {"true", "false", "null"}:
            literal = self._literal()
            operator = self._operator()
            name = self._name()
            operator = _MIRRORED.get(operator, operator)
            return lambda cim_class: _compare(_property(cim_class, name), operator, literal)
        name = self._name()
        if self._take_word("is"):
            negated = self._take_word("not")
            self._expect_word("null")
            return lambda cim_class: _compare(_property(cim_class, name), "<>" if negated else "=", None)
        if self._take_word("not"):
            self._expect_word("like")
            pattern = self._pattern()
            return lambda cim_class: _negate(_like(_property(cim_class, name), pattern))
        if self._take_word("like"):
            pattern = self._pattern()
            return lambda cim_class: _like(_property(cim_class, name), pattern)
        operator = self._operator()
        literal = self._literal()
        return lambda cim_class: _compare(_property(cim_class, name), operator, literal)

    def _operator(self) -> str:
        token = self._next()
        if token.kind != "symbol" or token.text not in _COMPARE:
            raise _invalid(f"a comparison expected, found {token.text!r}")
        return token.text

    def _literal(self) -> Literal:
        token = self._next()
        if token.kind == "string":
            return _unescape(token.text[1:-1])
        if token.kind == "number":
            return _number(token.text)
        if token.kind == "word" and token.text.lower() in {"true", "false", "null"}:
            return {"true": True, "false": False, "null": None}[token.text.lower()]
        raise _invalid(f"a value expected, found {token.text!r}")

    def _pattern(self) -> re.Pattern[str]:
        token = self._next()
        if token.kind != "string":
            raise _invalid(f"LIKE wants a string, found {token.text!r}")
        return like_pattern(_unescape(token.text[1:-1]))


def _unescape(text: str) -> str:
    if re.search(r"\\(?![\\'\"])", re.sub(r"\\\\", "", text)):
        raise _invalid("a backslash in a string must be doubled")
    return re.sub(r"\\(.)", r"\1", text)


def _number(text: str) -> int | float:
    if re.fullmatch(r"[+-]?0[xX].*", text):
        return int(text, 16)
    try:
        return int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)
    except ValueError:
        raise _invalid("a number is too long") from None


def like_pattern(text: str) -> re.Pattern[str]:
    """The pattern of LIKE: ``%`` any text, ``_`` one character, ``[a-z]`` one of a set, ``[^a-z]`` one not of it. Raises ``CimError``."""
    parts: list[str] = []
    position = 0
    while position < len(text):
        character = text[position]
        if character == "%":
            parts.append(".*")
        elif character == "_":
            parts.append(".")
        elif character == "[":
            end = text.find("]", position + 2)
            if end < 0:
                raise _invalid("'[' without ']' in LIKE")
            content = text[position + 1 : end]
            negated = content.startswith("^") and len(content) > 1
            parts.append("[" + "^" * negated + _character_set(content[negated:]) + "]")
            position = end
        else:
            parts.append(re.escape(character))
        position += 1
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def _character_set(content: str) -> str:
    """The inside of a set: ``a-z`` (also ``a=z``, as WMI's documentation has it) is a range, all else stands for itself."""
    parts: list[str] = []
    position = 0
    while position < len(content):
        if position + 2 < len(content) and content[position + 1] in "-=" and content[position] <= content[position + 2]:
            parts.append(f"{re.escape(content[position])}-{re.escape(content[position + 2])}")
            position += 3
        else:
            parts.append(re.escape(content[position]))
            position += 1
    return "".join(parts)


def _property(cim_class: CimClass, name: str) -> Property:
    found = cim_class.property(name)
    if found is None:
        raise _invalid(f"{cim_class.name} has no property {name}")
    return found


def _compare(prop: Property, operator: str, literal: Literal) -> Condition:
    """A comparison, its literal converted to the property's type once. NULL compares with = and <> only."""
    if literal is None:
        if operator not in {"=", "<>", "!="}:
            raise _invalid("NULL is not less or greater")
        wanted = operator == "="
        return lambda instance: (instance.values.get(prop.name) is None) == wanted
    if prop.array or prop.type == "reference":
        raise _invalid(f"{prop.name} cannot be compared")
    expected = _converted(prop, literal)
    compare = _COMPARE[operator]

    def condition(instance: Instance) -> Truth:
        value = instance.values.get(prop.name)
        return None if value is None else compare(_comparable(value), expected)

    return condition


def _like(prop: Property, pattern: re.Pattern[str]) -> Condition:
    if prop.array or prop.type != "string":
        raise _invalid(f"LIKE is for strings, {prop.name} is not")

    def condition(instance: Instance) -> Truth:
        value = instance.values.get(prop.name)
        return None if value is None else pattern.fullmatch(str(value)) is not None

    return condition


def _comparable(value: Value) -> object:
    return value.lower() if isinstance(value, str) else value


def _converted(prop: Property, literal: Literal) -> object:
    """The literal in the property's type, ready for comparison. Raises ``CimError``."""
    try:
        if prop.type == "datetime":
            return parse_dmtf(str(literal))
        if prop.type == "boolean":
            return {"true": True, "false": False, "1": True, "0": False}[str(literal).lower()]
        if prop.type == "string":
            return str(literal).lower()
        if isinstance(literal, str):
            return _number(literal.strip())
    except (KeyError, ValueError) as error:
        raise _invalid(f"{literal!r} is not a {prop.type}") from error
    return literal


def parse_dmtf(text: str) -> datetime:
    """A CIM datetime, ``yyyymmddHHMMSS.mmmmmmsUUU`` with the offset in minutes (DSP0004 5.2.4). Raises ValueError."""
    match = re.fullmatch(r"(\d{14})\.(\d{6})([+-])(\d{3})", text)
    if match is None:
        raise ValueError(f"not a CIM datetime: {text}")
    offset = timedelta(minutes=int(match[3] + match[4]))
    local = datetime.strptime(match[1], "%Y%m%d%H%M%S").replace(microsecond=int(match[2]), tzinfo=timezone(offset))
    return local.astimezone(UTC)


def _negate(inner: Condition) -> Condition:
    def condition(instance: Instance) -> Truth:
        value = inner(instance)
        return None if value is None else not value

    return condition


def _all(terms: list[Condition]) -> Condition:
    def condition(instance: Instance) -> Truth:
        values = [term(instance) for term in terms]
        if False in values:
            return False
        return None if None in values else True

    return condition


def _any(terms: list[Condition]) -> Condition:
    def condition(instance: Instance) -> Truth:
        values = [term(instance) for term in terms]
        if True in values:
            return True
        return None if None in values else False

    return condition
