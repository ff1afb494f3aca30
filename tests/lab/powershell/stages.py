# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The elements of a pipeline: cmdlets, functions and script blocks, programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lab.powershell import syntax
from lab.powershell.binding import (
    MISSING,
    Cmdlet,
    Definition,
    Emit,
    Given,
    bind,
    missing_mandatory,
    no_position,
)
from lab.powershell.errors import PowerShellError
from lab.powershell.flow import Return, StopUpstream
from lab.powershell.scopes import Scope
from lab.powershell.types import (
    as_array,
    text,
)
from lab.powershell.values import (
    Array,
)

if TYPE_CHECKING:
    from lab.powershell.interpreter import Session


class Stage:
    """An element: objects of the element before it go into ``process``."""

    def begin(self) -> None:
        """Before the first object."""

    def process(self, item: Any) -> None:
        """For each; ``MISSING`` once when there is nothing to come."""

    def end(self) -> None:
        """After the last."""


class CmdletStage(Stage):
    """A cmdlet. What it is given is logged, as module logging (event 4103) does: names and values of parameters, pipeline included."""

    def __init__(self, session: Session, definition: Definition, given: list[Given], sink: Emit, piped: bool) -> None:
        kind = definition.command_type or definition.name
        bound = bind(kind, definition.parameters, given, session.convert_argument, not definition.complete)
        for parameter in definition.parameters:
            if parameter.mandatory and parameter.name not in bound and not (parameter.pipeline and piped):
                raise missing_mandatory(kind, parameter.name)
        if bound.rest:
            raise no_position(kind, bound.rest[0])
        self._cmdlet: Cmdlet = definition.make(session, bound, sink)
        self._log = session.environment.log_parameter
        for name, value in bound.items():
            self._log(f"{definition.name} {name}={text(value)}")
        self._piped = next((item.name.lower() for item in definition.parameters if item.pipeline), None)

    def begin(self) -> None:
        self._guarded(self._cmdlet.begin)

    def process(self, item: Any) -> None:
        if item is not MISSING and self._piped is not None:
            self._log(f"{self._cmdlet.name} {self._piped}={text(item)}")
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


class BlockStage(Stage):
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
        self._scope = Scope()
        self._items: list[Any] = []

    @contextmanager
    def _within(self) -> Iterator[None]:
        if not self._new_scope:
            yield
            return
        self._session.scopes.append(self._scope)
        try:
            yield
        finally:
            self._session.scopes.pop()

    def begin(self) -> None:
        with self._within():
            self._session.bind_parameters(self._name, self._block, self._given)
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
            with self._session.local("_", None if item is MISSING else item):
                self._run(self._block.process)

    def end(self) -> None:
        with self._within(), self._session.local("input", Array(self._items)):
            self._run(self._block.end)

    def _run(self, statements: syntax.Block | None) -> None:
        try:
            self._session.statements(statements or (), self._sink)
        except Return:
            return


class NativeStage(Stage):
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
        self._session.scopes[0].variables["lastexitcode"] = result.exit_code
        self._session.success = result.exit_code == 0
        for line in result.lines:
            self._sink(line)
