# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording of what goes over the wire, without what tells whose machines they are. Private to this collection.

An allow-list decides: the structure of a message stays, and of its text what is named here; every other word becomes a pseudonym. The
same word has the same pseudonym for as long as the controller's process and its children live, and nobody can compute it.
"""

from __future__ import annotations

import hmac
import io
import re
import secrets
import tempfile
import time
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax import parseString
from xml.sax.saxutils import XMLGenerator

from .._session import xml
from .._session.errors import InvalidAnswerError
from .._session.instance import parse_datetime
from .._session.session import ProcessResult
from .session import Transport


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Made before Ansible forks a process for every task, so that all have the same; kept nowhere.
_SECRET = secrets.token_bytes(32)

#: Elements and selectors whose text stays: of the protocol, and properties that hold a number or one of Microsoft's own words.
_KEPT_ELEMENTS = _set(
    "MaxElements MaxEnvelopeSize OperationTimeout Value "
    "CIMStatusCode ErrorCode ErrorSourceFormat ErrorType OwningEntity PerceivedSeverity ProbableCause error_Category error_Code error_Type "
    "BuildNumber Caption EnabledState EventCode GracePeriodRemaining ID JobState LicenseFamily LicenseStatus LicenseStatusReason "
    "Model OperatingSystemSKU ProductKeyChannel RecordNumber ReturnValue State Version hDefKey uValue"
)
#: Elements that hold the URI of a schema, which stays, or the address of a machine.
_ADDRESSES = _set("Action Address ResourceURI To")
_KEPT_ATTRIBUTES = _set("Code Dialect Name lang mustUnderstand nil type")
#: Words that stay wherever they are: what this collection asks for by name, and what Windows names its own things.
_KEPT_WORDS = _set(
    "true false http https wsman 5985 5986 uuid HRESULT WMI MI_RESULT Microsoft Windows Application Security SPP Software "
    "Protection Platform Service SOFTWARE Virtual Machine Guest Parameters vmms VMBUS Msvm_ComputerSystem "
    "Msvm_KvpExchangeComponentSettingData Msvm_KvpExchangeDataItem Msvm_VirtualSystemManagementService HostName "
    "HostingSystemEditionId HostingSystemNestedLevel HostingSystemOsMajor HostingSystemOsMinor PhysicalHostName "
    "PhysicalHostNameFullyQualified VirtualMachineId VirtualMachineName vmickvpexchange "
    "FullyQualifiedDomainName NetworkAddressIPv4 NetworkAddressIPv6 RDPAddressIPv4 RDPAddressIPv6"
)
#: Windows itself, the Data Exchange service, and the devices of the activation component and of Data Exchange.
_KEPT_GUIDS = frozenset(
    (
        "55c92734-d682-4d71-983e-d6ec3f16059f",
        "2a34b1c2-fd73-4043-8a5b-dd2159bc743f",
        "3375baf4-9e15-4b30-b765-67acb10d607b",
        "a9a0f4e7-5a45-4d96-b827-8a841e8c03e6",
    )
)
#: KVP items whose data stays.
_KEPT_ITEMS = _set(
    "IntegrationServicesVersion OSBuildNumber OSEditionId OSMajorVersion OSMinorVersion OSName OSPlatformId OSVendor OSVersion "
    "ProcessorArchitecture ProductType ServicePackMajor ServicePackMinor SuiteMask"
)
# The name and the description of a licence; only Windows' own have the sign.
_LICENSE_TEXT = re.compile(r"Windows\(R\)[\w ,:()-]*")
_GUID = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_WORD = re.compile(rf"(?P<guid>{_GUID})|(?P<hresult>\b0x[0-9A-Fa-f]{{8}}\b)|\w+")
_WQL_LITERAL = re.compile(r"'((?:\\.|[^'\\])*)'")
_SCHEMAS = ("http://schemas.", "http://www.w3.org/")


class RecordingTransport:
    """A ``Transport`` over another one that writes each request and each answer, scrubbed, into a new folder for each session."""

    def __init__(self, transport: Transport, folder: Path) -> None:
        """Record a session.

        :param folder: Where to make the session's folder.
        :raises OSError: It cannot be made.
        """
        self._transport = transport
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix=time.strftime("%Y%m%dT%H%M%S-"), dir=folder))
        self._exchanges = 0
        self.endpoint = transport.endpoint
        self.operation_timeout = transport.operation_timeout

    @property
    def encrypted(self) -> bool:
        return self._transport.encrypted

    def send(self, message: bytes) -> bytes:
        self._exchanges += 1
        self._write("request.xml", scrub(message))
        answer = self._transport.send(message)
        self._write("answer.xml", scrub(answer))
        return answer

    def run(self, command: str, arguments: Sequence[str], stdin: bytes) -> ProcessResult:
        self._exchanges += 1
        result = self._transport.run(command, arguments, stdin)
        # Standard input holds product keys, and what programs print is in no form that an allow-list could judge.
        self._write(
            "process.txt",
            f"arguments: {sum(map(len, arguments))} characters, standard input: {len(stdin)} bytes, exit code: {result.exit_code}, "
            f"standard output: {len(result.stdout)} bytes, standard error: {len(result.stderr)} bytes",
        )
        return result

    def _write(self, name: str, text: str) -> None:
        (self._folder / f"{self._exchanges:04}-{name}").write_text(f"{text}\n", encoding="utf-8")


def scrub(message: bytes) -> str:
    """A message without what tells whose machines they are; of what is no XML, nothing but its size."""
    try:
        # It refuses document types, too.
        xml.parse(message)
    except InvalidAnswerError:
        return f"not XML: {len(message)} bytes"
    scrubber = _Scrubber()
    parseString(message, scrubber)
    return scrubber.text()


class _Scrubber(XMLGenerator):
    """Writes a document anew, prefixes and all, with other text."""

    def __init__(self) -> None:
        self._output = io.StringIO()
        super().__init__(self._output)
        # The elements that are open: the name of each, and for a selector that of what it selects by.
        self._names: list[str] = []
        self._pending: list[str] = []

    def text(self) -> str:
        """The document."""
        return self._output.getvalue()

    def startDocument(self) -> None:  # noqa: N802
        pass

    def processingInstruction(self, target: str, data: str) -> None:  # noqa: N802
        pass

    def startElement(self, name: str, attrs: Mapping[str, str]) -> None:  # type: ignore[override]  # noqa: N802
        self._write_text()
        local = _local(name)
        self._names.append(attrs.get("Name", "") if local == "Selector" else local)
        super().startElement(name, {key: _attribute(key, value) for key, value in attrs.items()})  # type: ignore[arg-type]

    def characters(self, content: str) -> None:
        self._pending.append(content)

    def endElement(self, name: str) -> None:  # noqa: N802
        self._write_text()
        self._names.pop()
        super().endElement(name)

    def _write_text(self) -> None:
        text = "".join(self._pending)
        self._pending.clear()
        if text:
            super().characters(_element_text(self._names[-1], text))


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _attribute(name: str, value: str) -> str:
    kept = value.startswith(_SCHEMAS) if name.startswith("xmlns") else _local(name) in _KEPT_ATTRIBUTES
    return value if kept else _words(value)


def _element_text(name: str, text: str) -> str:
    if name in _ADDRESSES and text.strip().startswith(_SCHEMAS):
        return text
    if name in _KEPT_ELEMENTS or (name in ("Name", "Description") and _LICENSE_TEXT.fullmatch(text)):
        return text
    if name == "Filter":
        return _WQL_LITERAL.sub(lambda match: f"'{_value(match[1])}'", text)
    return _embedded(text) if text.lstrip().startswith("<INSTANCE") else _value(text)


def _embedded(text: str) -> str:
    """An instance in CIM-XML, such as a KVP item."""
    try:
        instance = xml.parse(text)
    except InvalidAnswerError:
        return _words(text)
    values = {item.get("NAME"): item.find("VALUE") for item in instance.iter("PROPERTY")}
    name = values.get("Name")
    item = (name.text or "") if name is not None else ""
    for key, value in values.items():
        kept = key in ("EnabledState", "Source") or (item in _KEPT_ITEMS and key in ("Name", "Data"))
        if value is not None and value.text and not kept:
            value.text = _words(value.text)
    return ET.tostring(instance, encoding="unicode")


def _value(text: str) -> str:
    """A whole value: moments stay."""
    try:
        parse_datetime(text)
    except ValueError:
        return _words(text)
    return text


def _words(text: str) -> str:
    return _WORD.sub(_pseudonym, text)


def _pseudonym(match: re.Match[str]) -> str:
    word = match[0]
    if match["hresult"] or word in _KEPT_WORDS or word.lower() in _KEPT_GUIDS:
        return word
    digest = hmac.digest(_SECRET, word.lower().encode(), "sha256")
    if match["guid"]:
        guid = str(uuid.UUID(bytes=digest[:16]))
        return guid.upper() if word.isupper() else guid
    return f"x{digest[:4].hex()}"
