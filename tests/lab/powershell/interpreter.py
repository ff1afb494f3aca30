# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs scripts: statements, pipelines, errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from lab.powershell import operators, syntax
from lab.powershell.binding import (
    MISSING,
    Emit,
    Given,
    Parameter,
    bind,
    missing_mandatory,
    no_position,
    preference,
)
from lab.powershell.commands import ALIASES, UNKNOWN_CMDLETS, is_program
from lab.powershell.environment import Environment, HostText, Outcome
from lab.powershell.errors import Hang, ParseError, PowerShellError, Unsupported
from lab.powershell.expressions import Evaluator, collapsed
from lab.powershell.flow import BreakLoop, ContinueLoop, Exit, Return, StopUpstream
from lab.powershell.parser import parse
from lab.powershell.scopes import automatic_variables
from lab.powershell.stages import BlockStage, CmdletStage, NativeStage, Stage
from lab.powershell.types import (
    as_array,
    convert,
    enumerate_value,
    null,
    resolve,
    text,
    truth,
)
from lab.powershell.values import (
    INTEGERS,
    NOTHING,
    Array,
    Hashtable,
    PSObject,
    ScriptBlockValue,
    wrap,
)

#: More turns of a loop than any script of a test takes.
_MOST_TURNS = 200_000


class Session(Evaluator):
    """One runspace."""

    def __init__(self, environment: Environment, using: Mapping[str, Any] | None = None) -> None:
        super().__init__(environment, using or {}, automatic_variables(environment))
        self.outcome = Outcome()
        self._errors: Array = self.variable("error")
        self._catching = 0
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
        self.scopes[0].variables["input"] = Array(stdin)
        outcome = self.outcome
        try:
            self.bind_parameters("", block, [Given(None, item) for item in arguments])
            if block.process is not None:
                raise Unsupported("process in a script")
            for statements in (block.begin, block.end):
                self.statements(statements or (), outcome.output.append)
            outcome.exit_code = 0 if self.success else 1
        except Exit as end:
            outcome.exit_code = end.code
        except Return:
            outcome.exit_code = 0 if self.success else 1
        except (BreakLoop, ContinueLoop):
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
        except Return:
            return

    def statements(self, block: syntax.Block, emit: Emit) -> None:
        """Run statements; one that fails does not end the others, unless the error is fatal, caught, or ErrorActionPreference says so."""
        for statement in block:
            try:
                self._statement(statement, emit)
            except PowerShellError as error:
                self.success = False
                chosen = self._preference("erroractionpreference")
                if error.severity == "script" or self._catching or chosen == "stop":
                    raise
                self._remember(error)
                if chosen == "continue":
                    self._error_sinks[-1](error)

    def write_error(self, error: PowerShellError, action: Any) -> None:
        """An error of a cmdlet that goes on, by ErrorAction or else ErrorActionPreference (facts 33)."""
        self.success = False
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
                self.success = True
                self._pipeline(node, emit)
            case syntax.Assignment():
                self.success = True
                self.assign(node)
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
                    self.set_variable(node.variable, item)
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
                self.scopes[-1].functions[node.name] = node.block
            case _:
                raise Unsupported(type(node).__name__)

    def _turn(self, body: syntax.Block, emit: Emit) -> bool:
        """One turn of a loop; False when it is to be left."""
        self._turns += 1
        if self._turns > _MOST_TURNS:
            raise Unsupported("a loop that does not end")
        try:
            self.statements(body, emit)
        except BreakLoop:
            return False
        except ContinueLoop:
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
            self.assign_local("_", item)
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
            except BreakLoop:
                return
            except ContinueLoop:
                continue

    def _matches(self, node: syntax.Switch, item: Any, condition: Any) -> bool:
        match node.kind:
            case "regex":
                found = operators.regex(text(condition), node.case_sensitive).search(text(item))
                if found:
                    self.set_matches(found)
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
            with self.local("_", error):
                self.success = True
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
                raise BreakLoop
            case "continue":
                raise ContinueLoop
            case "return":
                if node.value is not None:
                    self._statement(node.value, emit)
                raise Return
        value = self.value_of(node.value) if node.value is not None else NOTHING
        if node.keyword == "exit":
            raise Exit(0 if null(value) else convert(value, "int"))
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
        stages: list[Stage] = []
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
        value = self.raw(expression)
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
                self.success = True
                expression = element.expression
                return self.raw(expression)
        output: list[Any] = []
        self._statement(node, output.append)
        return collapsed(output)

    def _stage(self, node: syntax.Command, sink: Emit, piped: bool) -> Stage:
        target = self.evaluate(node.name)
        given = self._arguments(node)
        if isinstance(target, ScriptBlockValue):
            return BlockStage(self, "", target.block, given, sink, piped, new_scope=node.invocation != ".")
        if isinstance(target, PSObject) and "Name" in target.properties:
            target = target.properties["Name"]
        if node.invocation == ".":
            raise Unsupported("dot-sourcing of anything but a script block")
        name = text(target).lower()
        name = ALIASES.get(name, name)
        function = self.function(name)
        if function is not None:
            return BlockStage(self, name, function, given, sink, piped, new_scope=True)
        definition = self.environment.cmdlets.get(name)
        if definition is not None:
            return CmdletStage(self, definition, given, sink, piped)
        if self.environment.native is not None and is_program(name):
            return NativeStage(self, text(target), given, sink)
        if name in UNKNOWN_CMDLETS:
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
        value = self.lookup(node)
        if isinstance(value, Hashtable):
            return [Given(text(key), item) for key, item in value.items()]
        return [Given(None, item) for item in as_array(value)]

    # Script blocks

    def invoke_block(self, block: syntax.ScriptBlock, item: Any, emit: Emit) -> None:
        """The block of ForEach-Object and its kin: in the present scope, ``$_`` being the object."""
        with self.local("_", item):
            try:
                for statements in (block.begin, block.process, block.end):
                    self.statements(statements or (), emit)
            except Return:
                return

    def bind_parameters(self, name: str, block: syntax.ScriptBlock, given: Sequence[Given]) -> None:
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
        bound = bind(name, [*declared, *switches], given, self.convert_argument, known_only=False)
        variables = self.scopes[-1].variables
        variables["args"] = Array(bound.rest)
        variables["psboundparameters"] = Hashtable(
            (item.name, bound[item.name]) for item in (*declared, *switches) if item.name in bound
        )
        if bound.common:
            raise Unsupported(f"common parameters of the function {name}")
        self.scopes[-1].types |= {item.name: item.types[-1].name for item in block.parameters if item.types}
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
                variables[item.name] = self.convert_argument(
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

    def convert_argument(self, value: Any, kind: str) -> Any:
        if kind == "object":
            return value
        if kind == "scriptblock" and isinstance(value, ScriptBlockValue):
            return value
        return self.convert(value, kind)


def _parse_error(error: ParseError) -> PowerShellError:
    return PowerShellError(
        str(error), "ParserError", "ParserError", exception_type="System.Management.Automation.ParseException"
    )
