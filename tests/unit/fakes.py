"""Stand-ins for what lies below the code under test."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hyperv.avma.plugins.plugin_utils._session.errors import FaultError
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.instance import Instance
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.session import CIMV2
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.waits import Clock
from ansible_collections.hyperv.avma.plugins.plugin_utils._wsman.session import WSManSession


@dataclass
class FakeTransport:
    """A transport that answers each message from a script, related to it."""

    answers: Iterable[bytes | Exception]
    endpoint: str = "http://HV01:5985/wsman"
    operation_timeout: int = 20
    encrypted: bool = True
    sent: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._script = iter(self.answers)

    def send(self, message: bytes) -> bytes:
        text = message.decode()
        self.sent.append(text)
        answer = next(self._script)
        if isinstance(answer, Exception):
            raise answer
        identifier = re.search("<a:MessageID>(.*?)</a:MessageID>", text)
        assert identifier
        return answer.replace(b"MESSAGE-ID", identifier[1].encode())

    def run(self, command: str, arguments: Sequence[str], stdin: bytes) -> Any:
        raise AssertionError("no program is run here")

    def actions(self) -> list[str]:
        """The last word of each action that was sent."""
        return [re.findall("<a:Action[^>]*>.*/(.*?)</a:Action>", text)[0] for text in self.sent]


class FakeTime:
    """A clock that goes only when someone waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self.clock = Clock(lambda: self.now, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


Row = Mapping[str, str | list[str] | None]


class FakeSession(WSManSession):
    """A session on a machine of two functions: the rows of a query, and the out parameters of a method call."""

    def __init__(
        self, rows: Callable[[str], Sequence[Row]], call: Callable[[str, Mapping[str, Any]], Row | None] | None = None
    ) -> None:
        super().__init__(FakeTransport([]), "GUEST")
        self._rows = rows
        self._call = call
        self.queries: list[str] = []
        self.calls: list[tuple[str, dict[str, Any], dict[str, str]]] = []

    def query(self, wql: str, namespace: str = CIMV2, limit: int | None = None) -> list[Instance]:
        self.queries.append(wql)
        rows = self._rows(re.findall(r"FROM (\w+)", wql)[0])
        return [Instance("Row", dict(row)) for row in rows][:limit]

    def invoke(
        self,
        class_name: str,
        method: str,
        arguments: Mapping[str, Any] | None = None,
        selectors: Mapping[str, str] | None = None,
        namespace: str = CIMV2,
    ) -> Instance:
        self.calls.append((f"{class_name}.{method}", dict(arguments or {}), dict(selectors or {})))
        output = self._call(method, arguments or {}) if self._call else None
        return Instance("Output", {"ReturnValue": "0", **(output or {})})


def refusal(hresult: int) -> FaultError:
    """The fault of a method that failed with an HRESULT."""
    return FaultError("Es ist fehlgeschlagen.", 2150858778, (hresult, 2150858778))
