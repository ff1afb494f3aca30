# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Cmdlets of the language: Microsoft.PowerShell.Core and .Utility, as far as the lab has them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cmp_to_key
from typing import Any

from lab.powershell import members, operators
from lab.powershell.binding import MISSING, Cmdlet, Definition, Parameter, defined, preference
from lab.powershell.cim_values import CimInstance
from lab.powershell.errors import PowerShellError, Unsupported
from lab.powershell.flow import StopUpstream
from lab.powershell.json import ConvertFromJson, ConvertToJson
from lab.powershell.types import as_array, is_core, null, resolve, text, truth, type_names
from lab.powershell.values import (
    CUSTOM,
    Array,
    DateTime,
    Hashtable,
    PSObject,
    ScriptBlockValue,
    SecureString,
    TypeValue,
    find,
)

_CORE = "Microsoft.PowerShell.Commands."


class ForEachObject(Cmdlet):
    """ForEach-Object."""

    name, command_type = "ForEach-Object", _CORE + "ForEachObjectCommand"
    parameters = (
        Parameter("Process", position=0),
        Parameter("Begin"),
        Parameter("End"),
        Parameter("RemainingScripts", position=1),
        Parameter("Last", position=2),
        Parameter("InputObject", pipeline=True),
    )

    def begin(self) -> None:
        blocks = [block for name in ("Process", "RemainingScripts", "Last") for block in as_array(self.bound[name])]
        self._begin, self._process, self._end = self.bound["Begin"], self.bound["Process"], self.bound["End"]
        # Two blocks without names are begin and process, three end too.
        if len(blocks) > 1:
            self._begin, self._process = blocks[0], blocks[1]
            self._end = blocks[2] if len(blocks) > 2 else None
        self._run(self._begin, None)

    def process(self, item: Any) -> None:
        if item is MISSING:
            return
        for block in as_array(self._process):
            if isinstance(block, ScriptBlockValue):
                self._run(block, item)
            else:
                found = members.get(item, text(block))
                for value in found if isinstance(found, Array) else [found]:
                    self._emit(value)

    def end(self) -> None:
        self._run(self._end, None)

    def _run(self, block: Any, item: Any) -> None:
        if isinstance(block, ScriptBlockValue):
            self.session.invoke_block(block.block, item, self._emit)


class WhereObject(Cmdlet):
    """Where-Object."""

    name, command_type = "Where-Object", _CORE + "WhereObjectCommand"
    _comparisons = (
        "eq",
        "ne",
        "gt",
        "ge",
        "lt",
        "le",
        "like",
        "notlike",
        "match",
        "notmatch",
        "contains",
        "notcontains",
        "in",
        "notin",
    )
    parameters = (
        Parameter("FilterScript", position=0, aliases=("property",)),
        Parameter("Value", position=1),
        *(Parameter(name) for name in _comparisons if name not in ("is", "isnot")),
        Parameter("InputObject", pipeline=True),
    )

    def process(self, item: Any) -> None:
        if item is MISSING:
            return
        condition = self.bound["FilterScript"]
        if isinstance(condition, ScriptBlockValue):
            output: list[Any] = []
            self.session.invoke_block(condition.block, item, output.append)
            kept = truth(Array(output) if len(output) != 1 else output[0])
        else:
            found = members.get(item, text(condition))
            sign = next((name for name in self._comparisons if name in self.bound), None)
            kept = truth(found) if sign is None else truth(self.session.compare(sign, found, self.bound[sign]))
        if kept:
            self._emit(item)


class SelectObject(Cmdlet):
    """Select-Object."""

    name, command_type = "Select-Object", _CORE + "SelectObjectCommand"
    parameters = (
        Parameter("Property", position=0),
        Parameter("ExpandProperty", "string"),
        Parameter("First", "int"),
        Parameter("Last", "int"),
        Parameter("Skip", "int"),
        Parameter("Unique", "switch"),
        Parameter("InputObject", pipeline=True),
    )

    def begin(self) -> None:
        self._seen = 0
        self._kept: list[Any] = []
        self._unique: list[Any] = []
        if self.bound["First"] == 0 and "First" in self.bound:
            raise StopUpstream(self)

    def process(self, item: Any) -> None:
        if item is MISSING:
            item = self.bound["InputObject"]
        self._seen += 1
        if self._seen <= (self.bound["Skip"] or 0):
            return
        if "Last" in self.bound:
            self._kept = [*self._kept, item][-self.bound["Last"] :] if self.bound["Last"] else []
            return
        self._select(item)
        if "First" in self.bound and self._seen - (self.bound["Skip"] or 0) >= self.bound["First"]:
            # From version 3 on it ends the pipeline before it.
            raise StopUpstream(self)

    def end(self) -> None:
        for item in self._kept:
            self._select(item)

    def _select(self, item: Any) -> None:
        if "ExpandProperty" in self.bound:
            name = self.bound["ExpandProperty"]
            if find(members.properties(item), name) is None and not (isinstance(item, Hashtable) and name in item):
                self.write_error(
                    PowerShellError(
                        f'Property "{name}" cannot be found.', "ExpandPropertyNotFound", "InvalidArgument", "continue"
                    )
                )
                return
            for value in as_array(members.get(item, name)):
                self.write(value)
            return
        selected = item if "Property" not in self.bound else self._projected(item)
        if self.bound.is_set("Unique"):
            if any(operators.equal(selected, known, sensitive=True) for known in self._unique):
                return
            if not isinstance(selected, str | int):
                raise Unsupported("Select-Object -Unique of objects")
            self._unique.append(selected)
        self.write(selected)

    def _projected(self, item: Any) -> PSObject:
        values: dict[str, Any] = {}
        for wanted in as_array(self.bound["Property"]):
            if isinstance(wanted, Hashtable):
                name, expression = _calculated(wanted)
                values[name] = self._calculate(expression, item)
                continue
            pattern = text(wanted)
            if "*" in pattern or "?" in pattern:
                shape = operators.wildcard(pattern)
                values |= {key: value for key, value in members.properties(item).items() if shape.fullmatch(key)}
            else:
                known = members.properties(item)
                values[find(known, pattern) or pattern] = members.get(item, pattern)
        return PSObject(f"Selected.{type_names(item)[0]}", values, bases=(CUSTOM,))

    def _calculate(self, expression: Any, item: Any) -> Any:
        if not isinstance(expression, ScriptBlockValue):
            return members.get(item, text(expression))
        output: list[Any] = []
        self.session.invoke_block(expression.block, item, output.append)
        return None if not output else output[0] if len(output) == 1 else Array(output)


def _calculated(wanted: Hashtable) -> tuple[str, Any]:
    name: str | None = None
    expression: Any = None
    for key, value in wanted.items():
        lowered = text(key).lower()
        if (lowered and "name".startswith(lowered)) or (lowered and "label".startswith(lowered)):
            name = text(value)
        elif lowered and "expression".startswith(lowered):
            expression = value
    if name is None or expression is None:
        raise Unsupported("a calculated property without name or expression")
    return name, expression


class SortObject(Cmdlet):
    """Sort-Object."""

    name, command_type = "Sort-Object", _CORE + "SortObjectCommand"
    parameters = (
        Parameter("Property", position=0),
        Parameter("Descending", "switch"),
        Parameter("Unique", "switch"),
        Parameter("InputObject", pipeline=True),
    )

    def begin(self) -> None:
        self._items: list[Any] = []

    def process(self, item: Any) -> None:
        if item is not MISSING and not null(item):
            self._items.append(item)

    def end(self) -> None:
        names = [text(name) for name in as_array(self.bound["Property"])]

        def compare(left: Any, right: Any) -> int:
            for name in names:
                found = operators.order(members.get(left, name), members.get(right, name))
                if found:
                    return found
            return 0 if names else operators.order(left, right)

        ordered = sorted(self._items, key=cmp_to_key(compare), reverse=self.bound.is_set("Descending"))
        last: Any = MISSING
        for item in ordered:
            if self.bound.is_set("Unique") and last is not MISSING and compare(last, item) == 0:
                continue
            last = item
            self.write(item)


class MeasureObject(Cmdlet):
    """Measure-Object: the count only."""

    name, command_type = "Measure-Object", _CORE + "MeasureObjectCommand"
    parameters = (Parameter("InputObject", pipeline=True),)
    _count = 0

    def process(self, item: Any) -> None:
        if item is not MISSING:
            self._count += 1

    def end(self) -> None:
        values = {
            "Count": self._count,
            "Average": None,
            "Sum": None,
            "Maximum": None,
            "Minimum": None,
            "Property": None,
        }
        self.write(PSObject(_CORE + "GenericMeasureInfo", values))


class WriteOutput(Cmdlet):
    """Write-Output."""

    name, command_type = "Write-Output", _CORE + "WriteOutputCommand"
    parameters = (Parameter("InputObject", position=0, pipeline=True), Parameter("NoEnumerate", "switch"))

    def process(self, item: Any) -> None:
        value = self.bound["InputObject"] if item is MISSING else item
        if item is MISSING and "InputObject" not in self.bound:
            return
        for found in value if isinstance(value, Array) and not self.bound.is_set("NoEnumerate") else [value]:
            self.write(found)


class WriteError(Cmdlet):
    """Write-Error."""

    name, command_type = "Write-Error", _CORE + "WriteErrorException"
    parameters = (
        Parameter("Message", position=0, pipeline=True),
        Parameter("ErrorRecord"),
        Parameter("ErrorId", "string"),
        Parameter("Category", "string"),
        Parameter("TargetObject"),
    )

    def process(self, item: Any) -> None:
        value = self.bound["Message"] if item is MISSING else item
        record = self.bound["ErrorRecord"]
        if isinstance(record, PowerShellError):
            self.write_error(record)
            return
        identifier = text(self.bound["ErrorId"]) or self.command_type
        if "ErrorId" in self.bound:
            identifier += ",Write-Error"
        error = PowerShellError(
            text(value),
            identifier,
            text(self.bound["Category"]) or "NotSpecified",
            "continue",
            exception_type=_CORE + "WriteErrorException",
            target=self.bound["TargetObject"],
        )
        error.activity = self.name
        self.write_error(error)


class InvokeExpression(Cmdlet):
    """Invoke-Expression."""

    name, command_type = "Invoke-Expression", _CORE + "InvokeExpressionCommand"
    parameters = (Parameter("Command", "string", 0, mandatory=True, pipeline=True),)

    def process(self, item: Any) -> None:
        try:
            self.session.invoke_text(text(self.bound["Command"] if item is MISSING else item), self._emit)
        except PowerShellError as error:
            if error.identifier == "ParserError":
                error.identifier = f"ParserError,{self.command_type}"
            raise


class NewObject(Cmdlet):
    """New-Object."""

    name, command_type = "New-Object", _CORE + "NewObjectCommand"
    parameters = (
        Parameter("TypeName", "string", 0, mandatory=True),
        Parameter("ArgumentList", position=1, aliases=("args",)),
        Parameter("Property"),
        Parameter("ComObject", "string"),
    )

    def end(self) -> None:
        name = text(self.bound["TypeName"])
        if self.session.environment.constrained and not is_core(name):
            raise self.signed(
                PowerShellError(
                    "Cannot create type. Only core types are supported in this language mode.",
                    "CannotCreateTypeConstrainedLanguage",
                    "PermissionDenied",
                    exception_type="System.Management.Automation.PSNotSupportedException",
                )
            )
        if "ComObject" in self.bound:
            raise Unsupported("New-Object -ComObject")
        arguments = list(as_array(self.bound["ArgumentList"]))
        made = members.new_object(TypeValue(resolve(self.session.known_type(name))), arguments)
        given = self.bound["Property"]
        if isinstance(given, Hashtable):
            if not isinstance(made, PSObject):
                raise Unsupported(f"New-Object {name} -Property")
            made.properties |= {text(key): value for key, value in given.items()}
        self.write(made)


class AddType(Cmdlet):
    """Add-Type: refused in Constrained Language Mode."""

    name, command_type = "Add-Type", _CORE + "AddTypeCommand"
    parameters = (
        Parameter("TypeDefinition", "string", 0),
        Parameter("AssemblyName", "string"),
        Parameter("MemberDefinition", "string"),
        Parameter("Name", "string"),
    )

    def end(self) -> None:
        if self.session.environment.constrained:
            raise self.signed(
                PowerShellError(
                    "Cannot add type. Definition of new types is not supported in this language mode.",
                    "CannotDefineNewType",
                    "PermissionDenied",
                )
            )
        raise Unsupported("Add-Type")


class GetDate(Cmdlet):
    """Get-Date, of now."""

    name, command_type = "Get-Date", _CORE + "GetDateCommand"
    parameters = (Parameter("Format", "string"),)

    def end(self) -> None:
        now = DateTime.of(self.session.now, "Local", self.session.environment.zone)
        self.write(operators.format_datetime(now, self.bound["Format"]) if "Format" in self.bound else now)


class ConvertToSecureString(Cmdlet):
    """ConvertTo-SecureString, of plain text."""

    name, command_type = "ConvertTo-SecureString", _CORE + "ConvertToSecureStringCommand"
    parameters = (
        Parameter("String", "string", 0, mandatory=True, pipeline=True),
        Parameter("AsPlainText", "switch"),
        Parameter("Force", "switch"),
    )

    def process(self, item: Any) -> None:
        if not self.bound.is_set("AsPlainText"):
            raise Unsupported("ConvertTo-SecureString of encrypted text")
        if not self.bound.is_set("Force"):
            raise self.signed(
                PowerShellError(
                    "The system cannot protect plain text input. To suppress this warning and convert the plain text to a SecureString,"
                    " reissue the command specifying the Force parameter.",
                    "ImportSecureString_ForceRequired",
                    "InvalidArgument",
                )
            )
        value = text(self.bound["String"] if item is MISSING else item)
        if not value:
            raise PowerShellError(
                "Cannot bind argument to parameter 'String' because it is an empty string.",
                f"ParameterArgumentValidationErrorEmptyStringNotAllowed,{self.command_type}",
                "InvalidData",
                exception_type="System.Management.Automation.ParameterBindingValidationException",
            )
        self.write(SecureString(value))


class RemoveTypeData(Cmdlet):
    """Remove-TypeData: of System.Array, whose alias ``Count`` shows in ConvertTo-Json (facts 19)."""

    name, command_type = "Remove-TypeData", _CORE + "RemoveTypeDataCommand"
    parameters = (Parameter("TypeName", "string", 0, mandatory=True),)

    def end(self) -> None:
        if resolve(text(self.bound["TypeName"])) != "array":
            raise Unsupported(f"Remove-TypeData {text(self.bound['TypeName'])}")
        self.session.array_type_data = False


class GetCommand(Cmdlet):
    """Get-Command."""

    name, command_type = "Get-Command", _CORE + "GetCommandCommand"
    parameters = (Parameter("Name", position=0, pipeline=True), Parameter("CommandType"), Parameter("Module"))

    def end(self) -> None:
        if "Name" not in self.bound:
            raise Unsupported("Get-Command without a name")
        for name in as_array(self.bound["Name"]):
            definition = self.session.environment.cmdlets.get(text(name).lower())
            if definition is not None:
                self.write(
                    PSObject("System.Management.Automation.CmdletInfo", {"Name": definition.name}, text=definition.name)
                )
                continue
            self.write_error(
                PowerShellError(
                    f"The term '{text(name)}' is not recognized as the name of a cmdlet, function, script file, or operable program.",
                    "CommandNotFoundException",
                    "ObjectNotFound",
                    "continue",
                    exception_type="System.Management.Automation.CommandNotFoundException",
                    target=text(name),
                )
            )


class OutNull(Cmdlet):
    """Out-Null."""

    name = "Out-Null"
    parameters = (Parameter("InputObject", pipeline=True),)


class OutString(Cmdlet):
    """Out-String."""

    name = "Out-String"
    parameters = (Parameter("InputObject", pipeline=True), Parameter("Stream", "switch"), Parameter("Width", "int"))

    def begin(self) -> None:
        self._lines: list[str] = []

    def process(self, item: Any) -> None:
        if item is not MISSING:
            self._lines += format_lines(item)

    def end(self) -> None:
        if self.bound.is_set("Stream"):
            for line in self._lines:
                self.write(line)
        else:
            self.write("".join(f"{line}\r\n" for line in self._lines))


class WriteWarning(Cmdlet):
    """Write-Warning."""

    name = "Write-Warning"
    parameters = (Parameter("Message", "string", 0, mandatory=True, pipeline=True),)

    def process(self, item: Any) -> None:
        message = text(self.bound["Message"] if item is MISSING else item)
        self.session.warn(message, self.bound.common.get("warningaction"))


class WriteHost(Cmdlet):
    """Write-Host: to the host, not to the pipeline."""

    name = "Write-Host"
    parameters = (
        Parameter("Object", position=0, pipeline=True),
        Parameter("NoNewline", "switch"),
        Parameter("ForegroundColor"),
    )

    def process(self, item: Any) -> None:
        self.session.print(text(self.bound["Object"] if item is MISSING else item))


class WriteSilent(Cmdlet):
    """Write-Verbose, Write-Debug and Write-Information, whose preferences are silent."""

    name = "Write-Verbose"
    parameters = (Parameter("Message", position=0, pipeline=True, aliases=("messagedata",)),)

    def process(self, item: Any) -> None:
        if (
            self.bound.common.get("verbose")
            or preference(self.session.variable("verbosepreference")) != "silentlycontinue"
        ):
            raise Unsupported("verbose output")


class WriteProgress(Cmdlet):
    """Write-Progress, of which nothing is seen when output is redirected."""

    name = "Write-Progress"
    parameters = (
        Parameter("Activity", "string", 0, mandatory=True),
        Parameter("Status", "string", 1),
        Parameter("PercentComplete", "int"),
        Parameter("Completed", "switch"),
    )


class StartSleep(Cmdlet):
    """Start-Sleep: passes in the model at once, for whoever waits for the answer in fact."""

    name, command_type = "Start-Sleep", _CORE + "StartSleepCommand"
    parameters = (Parameter("Seconds", "int", 0, aliases=("s",)), Parameter("Milliseconds", "int", aliases=("m", "ms")))

    def end(self) -> None:
        self.session.outcome.elapsed += (self.bound["Seconds"] or 0) + (self.bound["Milliseconds"] or 0) / 1000


class GetRandom(Cmdlet):
    """Get-Random: a number."""

    name, command_type = "Get-Random", _CORE + "GetRandomCommand"
    parameters = (Parameter("Maximum", "int", 0), Parameter("Minimum", "int"))

    def end(self) -> None:
        low, high = self.bound["Minimum"] or 0, self.bound.get("Maximum", 0x7FFFFFFF)
        self.write(low + time.monotonic_ns() % max(high - low, 1))


def _silent(name: str, aliases: tuple[str, ...] = ()) -> Definition:
    return Definition(name, WriteSilent.parameters, WriteSilent)


def language_cmdlets() -> Mapping[str, Definition]:
    """By lower-case name."""
    kinds: list[type[Cmdlet]] = [
        AddType, ConvertFromJson, ConvertToJson, ConvertToSecureString, ForEachObject, GetCommand, GetDate, GetRandom, InvokeExpression,
        MeasureObject, NewObject, OutNull, OutString, RemoveTypeData, SelectObject, SortObject, StartSleep, WhereObject, WriteError,
        WriteHost, WriteOutput, WriteProgress, WriteWarning,
    ]  # fmt: skip
    silent = [_silent(name) for name in ("Write-Verbose", "Write-Debug", "Write-Information")]
    return {item.name.lower(): item for item in [*(defined(kind) for kind in kinds), *silent]}


def format_lines(value: Any) -> list[str]:
    """What the console shows of an object: text as it is, others as a list of their properties.

    UNVERIFIED in its details (tables of up to four properties are shown as lists): nobody should read it.
    """
    if isinstance(value, PowerShellError):
        return [f"{value.message}"]
    shown = members.properties(value)
    if isinstance(value, Hashtable):
        shown = {text(key): item for key, item in value.items()}
    if not isinstance(value, PSObject | Hashtable | CimInstance) or not shown:
        return text(value).split("\n") if isinstance(value, str) else [text(value)]
    if isinstance(value, PSObject) and value.text is not None:
        return [value.text]
    width = max(len(name) for name in shown)
    return ["", *(f"{name.ljust(width)} : {text(item)}" for name, item in shown.items()), ""]
