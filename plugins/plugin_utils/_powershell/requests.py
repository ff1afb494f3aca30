# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests as lines of data for the script, and what it answered. Private to this collection."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from .._session.errors import FaultError, InvalidAnswerError, ProcessError, hresult_of, ordered_hresults
from .._session.escape import wql_literal
from .._session.instance import Instance, Reference, Value
from .._session.session import Argument, Get, Invoke, ProcessResult, Query, Request
from . import scripts

#: WBEM_E_NOT_FOUND, WBEM_E_TIMED_OUT.
_NOT_FOUND = 0x80041002
#: COR_E_EXCEPTION and COR_E_SYSTEM, which .NET gives to exceptions that have no code of their own.
_NO_CODES = frozenset({0x80131500, 0x80131501})
#: A smaller number in ``StatusCode`` or ``HResult`` is one of CIM's own (DSP0200), and no HRESULT.
_LEAST_HRESULT = 0x80000000
_HRESULT_TEXT = re.compile(r"\b0x([0-9A-F]{8})\b", re.IGNORECASE)
_SELECTED = re.compile(r"\s*SELECT\s+(.+?)\s+FROM\s", re.IGNORECASE)
_RESOURCE_URI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
#: What Windows PowerShell says of what Constrained Language Mode refuses (facts: PowerShell's source), and of the CIM cmdlets that such a
#: mode lets nobody load on builds of Windows Server 2016 before the update.
_REFUSED_BY_MODE = (
    "MethodInvocationNotSupportedInConstrainedLanguage",
    "PropertySetterNotSupportedInConstrainedLanguage",
    "CannotCreateTypeConstrainedLanguage",
    "ConversionSupportedOnlyToCoreTypes",
    "DotSourceNotSupported",
    "CommandNotFoundException",
    "CouldNotAutoLoadModule",
    "CouldNotAutoloadMatchingModule",
)


@dataclass(frozen=True)
class Run:
    """What ``Session.run`` is called with."""

    command: str
    arguments: Sequence[str]
    stdin: str


Step: TypeAlias = Request | Run


def changes(step: Step) -> bool:
    """Whether something may be another afterwards."""
    return isinstance(step, Run) or (isinstance(step, Invoke) and not step.reads)


def line(step: Step) -> str:
    """A step as a line of the script's data."""
    return scripts.line(_fields(step))


def _fields(step: Step) -> Iterator[str]:
    if isinstance(step, Run):
        yield from ("run", step.command, step.stdin, *step.arguments)
    elif isinstance(step, Query):
        yield from ("query", step.namespace, step.wql, str(step.limit or 0), ",".join(_columns(step.wql)))
    elif isinstance(step, Get):
        yield from ("query", step.namespace, _selection("*", step.class_name, step.selectors), "0", "")
    else:
        # The keys are what Invoke-CimMethod needs of an instance.
        target = _selection(", ".join(step.selectors), step.class_name, step.selectors) if step.selectors else ""
        yield from ("read" if step.reads else "change", step.namespace, step.class_name, step.method, target)
        for name, value in step.arguments.items():
            yield from (name, *_argument(value))


def _columns(wql: str) -> list[str]:
    match = _SELECTED.match(wql)
    columns = [column.strip() for column in match[1].split(",")] if match else ["*"]
    return [] if "*" in columns else columns


def _selection(columns: str, class_name: str, selectors: Mapping[str, str]) -> str:
    conditions = " AND ".join(f"{name} = {wql_literal(value)}" for name, value in selectors.items())
    return f"SELECT {columns} FROM {class_name} WHERE {conditions}"


def _argument(value: Argument) -> tuple[str, str]:
    if isinstance(value, bool):
        return "boolean", str(value).lower()
    if isinstance(value, int):
        return "integer", str(value)
    if isinstance(value, str):
        return "text", value
    return "list", scripts.line(value)


def document(output: bytes, marker: str) -> tuple[dict[str, Any] | None, bytes]:
    """The JSON document between two markers, if there is one, and what comes after.

    What a console may have put into it, such as line ends at its width, is no part of it: JSON writes none of its own.

    :raises InvalidAnswerError: What stands there is no JSON document.
    """
    parts = output.split(marker.encode(), 2)
    if len(parts) < 3:
        return None, b""
    try:
        answer = json.loads(re.sub(rb"[\r\n]", b"", parts[1]))
    except (ValueError, RecursionError) as error:
        raise InvalidAnswerError("the answer of PowerShell is not JSON") from error
    if not isinstance(answer, dict):
        raise InvalidAnswerError("the answer of PowerShell is not a JSON object")
    return answer, parts[2]


def skipped(answer: Any) -> bool:
    """Whether the step was not done, as one before it had failed."""
    return isinstance(answer, dict) and "skipped" in answer


def read_answer(step: Step, answer: Any) -> Any:
    """What a step gives: instances for a query, one for a get or a method, a result for a program.

    :raises FaultError: Windows refused it.
    :raises ProcessError: The program could not be run.
    :raises InvalidAnswerError: It is something else.
    """
    if not isinstance(answer, dict):
        raise InvalidAnswerError("an answer of PowerShell is not a JSON object")
    if "error" in answer:
        fault = read_error(answer["error"])
        if isinstance(step, Run):
            raise ProcessError(f"{step.command} could not be run: {fault.reason}") from fault
        raise fault
    if isinstance(step, Run):
        return _process_result(answer)
    if isinstance(step, Invoke):
        if "missing" in answer:
            raise _not_found(step.class_name, step.selectors)
        return Instance(f"{step.method}_OUTPUT", _values(answer.get("output")))
    instances = read_instances(answer.get("rows"))
    if isinstance(step, Query):
        return instances
    if not instances:
        raise _not_found(step.class_name, step.selectors)
    return instances[0]


def read_instances(rows: Any) -> list[Instance]:
    """A list of instances.

    :raises InvalidAnswerError: It is something else.
    """
    if not isinstance(rows, list):
        raise InvalidAnswerError("an answer of PowerShell has no rows")
    return [_instance(row) for row in rows]


def _not_found(class_name: str, selectors: Mapping[str, str]) -> FaultError:
    keys = ", ".join(f"{name}={value}" for name, value in selectors.items())
    return FaultError(f"there is no {class_name} with {keys}", hresults=(_NOT_FOUND,))


def _process_result(answer: Mapping[str, Any]) -> ProcessResult:
    try:
        return ProcessResult(int(answer.get("exit_code") or 0), str(answer.get("stdout") or "").encode(), b"")
    except ValueError as error:
        raise InvalidAnswerError("a program's exit code is not a number") from error


def _instance(row: Any) -> Instance:
    if not isinstance(row, dict):
        raise InvalidAnswerError("a row is not a JSON object")
    return Instance(str(row.get("class") or ""), _values(row.get("values")))


def _values(values: Any) -> dict[str, Value | list[Value]]:
    if not isinstance(values, dict):
        raise InvalidAnswerError("an instance has no values")
    return {
        name: [_value(item) for item in value] if isinstance(value, list) else _value(value)
        for name, value in values.items()
    }


def _value(value: Any) -> Value:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict):
        selectors = {name: text for name, text in _values(value.get("values")).items() if isinstance(text, str)}
        namespace = str(value.get("namespace") or "").replace("\\", "/")
        return Reference(f"{_RESOURCE_URI}{namespace}/{value.get('class')}", selectors)
    raise InvalidAnswerError("a value is neither text nor a reference")


def refused_by_mode(error: Any) -> bool:
    """Whether an error is of Constrained Language Mode, and not of what was asked for."""
    identifier = str(error.get("id") or "") if isinstance(error, dict) else ""
    return identifier.partition(",")[0] in _REFUSED_BY_MODE


def read_error(error: Any) -> FaultError:
    """An error record as a fault: its codes in the order of how specific they are, the text last."""
    if not isinstance(error, dict):
        raise InvalidAnswerError("an error is not a JSON object")
    texts = {name: str(text or "") for name, text in error.items()}
    specific: list[int] = []
    for name in ("id", "message_id"):
        specific += (int(digits, 16) for digits in _HRESULT_TEXT.findall(texts.get(name, "")))
    code = _number(texts.get("error_code"))
    if code:
        specific.append(hresult_of(code))
    for name in ("hresult", "status_code", "inner_hresult"):
        code = _number(texts.get(name))
        if code is not None and code >= _LEAST_HRESULT and code not in _NO_CODES:
            specific.append(code)
    message = texts.get("message", "")
    specific += (int(digits, 16) for digits in _HRESULT_TEXT.findall(message))
    reason = " ".join(message.split()) or texts.get("id") or "no reason given"
    return FaultError(reason, hresults=ordered_hresults(specific))


def _number(text: str | None) -> int | None:
    try:
        return int(text or "") & 0xFFFFFFFF
    except ValueError:
        return None
