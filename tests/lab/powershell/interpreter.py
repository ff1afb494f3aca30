# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs scripts: statements, scopes, pipelines, errors, and what Constrained Language Mode refuses (facts/powershell.md 2 to 13)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lab.powershell import members, operators, syntax
from lab.powershell.binding import (
    MISSING,
    Cmdlet,
    Definition,
    Emit,
    Given,
    Parameter,
    bind,
    missing_mandatory,
    no_position,
    preference,
)
from lab.powershell.errors import Hang, ParseError, PowerShellError, Unsupported
from lab.powershell.parser import parse
from lab.powershell.types import (
    as_array,
    convert,
    enumerate_value,
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
    INTEGERS,
    NOTHING,
    Array,
    EnumValue,
    Hashtable,
    PSObject,
    ScriptBlockValue,
    TypeValue,
    Version,
    find,
    is_number,
    wrap,
)

#: Cmdlets that every Windows has and the lab has not, as far as a script may want one.
_UNKNOWN_CMDLETS = {
    "add-content", "clear-content", "clear-variable", "compare-object", "convertfrom-csv", "convertfrom-securestring", "convertto-csv",
    "convertto-xml", "copy-item", "disable-computerrestore", "enter-pssession", "export-clixml", "export-csv", "format-list",
    "format-table", "get-alias", "get-childitem", "get-cimassociatedinstance", "get-cimclass", "get-cimsession", "get-clusternode",
    "get-content", "get-credential", "get-culture", "get-eventlog", "get-help", "get-host", "get-hotfix", "get-item", "get-itemproperty",
    "get-itempropertyvalue", "get-location", "get-member", "get-process", "get-psdrive", "get-pssession", "get-service", "get-timezone",
    "get-uiculture", "get-variable", "get-vm", "get-winevent", "get-wmiobject", "group-object", "import-clixml", "import-csv",
    "invoke-restmethod", "invoke-webrequest", "invoke-wmimethod", "join-path", "measure-command", "move-item", "new-cimsession",
    "new-cimsessionoption", "new-item", "new-itemproperty", "new-pssession", "new-timespan", "new-variable", "out-default", "out-file",
    "out-host", "read-host", "register-cimindicationevent", "remove-ciminstance", "remove-cimsession", "remove-item",
    "remove-itemproperty", "remove-pssession", "remove-variable", "rename-item", "resolve-path", "restart-computer", "restart-service",
    "select-string", "set-ciminstance", "set-content", "set-executionpolicy", "set-item", "set-itemproperty", "set-location",
    "set-service", "set-strictmode", "set-variable", "set-wmiinstance", "split-path", "start-job", "start-process", "start-service",
    "stop-computer", "stop-process", "stop-service", "tee-object", "test-connection", "test-path", "test-wsman", "update-typedata",
    "wait-event", "wait-process", "write-debug",
}  # fmt: skip

#: More turns of a loop than any script of a test takes.
_MOST_TURNS = 200_000

_ALIASES = {
    "?": "where-object", "where": "where-object", "%": "foreach-object", "foreach": "foreach-object", "select": "select-object",
    "sort": "sort-object", "measure": "measure-object", "echo": "write-output", "write": "write-output", "iex": "invoke-expression",
    "icm": "invoke-command", "gcim": "get-ciminstance", "icim": "invoke-cimmethod", "gcai": "get-cimassociatedinstance",
    "ncim": "new-ciminstance", "sleep": "start-sleep", "gmo": "get-module", "ipmo": "import-module", "gcm": "get-command",
    "rcjb": "receive-job", "wjb": "wait-job", "spjb": "stop-job", "rjb": "remove-job",
}  # fmt: skip


@dataclass(frozen=True)
class NativeResult:
    """What a program left: the lines of its output, its exit code, how long it took."""

    lines: Sequence[str]
    exit_code: int
    stderr: str = ""
    elapsed: float = 0.0


@dataclass
class Environment:
    """Where a session runs."""

    computer: str
    user: str
    #: BCP 47 tag of the display language.
    language: str
    constrained: bool
    #: Minutes east of UTC.
    zone: int
    clock: Callable[[], datetime]
    #: Cmdlets by lower-case name.
    cmdlets: Mapping[str, Definition]
    build: str = "10.0.20348.1"
    #: Runs a program with its standard input; None when there is none of that name.
    native: Callable[[str, list[str], str], NativeResult | None] | None = None
    #: Standard input as far as nobody has read it: what a program gets that is started without a pipeline.
    stdin: str = ""
    #: Told of every script text that is run (event 4104).
    log_script: Callable[[str], None] = lambda text: None


class HostText(str):
    """What Write-Host printed."""


@dataclass
class Outcome:
    """What a script left.

    :ivar output: What came to the end of the pipeline and what was printed, in order.
    :ivar errors: Errors that were shown, in order.
    :ivar warnings: Texts of warnings.
    :ivar elapsed: Seconds that it slept or waited.
    """

    output: list[Any] = field(default_factory=list)
    errors: list[PowerShellError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    stderr: str = ""
    exit_code: int = 0
    elapsed: float = 0.0


class _Exit(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class _Return(Exception):
    pass


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class StopUpstream(Exception):
    """``stage`` has all that it wants."""

    def __init__(self, stage: Any) -> None:
        super().__init__()
        self.stage = stage


@dataclass
class _Scope:
    variables: dict[str, Any] = field(default_factory=dict)
    functions: dict[str, syntax.ScriptBlock] = field(default_factory=dict)


class Session:
    """One runspace."""

    def __init__(self, environment: Environment, using: Mapping[str, Any] | None = None) -> None:
        self.environment = environment
        self.outcome = Outcome()
        self._using = dict(using or {})
        mode = ("ConstrainedLanguage", 3) if environment.constrained else ("FullLanguage", 0)
        language = EnumValue(*mode, "System.Management.Automation.PSLanguageMode")
        state = PSObject("System.Management.Automation.SessionState", {"LanguageMode": language})
        table = {
            "PSVersion": Version(f"5.1.{environment.build.partition('.')[2].partition('.')[2]}"),
            "PSEdition": "Desktop",
        }
        self._errors = Array()
        self._scopes = [
            _Scope(
                {
                    "erroractionpreference": "Continue",
                    "warningpreference": "Continue",
                    "progresspreference": "Continue",
                    "verbosepreference": "SilentlyContinue",
                    "informationpreference": "SilentlyContinue",
                    "executioncontext": PSObject(
                        "System.Management.Automation.EngineIntrinsics", {"SessionState": state}
                    ),
                    "psversiontable": Hashtable(table.items()),
                    "error": self._errors,
                    "lastexitcode": None,
                    "ofs": None,
                    "pid": 4242,
                    "input": Array(),
                    "args": Array(),
                }
            )
        ]
        self._catching = 0
        self._success = True
        self._error_sinks: list[Callable[[PowerShellError], None]] = [self.outcome.errors.append]
        self._turns = 0
        #: Whether System.Array still has its extended members.
        self.array_type_data = True
        #: How many jobs it has started.
        self.jobs = 0

    # Running

    def run(self, script: str, stdin: Sequence[str] = (), arguments: Sequence[Any] = ()) -> Outcome:
        """Run a script to its end. ``stdin`` are the lines that ``$input`` has."""
        try:
            block = parse(script)
        except ParseError as error:
            self.outcome.errors.append(_parse_error(error))
            self.outcome.exit_code = 1
            return self.outcome
        self.environment.log_script(script)
        return self.run_block(block, stdin, arguments)

    def run_block(self, block: syntax.ScriptBlock, stdin: Sequence[Any] = (), arguments: Sequence[Any] = ()) -> Outcome:
        """Run the block of a script, in the global scope."""
        self._scopes[0].variables["input"] = Array(stdin)
        outcome = self.outcome
        try:
            self._bind_parameters("", block, [Given(None, item) for item in arguments])
            if block.process is not None:
                raise Unsupported("process in a script")
            for statements in (block.begin, block.end):
                self.statements(statements or (), outcome.output.append)
            outcome.exit_code = 0 if self._success else 1
        except _Exit as end:
            outcome.exit_code = end.code
        except _Return:
            outcome.exit_code = 0 if self._success else 1
        except (_Break, _Continue):
            outcome.exit_code = 0
        except PowerShellError as error:
            self._remember(error)
            outcome.errors.append(error)
            outcome.exit_code = 1
        except Hang:
            outcome.elapsed = float("inf")
        return outcome

    def invoke_text(self, script: str, emit: Emit) -> None:
        """Invoke-Expression: in the present scope."""
        try:
            block = parse(script)
        except ParseError as error:
            raise _parse_error(error) from None
        self.environment.log_script(script)
        if block.parameters or block.process is not None:
            raise Unsupported("parameters or process in the text of Invoke-Expression")
        try:
            for statements in (block.begin, block.end):
                self.statements(statements or (), emit)
        except _Return:
            return

    def statements(self, block: syntax.Block, emit: Emit) -> None:
        """Run statements; one that fails does not end the others, unless the error is fatal, caught, or ErrorActionPreference says so."""
        for statement in block:
            try:
                self._statement(statement, emit)
            except PowerShellError as error:
                self._success = False
                chosen = self._preference("erroractionpreference")
                if error.severity == "script" or self._catching or chosen == "stop":
                    raise
                self._remember(error)
                if chosen == "continue":
                    self._error_sinks[-1](error)

    def write_error(self, error: PowerShellError, action: Any) -> None:
        """An error of a cmdlet that goes on, by ErrorAction or else ErrorActionPreference (facts 33)."""
        self._success = False
        chosen = preference(action) if action is not None else self._preference("erroractionpreference")
        if chosen == "ignore":
            return
        if chosen == "stop":
            error.severity = "script"
            raise error
        if chosen not in ("continue", "silentlycontinue"):
            raise Unsupported(f"ErrorAction {chosen}")
        self._remember(error)
        if chosen == "continue":
            self._error_sinks[-1](error)

    def warn(self, message: str, action: Any) -> None:
        """Write-Warning."""
        chosen = preference(action) if action is not None else self._preference("warningpreference")
        if chosen == "continue":
            self.outcome.warnings.append(message)

    def print(self, message: str) -> None:
        """Write-Host."""
        self.outcome.output.append(HostText(message))

    @property
    def now(self) -> datetime:
        """The time, what was slept included."""
        return self.environment.clock() + timedelta(seconds=min(self.outcome.elapsed, 1e6))

    def _remember(self, error: PowerShellError) -> None:
        if error not in self._errors:
            self._errors.insert(0, error)

    def _preference(self, name: str) -> str:
        return preference(self.variable(name))

    # Statements

    def _statement(self, node: syntax.Statement, emit: Emit) -> None:
        match node:
            case syntax.Pipeline():
                self._success = True
                self._pipeline(node, emit)
            case syntax.Assignment():
                self._success = True
                self._assign(node)
            case syntax.If():
                for condition, body in node.clauses:
                    if truth(self.value_of(condition)):
                        self.statements(body, emit)
                        return
                self.statements(node.otherwise, emit)
            case syntax.ForEach():
                items = self.value_of(node.items)
                # Over $null there is nothing to do, unlike in a pipeline.
                for item in () if null(items) else list(enumerate_value(items)):
                    self._set_variable(node.variable, item)
                    if not self._turn(node.body, emit):
                        return
            case syntax.For():
                self._for(node, emit)
            case syntax.While():
                while node.first or truth(self.value_of(node.condition)):
                    if not self._turn(node.body, emit):
                        return
                    if node.first and truth(self.value_of(node.condition)) is node.until:
                        return
            case syntax.Switch():
                self._switch(node, emit)
            case syntax.Try():
                self._try(node, emit)
            case syntax.Flow():
                self._flow(node, emit)
            case syntax.FunctionDefinition():
                self._scopes[-1].functions[node.name] = node.block
            case _:
                raise Unsupported(type(node).__name__)

    def _turn(self, body: syntax.Block, emit: Emit) -> bool:
        """One turn of a loop; False when it is to be left."""
        self._turns += 1
        if self._turns > _MOST_TURNS:
            raise Unsupported("a loop that does not end")
        try:
            self.statements(body, emit)
        except _Break:
            return False
        except _Continue:
            pass
        return True

    def _for(self, node: syntax.For, emit: Emit) -> None:
        if node.initializer is not None:
            self._statement(node.initializer, lambda _: None)
        while node.condition is None or truth(self.value_of(node.condition)):
            if not self._turn(node.body, emit):
                return
            if node.iterator is not None:
                self._statement(node.iterator, lambda _: None)

    def _switch(self, node: syntax.Switch, emit: Emit) -> None:
        for item in enumerate_value(self.value_of(node.value)):
            matched = False
            self._assign_local("_", item)
            try:
                for condition, body in node.clauses:
                    if condition is None:
                        continue
                    if self._matches(node, item, self.evaluate(condition)):
                        matched = True
                        self.statements(body, emit)
                if not matched:
                    for condition, body in node.clauses:
                        if condition is None:
                            self.statements(body, emit)
            except _Break:
                return
            except _Continue:
                continue

    def _matches(self, node: syntax.Switch, item: Any, condition: Any) -> bool:
        match node.kind:
            case "regex":
                found = operators.regex(text(condition), node.case_sensitive).search(text(item))
                if found:
                    self._set_matches(found)
                return found is not None
            case "wildcard":
                return operators.like(item, condition, node.case_sensitive)
        return operators.equal(item, condition, node.case_sensitive)

    def _try(self, node: syntax.Try, emit: Emit) -> None:
        try:
            self._catching += 1
            try:
                self.statements(node.body, emit)
            finally:
                self._catching -= 1
        except PowerShellError as error:
            handler = next((body for types, body in node.handlers if self._catches(types, error)), None)
            if handler is None:
                raise
            self._remember(error)
            with self._local("_", error):
                self._success = True
                self.statements(handler, emit)
        finally:
            if node.last is not None:
                self.statements(node.last, emit)

    def _catches(self, types: tuple[syntax.TypeName, ...], error: PowerShellError) -> bool:
        names = {resolve(error.exception_type), "exception"}
        if error.exception_type.startswith("System.Management.Automation."):
            names.add("management.automation.runtimeexception")
        return not types or any(resolve(item.name) in names for item in types)

    def _flow(self, node: syntax.Flow, emit: Emit) -> None:
        match node.keyword:
            case "break":
                raise _Break
            case "continue":
                raise _Continue
            case "return":
                if node.value is not None:
                    self._statement(node.value, emit)
                raise _Return
        value = self.value_of(node.value) if node.value is not None else NOTHING
        if node.keyword == "exit":
            raise _Exit(0 if null(value) else convert(value, "int"))
        if isinstance(value, PowerShellError):
            value.severity = "script"
            raise value
        if value is NOTHING:
            again = self.variable("_")
            if isinstance(again, PowerShellError):
                again.severity = "script"
                raise again
        if isinstance(value, PSObject) and "System.Exception" in value.bases:
            message = text(value.properties["Message"])
            raise PowerShellError(
                message, message, "OperationStopped", "script", exception_type=value.type_name, members=value.properties
            )
        message = text(value) or "ScriptHalted"
        raise PowerShellError(message, message, "OperationStopped", "script", target=None if null(value) else value)

    # Pipelines

    def _pipeline(self, node: syntax.Pipeline, emit: Emit) -> None:
        first, *others = node.elements
        stages: list[_Stage] = []
        sink = emit
        with self._redirected([item.redirections for item in node.elements], emit):
            for element in reversed(others):
                assert isinstance(element, syntax.Command)
                stages.insert(0, self._stage(element, sink, piped=True))
                sink = stages[0].process
            if isinstance(first, syntax.Command):
                silent = any(item.stream in ("1", "*") and item.target is not None for item in first.redirections)
                stages.insert(0, self._stage(first, (lambda _: None) if silent else sink, piped=False))
            try:
                for stage in stages:
                    stage.begin()
                if isinstance(first, syntax.Command):
                    stages[0].process(MISSING)
                else:
                    self._emit_expression(first, sink, bool(others))
                for stage in stages:
                    stage.end()
            except StopUpstream as stop:
                if stop.stage not in stages:
                    # A pipeline around this one ends.
                    raise
                for stage in stages[stages.index(stop.stage) :]:
                    stage.end()

    def _emit_expression(self, element: syntax.CommandExpression, sink: Emit, piped: bool) -> None:
        expression = element.expression
        if any(item.stream in ("1", "*") and item.target is not None for item in element.redirections):
            sink = lambda _: None  # noqa: E731
        if isinstance(expression, syntax.Increment):
            self.evaluate(expression)
            return
        # A variable that holds the output of a command without any, a method without a value and [void] write nothing.
        value = self._raw(expression)
        for item in enumerate_value(value):
            # In a pipeline objects travel in PSObjects.
            sink(wrap(item) if piped else item)

    @contextmanager
    def _redirected(self, redirections: Sequence[tuple[syntax.Redirection, ...]], emit: Emit) -> Iterator[None]:
        added = 0
        for redirection in (item for items in redirections for item in items):
            if redirection.target is not None and not null(self.evaluate(redirection.target)):
                raise Unsupported("redirection to a file")
            if redirection.stream in ("2", "*"):
                self._error_sinks.append((lambda _: None) if redirection.target is not None else emit)
                added += 1
            elif redirection.target is None:
                raise Unsupported(f"redirection {redirection.stream}>&1")
        try:
            yield
        finally:
            del self._error_sinks[len(self._error_sinks) - added :]

    def value_of(self, node: syntax.Statement) -> Any:
        """What an assignment gets of a statement: an expression's value as it is; of commands nothing, the only object, or an array."""
        if isinstance(node, syntax.Pipeline) and len(node.elements) == 1:
            element = node.elements[0]
            if isinstance(element, syntax.CommandExpression) and not element.redirections:
                self._success = True
                expression = element.expression
                return self._raw(expression)
        output: list[Any] = []
        self._statement(node, output.append)
        return _collapsed(output)

    def _stage(self, node: syntax.Command, sink: Emit, piped: bool) -> _Stage:
        target = self.evaluate(node.name)
        given = self._arguments(node)
        if isinstance(target, ScriptBlockValue):
            return _BlockStage(self, "", target.block, given, sink, piped, new_scope=node.invocation != ".")
        if isinstance(target, PSObject) and "Name" in target.properties:
            target = target.properties["Name"]
        if node.invocation == ".":
            raise Unsupported("dot-sourcing of anything but a script block")
        name = text(target).lower()
        name = _ALIASES.get(name, name)
        function = self._function(name)
        if function is not None:
            return _BlockStage(self, name, function, given, sink, piped, new_scope=True)
        definition = self.environment.cmdlets.get(name)
        if definition is not None:
            return _CmdletStage(self, definition, given, sink, piped)
        if self.environment.native is not None and _is_program(name):
            return _NativeStage(self, text(target), given, sink)
        if name in _UNKNOWN_CMDLETS:
            raise Unsupported(f"the cmdlet {text(target)}")
        raise PowerShellError(
            f"The term '{text(target)}' is not recognized as the name of a cmdlet, function, script file, or operable program. Check the"
            " spelling of the name, or if a path was included, verify that the path is correct and try again.",
            "CommandNotFoundException",
            "ObjectNotFound",
            exception_type="System.Management.Automation.CommandNotFoundException",
            target=text(target),
        )

    def _arguments(self, node: syntax.Command) -> list[Given]:
        given: list[Given] = []
        for argument in node.arguments:
            value = argument.value
            if isinstance(value, syntax.Variable) and value.splatted:
                given += self._splatted(value)
            elif value is None:
                given.append(Given(argument.name, MISSING))
            else:
                evaluated = self.evaluate(value)
                given.append(Given(argument.name, None if evaluated is NOTHING else evaluated))
        return given

    def _splatted(self, node: syntax.Variable) -> list[Given]:
        value = self._lookup(node)
        if isinstance(value, Hashtable):
            return [Given(text(key), item) for key, item in value.items()]
        return [Given(None, item) for item in as_array(value)]

    # Script blocks

    def invoke_block(self, block: syntax.ScriptBlock, item: Any, emit: Emit) -> None:
        """The block of ForEach-Object and its kin: in the present scope, ``$_`` being the object."""
        with self._local("_", item):
            try:
                for statements in (block.begin, block.process, block.end):
                    self.statements(statements or (), emit)
            except _Return:
                return

    def _bind_parameters(self, name: str, block: syntax.ScriptBlock, given: Sequence[Given]) -> None:
        """Set the variables of a param block in the present scope."""
        declared = [
            Parameter(
                item.name,
                item.types[-1].name if item.types else "object",
                position,
                mandatory=item.mandatory,
                pipeline=item.from_pipeline,
            )
            for position, item in enumerate(block.parameters)
            if not any(resolve(kind.name) == resolve("switch") for kind in item.types)
        ]
        switches = [
            Parameter(item.name, "switch")
            for item in block.parameters
            if any(resolve(kind.name) == resolve("switch") for kind in item.types)
        ]
        bound = bind(name, [*declared, *switches], given, self._convert_argument, known_only=False)
        variables = self._scopes[-1].variables
        variables["args"] = Array(bound.rest)
        variables["psboundparameters"] = Hashtable(
            (item.name, bound[item.name]) for item in (*declared, *switches) if item.name in bound
        )
        if bound.rest and any(item.mandatory for item in block.parameters):
            raise no_position(name, bound.rest[0])
        for item in block.parameters:
            if item.name in bound:
                variables[item.name] = bound[item.name]
            elif any(resolve(kind.name) == resolve("switch") for kind in item.types):
                variables[item.name] = False
            elif item.mandatory and not item.from_pipeline:
                raise missing_mandatory(name, item.name)
            elif item.default is not None:
                variables[item.name] = self._convert_argument(
                    self.evaluate(item.default), item.types[-1].name if item.types else "object"
                )
            else:
                # Without an argument, a parameter of a type has that type's default.
                variables[item.name] = self._default(item)

    def _default(self, item: syntax.ParameterDeclaration) -> Any:
        kind = resolve(item.types[-1].name) if item.types else "object"
        if (
            item.types
            and not item.types[-1].name.endswith("[]")
            and (kind == "string" or kind in INTEGERS or kind == "boolean")
        ):
            return convert(None, kind)
        return None

    def _convert_argument(self, value: Any, kind: str) -> Any:
        if kind == "object":
            return value
        if kind == "scriptblock" and isinstance(value, ScriptBlockValue):
            return value
        return self.convert(value, kind)

    @contextmanager
    def _local(self, name: str, value: Any) -> Iterator[None]:
        """A variable for a while, in the present scope."""
        variables = self._scopes[-1].variables
        before = variables.get(name, MISSING)
        variables[name] = value
        try:
            yield
        finally:
            if before is MISSING:
                variables.pop(name, None)
            else:
                variables[name] = before

    def _assign_local(self, name: str, value: Any) -> None:
        self._scopes[-1].variables[name] = value

    # Variables

    def variable(self, name: str) -> Any:
        """The value of a variable by its lower-case name."""
        for scope in reversed(self._scopes):
            if name in scope.variables:
                return scope.variables[name]
        return None

    def _function(self, name: str) -> syntax.ScriptBlock | None:
        return next((scope.functions[name] for scope in reversed(self._scopes) if name in scope.functions), None)

    def _lookup(self, node: syntax.Variable) -> Any:
        match node.scope:
            case "":
                if node.name in ("true", "false"):
                    return node.name == "true"
                if node.name == "null":
                    return None
                if node.name == "?":
                    return self._success
                return self.variable("_" if node.name == "psitem" else node.name)
            case "env":
                return self._environment_variable(node.name)
            case "global":
                return self._scopes[0].variables.get(node.name)
            case "script" | "local":
                # The text of -Command has no script scope of its own.
                return (self._scopes[0] if node.scope == "script" else self._scopes[-1]).variables.get(node.name)
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

    def _set_variable(self, node: syntax.Variable, value: Any) -> None:
        if node.name == "null":
            return
        if node.name in ("true", "false", "?"):
            raise PowerShellError(
                f"Cannot overwrite variable {node.name} because it is read-only or constant.",
                "VariableNotWritable",
                "WriteError",
            )
        if node.scope in ("", "local"):
            self._scopes[-1].variables[node.name] = value
        elif node.scope in ("global", "script"):
            self._scopes[0].variables[node.name] = value
        else:
            raise Unsupported(f"setting ${node.scope}:{node.name}")

    def _set_matches(self, found: Any) -> None:
        self._assign_local("matches", Hashtable(operators.groups_of(found).items()))

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

    def _assign(self, node: syntax.Assignment) -> None:
        value = self.value_of(node.value)
        if node.operator != "=":
            if isinstance(node.target, syntax.ArrayLiteral):
                raise Unsupported(f"{node.operator} of several variables")
            value = _OPERATORS[node.operator[:-1]](self.evaluate(node.target), None if value is NOTHING else value)
        self._store(node.target, value)

    def _store(self, target: syntax.Expression, value: Any) -> None:
        match target:
            case syntax.Convert():
                self._store(target.value, self.convert(value, target.type.name))
            case syntax.Variable():
                self._set_variable(target, value)
            case syntax.ArrayLiteral():
                items = list(as_array(value))
                for at, variable in enumerate(target.items):
                    last = at == len(target.items) - 1
                    rest = items[at:]
                    self._store(variable, _collapsed(rest) if last and len(rest) > 1 else (rest[0] if rest else None))
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
        found = self._raw(node)
        return None if found is NOTHING else found

    def _raw(self, node: syntax.Expression) -> Any:
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
        return _collapsed(output)

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
            return is_instance(left, self._known(kind)) is (name == "is")
        if name == "as":
            return self._as(left, right)
        if name in ("band", "bor", "bxor", "shl", "shr"):
            return operators.bitwise(name, left, right)
        if name in _OPERATORS:
            return _OPERATORS[name](left, right)
        return self._compare(name, left, right)

    def _as(self, left: Any, right: Any) -> Any:
        try:
            return self.convert(left, right.name if isinstance(right, TypeValue) else text(right))
        except PowerShellError as error:
            if error.identifier == "ConversionSupportedOnlyToCoreTypes":
                raise
            return None

    def _compare(self, name: str, left: Any, right: Any) -> Any:
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
        self._set_matches(found)
        return True

    def _increment(self, node: syntax.Increment) -> Any:
        before = self.evaluate(node.target)
        after = operators.add(0 if null(before) else before, node.step)
        self._store(node.target, after)
        return after if node.prefix else before

    # Types and members

    def _known(self, name: str) -> str:
        """The name of a type that exists. Raises ``PowerShellError`` or, if only Windows can tell, ``Unsupported``."""
        if exists(name):
            return name
        if self.environment.constrained or "." not in name:
            raise PowerShellError(f"Unable to find type [{name}].", "TypeNotFound", "InvalidOperation", target=name)
        raise Unsupported(f"the type [{name}]")

    def convert(self, value: Any, name: str) -> Any:
        """Convert, as the language mode allows."""
        kind = self._known(name)
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
        return TypeValue(resolve(self._known(node.type.name)) + array)

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


def _parse_error(error: ParseError) -> PowerShellError:
    return PowerShellError(
        str(error), "ParserError", "ParserError", exception_type="System.Management.Automation.ParseException"
    )


def _collapsed(output: list[Any]) -> Any:
    if not output:
        return NOTHING
    return output[0] if len(output) == 1 else Array(output)


def _items(value: Any) -> Sequence[Any]:
    if isinstance(value, Array):
        return value
    # UNVERIFIED: $null -contains $null is true, as a scalar is taken for an array with it alone.
    return [value]


def _is_program(name: str) -> bool:
    base = name.rpartition("\\")[2].removesuffix(".exe").removesuffix(".com")
    return base in ("powershell", "cmd", "chcp", "whoami", "hostname") or name.endswith((".exe", ".com"))


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

_EVALUATE: dict[type, Callable[[Session, Any], Any]] = {
    syntax.Constant: lambda _, node: node.value,
    syntax.Variable: Session._lookup,
    syntax.ExpandableString: Session._expandable,
    syntax.TypeExpression: Session._type,
    syntax.Convert: Session._cast,
    syntax.HashLiteral: Session._hash,
    syntax.ArrayExpression: Session._array,
    syntax.SubExpression: Session._sub,
    syntax.Parenthesized: lambda session, node: session.value_of(node.content),
    syntax.ArrayLiteral: lambda session, node: Array(session.evaluate(item) for item in node.items),
    syntax.Unary: Session._unary,
    syntax.Binary: Session._binary,
    syntax.Increment: Session._increment,
    syntax.Member: Session._member,
    syntax.InvokeMember: Session._invoke,
    syntax.Index: Session._index,
    syntax.ScriptBlockExpression: lambda _, node: ScriptBlockValue(node.block),
}


# The elements of a pipeline


class _Stage:
    def begin(self) -> None:
        """Before the first object."""

    def process(self, item: Any) -> None:
        """For each; ``MISSING`` once when there is nothing to come."""

    def end(self) -> None:
        """After the last."""


class _CmdletStage(_Stage):
    def __init__(self, session: Session, definition: Definition, given: list[Given], sink: Emit, piped: bool) -> None:
        kind = definition.command_type or definition.name
        bound = bind(kind, definition.parameters, given, session._convert_argument, not definition.complete)
        for parameter in definition.parameters:
            if parameter.mandatory and parameter.name not in bound and not (parameter.pipeline and piped):
                raise missing_mandatory(kind, parameter.name)
        if bound.rest:
            raise no_position(kind, bound.rest[0])
        self._cmdlet: Cmdlet = definition.make(session, bound, sink)

    def begin(self) -> None:
        self._guarded(self._cmdlet.begin)

    def process(self, item: Any) -> None:
        self._guarded(lambda: self._cmdlet.process(item))

    def end(self) -> None:
        self._guarded(self._cmdlet.end)

    def _guarded(self, call: Callable[[], None]) -> None:
        try:
            call()
        except StopUpstream as stop:
            if stop.stage is self._cmdlet:
                raise StopUpstream(self) from None
            raise
        except PowerShellError as error:
            if error.severity != "continue":
                raise
            self._cmdlet.write_error(error)


class _BlockStage(_Stage):
    """A function or a script block."""

    def __init__(
        self,
        session: Session,
        name: str,
        block: syntax.ScriptBlock,
        given: list[Given],
        sink: Emit,
        piped: bool,
        new_scope: bool,
    ) -> None:
        self._session, self._name, self._block, self._sink = session, name, block, sink
        self._given, self._piped, self._new_scope = given, piped, new_scope
        self._scope = _Scope()
        self._items: list[Any] = []

    @contextmanager
    def _within(self) -> Iterator[None]:
        if not self._new_scope:
            yield
            return
        self._session._scopes.append(self._scope)
        try:
            yield
        finally:
            self._session._scopes.pop()

    def begin(self) -> None:
        with self._within():
            self._session._bind_parameters(self._name, self._block, self._given)
            self._run(self._block.begin)

    def process(self, item: Any) -> None:
        if self._block.process is None:
            if item is not MISSING:
                self._items.append(item)
            return
        with self._within():
            piped = next((declared.name for declared in self._block.parameters if declared.from_pipeline), None)
            if item is not MISSING and piped is not None:
                self._scope.variables[piped] = item
            with self._session._local("_", None if item is MISSING else item):
                self._run(self._block.process)

    def end(self) -> None:
        with self._within(), self._session._local("input", Array(self._items)):
            self._run(self._block.end)

    def _run(self, statements: syntax.Block | None) -> None:
        try:
            self._session.statements(statements or (), self._sink)
        except _Return:
            return


class _NativeStage(_Stage):
    """A program: the pipeline is its standard input, the lines of its output come out."""

    def __init__(self, session: Session, name: str, given: list[Given], sink: Emit) -> None:
        self._session, self._name, self._sink = session, name, sink
        self._given = given
        self._lines: list[str] | None = None

    def process(self, item: Any) -> None:
        if item is not MISSING:
            self._lines = [*(self._lines or []), text(item)]

    def end(self) -> None:
        arguments: list[str] = []
        for given in self._given:
            if given.name is not None:
                arguments.append(f"-{given.name}")
            if given.value is not MISSING:
                arguments += [text(item) for item in as_array(given.value)]
        # Without a pipeline a program shares PowerShell's own standard input.
        piped = (
            "".join(f"{line}\r\n" for line in self._lines)
            if self._lines is not None
            else self._session.environment.stdin
        )
        run = self._session.environment.native
        result = run(self._name, arguments, piped) if run is not None else None
        if result is None:
            raise PowerShellError(
                f"The term '{self._name}' is not recognized as the name of a cmdlet, function, script file, or operable program.",
                "CommandNotFoundException", "ObjectNotFound",
                exception_type="System.Management.Automation.CommandNotFoundException", target=self._name,
            )  # fmt: skip
        self._session.outcome.elapsed += result.elapsed
        self._session.outcome.stderr += result.stderr
        self._session._scopes[0].variables["lastexitcode"] = result.exit_code
        self._session._success = result.exit_code == 0
        for line in result.lines:
            self._sink(line)
