# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A small Windows PowerShell 5.1: enough of the language for scripts of a few cmdlets, parsed by a real PowerShell grammar.

It refuses what Constrained Language Mode refuses (about_Language_Modes), and what it does not know it says: a script never seems to
work because the lab skipped a part of it.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

_LANGUAGE = Language(tree_sitter_powershell.language())

#: Types whose methods, casts and static members Constrained Language Mode allows (about_Language_Modes), by the names that count here.
_CORE_TYPES = {
    "array", "bool", "byte", "char", "datetime", "decimal", "double", "float", "guid", "hashtable", "int", "int32", "int64", "long",
    "regex", "securestring", "string", "switch", "timespan", "uint32", "uri", "version", "void", "xml",
}  # fmt: skip

_SWITCHES = {
    "all",
    "asarray",
    "compress",
    "descending",
    "force",
    "listavailable",
    "passthru",
    "raw",
    "unique",
    "stream",
    "asstring",
}

#: Nodes that only hold another one.
_WRAPPERS = {
    "additive_argument_expression", "additive_expression", "argument_expression", "array_literal_expression",
    "bitwise_argument_expression", "bitwise_expression", "comparison_argument_expression", "comparison_expression",
    "expression_with_unary_operator", "format_argument_expression", "format_expression", "left_assignment_expression",
    "logical_argument_expression", "logical_expression", "multiplicative_argument_expression", "multiplicative_expression",
    "pipeline", "pipeline_chain", "range_argument_expression", "range_expression", "string_literal", "unary_expression",
    "command_name_expr", "integer_literal",
}  # fmt: skip


@dataclass
class PSObject:
    """An object with properties. Its type is not among the core types."""

    type_name: str
    properties: dict[str, Any]


@dataclass(frozen=True)
class Version:
    """A ``[version]``."""

    text: str

    @property
    def parts(self) -> tuple[int, ...]:
        """Its numbers."""
        return tuple(int(part) for part in self.text.split("."))


@dataclass(frozen=True)
class EnumValue:
    """A value of a .NET enumeration: shown by name, a number in JSON."""

    name: str
    value: int


@dataclass(frozen=True)
class _ScriptBlock:
    body: Node | None


@dataclass(frozen=True)
class _Type:
    name: str


#: What an error ends unless it is caught: nothing, its statement, the script.
Severity = Literal["continue", "statement", "script"]


class PowerShellError(Exception):
    """An error record."""

    def __init__(
        self, message: str, identifier: str, category: str = "NotSpecified", severity: Severity = "statement"
    ) -> None:
        super().__init__(message)
        self.message = message
        self.identifier = identifier
        self.category = category
        self.severity = severity

    def record(self) -> PSObject:
        """As ``$_`` in a catch block."""
        exception = PSObject(
            "System.Exception", {"Message": self.message, "HResult": -2146233087, "InnerException": None}
        )
        properties = {"Exception": exception, "FullyQualifiedErrorId": self.identifier, "CategoryInfo": self.category}
        return PSObject("System.Management.Automation.ErrorRecord", properties)


class _Exit(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class _Return(Exception):
    def __init__(self, output: list[Any]) -> None:
        super().__init__(output)
        self.output = output


@dataclass
class Call:
    """A cmdlet's call: named parameters by their lower-case names, the rest, and what comes down the pipeline."""

    parameters: Mapping[str, Any]
    arguments: Sequence[Any]
    input: list[Any]

    def value(self, name: str, position: int = 0) -> Any:
        """A parameter given by name or at its position among those without a name."""
        if name.lower() in self.parameters:
            return self.parameters[name.lower()]
        return self.arguments[position] if position < len(self.arguments) else None


Cmdlet = Callable[[Call], Iterable[Any]]


@dataclass
class Outcome:
    """What a script left: its output stream, its errors, its exit code."""

    output: list[Any]
    errors: list[PowerShellError] = field(default_factory=list)
    exit_code: int = 0


class PowerShell:
    """One session. ``cmdlets`` by lower-case name are those of modules; the language's own are built in."""

    def __init__(self, cmdlets: Mapping[str, Cmdlet], computer: str, constrained: bool, stdin: Sequence[str]) -> None:
        self._constrained = constrained
        mode = EnumValue("ConstrainedLanguage", 3) if constrained else EnumValue("FullLanguage", 0)
        state = PSObject("System.Management.Automation.SessionState", {"LanguageMode": mode})
        self._variables: dict[str, Any] = {
            "true": True,
            "false": False,
            "null": None,
            "input": list(stdin),
            "env:computername": computer,
            "erroractionpreference": "Continue",
            "executioncontext": PSObject("System.Management.Automation.EngineIntrinsics", {"SessionState": state}),
            "psversiontable": {"PSVersion": Version("5.1.26100.1"), "PSEdition": "Desktop"},
        }
        self._stdin = stdin
        self._errors: list[PowerShellError] = []
        self._catching = 0
        self._cmdlets: dict[str, Cmdlet] = {
            "add-type": self._add_type,
            "convertfrom-json": lambda call: [
                _from_json(json.loads(_text(collapse(call.input or list(call.arguments)))))
            ],
            "convertto-json": self._to_json,
            "foreach-object": self._for_each,
            "get-command": self._get_command,
            "new-object": self._new_object,
            "out-null": lambda _: [],
            "out-string": lambda call: ["".join(f"{line}\r\n" for item in call.input for line in format_lines(item))],
            "select-object": self._select,
            "sort-object": self._sort,
            "where-object": self._where,
            "write-error": self._write_error,
            "write-output": lambda call: _flat(call.arguments) or call.input,
            **cmdlets,
        }

    def run(self, script: str) -> Outcome:
        """Run a script to its end."""
        source = script.encode()
        root = Parser(_LANGUAGE).parse(source).root_node
        if root.has_error:
            error = PowerShellError("The script does not parse.", "ParserError", "ParserError")
            return Outcome([], [error], 1)
        output: list[Any] = []
        code = 0
        try:
            self._statements(root, output)
        except _Exit as end:
            code = end.code
        except _Return as end:
            output += end.output
        except PowerShellError as error:
            self._errors.append(error)
            code = 1
        return Outcome(output, self._errors, code)

    # Statements

    def _statements(self, node: Node | None, output: list[Any]) -> None:
        """Run a list of statements, ``output`` getting what each writes as it is written."""
        if node is None:
            return
        for child in node.named_children:
            if child.type == "comment":
                continue
            if child.type in ("statement_list", "script_block", "script_block_body"):
                self._statements(child, output)
                continue
            try:
                self._statement(child, output)
            except PowerShellError as error:
                preference = self._preference({})
                if error.severity == "script" or self._catching or preference == "stop":
                    raise
                if preference == "continue":
                    self._errors.append(error)

    def _statement(self, node: Node, output: list[Any]) -> None:
        match node.type:
            case "pipeline":
                output += self._pipeline(node)
            case "if_statement":
                self._if(node, output)
            case "foreach_statement":
                variable, items, body = node.named_children
                for item in _flat([collapse(self._pipeline(items))]):
                    self._variables[_name(variable)] = item
                    self._statements(body, output)
            case "try_statement":
                self._try(node, output)
            case "flow_control_statement":
                self._flow(node)
            case "empty_statement":
                pass
            case _:
                raise self._unknown(node)

    def _if(self, node: Node, output: list[Any]) -> None:
        condition, body, *others = node.named_children
        if truth(collapse(self._pipeline(condition))):
            self._statements(body, output)
            return
        clauses = [
            clause
            for other in others
            for clause in (other.named_children if other.type == "elseif_clauses" else [other])
        ]
        for clause in clauses:
            if clause.type == "else_clause":
                self._statements(clause.named_children[0], output)
                return
            if truth(collapse(self._pipeline(clause.named_children[0]))):
                self._statements(clause.named_children[1], output)
                return

    def _try(self, node: Node, output: list[Any]) -> None:
        body, *rest = node.named_children
        handler = next(
            (clause for clauses in rest if clauses.type == "catch_clauses" for clause in clauses.named_children), None
        )
        last = next((clause.named_children[0] for clause in rest if clause.type == "finally_clause"), None)
        try:
            self._catching += 1
            try:
                self._statements(body, output)
            finally:
                self._catching -= 1
        except PowerShellError as error:
            if handler is None:
                raise
            self._variables["_"] = error.record()
            self._statements(handler.named_children[-1], output)
        finally:
            self._statements(last, output)

    def _flow(self, node: Node) -> None:
        value = collapse(self._pipeline(node.named_children[0])) if node.named_children else None
        match node.children[0].text:
            case b"exit":
                raise _Exit(int(value or 0))
            case b"return":
                raise _Return(_flat([value]))
            case b"throw":
                message = (
                    value.properties["Exception"].properties["Message"] if isinstance(value, PSObject) else _text(value)
                )
                raise PowerShellError(
                    message or "ScriptHalted", message or "ScriptHalted", "OperationStopped", "script"
                )
            case _:
                raise self._unknown(node)

    # Pipelines and commands

    def _pipeline(self, node: Node) -> list[Any]:
        """What a pipeline writes."""
        if node.type != "pipeline":
            output: list[Any] = []
            self._statement(node, output)
            return output
        inner = node.named_children[0]
        if inner.type == "assignment_expression":
            self._assign(inner)
            return []
        if inner.type != "pipeline_chain" or len(node.named_children) > 1:
            raise self._unknown(node)
        items: list[Any] = []
        for number, element in enumerate(inner.named_children):
            if element.type == "command":
                items = self._command(element, items)
            elif number == 0:
                if _unwrapped(element).type == "post_increment_expression":
                    raise self._unknown(element)
                value = self._value(element)
                items = _flat([value])
            else:
                raise PowerShellError(
                    "Expressions are only allowed as the first element of a pipeline.", "ParserError", severity="script"
                )
        return items

    def _pipeline_value(self, node: Node) -> Any:
        """The value of a pipeline: of a lone expression as it is, so that an array stays one."""
        chain = node.named_children[0] if node.type == "pipeline" else node
        if (
            chain.type == "pipeline_chain"
            and len(chain.named_children) == 1
            and chain.named_children[0].type != "command"
        ):
            return self._value(chain.named_children[0])
        return collapse(self._pipeline(node))

    def _command(self, node: Node, items: list[Any]) -> list[Any]:
        invoked = any(child.type == "command_invokation_operator" for child in node.named_children)
        named = next(child for child in node.named_children if child.type in ("command_name", "command_name_expr"))
        target = self._value(named) if invoked or named.type == "command_name_expr" else _source(named)
        elements = next((child.named_children for child in node.named_children if child.type == "command_elements"), [])
        parameters, arguments, quiet = self._bind(elements)
        call = Call(parameters, arguments, items)
        if isinstance(target, _ScriptBlock):
            return self._block(target, None)
        name = target.properties["Name"] if isinstance(target, PSObject) else _text(target)
        cmdlet = self._cmdlets.get(_ALIASES.get(name.lower(), name.lower()))
        if cmdlet is None:
            raise _not_found(name, "statement")
        try:
            return list(cmdlet(call))
        except PowerShellError as error:
            if error.severity != "continue":
                raise
            preference = self._preference(parameters)
            if preference == "stop":
                error.severity = "script"
                raise
            if preference == "continue" and not quiet:
                self._errors.append(error)
            return []

    def _bind(self, elements: Sequence[Node]) -> tuple[dict[str, Any], list[Any], bool]:
        """Parameters by name, the others, and whether errors are redirected away."""
        parameters: dict[str, Any] = {}
        arguments: list[Any] = []
        waiting: str | None = None
        quiet = False
        for element, following in zip(elements, [*elements[1:], None], strict=False):
            if element.type in ("command_argument_sep", "comment", "argument_list"):
                continue
            if element.type == "redirection" or _source(element).startswith("2>"):
                quiet = True
                continue
            if element.type == "command_parameter":
                if waiting is not None:
                    parameters[waiting] = True
                waiting = _source(element).strip("-:").lower()
                if waiting in _SWITCHES:
                    parameters[waiting] = True
                    waiting = None
                continue
            if following is not None and following.type == "argument_list":
                # The grammar takes the parentheses of `-Name $x.Trim()` for an argument of their own.
                method = _unwrapped(element)
                value = self._invoke_member(method, [*method.named_children, following])
            else:
                value = self._argument(element)
            if isinstance(value, dict) and _source(element).startswith("@") and waiting is None:
                parameters |= {key.lower(): item for key, item in value.items()}
            elif waiting is not None:
                parameters[waiting] = value
                waiting = None
            else:
                arguments.append(value)
        if waiting is not None:
            parameters[waiting] = True
        return parameters, arguments, quiet

    def _argument(self, node: Node) -> Any:
        if node.type == "generic_token":
            return _source(node)
        inner = _unwrapped(node)
        if inner.type == "variable" and _source(inner).startswith("@"):
            return self._variables.get(_source(inner)[1:].lower())
        return self._value(node)

    def _preference(self, parameters: Mapping[str, Any]) -> str:
        chosen = parameters.get("erroraction", parameters.get("ea", self._variables["erroractionpreference"]))
        return _text(chosen).lower()

    def _block(self, block: _ScriptBlock, item: Any) -> list[Any]:
        before = self._variables.get("_")
        self._variables["_"] = item
        output: list[Any] = []
        try:
            self._statements(block.body, output)
        except _Return as end:
            output += end.output
        finally:
            self._variables["_"] = before
        return output

    def _assign(self, node: Node) -> None:
        left, sign, right = node.named_children
        value = self._pipeline_value(right)
        target = _unwrapped(left)
        if _source(sign) == "+=":
            value = _add(self._value(target), value)
        elif _source(sign) != "=":
            raise self._unknown(node)
        if target.type == "cast_expression":
            value = self._cast(_source(target.named_children[0]), value)
            target = _unwrapped(target.named_children[1])
        if target.type == "variable":
            self._variables[_name(target)] = value
            return
        if target.type not in ("member_access", "element_access"):
            raise self._unknown(target)
        owner = self._value(target.named_children[0])
        key = (
            self._member(target.named_children[1])
            if target.type == "member_access"
            else self._value(target.named_children[1])
        )
        if isinstance(owner, dict):
            owner[_key(owner, _text(key))] = value
        elif isinstance(owner, PSObject) and not self._constrained:
            owner.properties[_key(owner.properties, _text(key))] = value
        else:
            raise PowerShellError(
                "Cannot set property. Property setting is supported only on core types in this language mode.",
                "PropertySetterNotSupportedInConstrainedLanguage",
                "InvalidOperation",
            )

    # Expressions

    def _value(self, node: Node) -> Any:
        """The value of an expression."""
        children = [child for child in node.named_children if child.type != "comment"]
        if node.type == "array_literal_expression" and len(children) > 1:
            return [self._value(child) for child in children]
        if node.type in _WRAPPERS and len(children) == 1:
            operators = [child for child in node.children if not child.is_named]
            if node.type == "expression_with_unary_operator" and operators:
                return self._unary(_source(operators[0]).lower(), self._value(children[0]))
            return self._value(children[0])
        handler = _EXPRESSIONS.get(node.type)
        if handler is not None:
            return handler(self, node, children)
        if node.type in _WRAPPERS:
            return self._binary(node, children)
        return collapse(self._pipeline(node))

    def _binary(self, node: Node, children: list[Node]) -> Any:
        left, right = self._value(children[0]), children[-1]
        if len(children) == 3:
            sign = _source(children[1]).lower()
        else:
            sign = _source(next(child for child in node.children if not child.is_named)).lower()
        if sign == "-and":
            return truth(left) and truth(self._value(right))
        if sign == "-or":
            return truth(left) or truth(self._value(right))
        if sign in ("-is", "-isnot"):
            kind = _source(_unwrapped(right)).strip("[]").lower()
            return (_type_name(left) == kind) is (sign == "-is")
        return _operate(self, node, sign, left, self._value(right))

    def _unary(self, sign: str, value: Any) -> Any:
        match sign:
            case "-not" | "!":
                return not truth(value)
            case "-join":
                return "".join(_text(item) for item in _flat([value]))
            case "-":
                return -value
            case ",":
                return [value]
            case _:
                raise PowerShellError(
                    f"The lab's PowerShell does not know the operator {sign}.", "LabUnsupported", severity="script"
                )

    def _variable(self, node: Node, _: list[Node]) -> Any:
        return self._variables.get(_name(node))

    def _expandable(self, node: Node, children: list[Node]) -> str:
        """A string in double quotes, or a here-string, with its variables and sub-expressions in their places."""
        source = node.text or b""
        edge = 1 if node.type == "expandable_string_literal" else len(source.split(b"\n", 1)[0]) + 1
        end = len(source) - (1 if edge == 1 else len(source.rsplit(b"\n", 1)[1]) + 1)
        parts, position = [], edge
        for child in children:
            start = child.start_byte - node.start_byte
            parts += [_unescaped(source[position:start]), _text(self._value(child))]
            position = child.end_byte - node.start_byte
        parts.append(_unescaped(source[position:end]))
        return "".join(parts)

    def _hash(self, _: Node, children: list[Node]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for entry in (entry for body in children for entry in body.named_children if entry.type == "hash_entry"):
            key = entry.named_children[0].named_children[0]
            name = _source(key) if key.type == "simple_name" else _text(self._value(key))
            result[name] = self._pipeline_value(entry.named_children[1])
        return result

    def _array(self, _: Node, children: list[Node]) -> list[Any]:
        output: list[Any] = []
        for child in children:
            self._statements(child, output)
        return _flat(output)

    def _cast_expression(self, _: Node, children: list[Node]) -> Any:
        return self._cast(_source(children[0]), self._value(children[1]))

    def _cast(self, literal: str, value: Any) -> Any:
        name = literal.strip("[]").lower().removeprefix("system.")
        if self._constrained and name not in _CORE_TYPES and name != "ordered" and not name.endswith("[]"):
            raise PowerShellError(
                f'Cannot convert value to type "{literal.strip("[]")}". Only core types are supported in this language mode.',
                "ConversionSupportedOnlyToCoreTypes",
                "InvalidArgument",
            )
        match name:
            case "string":
                return _text(value)
            case "int" | "int32" | "int64" | "long":
                return int(value or 0)
            case "bool":
                return truth(value)
            case "array" | "object[]" | "string[]":
                return _flat([value])
            case "version":
                return Version(_text(value))
            case "pscustomobject":
                return PSObject("System.Management.Automation.PSCustomObject", dict(value))
            case "ordered" | "hashtable":
                return value
            case "void":
                return None
            case _:
                raise PowerShellError(
                    f"The lab's PowerShell does not know the type {literal}.", "LabUnsupported", severity="script"
                )

    def _type_value(self, node: Node, _: list[Node]) -> _Type:
        return _Type(_source(node).strip("[]").lower().removeprefix("system."))

    def _member(self, node: Node) -> str:
        inner = node.named_children[0] if node.named_children else node
        return _source(inner) if inner.type == "simple_name" else _text(self._value(inner))

    def _member_access(self, _: Node, children: list[Node]) -> Any:
        owner, name = self._value(children[0]), self._member(children[1])
        if isinstance(owner, _Type):
            self._require_core(owner.name)
            if (owner.name, name.lower()) == ("console", "in"):
                return PSObject("System.IO.TextReader", {})
            raise PowerShellError(
                f"The lab's PowerShell does not know [{owner.name}]::{name}.", "LabUnsupported", severity="script"
            )
        return _property(owner, name)

    def _invoke_member(self, _: Node, children: list[Node]) -> Any:
        owner, name = self._value(children[0]), self._member(children[1]).lower()
        given = [
            argument for item in children[2:] for found in item.named_children for argument in found.named_children
        ]
        arguments = [self._value(argument) for argument in given]
        core = owner.name if isinstance(owner, _Type) else _type_name(owner)
        self._require_core(core)
        if isinstance(owner, _Type) and owner.name == "string" and name in ("isnullorempty", "isnullorwhitespace"):
            return not _text(arguments[0]) if name == "isnullorempty" else not _text(arguments[0]).strip()
        if isinstance(owner, PSObject) and owner.type_name == "System.IO.TextReader":
            return "\n".join(self._stdin) if name == "readtoend" else next(iter(self._stdin), None)
        if isinstance(owner, dict) and name in ("containskey", "contains"):
            return _find(owner, _text(arguments[0])) is not None
        if isinstance(owner, dict) and name == "add":
            owner[_text(arguments[0])] = arguments[1]
            return None
        if isinstance(owner, str) and name in _STRING_METHODS:
            return _STRING_METHODS[name](owner, *arguments)
        if name == "tostring" and owner is not None:
            return _text(owner)
        if owner is None:
            raise PowerShellError(
                "You cannot call a method on a null-valued expression.", "InvokeMethodOnNull", "InvalidOperation"
            )
        raise PowerShellError(
            f"The lab's PowerShell does not know the method {name} of {core}.", "LabUnsupported", severity="script"
        )

    def _require_core(self, name: str) -> None:
        if self._constrained and name.removesuffix("[]") not in _CORE_TYPES and name not in ("null", "object[]"):
            raise PowerShellError(
                "Cannot invoke method. Method invocation is supported only on core types in this language mode.",
                "MethodInvocationNotSupportedInConstrainedLanguage",
                "InvalidOperation",
            )

    def _element_access(self, _: Node, children: list[Node]) -> Any:
        owner, index = self._value(children[0]), self._value(children[1])
        if isinstance(owner, dict):
            return _find(owner, _text(index))
        if owner is None:
            raise PowerShellError("Cannot index into a null array.", "NullArray", "InvalidOperation")
        items = owner if isinstance(owner, list | str) else [owner]
        return items[int(index)] if -len(items) <= int(index) < len(items) else None

    def _unknown(self, node: Node) -> PowerShellError:
        return PowerShellError(
            f"The lab's PowerShell does not know {node.type}: {_source(node)}", "LabUnsupported", severity="script"
        )

    # Cmdlets of the language

    def _for_each(self, call: Call) -> Iterator[Any]:
        block = call.value("Process")
        for item in call.input:
            if isinstance(block, _ScriptBlock):
                yield from self._block(block, item)
            else:
                yield _property(item, _text(call.value("MemberName")))

    def _where(self, call: Call) -> Iterator[Any]:
        block = call.value("FilterScript")
        for item in call.input:
            if isinstance(block, _ScriptBlock):
                kept = truth(collapse(self._block(block, item)))
            else:
                found = _property(item, _text(call.value("Property")))
                sign = next((name for name in call.parameters if f"-{name}" in _COMPARISONS), None)
                kept = truth(found) if sign is None else truth(_compare(f"-{sign}", found, call.parameters[sign]))
            if kept:
                yield item

    def _select(self, call: Call) -> list[Any]:
        items = call.input
        if "first" in call.parameters:
            items = items[: int(call.parameters["first"])]
        if "last" in call.parameters:
            items = items[-int(call.parameters["last"]) :]
        if "expandproperty" in call.parameters:
            return _flat([_property(item, _text(call.parameters["expandproperty"])) for item in items])
        wanted = [_text(name) for name in _flat([call.value("Property")])]
        if not wanted:
            return items
        return [
            PSObject(
                "Selected." + _type_name(item),
                _all_properties(item) if "*" in wanted else {name: _property(item, name) for name in wanted},
            )
            for item in items
        ]

    def _sort(self, call: Call) -> list[Any]:
        name = call.value("Property")

        def key(item: Any) -> Any:
            found = item if name is None else _property(item, _text(name))
            return found.parts if isinstance(found, Version) else found

        return sorted(call.input, key=key, reverse="descending" in call.parameters)

    def _to_json(self, call: Call) -> list[str]:
        value = (
            call.value("InputObject")
            if "inputobject" in call.parameters
            else collapse(call.input or list(call.arguments))
        )
        text = json.dumps(
            _json(value, int(call.parameters.get("depth", 2))),
            ensure_ascii=False,
            indent=None if "compress" in call.parameters else 4,
            separators=(",", ":") if "compress" in call.parameters else None,
        )
        return [re.sub("[<>&']", lambda found: f"\\u{ord(found[0]):04x}", text)]

    def _get_command(self, call: Call) -> list[Any]:
        found = [name for name in _flat([call.value("Name")]) if _text(name).lower() in self._cmdlets]
        if not found:
            raise _not_found(_text(call.value("Name")), "continue")
        return [PSObject("System.Management.Automation.FunctionInfo", {"Name": _text(name)}) for name in found]

    def _write_error(self, call: Call) -> list[Any]:
        message = _text(call.value("Message"))
        raise PowerShellError(message, "Microsoft.PowerShell.Commands.WriteErrorException", severity="continue")

    def _new_object(self, call: Call) -> list[Any]:
        name = _text(call.value("TypeName"))
        if self._constrained and name.lower().removeprefix("system.") not in _CORE_TYPES:
            raise PowerShellError(
                "Cannot create type. Only core types are supported in this language mode.",
                "CannotCreateTypeConstrainedLanguage,Microsoft.PowerShell.Commands.NewObjectCommand",
                "PermissionDenied",
            )
        if name.lower() not in ("psobject", "pscustomobject"):
            raise PowerShellError(
                f"The lab's PowerShell does not know the type {name}.", "LabUnsupported", severity="script"
            )
        return [PSObject("System.Management.Automation.PSCustomObject", dict(call.parameters.get("property") or {}))]

    def _add_type(self, _: Call) -> list[Any]:
        if self._constrained:
            raise PowerShellError(
                "Cannot add type. Definition of new types is not supported in this language mode.",
                "CannotDefineNewType,Microsoft.PowerShell.Commands.AddTypeCommand",
                "PermissionDenied",
            )
        raise PowerShellError("The lab's PowerShell does not know Add-Type.", "LabUnsupported", severity="script")


_EXPRESSIONS: dict[str, Callable[[PowerShell, Node, list[Node]], Any]] = {
    "variable": PowerShell._variable,
    "verbatim_string_characters": lambda _, node, __: _source(node)[1:-1].replace("''", "'"),
    "verbatim_here_string_characters": lambda _, node, __: "\n".join(_source(node).splitlines()[1:-1]),
    "expandable_string_literal": PowerShell._expandable,
    "expandable_here_string_literal": PowerShell._expandable,
    "decimal_integer_literal": lambda _, node, __: int(_source(node)),
    "generic_token": lambda _, node, __: _source(node),
    "command_name": lambda _, node, __: _source(node),
    "hash_literal_expression": PowerShell._hash,
    "array_expression": PowerShell._array,
    "sub_expression": lambda shell, _, children: collapse(shell._array(_, children)),
    "parenthesized_expression": lambda shell, _, children: shell._pipeline_value(children[0]),
    "script_block_expression": lambda _, __, children: _ScriptBlock(children[0] if children else None),
    "cast_expression": PowerShell._cast_expression,
    "type_literal": PowerShell._type_value,
    "member_access": PowerShell._member_access,
    "invokation_expression": PowerShell._invoke_member,
    "element_access": PowerShell._element_access,
}

_ALIASES = {"select": "select-object", "sort": "sort-object", "where": "where-object", "?": "where-object", "%": "foreach-object",
            "foreach": "foreach-object", "echo": "write-output"}  # fmt: skip

_STRING_METHODS: dict[str, Callable[..., Any]] = {
    "trim": lambda text, characters=None: text.strip(characters),
    "trimend": lambda text, characters=None: text.rstrip(characters),
    "trimstart": lambda text, characters=None: text.lstrip(characters),
    "toupper": str.upper,
    "tolower": str.lower,
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": lambda text, part: part in text,
    "replace": str.replace,
    "substring": lambda text, start, length=None: text[start : None if length is None else start + length],
    "split": lambda text, separator: text.split(separator),
}


def _not_found(name: str, severity: Severity) -> PowerShellError:
    message = (
        f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program."
    )
    return PowerShellError(message, "CommandNotFoundException", "ObjectNotFound", severity)


# Values


def collapse(items: list[Any]) -> Any:
    """What an expression gets of a pipeline's output: nothing, the only item, or all."""
    if not items:
        return None
    return items[0] if len(items) == 1 else items


def _flat(items: Iterable[Any]) -> list[Any]:
    """Items with lists unrolled once and nothing left out but NULL, as the pipeline does."""
    result: list[Any] = []
    for item in items:
        if isinstance(item, list):
            result += item
        elif item is not None:
            result.append(item)
    return result


def truth(value: Any) -> bool:
    """Whether a condition holds."""
    if isinstance(value, list) and len(value) == 1:
        return truth(value[0])
    if isinstance(value, EnumValue):
        return value.value != 0
    return isinstance(value, dict | PSObject | Version) or bool(value)


def _type_name(value: Any) -> str:
    names = {
        str: "string",
        bool: "bool",
        int: "int",
        float: "double",
        dict: "hashtable",
        list: "object[]",
        Version: "version",
    }
    if value is None:
        return "null"
    return value.type_name if isinstance(value, PSObject) else names.get(type(value), type(value).__name__.lower())


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, Version):
        return value.text
    if isinstance(value, EnumValue):
        return value.name
    if isinstance(value, list):
        return " ".join(_text(item) for item in value)
    if isinstance(value, PSObject):
        if value.type_name == "System.Management.Automation.ErrorRecord":
            return _text(value.properties["Exception"].properties["Message"])
        return "@{" + "; ".join(f"{name}={_text(item)}" for name, item in value.properties.items()) + "}"
    return "System.Collections.Hashtable" if isinstance(value, dict) else str(value)


def _properties(value: Any) -> Mapping[str, Any]:
    if isinstance(value, PSObject):
        return value.properties
    if isinstance(value, Version):
        return dict(zip(("Major", "Minor", "Build", "Revision"), (*value.parts, -1, -1), strict=False))
    if isinstance(value, EnumValue):
        return {"value__": value.value}
    if isinstance(value, str):
        return {"Length": len(value)}
    return value if isinstance(value, dict) else {}


def _all_properties(value: Any) -> dict[str, Any]:
    """What ``*`` selects: of a hashtable not its entries but what it is made of."""
    if isinstance(value, dict):
        fixed = {"IsReadOnly": False, "IsFixedSize": False, "IsSynchronized": False}
        return fixed | {"Keys": list(value), "Values": list(value.values()), "Count": len(value)}
    return dict(_properties(value))


def _property(value: Any, name: str) -> Any:
    """A property in any case; of a list, those of its items."""
    found = _find(_properties(value), name)
    if found is not None or value is None:
        return found
    if name.lower() == "psobject":
        pairs = [PSObject("PSNoteProperty", {"Name": key, "Value": item}) for key, item in _properties(value).items()]
        return PSObject("PSMemberSet", {"Properties": pairs})
    if name.lower() in ("count", "length"):
        return len(value) if isinstance(value, list | dict) else 1
    if isinstance(value, dict) and name.lower() in ("keys", "values"):
        return list(getattr(value, name.lower())())
    if isinstance(value, list):
        return collapse([item for item in (_property(item, name) for item in value) if item is not None])
    return None


def _key(values: Mapping[str, Any], name: str) -> str:
    return next((key for key in values if key.lower() == name.lower()), name)


def _find(values: Mapping[str, Any], name: str) -> Any:
    return values.get(_key(values, name))


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, list):
        return [*left, *_flat([right])]
    if isinstance(left, dict):
        return left | right
    if isinstance(left, str):
        return left + _text(right)
    return right if left is None else left + right


def _comparable(value: Any, other: Any) -> Any:
    """In the form to compare with ``other``, whose type decides."""
    if isinstance(value, EnumValue):
        return value.name.lower() if isinstance(other, str | EnumValue) else value.value
    if isinstance(value, Version):
        return value.parts
    if (
        isinstance(other, int)
        and not isinstance(other, bool)
        and isinstance(value, str)
        and value.lstrip("-").isdigit()
    ):
        return int(value)
    if isinstance(value, str) or isinstance(other, str):
        return _text(value).lower()
    return value


def _compare(sign: str, left: Any, right: Any) -> Any:
    """A comparison; of a list, the items for which it holds."""
    if isinstance(left, list) and sign not in ("-contains", "-notcontains", "-in", "-notin"):
        return [item for item in left if _compare(sign, item, right)]
    return _COMPARISONS[sign](left, right)


def _ordered(decide: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(left: Any, right: Any) -> bool:
        if isinstance(left, Version) and isinstance(right, str):
            right = Version(right)
        try:
            return decide(_comparable(left, right), _comparable(right, left))
        except TypeError:
            return False

    return compare


def _equal(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is right
    return bool(_ordered(operator.eq)(left, right))


def _like(left: Any, right: Any) -> bool:
    pattern = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in _text(right))
    return re.fullmatch(pattern, _text(left), re.IGNORECASE | re.DOTALL) is not None


def _contains(left: Any, right: Any) -> bool:
    return any(_equal(item, right) for item in (left if isinstance(left, list) else [left]))


def _match(left: Any, right: Any) -> bool:
    return re.search(_text(right), _text(left), re.IGNORECASE) is not None


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "-eq": _equal,
    "-ne": lambda left, right: not _equal(left, right),
    "-gt": _ordered(operator.gt),
    "-ge": _ordered(operator.ge),
    "-lt": _ordered(operator.lt),
    "-le": _ordered(operator.le),
    "-like": _like,
    "-notlike": lambda left, right: not _like(left, right),
    "-match": _match,
    "-notmatch": lambda left, right: not _match(left, right),
    "-contains": _contains,
    "-notcontains": lambda left, right: not _contains(left, right),
    "-in": lambda left, right: _contains(right, left),
    "-notin": lambda left, right: not _contains(right, left),
}


def _operate(shell: PowerShell, node: Node, sign: str, left: Any, right: Any) -> Any:
    if sign in _COMPARISONS:
        return _compare(sign, left, right)
    match sign:
        case "+":
            return _add(left, right)
        case "-join":
            return _text(right).join(_text(item) for item in _flat([left]))
        case "-f":
            values = _flat([right])
            return re.sub(r"\{(\d+)\}", lambda found: _text(values[int(found[1])]), _text(left))
        case "-split":
            return re.split(_text(right), _text(left))
        case "-replace":
            pattern, replacement = right if isinstance(right, list) else (right, "")
            return re.sub(_text(pattern), _text(replacement), _text(left), flags=re.IGNORECASE)
        case _:
            raise shell._unknown(node)


def _from_json(value: Any) -> Any:
    if isinstance(value, dict):
        return PSObject(
            "System.Management.Automation.PSCustomObject", {key: _from_json(item) for key, item in value.items()}
        )
    return [_from_json(item) for item in value] if isinstance(value, list) else value


def _json(value: Any, depth: int) -> Any:
    """As ConvertTo-Json sees it: below ``depth`` objects are text, enumerations are numbers."""
    if isinstance(value, EnumValue):
        return value.value
    if value is None or isinstance(value, str | int | float):
        return value
    if depth < 0:
        return _text(value)
    if isinstance(value, list):
        return [_json(item, depth - 1) for item in value]
    if isinstance(value, Version):
        return _json({**_properties(value)}, depth)
    return {name: _json(item, depth - 1) for name, item in _properties(value).items()}


def format_lines(value: Any) -> list[str]:
    """What the console shows of an object: text as it is, others as a list of their properties."""
    if isinstance(value, str | EnumValue | Version) or not _properties(value):
        return [_text(value)]
    width = max(len(name) for name in _properties(value))
    return ["", *(f"{name.ljust(width)} : {_text(item)}" for name, item in _properties(value).items()), ""]


def _unescaped(source: bytes) -> str:
    escapes = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}
    return re.sub("`(.)", lambda found: escapes.get(found[1], found[1]), source.decode(), flags=re.DOTALL).replace(
        '""', '"'
    )


def _source(node: Node) -> str:
    return (node.text or b"").decode()


def _name(node: Node) -> str:
    """A variable's name, its scope left out."""
    name = _source(node).lstrip("$").strip("{}").lower()
    return re.sub("^(global|script|local):", "", name)


def _unwrapped(node: Node) -> Node:
    """The node inside those that only hold another one."""
    while node.type in _WRAPPERS and len(node.named_children) == 1 and all(child.is_named for child in node.children):
        node = node.named_children[0]
    return node
