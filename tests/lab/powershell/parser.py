# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Text to syntax tree, as Windows PowerShell 5.1 reads it (PowerShell Language Specification 3.0, chapters 2 and 8, and about_Parsing).

Written by hand, since the one grammar there is on PyPI (tree-sitter-powershell) reads neither ``function f { param($a) }`` nor
``Select-Object Name, Id``, and takes ``1..3 | …`` for a command. What is valid PowerShell but not read here is an
``Unsupported``, what Windows PowerShell refuses a ``ParseError``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import ClassVar

from lab.powershell import syntax
from lab.powershell.errors import ParseError, Unsupported
from lab.powershell.expression_parser import NUMBER, OPERATOR, UNARY_WORDS, VARIABLE, ExpressionParser, assignable
from lab.powershell.values import number_literal

_PARAMETER = re.compile(r"-([A-Za-z_?][\w-]*)(:?)")
_REDIRECTION = re.compile(r"([1-6*]?)(>>?)(&[12])?")
#: What ends a bare word of a command.
_BARE_END = set(" \t\r\n;|&(){},")

_ASSIGNMENTS = ("+=", "-=", "*=", "/=", "%=", "=")
#: Keywords of 5.1 that the lab does not know.
_UNKNOWN_KEYWORDS = {"class", "enum", "data", "workflow", "parallel", "sequence", "inlinescript", "configuration", "dynamicparam", "trap",
                     "using", "filter", "define", "from", "var"}  # fmt: skip
_ATTRIBUTES_WITHOUT_EFFECT = {"cmdletbinding", "allownull", "allowemptystring", "allowemptycollection", "outputtype"}


@lru_cache(maxsize=256)
def parse(text: str) -> syntax.ScriptBlock:
    """The tree of a script. Raises ``ParseError`` or ``Unsupported``."""
    try:
        return _Parser(text).script()
    except RecursionError:
        raise Unsupported("a script that is nested so deep") from None


class _Parser(ExpressionParser):
    """Reads statements and commands."""

    def script(self) -> syntax.ScriptBlock:
        block = self._block_content("")
        if self._at < len(self._text):
            raise self._unexpected()
        return block

    # Blocks

    def _statements(self, end: str) -> syntax.Block:
        """Statements up to the closing ``end``, which is not taken."""
        found: list[syntax.Statement] = []
        while True:
            self._lines(";")
            if self._at >= len(self._text) or (end and self._ahead(end)):
                return tuple(found)
            found.append(self._statement())
            self._blanks()
            ended = not self._peek() or self._peek() in ";\r\n" or (end and self._ahead(end))
            # After a closing brace the next statement may follow at once.
            if not ended and not self._text[: self._at].rstrip(" \t").endswith("}"):
                raise self._unexpected()

    def _braces(self) -> syntax.Block:
        self._lines()
        self._expect("{")
        body = self._statements("}")
        self._expect("}")
        return body

    def _script_block(self) -> syntax.ScriptBlock:
        self._expect("{")
        block = self._block_content("}")
        self._expect("}")
        return block

    def _block_content(self, end: str) -> syntax.ScriptBlock:
        start = self._at
        self._lines(";")
        attributes = self._at
        while self._ahead("[") and self._attribute() is not None:
            self._lines()
        parameters: tuple[syntax.ParameterDeclaration, ...] = ()
        if self._take_word("param"):
            parameters = self._parameters()
        else:
            self._at = attributes
        self._lines(";")
        named: dict[str, syntax.Block] = {}
        while self._word() in ("begin", "process", "end") and self._is_named_block():
            name = self._word()
            self._at += len(name)
            if name in named:
                raise ParseError(f"A script block has two {name} blocks {self._where()}")
            named[name] = self._braces()
            self._lines(";")
        body = None
        if not named:
            body = self._statements(end)
        elif self._peek() and not (end and self._ahead(end)):
            raise self._unexpected()
        text = self._text[start : self._at]
        return syntax.ScriptBlock(
            parameters, named.get("begin"), named.get("process"), body if body is not None else named.get("end"), text
        )

    def _is_named_block(self) -> bool:
        return re.compile(r"\w+\s*\{").match(self._text, self._at) is not None

    def _attribute(self) -> dict[str, syntax.Expression | None] | None:
        """An attribute with its arguments by lower-case name, or None, nothing taken, for a type."""
        found = re.compile(r"\[\s*(\w+)\s*\(").match(self._text, self._at)
        if found is None:
            return None
        name = found[1].lower()
        if name != "parameter" and name not in _ATTRIBUTES_WITHOUT_EFFECT:
            raise Unsupported(f"the attribute {found[1]}")
        self._at = found.end()
        values: dict[str, syntax.Expression | None] = {}
        self._lines()
        while not self._take(")"):
            argument = self._word()
            value: syntax.Expression | None = None
            if argument and re.compile(r"\w+\s*=").match(self._text, self._at):
                self._at += len(argument)
                self._blanks()
                self._expect("=")
                self._blanks()
                value = self._argument_expression()
            elif argument:
                self._at += len(argument)
            else:
                self._argument_expression()
            values[argument] = value
            self._lines(",")
        self._blanks()
        self._expect("]")
        return values if name == "parameter" else {}

    def _parameters(self) -> tuple[syntax.ParameterDeclaration, ...]:
        self._lines()
        self._expect("(")
        found: list[syntax.ParameterDeclaration] = []
        self._lines()
        while not self._take(")"):
            types: list[syntax.TypeName] = []
            options: dict[str, syntax.Expression | None] = {}
            while self._ahead("["):
                attribute = self._attribute()
                if attribute is not None:
                    options |= attribute
                else:
                    types.append(self._type())
                self._lines()
            variable = self._variable()
            default = None
            self._lines()
            if self._take("="):
                self._lines()
                default = self._argument_expression()
                self._lines()
            mandatory, piped = _is_set(options, "mandatory"), _is_set(options, "valuefrompipeline")
            if _is_set(options, "valuefrompipelinebypropertyname"):
                raise Unsupported("ValueFromPipelineByPropertyName of a function")
            found.append(syntax.ParameterDeclaration(variable.name, tuple(types), default, mandatory, piped))
            if not self._take(","):
                self._expect(")")
                return tuple(found)
            self._lines()
        return tuple(found)

    # Statements

    def _statement(self) -> syntax.Statement:
        if re.compile(r":\w+\s").match(self._text, self._at):
            raise Unsupported("labels of loops")
        word = self._word()
        parse = self._keywords.get(word)
        if parse is not None and not self._text[self._at + len(word) :].startswith((".", "-", "\\", "/", ":")):
            self._at += len(word)
            self._lines() if word in ("if", "foreach", "for", "while", "do", "try", "switch") else self._blanks()
            return parse(self, word)
        if word in _UNKNOWN_KEYWORDS and self._text[self._at + len(word) : self._at + len(word) + 1] in (" ", "{"):
            raise Unsupported(f"the keyword {word}")
        return self._pipeline()

    def _condition(self) -> syntax.Statement:
        self._lines()
        self._expect("(")
        self._lines()
        condition = self._statement()
        self._lines()
        self._expect(")")
        return condition

    def _if(self, _: str) -> syntax.Statement:
        clauses = [(self._condition(), self._braces())]
        while True:
            before = self._at
            self._lines()
            if self._take_word("elseif"):
                clauses.append((self._condition(), self._braces()))
            elif self._take_word("else"):
                return syntax.If(tuple(clauses), self._braces())
            else:
                self._at = before
                return syntax.If(tuple(clauses), ())

    def _foreach(self, _: str) -> syntax.Statement:
        self._expect("(")
        self._lines()
        variable = self._variable()
        self._lines()
        if not self._take_word("in"):
            raise self._unexpected()
        self._lines()
        items = self._statement()
        self._lines()
        self._expect(")")
        return syntax.ForEach(variable, items, self._braces())

    def _for(self, _: str) -> syntax.Statement:
        self._expect("(")
        parts: list[syntax.Statement | None] = []
        for end in (";", ";", ")"):
            self._lines()
            parts.append(None if self._ahead(end) else self._statement())
            self._lines()
            self._expect(end)
        return syntax.For(parts[0], parts[1], parts[2], self._braces())

    def _while(self, _: str) -> syntax.Statement:
        return syntax.While(self._condition(), self._braces())

    def _do(self, _: str) -> syntax.Statement:
        body = self._braces()
        self._lines()
        until = self._take_word("until")
        if not until and not self._take_word("while"):
            raise self._unexpected()
        return syntax.While(self._condition(), body, first=True, until=until)

    def _switch(self, _: str) -> syntax.Statement:
        kind, sensitive = "exact", False
        while self._ahead("-"):
            option = self._match(_PARAMETER)
            name = option[1].lower() if option else ""
            if name in ("regex", "wildcard", "exact"):
                kind = name
            elif name == "casesensitive":
                sensitive = True
            else:
                raise Unsupported(f"switch -{name}")
            self._at += len(name) + 1
            self._lines()
        value = self._condition()
        self._lines()
        self._expect("{")
        clauses: list[tuple[syntax.Expression | None, syntax.Block]] = []
        self._lines(";")
        while not self._take("}"):
            condition: syntax.Expression | None = None
            if self._word() == "default":
                self._at += len("default")
            elif self._ahead("{"):
                raise Unsupported("a script block as the condition of switch")
            elif self._word():
                condition = self._bare_word()
            else:
                condition = self._unary()
            clauses.append((condition, self._braces()))
            self._lines(";")
        return syntax.Switch(kind, sensitive, value, tuple(clauses))

    def _try(self, _: str) -> syntax.Statement:
        body = self._braces()
        handlers: list[tuple[tuple[syntax.TypeName, ...], syntax.Block]] = []
        last = None
        while True:
            before = self._at
            self._lines()
            if last is None and self._take_word("catch"):
                types: list[syntax.TypeName] = []
                self._lines()
                while self._ahead("["):
                    types.append(self._type())
                    self._lines(",")
                handlers.append((tuple(types), self._braces()))
            elif last is None and self._take_word("finally"):
                last = self._braces()
            else:
                self._at = before
                break
        if not handlers and last is None:
            raise ParseError(f"The Try statement is missing its Catch or Finally block {self._where()}")
        return syntax.Try(body, tuple(handlers), last)

    def _flow(self, keyword: str) -> syntax.Statement:
        ended = not self._peek() or self._peek() in ";\r\n})"
        if keyword in ("break", "continue"):
            if not ended:
                raise Unsupported("labels of loops")
            return syntax.Flow(keyword, None)
        return syntax.Flow(keyword, None if ended else self._pipeline())

    def _function(self, _: str) -> syntax.Statement:
        found = re.compile(r"[\w:-]+").match(self._text, self._at)
        if found is None:
            raise self._unexpected()
        self._at = found.end()
        self._lines()
        parameters = self._parameters() if self._ahead("(") else ()
        self._lines()
        block = self._script_block()
        if parameters:
            block = syntax.ScriptBlock(parameters, block.begin, block.process, block.end, block.text)
        return syntax.FunctionDefinition(found[0].lower().removeprefix("global:"), block)

    _keywords: ClassVar[dict[str, Callable[[_Parser, str], syntax.Statement]]] = {
        "if": _if,
        "foreach": _foreach,
        "for": _for,
        "while": _while,
        "do": _do,
        "switch": _switch,
        "try": _try,
        "function": _function,
        **dict.fromkeys(("return", "throw", "exit", "break", "continue"), _flow),
    }

    def _pipeline(self) -> syntax.Statement:
        first = self._element()
        if isinstance(first, syntax.CommandExpression):
            self._blanks()
            for operator in _ASSIGNMENTS:
                if self._take(operator):
                    self._lines()
                    return syntax.Assignment(assignable(first.expression), operator, self._statement())
        elements: list[syntax.Command | syntax.CommandExpression] = [first]
        while True:
            self._blanks()
            if self._ahead("||") or self._ahead("&&"):
                raise ParseError(f"The token '{self._peek(2)}' is not a valid statement separator in this version")
            if not self._take("|"):
                if self._ahead("&"):
                    raise ParseError(f"The ampersand (&) character is not allowed {self._where()}")
                return syntax.Pipeline(tuple(elements))
            self._lines()
            if self._starts_expression():
                raise ParseError("Expressions are only allowed as the first element of a pipeline.")
            elements.append(self._command())

    def _element(self) -> syntax.Command | syntax.CommandExpression:
        if not self._starts_expression():
            return self._command()
        expression = self._expression()
        return syntax.CommandExpression(expression, tuple(self._redirections()))

    def _starts_expression(self) -> bool:
        character = self._peek()
        if character in set("$\"'([{!,") and character:
            return True
        if character == "@":
            return self._peek(2)[1:] in ("(", "{", '"', "'")
        if character in "+-" and character:
            found = self._match(OPERATOR)
            if found:
                return found[1].lower() in UNARY_WORDS
            return True
        number = self._match(NUMBER)
        if number:
            after = self._text[number.end() : number.end() + 1]
            return self._text.startswith("..", number.end()) or not (after.isalnum() or after in ("_", ".", "-"))
        return False

    # Commands

    def _command(self) -> syntax.Command:
        invocation = ""
        if self._peek() == "&" or (self._peek() == "." and self._peek(2)[1:] in (" ", "$", "{", "(", '"', "'")):
            invocation = self._peek()
            self._at += 1
            self._blanks()
        name = self._command_name(invocation)
        arguments: list[syntax.Argument] = []
        redirections: list[syntax.Redirection] = []
        while True:
            self._blanks()
            if not self._peek() or self._peek() in "\r\n;|)}":
                break
            if self._ahead("&&") or (self._ahead("&") and not invocation):
                break
            redirections += self._redirections()
            self._blanks()
            if not self._peek() or self._peek() in "\r\n;|)}":
                break
            arguments.append(self._argument())
        return syntax.Command(invocation, name, tuple(arguments), tuple(redirections))

    def _command_name(self, invocation: str) -> syntax.Expression:
        if invocation and self._starts_expression():
            return self._primary()
        return self._bare_word()

    def _redirections(self) -> list[syntax.Redirection]:
        found: list[syntax.Redirection] = []
        while True:
            self._blanks()
            redirection = self._match(_REDIRECTION)
            if redirection is None:
                return found
            self._at = redirection.end()
            if redirection[3]:
                found.append(syntax.Redirection(redirection[1] or "1", None))
                continue
            self._blanks()
            found.append(syntax.Redirection(redirection[1] or "1", self._argument_value()))

    def _argument(self) -> syntax.Argument:
        if self._ahead("--%"):
            raise Unsupported("--%")
        parameter = self._match(_PARAMETER)
        if parameter is None:
            return syntax.Argument(None, self._argument_list())
        self._at = parameter.end()
        if not parameter[2]:
            if self._peek() and self._peek() not in " \t\r\n;|)}`":
                raise Unsupported(f"an argument {self._where()}")
            return syntax.Argument(parameter[1], None)
        self._blanks()
        return syntax.Argument(parameter[1], self._argument_list())

    def _argument_list(self) -> syntax.Expression:
        return self._separated_by_commas(self._argument_value)

    def _argument_value(self) -> syntax.Expression:
        character = self._peek()
        if character == "@" and self._peek(2)[1:] not in ("(", "{", '"', "'"):
            return self._variable()
        if character and (character in "$\"'({" or character == "@"):
            value = self._postfix(self._primary_only())
            if self._peek() and self._peek() not in _BARE_END:
                raise Unsupported(f"an argument put together of parts, {self._where()}")
            return value
        number = re.compile(r"-?").match(self._text, self._at)
        digits = NUMBER.match(self._text, number.end() if number else self._at)
        if digits and (digits.end() == len(self._text) or self._text[digits.end()] in _BARE_END):
            negative = self._take("-")
            self._at = digits.end()
            literal = number_literal(digits[0])
            return syntax.Constant(-literal if negative else literal)
        return self._bare_word()

    def _bare_word(self) -> syntax.Expression:
        """A word without quotes, in which variables expand."""
        parts: list[str | syntax.Expression] = []
        while self._peek() and self._peek() not in _BARE_END:
            character = self._peek()
            if character in "\"'":
                raise Unsupported(f"quotes within a word, {self._where()}")
            if character == "`":
                parts.append(self._peek(2)[1:])
                self._at += 2
            elif character == "$" and (self._ahead("$(") or self._match(VARIABLE)):
                raise Unsupported(f"a variable within a word, {self._where()}")
            else:
                parts.append(character)
                self._at += 1
        text = "".join(part for part in parts if isinstance(part, str))
        if not text:
            raise self._unexpected()
        return syntax.Constant(text)


def _is_set(options: dict[str, syntax.Expression | None], name: str) -> bool:
    if name not in options:
        return False
    value = options[name]
    if value is None or value == syntax.Variable("true"):
        return True
    if value == syntax.Variable("false"):
        return False
    raise Unsupported(f"{name} of a parameter that is neither $true nor $false")
