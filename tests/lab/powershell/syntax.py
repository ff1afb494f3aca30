# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The syntax tree of a script. Names follow System.Management.Automation.Language where it has one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Node:
    """Anything in a script."""


class Expression(Node):
    """Something with a value."""

    __slots__ = ()


class Statement(Node):
    """Something that is run, and may write output."""

    __slots__ = ()


Block = tuple[Statement, ...]


# Expressions


@dataclass(frozen=True, slots=True)
class Constant(Expression):
    """A number or a verbatim string."""

    value: Any


@dataclass(frozen=True, slots=True)
class Variable(Expression):
    """``$name``, ``$env:name``, ``$using:name``; ``@name`` when ``splatted``. The name is in lower case, ``scope`` too."""

    name: str
    scope: str = ""
    splatted: bool = False


@dataclass(frozen=True, slots=True)
class ExpandableString(Expression):
    """A string in double quotes."""

    parts: tuple[str | Expression, ...]


@dataclass(frozen=True, slots=True)
class TypeName(Node):
    """What stands in ``[]``, in lower case, without ``system.``."""

    name: str


@dataclass(frozen=True, slots=True)
class TypeExpression(Expression):
    """``[type]``."""

    type: TypeName


@dataclass(frozen=True, slots=True)
class Convert(Expression):
    """``[type] $value``."""

    type: TypeName
    value: Expression


@dataclass(frozen=True, slots=True)
class HashLiteral(Expression):
    """``@{ key = value }``."""

    entries: tuple[tuple[Expression, Statement], ...]


@dataclass(frozen=True, slots=True)
class ArrayExpression(Expression):
    """``@( )``."""

    body: Block


@dataclass(frozen=True, slots=True)
class SubExpression(Expression):
    """``$( )``."""

    body: Block


@dataclass(frozen=True, slots=True)
class Parenthesized(Expression):
    """``( )``."""

    content: Statement


@dataclass(frozen=True, slots=True)
class ArrayLiteral(Expression):
    """``1, 2``."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Unary(Expression):
    """A prefix operator, in lower case."""

    operator: str
    value: Expression


@dataclass(frozen=True, slots=True)
class Binary(Expression):
    """An infix operator, in lower case."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Increment(Expression):
    """``$x++`` and its kin."""

    target: Expression
    step: int
    prefix: bool


@dataclass(frozen=True, slots=True)
class Member(Expression):
    """``$x.name`` or ``[x]::name``."""

    target: Expression
    name: Expression
    static: bool


@dataclass(frozen=True, slots=True)
class InvokeMember(Expression):
    """``$x.name(…)`` or ``[x]::name(…)``."""

    target: Expression
    name: Expression
    arguments: tuple[Expression, ...]
    static: bool


@dataclass(frozen=True, slots=True)
class Index(Expression):
    """``$x[…]``."""

    target: Expression
    index: Expression


@dataclass(frozen=True, slots=True)
class ParameterDeclaration(Node):
    """A parameter of a ``param`` block."""

    name: str
    types: tuple[TypeName, ...]
    default: Expression | None
    mandatory: bool
    from_pipeline: bool


@dataclass(frozen=True, slots=True)
class ScriptBlock(Node):
    """A script, or what is in braces. ``begin``, ``process`` and ``end`` are None when it has no such block."""

    parameters: tuple[ParameterDeclaration, ...]
    begin: Block | None
    process: Block | None
    end: Block | None
    text: str


@dataclass(frozen=True, slots=True)
class ScriptBlockExpression(Expression):
    """``{ }``."""

    block: ScriptBlock


# Statements


@dataclass(frozen=True, slots=True)
class Argument(Node):
    """An argument of a command, ``-Name`` or ``-Name:value`` when it has a name."""

    name: str | None
    value: Expression | None


@dataclass(frozen=True, slots=True)
class Redirection(Node):
    """``2>$null``, ``2>&1``; ``target`` is None for a merge into the output."""

    stream: str
    target: Expression | None


@dataclass(frozen=True, slots=True)
class Command(Node):
    """A command with its arguments. ``invocation`` is ``&``, ``.`` or empty."""

    invocation: str
    name: Expression
    arguments: tuple[Argument, ...]
    redirections: tuple[Redirection, ...]


@dataclass(frozen=True, slots=True)
class CommandExpression(Node):
    """An expression as the first element of a pipeline."""

    expression: Expression
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True, slots=True)
class Pipeline(Statement):
    """Commands joined by ``|``."""

    elements: tuple[Command | CommandExpression, ...]


@dataclass(frozen=True, slots=True)
class Assignment(Statement):
    """``$x = …``; ``operator`` is ``=``, ``+=``, …."""

    target: Expression
    operator: str
    value: Statement


@dataclass(frozen=True, slots=True)
class If(Statement):
    """``if``."""

    clauses: tuple[tuple[Statement, Block], ...]
    otherwise: Block


@dataclass(frozen=True, slots=True)
class ForEach(Statement):
    """``foreach``."""

    variable: Variable
    items: Statement
    body: Block


@dataclass(frozen=True, slots=True)
class For(Statement):
    """``for``."""

    initializer: Statement | None
    condition: Statement | None
    iterator: Statement | None
    body: Block


@dataclass(frozen=True, slots=True)
class While(Statement):
    """``while``; with ``first`` ``do … while``, with ``until`` ``do … until``."""

    condition: Statement
    body: Block
    first: bool = False
    until: bool = False


@dataclass(frozen=True, slots=True)
class Switch(Statement):
    """``switch``, whose ``kind`` is ``exact``, ``regex`` or ``wildcard``; a clause's condition is None for ``default``."""

    kind: str
    case_sensitive: bool
    value: Statement
    clauses: tuple[tuple[Expression | None, Block], ...]


@dataclass(frozen=True, slots=True)
class Try(Statement):
    """``try``; a handler without types catches all."""

    body: Block
    handlers: tuple[tuple[tuple[TypeName, ...], Block], ...]
    last: Block | None


@dataclass(frozen=True, slots=True)
class Flow(Statement):
    """``return``, ``throw``, ``exit``, ``break``, ``continue``."""

    keyword: str
    value: Statement | None


@dataclass(frozen=True, slots=True)
class FunctionDefinition(Statement):
    """``function``."""

    name: str
    block: ScriptBlock


def outer_nodes(node: Any) -> Iterator[Node]:
    """A node and what is in it, but for what is inside script blocks and functions within it."""
    if isinstance(node, tuple):
        for item in node:
            yield from outer_nodes(item)
    elif is_dataclass(node) and isinstance(node, Node):
        yield node
        if not isinstance(node, ScriptBlockExpression | FunctionDefinition):
            for item in fields(node):
                yield from outer_nodes(getattr(node, item.name))
