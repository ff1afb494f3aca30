# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session by CIM cmdlets of Windows PowerShell. Private to this collection."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, cast

from .._avma.problems import problem
from .._session.errors import FaultError, InvalidAnswerError, RouteError, TooLargeError
from .._session.instance import Instance
from .._session.interpreter import Interpreter
from .._session.session import CIMV2, DEFAULT_PATIENCE, Argument, Get, Invoke, ProcessResult, Query, Request, Route
from .._session.waits import Clock, Waits
from . import requests, scripts
from .requests import Run, Step

#: As much as a whole enumeration may have over WS-Management.
MAX_ANSWER_BYTES = 64 * 1024 * 1024
#: For so many seconds an answer that came along with another one is as good as a new one.
_FRESH = 10.0


class PowerShellSession:
    """Queries and method calls on one machine, each in a PowerShell of its own, or several in one where they are expected.

    Every method raises the errors of ``Interpreter.run``, and ``FaultError`` when Windows refuses the request.
    """

    def __init__(self, interpreter: Interpreter, machine: str, clock: Clock | None = None) -> None:
        """Talk to a machine.

        :param machine: The name by which the user knows it, for messages.
        """
        self._interpreter = interpreter
        self._clock = clock or Clock()
        self._expected: list[Step] = []
        # What was answered and not asked for yet, and when.
        self._answers: list[tuple[Step, Any]] = []
        self._answered = 0.0
        self.machine = machine
        self.patience = DEFAULT_PATIENCE

    @property
    def route(self) -> Route:
        """How it is reached."""
        return self._interpreter.route

    @property
    def encrypted(self) -> bool:
        """Whether a secret may be sent."""
        return self._interpreter.encrypted

    def expect(self, *requests: Request) -> None:
        """Have these done in one PowerShell, as soon as one of them is asked for."""
        known = [*self._expected, *(step for step, _answer in self._fresh())]
        self._expected += (request for request in requests if request not in known)

    def query(self, wql: str, namespace: str = CIMV2, limit: int | None = None) -> list[Instance]:
        """The instances that a WQL query selects."""
        return cast("list[Instance]", self._do(Query(wql, namespace, limit)))

    def get(self, class_name: str, selectors: Mapping[str, str], namespace: str = CIMV2) -> Instance:
        """The instance of a class with these keys."""
        return cast("Instance", self._do(Get(class_name, selectors, namespace)))

    def invoke(
        self,
        class_name: str,
        method: str,
        arguments: Mapping[str, Argument] | None = None,
        selectors: Mapping[str, str] | None = None,
        namespace: str = CIMV2,
    ) -> Instance:
        """Call a method; its out parameters, with ``ReturnValue``."""
        return cast("Instance", self._do(Invoke(class_name, method, arguments or {}, selectors or {}, namespace)))

    def run(self, command: str, arguments: Sequence[str] = (), stdin: bytes = b"") -> ProcessResult:
        """Run a program; secrets go to its standard input, never into its arguments. Its standard error is not read.

        :raises ProcessError: The program could not be run to its end.
        """
        text = stdin.decode().rstrip("\r\n").replace("\r\n", "\n")
        return cast("ProcessResult", self._do(Run(command, tuple(arguments), text)))

    def _do(self, step: Step) -> Any:
        waits = Waits(self.patience, self._clock)
        while True:
            try:
                return self._ask(step)
            except FaultError as fault:
                again = fault.nothing_run if requests.changes(step) else fault.passing
                if not again or not waits.wait():
                    raise

    def _ask(self, step: Step) -> Any:
        for index, (done, answer) in enumerate(self._fresh()):
            if done == step:
                del self._answers[index]
                return requests.read_answer(step, answer)
        steps = self._together(step)
        if requests.changes(step):
            # What was read before, may not be so afterwards.
            self._answers = []
        first, *others = self._send(steps)
        self._answered = self._clock.monotonic()
        self._answers += (pair for pair in zip(steps[1:], others, strict=True) if not requests.skipped(pair[1]))
        return requests.read_answer(step, first)

    def _together(self, step: Step) -> list[Step]:
        """A request, and those that go with it: what is read before the next change or, if it is that change, all that follows it."""
        changes = [index for index, expected in enumerate(self._expected) if requests.changes(expected)]
        first = changes[0] if changes else len(self._expected)
        if requests.changes(step):
            found = self._expected[first:] if changes and self._expected[first] == step else [step]
            self._expected = []
            return found
        reads, rest = self._expected[:first], self._expected[first:]
        if step not in reads:
            return [step]
        self._expected = rest
        reads.remove(step)
        return [step, *reads]

    def _fresh(self) -> list[tuple[Step, Any]]:
        if self._clock.monotonic() - self._answered > _FRESH:
            self._answers = [(step, answer) for step, answer in self._answers if requests.changes(step)]
        return self._answers

    def _send(self, steps: Sequence[Step]) -> list[Any]:
        marker = f"avma{secrets.token_hex(16)}"
        changing = any(map(requests.changes, steps))
        result = self._interpreter.run(scripts.REQUESTS, [marker, *map(requests.line, steps)], changes=changing)
        if len(result.stdout) > MAX_ANSWER_BYTES:
            raise TooLargeError(f"the answer of PowerShell is larger than {MAX_ANSWER_BYTES} bytes")
        document, _rest = requests.document(result.stdout, marker)
        if document is None:
            # What was printed is not shown: where standard input ran as something else, it may hold a secret.
            raise RouteError(problem("powershell_silent", machine=self.machine, exit_code=result.exit_code))
        answers = document.get("answers")
        if not isinstance(answers, list) or len(answers) != len(steps):
            raise InvalidAnswerError("the answer of PowerShell does not fit what it was asked")
        if document.get("wow64"):
            # The registry that a 32-bit process sees is not the one of Windows.
            raise RouteError(problem("powershell_is_32_bit", machine=self.machine))
        refused = next(
            (answer["error"] for step, answer in zip(steps, answers, strict=True) if _refused(step, answer)), None
        )
        if refused:
            mode, detail = document.get("mode"), requests.read_error(refused).reason
            raise RouteError(problem("powershell_refuses", machine=self.machine, mode=mode, detail=detail))
        return answers


def _refused(step: Step, answer: Any) -> bool:
    """Whether a cmdlet could not be used; of a program, that is no more than that it is not there."""
    return not isinstance(step, Run) and isinstance(answer, dict) and requests.refused_by_mode(answer.get("error"))
