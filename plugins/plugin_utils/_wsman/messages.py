# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WS-Management messages for WMI: written and read without I/O. Private to this collection.

Sources: DMTF DSP0226 (WS-Management), DSP0227 (CIM binding), [MS-WSMV], and responses recorded from real hosts, which differ in
prefixes, item wrapping and result shape. Namespaces and local names decide here, never prefixes or text.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .._session import xml
from .._session.errors import FaultError, InvalidAnswerError, ordered_hresults
from .._session.escape import xml_text
from .._session.instance import Instance, Reference, Value
from .._session.session import Argument

_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
_TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
_WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
_MS_WSMAN = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
_WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
_WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
_ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"

#: MaxEnvelopeSizekb of a default WinRM service is 500 (facts/wsman.md, "Limits"): the largest answer that it may send.
MAX_ENVELOPE_BYTES = 500 * 1024
#: MaxBatchItems of a default WinRM service. Without MaxElements a real Hyper-V host returns one item a Pull.
MAX_ELEMENTS = 32000

#: What an argument of a method may be: text, a number, a boolean, or an array of text.


@dataclass(frozen=True)
class Header:
    """What every request says of itself: where to, with which id, how long Windows may take (seconds)."""

    to: str
    message_id: str
    operation_timeout: int


@dataclass(frozen=True)
class Page:
    """One answer of an enumeration: its items, and the context of the next Pull if there is more."""

    items: list[Instance]
    context: str | None


def resource_uri(namespace: str, class_name: str) -> str:
    """The resource URI of a class; ``*`` stands for the namespace, as WQL demands."""
    return f"{_WMI}{namespace}/{class_name}"


def enumerate_wql(header: Header, namespace: str, wql: str, max_elements: int = MAX_ELEMENTS) -> bytes:
    """An Enumerate with a WQL filter, which answers with the first items already."""
    body = (
        f"<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>{max_elements}</w:MaxElements>"
        f'<w:Filter Dialect="{_WQL}">{xml_text(wql)}</w:Filter></n:Enumerate>'
    )
    return _envelope(header, f"{_ENUMERATION}/Enumerate", resource_uri(namespace, "*"), body)


def pull(header: Header, namespace: str, context: str, max_elements: int = MAX_ELEMENTS) -> bytes:
    """A Pull of the next items."""
    body = (
        f"<n:Pull><n:EnumerationContext>{xml_text(context)}</n:EnumerationContext>"
        f"<n:MaxElements>{max_elements}</n:MaxElements></n:Pull>"
    )
    return _envelope(header, f"{_ENUMERATION}/Pull", resource_uri(namespace, "*"), body)


def release(header: Header, namespace: str, context: str) -> bytes:
    """The end of an enumeration that is not read to its end."""
    body = f"<n:Release><n:EnumerationContext>{xml_text(context)}</n:EnumerationContext></n:Release>"
    return _envelope(header, f"{_ENUMERATION}/Release", resource_uri(namespace, "*"), body)


def get(header: Header, namespace: str, class_name: str, selectors: Mapping[str, str]) -> bytes:
    """A Get of the instance that the selectors name."""
    return _envelope(header, f"{_TRANSFER}/Get", resource_uri(namespace, class_name), "", selectors)


def invoke(
    header: Header,
    namespace: str,
    class_name: str,
    method: str,
    arguments: Mapping[str, Argument],
    selectors: Mapping[str, str],
) -> bytes:
    """A method call, on the instance that the selectors name or, without any, on the class."""
    uri = resource_uri(namespace, class_name)
    parameters = "".join(_parameter(name, value) for name, value in arguments.items())
    body = f'<p:{method}_INPUT xmlns:p="{xml_text(uri)}">{parameters}</p:{method}_INPUT>'
    return _envelope(header, f"{uri}/{method}", uri, body, selectors)


def _parameter(name: str, value: Argument) -> str:
    values: Sequence[str | int | bool] = [value] if isinstance(value, (str, int)) else value
    return "".join(f"<p:{name}>{xml_text(_lexical(item))}</p:{name}>" for item in values)


def _lexical(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _envelope(header: Header, action: str, uri: str, body: str, selectors: Mapping[str, str] | None = None) -> bytes:
    selector_set = "".join(
        f'<w:Selector Name="{xml_text(name)}">{xml_text(value)}</w:Selector>'
        for name, value in (selectors or {}).items()
    )
    if selector_set:
        selector_set = f"<w:SelectorSet>{selector_set}</w:SelectorSet>"
    return (
        f'<s:Envelope xmlns:s="{_SOAP}" xmlns:a="{_ADDRESSING}" xmlns:n="{_ENUMERATION}" xmlns:w="{_WSMAN}">'
        f"<s:Header><a:To>{xml_text(header.to)}</a:To>"
        f'<w:ResourceURI s:mustUnderstand="true">{xml_text(uri)}</w:ResourceURI>'
        f"<a:ReplyTo><a:Address>{_ANONYMOUS}</a:Address></a:ReplyTo>"
        f'<a:Action s:mustUnderstand="true">{xml_text(action)}</a:Action>'
        f'<w:MaxEnvelopeSize s:mustUnderstand="true">{MAX_ENVELOPE_BYTES}</w:MaxEnvelopeSize>'
        f"<a:MessageID>{header.message_id}</a:MessageID>"
        f'<w:Locale xml:lang="en-US"/><p:DataLocale xmlns:p="{_MS_WSMAN}" xml:lang="en-US"/>'
        f"{selector_set}<w:OperationTimeout>PT{header.operation_timeout}S</w:OperationTimeout></s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def read(answer: bytes, message_id: str | None = None) -> ET.Element:
    """The one element in the body of an answer.

    :param message_id: The id of the request; an answer that relates to another one is refused.
    :raises FaultError: The answer is a fault.
    :raises InvalidAnswerError: It is not a SOAP envelope, or answers another request.
    """
    envelope = xml.parse(answer)
    body = envelope.find(f"{{{_SOAP}}}Body")
    if envelope.tag != f"{{{_SOAP}}}Envelope" or body is None:
        raise InvalidAnswerError("the answer is not a SOAP envelope")
    relates_to = envelope.findtext(f"{{{_SOAP}}}Header/{{{_ADDRESSING}}}RelatesTo")
    if message_id and relates_to and relates_to.strip().lower() != message_id.lower():
        raise InvalidAnswerError("the answer relates to another request")
    content = next(iter(body), None)
    if content is not None and content.tag == f"{{{_SOAP}}}Fault":
        raise _fault(content)
    return body if content is None else content


def read_page(content: ET.Element) -> Page:
    """An EnumerateResponse or PullResponse.

    :raises InvalidAnswerError: It is something else.
    """
    if content.tag not in (f"{{{_ENUMERATION}}}EnumerateResponse", f"{{{_ENUMERATION}}}PullResponse"):
        raise InvalidAnswerError(f"the answer to an enumeration is a {xml.local_name(content.tag)}")
    items: list[Instance] = []
    context, finished = None, False
    for element in content:
        name = xml.local_name(element.tag)
        if name == "Items":
            items = [_item(item) for item in element]
        elif name == "EnumerationContext":
            context = (element.text or "").strip() or None
        elif name == "EndOfSequence":
            finished = True
    return Page(items, None if finished else context)


def read_instance(content: ET.Element) -> Instance:
    """The answer to a Get: the body holds the instance itself."""
    return _instance(content)


def read_output(content: ET.Element, method: str) -> Instance:
    """The out parameters of a method, ReturnValue among them.

    :raises InvalidAnswerError: It is something else.
    """
    if xml.local_name(content.tag).lower() != f"{method}_OUTPUT".lower():
        raise InvalidAnswerError(f"the answer to the method {method} is a {xml.local_name(content.tag)}")
    return _instance(content)


def _item(element: ET.Element) -> Instance:
    if element.tag == f"{{{_WSMAN}}}Item" and len(element):
        element = element[0]
    return _instance(element)


def _instance(element: ET.Element) -> Instance:
    values: dict[str, Value | list[Value]] = {}
    for child in element:
        name, value = xml.local_name(child.tag), _value(child)
        if name not in values:
            values[name] = value
            continue
        present = values[name]
        if isinstance(present, list):
            present.append(value)
        else:
            values[name] = [present, value]
    return Instance(xml.local_name(element.tag), values)


def _value(element: ET.Element) -> Value:
    if element.get(_NIL, "").strip() in ("true", "1"):
        return None
    uri = element.find(f".//{{{_WSMAN}}}ResourceURI")
    if uri is not None:
        selectors = {
            selector.get("Name", ""): (selector.text or "").strip()
            for selector in element.iter(f"{{{_WSMAN}}}Selector")
        }
        return Reference((uri.text or "").strip(), selectors)
    datetime = next((child for child in element if xml.local_name(child.tag) == "Datetime"), None)
    return (element if datetime is None else datetime).text or ""


_HRESULT_TEXT = re.compile(r"\b0x([0-9A-Fa-f]{8})\b")


def _fault(fault: ET.Element) -> FaultError:
    """Windows puts the code of a failed method in different places ([MS-WSMV] 2.2.4.43, facts/wsman.md "Faults"): search them all."""
    reason = _text(fault.find(f"{{{_SOAP}}}Reason/{{{_SOAP}}}Text"))
    detail = fault.find(f"{{{_SOAP}}}Detail")
    wsman_code: int | None = None
    specific: list[int | None] = []
    generic: list[int | None] = []
    messages: list[str] = []
    for element in detail.iter() if detail is not None else ():
        name = xml.local_name(element.tag)
        code = _number(element.get("Code"))
        if name == "WSManFault" and wsman_code is None:
            wsman_code = code
            generic.append(code)
        elif code is not None:
            specific.append(code)
        if name in ("error_Code", "StatusCode"):
            specific.append(_number(element.text))
        elif name == "MessageID":
            specific.extend(int(digits, 16) for digits in _HRESULT_TEXT.findall(element.text or ""))
        elif name == "Message" and len(element) == 0:
            messages.append(_text(element))
    in_text = [int(digits, 16) for message in [*messages, reason] for digits in _HRESULT_TEXT.findall(message)]
    hresults = ordered_hresults([*specific, *in_text], generic)
    return FaultError(reason or next(filter(None, messages), "no reason given"), wsman_code, hresults)


def _text(element: ET.Element | None) -> str:
    return " ".join("".join(element.itertext()).split()) if element is not None else ""


def _number(text: str | None) -> int | None:
    try:
        return int((text or "").strip(), 0) & 0xFFFFFFFF
    except ValueError:
        return None
