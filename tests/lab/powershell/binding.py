# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Cmdlets and how they get their parameters (about_Parameters, about_CommonParameters)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.powershell.errors import PowerShellError, Unsupported
from lab.powershell.types import null, text
from lab.powershell.values import wrap

if TYPE_CHECKING:
    from lab.powershell.interpreter import Session

Emit = Callable[[Any], None]

#: Common parameters, by their aliases too.
_COMMON = {
    "erroraction": "erroraction", "ea": "erroraction", "warningaction": "warningaction", "wa": "warningaction",
    "informationaction": "informationaction", "infa": "informationaction", "verbose": "verbose", "vb": "verbose",
}  # fmt: skip
_COMMON_SWITCHES = {"verbose"}


@dataclass(frozen=True)
class Parameter:
    """A parameter: ``type`` as a script writes it, ``position`` for one that may go without its name."""

    name: str
    type: str = "object"
    position: int | None = None
    mandatory: bool = False
    pipeline: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def switch(self) -> bool:
        """Whether it stands without a value."""
        return self.type == "switch"


@dataclass(frozen=True)
class Given:
    """An argument as it was evaluated; a parameter name alone has the value ``MISSING``."""

    name: str | None
    value: Any


MISSING = object()


class Bound:
    """Parameters by name, and what is common to all cmdlets."""

    def __init__(self, values: dict[str, Any], common: dict[str, Any], rest: list[Any]) -> None:
        self._values = values
        self.common = common
        #: Arguments that no parameter took.
        self.rest = rest

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._values

    def __getitem__(self, name: str) -> Any:
        return self._values.get(name.lower())

    def get(self, name: str, default: Any) -> Any:
        """The value of a parameter, or ``default`` if it was not given."""
        return self._values.get(name.lower(), default)

    def is_set(self, name: str) -> bool:
        """Whether a switch is given."""
        return bool(self._values.get(name.lower(), False))

    def items(self) -> Iterable[tuple[str, Any]]:
        """What was given, by lower-case name."""
        return self._values.items()

    def names(self) -> set[str]:
        """Lower-case names of what was given."""
        return set(self._values)


def bind(
    command: str,
    parameters: Sequence[Parameter],
    arguments: Sequence[Given],
    convert: Callable[[Any, str], Any],
    known_only: bool = True,
) -> Bound:
    """Sort arguments to parameters.

    ``known_only``: the list is not all that Windows has, so that a parameter that is not in it is an ``Unsupported``. Raises
    ``PowerShellError`` otherwise.
    """
    values: dict[str, Any] = {}
    common: dict[str, Any] = {}
    positional: list[Any] = []
    waiting: Parameter | None = None
    waiting_common: str | None = None
    for given in arguments:
        if given.name is None:
            if waiting is not None:
                values[waiting.name.lower()] = given.value
                waiting = None
            elif waiting_common is not None:
                common[waiting_common] = given.value
                waiting_common = None
            else:
                positional.append(given.value)
            continue
        if waiting is not None or waiting_common is not None:
            raise _missing_argument(command, waiting.name if waiting else str(waiting_common))
        found = _parameter(command, parameters, given.name)
        if found is None:
            common_name = _COMMON.get(given.name.lower())
            if common_name is None and known_only:
                raise Unsupported(f"{command} -{given.name}")
            if common_name is None:
                raise _unknown_parameter(command, given.name)
            if given.value is not MISSING:
                common[common_name] = given.value
            elif common_name in _COMMON_SWITCHES:
                common[common_name] = True
            else:
                waiting_common = common_name
        elif found.name.lower() in values:
            raise binding_error(
                f"Cannot bind parameter because parameter '{found.name}' is specified more than once.",
                f"ParameterAlreadyBound,{command}",
            )
        elif found.switch:
            values[found.name.lower()] = True if given.value is MISSING else bool(given.value)
        elif given.value is MISSING:
            waiting = found
        else:
            values[found.name.lower()] = given.value
    if waiting is not None or waiting_common is not None:
        raise _missing_argument(command, waiting.name if waiting else str(waiting_common))
    rest = _place(parameters, positional, values)
    for parameter in parameters:
        key = parameter.name.lower()
        if key in values and not parameter.switch:
            values[key] = convert(values[key], parameter.type)
    return Bound(values, common, rest)


def _place(parameters: Sequence[Parameter], positional: list[Any], values: dict[str, Any]) -> list[Any]:
    """Give arguments without names to the parameters that take them by position; what is left."""
    places = sorted(
        (item for item in parameters if item.position is not None and item.name.lower() not in values),
        key=lambda item: item.position or 0,
    )
    for parameter, value in zip(places, positional, strict=False):
        values[parameter.name.lower()] = value
    return positional[len(places) :]


def _parameter(command: str, parameters: Sequence[Parameter], name: str) -> Parameter | None:
    lowered = name.lower()
    for parameter in parameters:
        if lowered == parameter.name.lower() or lowered in parameter.aliases:
            return parameter
    if lowered in _COMMON:
        return None
    found = [parameter for parameter in parameters if parameter.name.lower().startswith(lowered)]
    if len(found) > 1:
        raise binding_error(
            f"Parameter cannot be processed because the parameter name '{name}' is ambiguous.",
            f"AmbiguousParameter,{command}",
        )
    return found[0] if found else None


def _unknown_parameter(command: str, name: str) -> PowerShellError:
    return binding_error(
        f"A parameter cannot be found that matches parameter name '{name}'.", f"NamedParameterNotFound,{command}"
    )


def binding_error(message: str, identifier: str) -> PowerShellError:
    """A ParameterBindingException."""
    kind = "System.Management.Automation.ParameterBindingException"
    return PowerShellError(message, identifier, "InvalidArgument", exception_type=kind)


def no_position(command: str, value: Any) -> PowerShellError:
    """For an argument that no parameter takes."""
    message = f"A positional parameter cannot be found that accepts argument '{text(value)}'."
    return binding_error(message, f"PositionalParameterNotFound,{command}")


def _missing_argument(command: str, name: str) -> PowerShellError:
    return binding_error(
        f"Missing an argument for parameter '{name}'. Specify a parameter and try again.", f"MissingArgument,{command}"
    )


def missing_mandatory(command: str, names: str) -> PowerShellError:
    """What -NonInteractive makes of the prompt for a parameter."""
    return binding_error(
        f"Cannot process command because of one or more missing mandatory parameters: {names}.",
        f"MissingMandatoryParameter,{command}",
    )


class Cmdlet:
    """A running cmdlet. Subclasses write with ``write`` and report with ``write_error``; a raised ``PowerShellError`` ends it."""

    #: As CategoryInfo.Activity has it.
    name: str = ""
    #: As FullyQualifiedErrorId ends.
    command_type: str = ""
    parameters: Sequence[Parameter] = ()

    def __init__(self, session: Session, bound: Bound, emit: Emit) -> None:
        self.session = session
        self.bound = bound
        self._emit = emit

    def begin(self) -> None:
        """Before the first object of the pipeline."""

    def process(self, item: Any) -> None:
        """For each object of the pipeline; once, with ``MISSING``, when there is none."""

    def end(self) -> None:
        """After the last."""

    def write(self, value: Any) -> None:
        """Write to the pipeline; as WriteObject does, in a PSObject."""
        self._emit(wrap(value))

    def write_error(self, error: PowerShellError) -> None:
        """Report an error that does not end the cmdlet, unless ErrorAction says so."""
        self.session.write_error(self.signed(error), self.bound.common.get("erroraction"))

    def signed(self, error: PowerShellError) -> PowerShellError:
        """The error with this cmdlet in its identifier and activity."""
        if not error.activity:
            error.activity = self.name
            if self.command_type and "," not in error.identifier:
                error.identifier = f"{error.identifier},{self.command_type}"
        return error


@dataclass(frozen=True)
class Definition:
    """A cmdlet that can be called."""

    name: str
    parameters: Sequence[Parameter]
    make: Callable[[Session, Bound, Emit], Cmdlet]
    #: Whether ``parameters`` are all that Windows has.
    complete: bool = False
    command_type: str = ""


def defined(kind: type[Cmdlet]) -> Definition:
    """The definition of a class of cmdlets."""
    return Definition(kind.name, kind.parameters, kind, command_type=kind.command_type)


def function(
    name: str, run: Callable[[Bound], Iterable[Any]], parameters: Sequence[Parameter] = (), command_type: str = ""
) -> Definition:
    """A cmdlet that takes nothing from the pipeline and writes what ``run`` gives."""

    class _Function(Cmdlet):
        def end(self) -> None:
            for item in run(self.bound):
                self.write(item)

    _Function.name, _Function.command_type = name, command_type
    return Definition(name, parameters, _Function, command_type=command_type)


def preference(value: Any) -> str:
    """An ActionPreference in lower case."""
    known = {"0": "silentlycontinue", "1": "stop", "2": "continue", "3": "inquire", "4": "ignore"}
    shown = "continue" if null(value) else text(value).lower()
    return known.get(shown, shown)
