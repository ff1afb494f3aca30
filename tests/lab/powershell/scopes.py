# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Variables and functions, in dynamic scopes (about_Scopes)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from lab.powershell import operators, syntax
from lab.powershell.binding import (
    MISSING,
)
from lab.powershell.environment import Environment
from lab.powershell.errors import PowerShellError, Unsupported
from lab.powershell.values import (
    Array,
    EnumValue,
    Hashtable,
    PSObject,
    Version,
)


@dataclass
class Scope:
    """One scope. ``types``: variables that were declared with a type, to which every value is converted."""

    variables: dict[str, Any] = field(default_factory=dict)
    functions: dict[str, syntax.ScriptBlock] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)


class Scopes:
    """Variables and functions of a session. ``using`` are the values of ``$using:`` variables."""

    def __init__(self, environment: Environment, using: Mapping[str, Any], globals_: Mapping[str, Any]) -> None:
        self.environment = environment
        self.scopes = [Scope(dict(globals_))]
        self.success = True
        self._using = dict(using)

    @contextmanager
    def local(self, name: str, value: Any) -> Iterator[None]:
        """A variable for a while, in the present scope."""
        variables = self.scopes[-1].variables
        before = variables.get(name, MISSING)
        variables[name] = value
        try:
            yield
        finally:
            if before is MISSING:
                variables.pop(name, None)
            else:
                variables[name] = before

    def assign_local(self, name: str, value: Any) -> None:
        self.scopes[-1].variables[name] = value

    # Variables

    def variable(self, name: str) -> Any:
        """The value of a variable by its lower-case name."""
        for scope in reversed(self.scopes):
            if name in scope.variables:
                return scope.variables[name]
        return None

    def function(self, name: str) -> syntax.ScriptBlock | None:
        return next((scope.functions[name] for scope in reversed(self.scopes) if name in scope.functions), None)

    def lookup(self, node: syntax.Variable) -> Any:
        match node.scope:
            case "":
                if node.name in ("true", "false"):
                    return node.name == "true"
                if node.name == "null":
                    return None
                if node.name == "?":
                    return self.success
                return self.variable("_" if node.name == "psitem" else node.name)
            case "env":
                return self._environment_variable(node.name)
            case "global":
                return self.scopes[0].variables.get(node.name)
            case "script" | "local":
                # The text of -Command has no script scope of its own.
                return (self.scopes[0] if node.scope == "script" else self.scopes[-1]).variables.get(node.name)
            case "using":
                if node.name not in self._using:
                    raise PowerShellError(
                        "A Using variable cannot be retrieved.", "UsingWithoutInvokeCommand", "InvalidOperation",
                    )  # fmt: skip
                return self._using[node.name]
        raise Unsupported(f"the scope {node.scope}")

    def _environment_variable(self, name: str) -> Any:
        known = {
            "computername": self.environment.computer,
            "username": self.environment.user,
            "systemroot": r"C:\Windows",
            "windir": r"C:\Windows",
            "processor_architecture": "AMD64",
            # Set in a 32-bit process only (facts 76).
            "processor_architew6432": None,
        }
        if name not in known:
            raise Unsupported(f"$env:{name}")
        return known[name]

    def set_variable(self, node: syntax.Variable, value: Any) -> None:
        if node.name == "null":
            return
        if node.name in ("true", "false", "?"):
            raise PowerShellError(
                f"Cannot overwrite variable {node.name} because it is read-only or constant.",
                "VariableNotWritable",
                "WriteError",
            )
        self.scope_of(node).variables[node.name] = value

    def scope_of(self, node: syntax.Variable) -> Scope:
        """The scope in which a variable is set."""
        if node.scope in ("", "local"):
            return self.scopes[-1]
        if node.scope in ("global", "script"):
            return self.scopes[0]
        raise Unsupported(f"setting ${node.scope}:{node.name}")

    def set_matches(self, found: Any) -> None:
        self.assign_local("matches", Hashtable(operators.groups_of(found).items()))

    def using_values(self, block: syntax.ScriptBlock) -> dict[str, Any]:
        """The values of ``$using:`` variables in a block that is to run elsewhere."""
        names: set[str] = set()

        def visit(node: Any) -> None:
            for inner in syntax.outer_nodes(node):
                if isinstance(inner, syntax.Variable) and inner.scope == "using":
                    names.add(inner.name)
                elif isinstance(inner, syntax.ScriptBlockExpression | syntax.FunctionDefinition):
                    visit((inner.block.begin, inner.block.process, inner.block.end))

        visit((block.begin, block.process, block.end))
        return {name: self.variable(name) for name in names}


def automatic_variables(environment: Environment) -> dict[str, Any]:
    """The variables that a session begins with (about_Automatic_Variables, about_Preference_Variables)."""
    mode = ("ConstrainedLanguage", 3) if environment.constrained else ("FullLanguage", 0)
    language = EnumValue(*mode, "System.Management.Automation.PSLanguageMode")
    state = PSObject("System.Management.Automation.SessionState", {"LanguageMode": language})
    version = Version(f"5.1.{environment.build.split('.', 2)[2]}")
    return {
        "erroractionpreference": "Continue",
        "warningpreference": "Continue",
        "progresspreference": "Continue",
        "verbosepreference": "SilentlyContinue",
        "informationpreference": "SilentlyContinue",
        "executioncontext": PSObject("System.Management.Automation.EngineIntrinsics", {"SessionState": state}),
        "psversiontable": Hashtable({"PSVersion": version, "PSEdition": "Desktop"}.items()),
        "error": Array(),
        "lastexitcode": None,
        "ofs": None,
        "pid": 4242,
        "input": Array(),
        "args": Array(),
    }
