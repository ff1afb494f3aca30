# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The values of expressions, and what Constrained Language Mode refuses of them (facts/powershell.md 2 to 13)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from lab.powershell import members, operators, syntax
from lab.powershell.binding import (
    Emit,
)
from lab.powershell.errors import PowerShellError, Unsupported
from lab.powershell.scopes import Scopes
from lab.powershell.types import (
    as_array,
    convert,
    exists,
    is_core,
    is_instance,
    null,
    resolve,
    spelled,
    text,
    truth,
    type_of,
)
from lab.powershell.values import (
    NOTHING,
    Array,
    Hashtable,
    PSObject,
    ScriptBlockValue,
    TypeValue,
    find,
    is_number,
)


class Evaluator(Scopes):
    """Evaluates expressions; what runs statements is the session's."""

    def statements(self, block: syntax.Block, emit: Emit) -> None:
        """Run statements."""
        raise NotImplementedError

    def value_of(self, node: syntax.Statement) -> Any:
        """What an assignment gets of a statement."""
        raise NotImplementedError

    @property
    def now(self) -> datetime:
        """The time."""
        raise NotImplementedError

    def assign(self, node: syntax.Assignment) -> None:
        value = self.value_of(node.value)
        if node.operator != "=":
            if isinstance(node.target, syntax.ArrayLiteral):
                raise Unsupported(f"{node.operator} of several variables")
            value = _OPERATORS[node.operator[:-1]](self.evaluate(node.target), None if value is NOTHING else value)
        self._store(node.target, value)

    def _store(self, target: syntax.Expression, value: Any) -> None:
        match target:
            case syntax.Convert():
                if isinstance(target.value, syntax.Variable):
                    self.scope_of(target.value).types[target.value.name] = target.type.name
                    self._store(target.value, value)
                else:
                    self._store(target.value, self.convert(value, target.type.name))
            case syntax.Variable():
                kind = self.scope_of(target).types.get(target.name)
                self.set_variable(target, value if kind is None else self.convert(value, kind))
            case syntax.ArrayLiteral():
                items = list(as_array(value))
                for at, variable in enumerate(target.items):
                    last = at == len(target.items) - 1
                    rest = items[at:]
                    self._store(variable, collapsed(rest) if last and len(rest) > 1 else (rest[0] if rest else None))
            case syntax.Member():
                self._store_member(target, value)
            case syntax.Index():
                self._store_index(self.evaluate(target.target), self.evaluate(target.index), value)
            case _:
                raise Unsupported(f"assignment to {type(target).__name__}")

    def _store_member(self, target: syntax.Member, value: Any) -> None:
        owner, name = self.evaluate(target.target), text(self.evaluate(target.name))
        value = None if value is NOTHING else value
        if isinstance(owner, Hashtable):
            owner[next((key for key in owner if isinstance(key, str) and key.lower() == name.lower()), name)] = value
            return
        # UNVERIFIED: whether a note property of a PSCustomObject may be set; the lab refuses it, as for all that is no core type.
        if self.environment.constrained and not (
            isinstance(owner, TypeValue) or (not null(owner) and is_core(type_of(owner)))
        ):
            raise PowerShellError(
                "Cannot set property. Property setting is supported only on core types in this language mode.",
                "PropertySetterNotSupportedInConstrainedLanguage",
                "InvalidOperation",
            )
        if isinstance(owner, PSObject):
            key = find(owner.properties, name)
            if key is None:
                raise PowerShellError(
                    f"The property '{name}' cannot be found on this object. Verify that the property exists and can be set.",
                    "PropertyNotFound", "InvalidOperation",
                )  # fmt: skip
            owner.properties[key] = value
            return
        raise Unsupported(f"setting {name} of {type_of(owner) if not null(owner) else 'null'}")

    def _store_index(self, owner: Any, key: Any, value: Any) -> None:
        value = None if value is NOTHING else value
        if isinstance(owner, Hashtable):
            owner[key] = value
        elif isinstance(owner, Array):
            position = convert(key, "int")
            if not -len(owner) <= position < len(owner):
                raise PowerShellError(
                    "Index was outside the bounds of the array.", "IndexOutOfRangeException", "OperationStopped"
                )
            owner[position] = value
        elif null(owner):
            raise PowerShellError("Cannot index into a null array.", "NullArray", "InvalidOperation")
        else:
            raise Unsupported(f"setting an element of {type_of(owner)}")

    # Expressions

    def evaluate(self, node: syntax.Expression) -> Any:
        """The value of an expression."""
        found = self.raw(node)
        return None if found is NOTHING else found

    def raw(self, node: syntax.Expression) -> Any:
        """The value, which may be ``NOTHING``."""
        return _EVALUATE[type(node)](self, node)

    def _expandable(self, node: syntax.ExpandableString) -> str:
        parts = []
        for part in node.parts:
            if isinstance(part, str):
                parts.append(part)
                continue
            value = self.evaluate(part)
            separator = self.variable("ofs")
            if isinstance(value, Array) and separator is not None:
                parts.append(text(separator).join(text(item) for item in value))
            else:
                parts.append(text(value))
        return "".join(parts)

    def _hash(self, node: syntax.HashLiteral, ordered: bool = False) -> Hashtable:
        result = Hashtable(ordered=ordered)
        for key_node, value_node in node.entries:
            key = self.evaluate(key_node)
            value = self.value_of(value_node)
            if null(key):
                raise PowerShellError(
                    "A null key is not allowed in a hash literal.", "InvalidNullKey", "InvalidOperation"
                )
            if key in result:
                raise PowerShellError(
                    f"Duplicate keys '{text(key)}' are not allowed in hash literals.",
                    "DuplicateKeyInHashLiteral",
                    "InvalidOperation",
                )
            result[key] = None if value is NOTHING else value
        return result

    def _array(self, node: syntax.ArrayExpression) -> Array:
        output: list[Any] = []
        self.statements(node.body, output.append)
        return Array(output)

    def _sub(self, node: syntax.SubExpression) -> Any:
        output: list[Any] = []
        self.statements(node.body, output.append)
        return collapsed(output)

    def _unary(self, node: syntax.Unary) -> Any:
        value = self.evaluate(node.value)
        match node.operator:
            case "not":
                return not truth(value)
            case ",":
                return Array([value])
            case "-":
                return operators.negative(value)
            case "+":
                return convert(value, "int") if not is_number(value) else value
            case "join":
                return operators.join(value, "")
            case "split" | "isplit" | "csplit":
                return operators.split_blanks(value)
        raise Unsupported(f"-{node.operator}")

    def _binary(self, node: syntax.Binary) -> Any:
        name = node.operator
        left = self.evaluate(node.left)
        if name in ("and", "or"):
            if truth(left) is (name == "or"):
                return name == "or"
            return truth(self.evaluate(node.right))
        right = self.evaluate(node.right)
        if name == "xor":
            return truth(left) is not truth(right)
        if name in ("is", "isnot"):
            kind = right.name if isinstance(right, TypeValue) else text(right)
            return is_instance(left, self.known_type(kind)) is (name == "is")
        if name == "as":
            return self._as(left, right)
        if name in ("band", "bor", "bxor", "shl", "shr"):
            return operators.bitwise(name, left, right)
        if name in _OPERATORS:
            return _OPERATORS[name](left, right)
        return self.compare(name, left, right)

    def _as(self, left: Any, right: Any) -> Any:
        try:
            return self.convert(left, right.name if isinstance(right, TypeValue) else text(right))
        except PowerShellError as error:
            if error.identifier == "ConversionSupportedOnlyToCoreTypes":
                raise
            return None

    def compare(self, name: str, left: Any, right: Any) -> Any:
        sensitive = name.startswith("c") and name != "contains"
        plain = name[1:] if name[0] in "ic" and name not in ("contains", "in") else name
        match plain:
            case "contains" | "notcontains":
                return any(operators.equal(item, right, sensitive) for item in _items(left)) is (plain == "contains")
            case "in" | "notin":
                return any(operators.equal(item, left, sensitive) for item in _items(right)) is (plain == "in")
            case "replace":
                return operators.replace(left, right, sensitive)
            case "split":
                return operators.split(left, right, sensitive)
        compare = self._comparison(plain, sensitive)
        if isinstance(left, Array):
            # Of a collection, the elements for which it holds.
            return Array(item for item in left if compare(item, right))
        return compare(left, right)

    def _comparison(self, name: str, sensitive: bool) -> Callable[[Any, Any], bool]:
        match name:
            case "match" | "notmatch":
                return lambda left, right: self._match(left, right, sensitive) is (name == "match")
            case "like" | "notlike":
                return lambda left, right: operators.like(left, right, sensitive) is (name == "like")
            case "eq" | "ne":
                return lambda left, right: operators.equal(left, right, sensitive) is (name == "eq")
            case "gt":
                return lambda left, right: operators.order(left, right, sensitive) > 0
            case "ge":
                return lambda left, right: operators.order(left, right, sensitive) >= 0
            case "lt":
                return lambda left, right: operators.order(left, right, sensitive) < 0
            case "le":
                return lambda left, right: operators.order(left, right, sensitive) <= 0
        raise Unsupported(f"-{name}")

    def _match(self, left: Any, right: Any, sensitive: bool) -> bool:
        found = operators.regex(text(right), sensitive).search(text(left))
        if found is None:
            return False
        self.set_matches(found)
        return True

    def _increment(self, node: syntax.Increment) -> Any:
        before = self.evaluate(node.target)
        after = operators.add(0 if null(before) else before, node.step)
        self._store(node.target, after)
        return after if node.prefix else before

    # Types and members

    def known_type(self, name: str) -> str:
        """The name of a type that exists. Raises ``PowerShellError`` or, if only Windows can tell, ``Unsupported``."""
        if exists(name):
            return name
        if self.environment.constrained or "." not in name:
            raise PowerShellError(f"Unable to find type [{name}].", "TypeNotFound", "InvalidOperation", target=name)
        raise Unsupported(f"the type [{name}]")

    def convert(self, value: Any, name: str) -> Any:
        """Convert, as the language mode allows."""
        kind = self.known_type(name)
        plain = resolve(kind)
        if self.environment.constrained and not is_core(kind) and plain != resolve("ordered"):
            raise _conversion_refused(value, kind)
        if plain == resolve("pscustomobject") and isinstance(value, Hashtable):
            # The literal is converted to an internal type, which is no core type (facts 4).
            if self.environment.constrained:
                raise _conversion_refused(value, "management.automation.languageprimitives+internalpscustomobject")
            return PSObject(
                "System.Management.Automation.PSCustomObject", {text(key): item for key, item in value.items()}
            )
        return convert(value, kind, self.environment.zone)

    def _cast(self, node: syntax.Convert) -> Any:
        plain = resolve(node.type.name)
        if isinstance(node.value, syntax.HashLiteral) and plain in (resolve("ordered"), resolve("pscustomobject")):
            literal = self._hash(node.value, ordered=True)
            return literal if plain == resolve("ordered") else self.convert(literal, node.type.name)
        return self.convert(self.evaluate(node.value), node.type.name)

    def _type(self, node: syntax.TypeExpression) -> TypeValue:
        array = "[]" if node.type.name.endswith("[]") else ""
        return TypeValue(resolve(self.known_type(node.type.name)) + array)

    def _member(self, node: syntax.Member) -> Any:
        owner = self.evaluate(node.target)
        name = text(self.evaluate(node.name))
        if node.static:
            if not isinstance(owner, TypeValue):
                raise Unsupported("a static member of a value")
            if owner.name == "console" and name.lower() == "in":
                return PSObject("System.IO.TextReader", {})
            return members.static_property(owner.name, name, self.now, self.environment.zone)
        if isinstance(owner, TypeValue):
            known = {"Name": spelled(owner.name).rpartition(".")[2], "FullName": spelled(owner.name)}
            return known.get(find(known, name) or "")
        return members.get(owner, name)

    def _invoke(self, node: syntax.InvokeMember) -> Any:
        owner = self.evaluate(node.target)
        name = text(self.evaluate(node.name))
        arguments = [self.evaluate(item) for item in node.arguments]
        if node.static:
            if not isinstance(owner, TypeValue):
                raise Unsupported("a static method of a value")
            return self._invoke_static(owner, name, arguments)
        if not null(owner) and name.lower() != "tostring":
            self._require_core(type_of(owner))
        return members.invoke(owner, name, arguments, self.environment.zone, self.environment.language)

    def _invoke_static(self, kind: TypeValue, name: str, arguments: list[Any]) -> Any:
        if name.lower() == "new":
            if self.environment.constrained and not is_core(kind.name):
                raise PowerShellError(
                    "Cannot create type. Only core types are supported in this language mode.", "CannotCreateTypeConstrainedLanguage",
                    "PermissionDenied",
                )  # fmt: skip
            return members.new_object(kind, arguments)
        self._require_core(kind.name)
        if kind.name == "datetime" and name.lower() in ("new", "parse", "parseexact"):
            raise Unsupported(f"[datetime]::{name}")
        method = members.STATIC_METHODS.get((kind.name, name.lower()))
        if method is None:
            raise Unsupported(f"[{kind.name}]::{name}")
        return method(*arguments)

    def _require_core(self, kind: str) -> None:
        if self.environment.constrained and not is_core(kind):
            raise PowerShellError(
                "Cannot invoke method. Method invocation is supported only on core types in this language mode.",
                "MethodInvocationNotSupportedInConstrainedLanguage",
                "InvalidOperation",
            )

    def _index(self, node: syntax.Index) -> Any:
        return members.index(self.evaluate(node.target), self.evaluate(node.index))


def _conversion_refused(value: Any, kind: str) -> PowerShellError:
    return PowerShellError(
        f'Cannot convert value "{text(value)}" to type "{spelled(kind)}". Only core types are supported in this language mode.',
        "ConversionSupportedOnlyToCoreTypes",
        "InvalidArgument",
        exception_type="System.Management.Automation.PSInvalidCastException",
    )


def collapsed(output: list[Any]) -> Any:
    """What comes of a pipeline's output: nothing, the only object, or an array."""
    if not output:
        return NOTHING
    return output[0] if len(output) == 1 else Array(output)


def _items(value: Any) -> Sequence[Any]:
    if isinstance(value, Array):
        return value
    # UNVERIFIED: $null -contains $null is true, as a scalar is taken for an array with it alone.
    return [value]


_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operators.add,
    "-": operators.subtract,
    "*": operators.multiply,
    "/": operators.divide,
    "%": operators.remainder,
    "..": operators.number_range,
    "f": operators.format_text,
    "join": operators.join,
}

_EVALUATE: dict[type, Callable[[Evaluator, Any], Any]] = {
    syntax.Constant: lambda _, node: node.value,
    syntax.Variable: Evaluator.lookup,
    syntax.ExpandableString: Evaluator._expandable,
    syntax.TypeExpression: Evaluator._type,
    syntax.Convert: Evaluator._cast,
    syntax.HashLiteral: Evaluator._hash,
    syntax.ArrayExpression: Evaluator._array,
    syntax.SubExpression: Evaluator._sub,
    syntax.Parenthesized: lambda session, node: session.value_of(node.content),
    syntax.ArrayLiteral: lambda session, node: Array(session.evaluate(item) for item in node.items),
    syntax.Unary: Evaluator._unary,
    syntax.Binary: Evaluator._binary,
    syntax.Increment: Evaluator._increment,
    syntax.Member: Evaluator._member,
    syntax.InvokeMember: Evaluator._invoke,
    syntax.Index: Evaluator._index,
    syntax.ScriptBlockExpression: lambda _, node: ScriptBlockValue(node.block),
}
