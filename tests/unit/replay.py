"""Plays recordings of real machines (docs/recording.md) back to the session that made them."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ansible_collections.hyperv.avma.plugins.plugin_utils._session.errors import FaultError
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.instance import Instance
from ansible_collections.hyperv.avma.plugins.plugin_utils._wsman import messages
from ansible_collections.hyperv.avma.plugins.plugin_utils._wsman.session import WSManSession

NAMES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "n": "http://schemas.xmlsoap.org/ws/2004/09/enumeration",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
}
_WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"


def sessions(folder: Path) -> list[Path]:
    """The recorded sessions of a folder."""
    return sorted(path for path in folder.iterdir() if path.is_dir())


def recorded() -> list[Path]:
    """Sessions recorded from real machines: in ``recordings`` beside this file, and where HYPERV_AVMA_RECORDINGS says."""
    folders = [Path(__file__).with_name("recordings")]
    if os.environ.get("HYPERV_AVMA_RECORDINGS"):
        folders.append(Path(os.environ["HYPERV_AVMA_RECORDINGS"]))
    return [session for folder in folders if folder.is_dir() for session in sessions(folder)]


class ReplayTransport:
    """A transport that expects the requests of a recorded session, in their order, and gives their answers."""

    encrypted = True

    def __init__(self, session: Path) -> None:
        # A request without an answer is one during which the connection was lost.
        answered = [path for path in sorted(session.glob("*-request.xml")) if self._answer(path).exists()]
        # What was asked again counts once, with its last answer.
        self._left = [
            path
            for path, following in zip_longest(answered, answered[1:])
            if not (following and _words(path) == _words(following) and self._passing(path))
        ]
        header = ET.parse(self._left[0]).getroot() if self._left else ET.Element("none")
        self.endpoint = header.findtext("s:Header/a:To", "", NAMES)
        timeout = header.findtext("s:Header/w:OperationTimeout", "PT0S", NAMES)
        self.operation_timeout = int(re.sub(r"\D", "", timeout))

    @staticmethod
    def _answer(request: Path) -> Path:
        return request.with_name(request.name.replace("-request", "-answer"))

    def _passing(self, request: Path) -> bool:
        try:
            messages.read(self._answer(request).read_bytes().strip())
        except FaultError as fault:
            return fault.passing
        return False

    @property
    def next_request(self) -> ET.Element | None:
        """The request that is expected."""
        return ET.parse(self._left[0]).getroot() if self._left else None

    def send(self, message: bytes) -> bytes:
        request = self._left.pop(0)
        recorded_id, sent_id = (_message_id(text) for text in (request.read_text(encoding="utf-8"), message.decode()))
        expected = request.read_text(encoding="utf-8").replace(recorded_id, sent_id)
        assert ET.canonicalize(message.decode()) == ET.canonicalize(expected.strip()), f"another request than {request}"
        return self._answer(request).read_text(encoding="utf-8").strip().replace(recorded_id, sent_id).encode()

    def run(self, command: str, arguments: Sequence[str], stdin: bytes) -> Any:
        raise AssertionError("programs are not recorded")


def replay(session: Path) -> list[list[Instance] | FaultError]:
    """Ask for everything that a session asked for, in the same words; what the session made of the answers."""
    transport = ReplayTransport(session)
    asker = WSManSession(transport, session.name)
    asker.patience = 0
    outcomes: list[list[Instance] | FaultError] = []
    while (request := transport.next_request) is not None:
        try:
            outcomes.append(_ask(asker, request))
        except FaultError as fault:
            outcomes.append(fault)
    return outcomes


def _ask(session: WSManSession, request: ET.Element) -> list[Instance]:
    namespace, _, class_name = request.findtext("s:Header/w:ResourceURI", "", NAMES).removeprefix(_WMI).rpartition("/")
    selectors = {item.get("Name", ""): item.text or "" for item in request.iterfind(".//w:Selector", NAMES)}
    action = request.findtext("s:Header/a:Action", "", NAMES).rpartition("/")[2]
    if action == "Enumerate":
        most = int(request.findtext(".//w:MaxElements", "", NAMES))
        wql = request.findtext(".//w:Filter", "", NAMES)
        return session.query(wql, namespace, None if most == messages.MAX_ELEMENTS else most)
    if action == "Get":
        return [session.get(class_name, selectors, namespace)]
    arguments: dict[str, list[str]] = {}
    for item in request.find("s:Body", NAMES)[0]:  # type: ignore[index]
        arguments.setdefault(item.tag.rpartition("}")[2], []).append(item.text or "")
    return [session.invoke(class_name, action, arguments, selectors, namespace)]


def _words(request: Path) -> str:
    text = request.read_text(encoding="utf-8")
    return text.replace(_message_id(text), "")


def _message_id(text: str) -> str:
    match = re.search(r"MessageID>\s*(.*?)\s*<", text)
    assert match, "a request without MessageID"
    return match[1]
