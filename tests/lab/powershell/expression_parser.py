# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Text to syntax tree: expressions and strings."""

from __future__ import annotations

import re
from collections.abc import Callable

from lab.powershell import syntax
from lab.powershell.errors import ParseError, Unsupported
from lab.powershell.reader import Reader
from lab.powershell.values import number_literal

VARIABLE = re.compile(r"[$@](?:(?P<scope>\w+):(?=\w))?(?P<name>\w+)|\$(?P<special>[?$^])|\$\{(?P<braced>[^}]*)\}")
NUMBER = re.compile(r"(?:0x[0-9a-f]+|\d+(?:\.\d+(?=\D|$))?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)[ld]?(?:[kmgtp]b)?", re.I)
_TYPE = re.compile(r"\[\s*([A-Za-z_][\w.+]*)\s*((?:\[\])?)\s*\]")
OPERATOR = re.compile(r"-([A-Za-z]+)")
_ESCAPES = {"0": "\0", "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_LOGICAL = {"and", "or", "xor"}
_BITWISE = {"band", "bor", "bxor"}
_COMPARISONS = {"eq", "ne", "gt", "ge", "lt", "le", "like", "notlike", "match", "notmatch", "contains", "notcontains", "in", "notin",
                "replace", "split"}  # fmt: skip
_COMPARISON = (
    _COMPARISONS
    | {f"{case}{name}" for case in "ic" for name in _COMPARISONS}
    | {"is", "isnot", "as", "join", "shl", "shr"}
)
UNARY_WORDS = {"not", "bnot", "join", "split", "isplit", "csplit"}


class ExpressionParser(Reader):
    """Reads expressions; what is inside their parentheses and braces is read by the parser of statements."""

    def _statements(self, end: str) -> syntax.Block:
        raise NotImplementedError

    def _statement(self) -> syntax.Statement:
        raise NotImplementedError

    def _pipeline(self) -> syntax.Statement:
        raise NotImplementedError

    def _script_block(self) -> syntax.ScriptBlock:
        raise NotImplementedError

    def _expression(self) -> syntax.Expression:
        return self._binary(0, commas=True)

    def _argument_expression(self) -> syntax.Expression:
        """As between the commas of a method's arguments."""
        return self._binary(0, commas=False)

    def _binary(self, level: int, commas: bool) -> syntax.Expression:
        if level == len(_LEVELS):
            return self._array_literal() if commas else self._unary()
        left = self._binary(level + 1, commas)
        while True:
            before = self._at
            self._blanks()
            operator = self._operator(_LEVELS[level])
            if operator is None:
                self._at = before
                return left
            self._lines()
            left = syntax.Binary(operator, left, self._binary(level + 1, commas))

    def _operator(self, known: set[str]) -> str | None:
        for symbol in known & {"..", "+", "-", "*", "/", "%"}:
            if self._ahead(symbol) and not self._text.startswith("=", self._at + len(symbol)):
                if symbol in "+-" and (self._ahead(symbol * 2) or self._match(OPERATOR)):
                    continue
                self._at += len(symbol)
                return symbol
        found = self._match(OPERATOR)
        if found is None or found[1].lower() not in known:
            if found is not None and not any(found[1].lower() in level for level in _LEVELS):
                raise ParseError(f"Unexpected token '{found[0]}' {self._where()}")
            return None
        self._at = found.end()
        return found[1].lower()

    def _array_literal(self) -> syntax.Expression:
        return self._separated_by_commas(self._unary)

    def _separated_by_commas(self, read: Callable[[], syntax.Expression]) -> syntax.Expression:
        """One expression, or the array that several make."""
        items = [read()]
        while True:
            before = self._at
            self._blanks()
            if not self._take(","):
                self._at = before
                return items[0] if len(items) == 1 else syntax.ArrayLiteral(tuple(items))
            self._lines()
            items.append(read())

    def _unary(self) -> syntax.Expression:
        self._blanks()
        for symbol, step in (("++", 1), ("--", -1)):
            if self._take(symbol):
                return syntax.Increment(assignable(self._unary()), step, prefix=True)
        if self._peek() and self._peek() in "!,+":
            operator = self._peek()
            self._at += 1
            return syntax.Unary("not" if operator == "!" else operator, self._unary())
        if self._ahead("-"):
            found = self._match(OPERATOR)
            if found is None:
                self._at += 1
                return syntax.Unary("-", self._unary())
            if found[1].lower() not in UNARY_WORDS:
                raise self._unexpected()
            self._at = found.end()
            return syntax.Unary(found[1].lower(), self._unary())
        if self._ahead("["):
            kind = self._type()
            before = self._at
            self._blanks()
            if self._starts_operand():
                return syntax.Convert(kind, self._unary())
            self._at = before
            return self._postfix(syntax.TypeExpression(kind))
        return self._primary()

    def _starts_operand(self) -> bool:
        """Whether a value follows, so that a type before it is a conversion."""
        if self._peek() and self._peek() in "$\"'([{@":
            return True
        if self._ahead("-"):
            found = self._match(OPERATOR)
            return found is None or found[1].lower() in UNARY_WORDS
        return self._match(NUMBER) is not None

    def _type(self) -> syntax.TypeName:
        found = self._match(_TYPE)
        if found is None:
            raise Unsupported(f"a type, {self._where()}")
        self._at = found.end()
        return syntax.TypeName(found[1].lower().removeprefix("system.") + found[2])

    def _primary(self) -> syntax.Expression:
        return self._postfix(self._primary_only())

    def _primary_only(self) -> syntax.Expression:
        character = self._peek()
        if self._ahead("$("):
            self._at += 2
            body = self._statements(")")
            self._expect(")")
            return syntax.SubExpression(body)
        if character == "$":
            return self._variable()
        if self._ahead("@("):
            self._at += 2
            body = self._statements(")")
            self._expect(")")
            return syntax.ArrayExpression(body)
        if self._ahead("@{"):
            return self._hash()
        if self._ahead('@"') or self._ahead("@'"):
            return self._here_string()
        if character == "(":
            self._at += 1
            self._lines()
            content = self._pipeline()
            self._lines()
            self._expect(")")
            return syntax.Parenthesized(content)
        if character == "{":
            return syntax.ScriptBlockExpression(self._script_block())
        if character == "'":
            return self._verbatim()
        if character == '"':
            self._at += 1
            return self._expandable('"')
        number = self._match(NUMBER)
        if number:
            self._at = number.end()
            return syntax.Constant(number_literal(number[0]))
        raise self._unexpected()

    def _variable(self) -> syntax.Variable:
        found = self._match(VARIABLE)
        if found is None:
            raise self._unexpected()
        self._at = found.end()
        if found["braced"] is not None:
            scope, _, name = found["braced"].rpartition(":")
        else:
            scope, name = found["scope"] or "", found["name"] or found["special"]
        return syntax.Variable(name.lower(), scope.lower(), found[0].startswith("@"))

    def _postfix(self, target: syntax.Expression) -> syntax.Expression:
        while True:
            if self._ahead("["):
                self._at += 1
                self._lines()
                index = self._expression()
                self._lines()
                self._expect("]")
                target = syntax.Index(target, index)
            elif self._ahead("::") or (self._ahead(".") and not self._ahead("..")):
                static = self._take("::")
                if not static:
                    self._at += 1
                name = self._member_name()
                if self._take("("):
                    target = syntax.InvokeMember(target, name, self._method_arguments(), static)
                else:
                    target = syntax.Member(target, name, static)
            elif self._ahead("++") or self._ahead("--"):
                step = 1 if self._ahead("++") else -1
                self._at += 2
                return syntax.Increment(assignable(target), step, prefix=False)
            else:
                return target

    def _member_name(self) -> syntax.Expression:
        word = self._match(re.compile(r"\w+"))
        if word:
            self._at = word.end()
            return syntax.Constant(word[0])
        return self._primary_only()

    def _method_arguments(self) -> tuple[syntax.Expression, ...]:
        arguments: list[syntax.Expression] = []
        self._lines()
        while not self._take(")"):
            arguments.append(self._argument_expression())
            self._lines()
            if not self._take(","):
                self._expect(")")
                break
            self._lines()
        return tuple(arguments)

    def _hash(self) -> syntax.Expression:
        self._expect("@{")
        entries: list[tuple[syntax.Expression, syntax.Statement]] = []
        self._lines(";")
        while not self._take("}"):
            word = self._match(re.compile(r"[A-Za-z_]\w*(?=\s*=)"))
            key: syntax.Expression
            if word:
                self._at = word.end()
                key = syntax.Constant(word[0])
            else:
                key = self._unary()
            self._blanks()
            self._expect("=")
            self._lines()
            entries.append((key, self._statement()))
            self._blanks()
            if self._peek() not in (";", "\r", "\n", "}"):
                raise self._unexpected()
            self._lines(";")
        return syntax.HashLiteral(tuple(entries))

    # Strings

    def _verbatim(self) -> syntax.Expression:
        found = self._match(re.compile(r"'((?:[^']|'')*)'"))
        if found is None:
            raise ParseError("The string is missing the terminator: '.")
        self._at = found.end()
        return syntax.Constant(found[1].replace("''", "'"))

    def _here_string(self) -> syntax.Expression:
        quote = self._peek(2)[1]
        start = self._match(re.compile(rf"@{quote}[ \t]*\r?\n"))
        if start is None:
            raise ParseError("No characters are allowed after a here-string header but before the end of the line.")
        self._at = start.end()
        end = re.compile(rf"\r?\n{quote}@").search(self._text, start.end() - 1)
        if end is None:
            raise ParseError(f"The string is missing the terminator: {quote}@.")
        if quote == '"':
            inner = type(self)(self._text[start.end() : max(end.start(), start.end())])
            value = inner._expandable("")
        else:
            value = syntax.Constant(self._text[start.end() : max(end.start(), start.end())])
        self._at = end.end()
        return value

    def _expandable(self, end: str) -> syntax.Expression:
        """The rest of a string in double quotes, or of a here-string, whose ``end`` is empty."""
        parts: list[str | syntax.Expression] = []
        text: list[str] = []
        while True:
            if self._at >= len(self._text):
                if end:
                    raise ParseError('The string is missing the terminator: ".')
                break
            character = self._peek()
            if character == end and end:
                self._at += 1
                if not self._take(end):
                    break
                text.append(end)
            elif character == "`":
                escaped = self._peek(2)[1:]
                text.append(_ESCAPES.get(escaped, escaped))
                self._at += 2
            elif character == "$" and (self._ahead("$(") or self._match(VARIABLE)):
                parts += ["".join(text), self._primary_only()]
                text.clear()
            else:
                text.append(character)
                self._at += 1
        parts.append("".join(text))
        kept = tuple(part for part in parts if part != "")
        if all(isinstance(part, str) for part in kept):
            return syntax.Constant("".join(part for part in kept if isinstance(part, str)))
        return syntax.ExpandableString(kept)


#: Infix operators, the loosest first (about_Operator_Precedence).
_LEVELS: tuple[set[str], ...] = (_LOGICAL, _BITWISE, _COMPARISON, {"+", "-"}, {"*", "/", "%"}, {"f"}, {".."})


def assignable(target: syntax.Expression) -> syntax.Expression:
    """The expression, if something can be assigned to it. Raises ``ParseError``."""
    inner = target.value if isinstance(target, syntax.Convert) else target
    if isinstance(inner, syntax.ArrayLiteral) and all(isinstance(item, syntax.Variable) for item in inner.items):
        return target
    if not isinstance(inner, syntax.Variable | syntax.Member | syntax.Index):
        raise ParseError("The assignment expression is not valid. The input to an assignment operator must be an object that is able to "
                         "accept assignments, such as a variable or a property.")  # fmt: skip
    return target
