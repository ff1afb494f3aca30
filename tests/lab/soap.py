# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""SOAP envelopes of WS-Management: requests read, answers and faults written.

Sources: DSP0226 (WS-Management), [MS-WSMV] 2.2.1 for the namespaces; the shapes of answers and faults as recorded from Windows
Server 2012 (the repository zenoss/txwinrm) and in the tests of microsoft/omi and diyan/pywinrm.
"""

from __future__ import annotations

import random
import re
import string
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

XML = "http://www.w3.org/XML/1998/namespace"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
MS_WSMAN = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
WSMAN_FAULT_ACTION = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
FAULT_DETAIL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/"
IDENTITY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
CIM = "http://schemas.dmtf.org/wbem/wscim/1/common"
CIM_BINDING = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd"
CIM_SCHEMA = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
WSMANFAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"

#: Prefixes as Windows writes them; ``p`` is whatever class the element is of.
_WINDOWS_PREFIXES = {
    SOAP: "s",
    ADDRESSING: "a",
    ENUMERATION: "n",
    TRANSFER: "x",
    WSMAN: "w",
    XSI: "xsi",
    CIM: "cim",
    CIM_BINDING: "b",
    WSMANFAULT: "f",
    SHELL: "rsp",
    IDENTITY: "wsmid",
}


#: The two texts that clients are most tempted to decide by, as machines of other languages say them. UNVERIFIED wordings.
_ACCESS_DENIED_TEXTS = {"de-DE": "Zugriff verweigert ", "ja-JP": "アクセスが拒否されました。 "}
_UNKNOWN_ERROR_TEXTS = {
    "en-US": "The WS-Management service cannot process the request. The WMI service or the WMI provider returned an unknown "
    "error",
    "de-DE": "Die Anforderung kann vom WS-Verwaltungsdienst nicht verarbeitet werden. Der WMI-Dienst oder der WMI-Anbieter hat "
    "einen unbekannten Fehler zurückgegeben",
    "ja-JP": "WS-Management サービスは要求を処理できません。WMI サービスまたは WMI プロバイダーから不明なエラーが返されました",
}


class Prefixes:
    """The namespace prefixes of one answer: as Windows writes them, or others."""

    def __init__(self, shuffle: random.Random | None) -> None:
        self._shuffle = shuffle
        self._chosen: dict[str, str] = {}

    def of(self, namespace: str) -> str:
        """The prefix for a namespace; of a class: ``p``."""
        if self._shuffle is None:
            return _WINDOWS_PREFIXES.get(namespace, "p")
        while namespace not in self._chosen:
            candidate = "".join(self._shuffle.choices(string.ascii_lowercase, k=3))
            if candidate not in self._chosen.values() and not candidate.startswith("xml"):
                self._chosen[namespace] = candidate
        return self._chosen[namespace]

    def map(self, *namespaces: str) -> dict[str, str]:
        """What lxml's ``nsmap`` wants."""
        return {self.of(namespace): namespace for namespace in namespaces}


class NotSoapError(Exception):
    """The body of the request is not an envelope that the service can answer with a fault: HTTP 400."""


@dataclass(frozen=True)
class Request:
    """A WS-Management request.

    :ivar header: The s:Header; an empty one if there is none.
    """

    header: etree._Element
    action: str
    resource_uri: str
    message_id: str
    selectors: Mapping[str, str]
    #: Bytes that the client takes, or None when it did not say.
    max_envelope_size: int | None
    #: Seconds, or None when the client did not say.
    operation_timeout: float | None
    #: The element inside the body, if any.
    body: etree._Element | None


@dataclass
class WsmanFault(Exception):
    """A fault of the WS-Management service: ``code`` is the WSManFault code, ``subcode`` a name with the prefix that Windows uses.

    :ivar value: The s:Value of the s:Code, if it is neither Sender nor Receiver.
    """

    code: int
    reason: str
    subcode: str | None = "w:InternalError"
    sender: bool = False
    #: Last part of the w:FaultDetail URI (DSP0226 14.6), if there is one.
    detail: str | None = None
    value: str | None = None


def unexpected_selectors() -> WsmanFault:
    """The fault for selectors that the resource does not have, as those of a shell that is closed."""
    return WsmanFault(
        2150858843,  # ERROR_WSMAN_UNEXPECTED_SELECTORS
        "The WS-Management service cannot process the request because the request contained invalid selectors for the "
        "resource. ",
        "w:InvalidSelectors",
        sender=True,
        detail="UnexpectedSelectors",
    )


@dataclass
class WmiFault(Exception):
    """A fault that WMI's provider raised, with its HRESULT; ``nested`` picks the shape of ``f:WSManFault`` with ``f:ProviderFault``."""

    hresult: int
    message: str
    nested: bool


@dataclass(frozen=True)
class Context:
    """What an answer needs to know of its machine and request."""

    machine: str
    language: str
    message_id: str = ""
    prefixes: Prefixes = field(default_factory=lambda: Prefixes(None))


def text_of(element: etree._Element | None) -> str:
    """The stripped text of an element, empty for none: whitespace around values is not significant (DSP0226)."""
    return (element.text or "").strip() if element is not None else ""


def local_name(element: etree._Element) -> str:
    """The element's name without its namespace."""
    return etree.QName(element).localname


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )


def parse(data: bytes) -> Request:
    """Read a request. Raises ``NotSoapError``."""
    try:
        root = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as error:
        raise NotSoapError(str(error)) from error
    header = root.find(f"{{{SOAP}}}Header")
    body = root.find(f"{{{SOAP}}}Body")
    if root.tag != f"{{{SOAP}}}Envelope" or body is None or root.getroottree().docinfo.internalDTD is not None:
        raise NotSoapError("not a SOAP 1.2 envelope")
    content = next(iter(body), None)
    if header is None:
        header = etree.Element(f"{{{SOAP}}}Header")
    size = text_of(header.find(f"{{{WSMAN}}}MaxEnvelopeSize"))
    return Request(
        header=header,
        action=text_of(header.find(f"{{{ADDRESSING}}}Action")),
        resource_uri=text_of(header.find(f"{{{WSMAN}}}ResourceURI")),
        message_id=text_of(header.find(f"{{{ADDRESSING}}}MessageID")),
        selectors={
            item.get("Name", ""): text_of(item)
            for item in header.findall(f"{{{WSMAN}}}SelectorSet/{{{WSMAN}}}Selector")
        },
        max_envelope_size=int(size) if size.isdigit() else None,
        operation_timeout=_duration(text_of(header.find(f"{{{WSMAN}}}OperationTimeout"))),
        body=content,
    )


def _duration(value: str) -> float | None:
    """Seconds of an xs:duration up to days: ``PT20S``, ``PT20.000S``, ``PT1M``, ``P0DT0H1M``; None for what is none."""
    match = re.fullmatch(r"P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", value)
    if match is None or not any(match.groups()):
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return days * 86400 + hours * 3600 + minutes * 60 + seconds


def new_id() -> str:
    """A message or context identifier."""
    return f"uuid:{str(uuid.uuid4()).upper()}"


def envelope(context: Context, action: str, *content: etree._Element) -> bytes:
    """An answer: ``content`` goes into the body."""
    used = context.prefixes.map(SOAP, ADDRESSING, ENUMERATION, TRANSFER, WSMAN)
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap=used)
    root.set(f"{{{XML}}}lang", context.language)
    header = etree.SubElement(root, f"{{{SOAP}}}Header")
    etree.SubElement(header, f"{{{ADDRESSING}}}Action").text = action
    etree.SubElement(header, f"{{{ADDRESSING}}}MessageID").text = new_id()
    etree.SubElement(header, f"{{{ADDRESSING}}}To").text = ANONYMOUS
    if context.message_id:
        etree.SubElement(header, f"{{{ADDRESSING}}}RelatesTo").text = context.message_id
    body = etree.SubElement(root, f"{{{SOAP}}}Body")
    body.extend(content)
    return etree.tostring(root, encoding="utf-8", xml_declaration=False)


def fault(context: Context, error: WsmanFault | WmiFault) -> bytes:
    """The envelope of a fault."""
    value = None
    if isinstance(error, WsmanFault):
        sender, subcode, value = error.sender, error.subcode, error.value
        reason = _ACCESS_DENIED_TEXTS.get(context.language, error.reason) if error.code == 5 else error.reason
    else:
        sender, subcode = False, "w:InternalError"
        reason = _provider_reason(context, error)
    prefixes = context.prefixes
    root = etree.Element(f"{{{SOAP}}}Fault", nsmap=prefixes.map(SOAP, WSMAN, ADDRESSING))
    code = etree.SubElement(root, f"{{{SOAP}}}Code")
    etree.SubElement(
        code, f"{{{SOAP}}}Value"
    ).text = f"{prefixes.of(SOAP)}:{value or ('Sender' if sender else 'Receiver')}"
    if subcode is not None:
        outer = etree.SubElement(code, f"{{{SOAP}}}Subcode")
        namespace = {"w": WSMAN, "a": ADDRESSING, "n": ENUMERATION}[subcode[0]]
        etree.SubElement(outer, f"{{{SOAP}}}Value").text = prefixes.of(namespace) + subcode[1:]
    etree.SubElement(
        etree.SubElement(root, f"{{{SOAP}}}Reason"), f"{{{SOAP}}}Text", {f"{{{XML}}}lang": context.language}
    ).text = reason
    detail = etree.SubElement(root, f"{{{SOAP}}}Detail")
    if isinstance(error, WsmanFault):
        if error.detail:
            etree.SubElement(detail, f"{{{WSMAN}}}FaultDetail").text = FAULT_DETAIL + error.detail
        _wsman_fault(detail, context, error.code, context.machine, reason)
    elif error.nested:
        _provider_fault(detail, context, error)
    else:
        _wmi_error(detail, context, error)
    return envelope(context, WSMAN_FAULT_ACTION, root)


def _provider_reason(context: Context, error: WmiFault) -> str:
    """What WinRM says before an HRESULT that it has no text for."""
    return (
        f"{_UNKNOWN_ERROR_TEXTS.get(context.language, _UNKNOWN_ERROR_TEXTS['en-US'])}: HRESULT 0x{error.hresult:08x} "
    )


def _wsman_fault(
    parent: etree._Element, context: Context, code: int, machine: str, message: str | None
) -> etree._Element:
    """An f:WSManFault; returns its f:Message."""
    element = etree.SubElement(parent, f"{{{WSMANFAULT}}}WSManFault", nsmap=context.prefixes.map(WSMANFAULT))
    element.set("Code", str(code))
    element.set("Machine", machine)
    text = etree.SubElement(element, f"{{{WSMANFAULT}}}Message")
    text.text = message
    return text


def _provider_fault(detail: etree._Element, context: Context, error: WmiFault) -> None:
    message = _wsman_fault(detail, context, error.hresult, context.machine, None)
    provider = etree.SubElement(message, f"{{{WSMANFAULT}}}ProviderFault")
    provider.set("provider", "WMI Provider")
    provider.set("path", "%systemroot%\\system32\\WsmWmiPl.dll")
    _wsman_fault(provider, context, error.hresult, context.machine, _provider_reason(context, error))
    extended = etree.SubElement(provider, f"{{{WSMANFAULT}}}ExtendedError")
    values: list[tuple[str, str, str | None]] = [
        ("Description", "String", error.message),
        ("Operation", "String", "ExecMethod"),
        ("ParameterInfo", "String", None),
        ("ProviderName", "String", "WinMgmt"),
        ("StatusCode", "UnsignedInt", None),
    ]
    _error_instance(extended, context, "__ExtendedStatus", values)


def _wmi_error(detail: etree._Element, context: Context, error: WmiFault) -> None:
    values: list[tuple[str, str, str | None]] = [
        ("CIMStatusCode", "UnsignedInt", "27"),
        ("CIMStatusCodeDescription", "String", None),
        ("ErrorSource", "String", None),
        ("ErrorSourceFormat", "UnsignedShort", "0"),
        ("ErrorType", "UnsignedShort", "0"),
        ("Message", "String", _provider_reason(context, error)),
        ("MessageID", "String", f"HRESULT 0x{error.hresult:08x}"),
        ("OtherErrorSourceFormat", "String", None),
        ("OtherErrorType", "String", None),
        ("OwningEntity", "String", None),
        ("PerceivedSeverity", "UnsignedShort", "0"),
        ("ProbableCause", "UnsignedShort", "0"),
        ("ProbableCauseDescription", "String", None),
        ("error_Category", "UnsignedInt", "30"),
        ("error_Code", "UnsignedInt", str(error.hresult)),
        ("error_Type", "String", "HRESULT"),
        ("error_WindowsErrorMessage", "String", error.message),
    ]
    element = _error_instance(detail, context, "MSFT_WmiError", values, CIM_BINDING)
    element.set(f"{{{CIM_BINDING}}}IsCIM_Error", "true")


def _error_instance(
    parent: etree._Element, context: Context, name: str, values: list[tuple[str, str, str | None]], *namespaces: str
) -> etree._Element:
    uri = CIM_SCHEMA + name
    element = etree.SubElement(parent, f"{{{uri}}}{name}", nsmap=context.prefixes.map(XSI, uri, CIM, *namespaces))
    element.set(f"{{{XSI}}}type", f"{context.prefixes.of(uri)}:{name}_Type")
    for key, kind, value in values:
        child = etree.SubElement(element, f"{{{uri}}}{key}")
        child.set(f"{{{XSI}}}type", f"{context.prefixes.of(CIM)}:cim{kind}")
        if value is None:
            child.set(f"{{{XSI}}}nil", "true")
        else:
            child.text = value
    return element
