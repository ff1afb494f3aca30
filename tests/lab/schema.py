# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a WS-Management service demands of a request before it looks at what is asked: which headers, and the form of headers and body.

Sources: DSP0226 5.4 (addressing), 6 (control headers), 8 (enumeration); WS-Addressing of August 2004, 3 (which headers a request that wants
a reply must have); SOAP 1.2, 5.2.3 (mustUnderstand); [MS-WSMV] 2.2.4 and 3.1.4.1.31 for Microsoft's own headers; codes and texts from
wsmerror.h of the Windows SDK. The order of headers and of elements in a body does not matter.

UNVERIFIED: which of several mistakes Windows names first, and that it takes a MessageID which is a URI of any scheme.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from lab.soap import (
    ADDRESSING,
    ANONYMOUS,
    ENUMERATION,
    IDENTITY,
    MS_WSMAN,
    SHELL,
    SOAP,
    WSMAN,
    Request,
    WsmanFault,
    local_name,
    text_of,
)

_POLICY = "http://schemas.xmlsoap.org/ws/2004/09/policy"
#: Headers that the service understands, by namespace.
_KNOWN: Mapping[str, frozenset[str]] = {
    ADDRESSING: frozenset({"To", "From", "ReplyTo", "FaultTo", "Action", "MessageID", "RelatesTo"}),
    WSMAN: frozenset(
        {
            "ResourceURI",
            "SelectorSet",
            "OptionSet",
            "OperationTimeout",
            "MaxEnvelopeSize",
            "Locale",
            "FragmentTransfer",
            "RequestEPR",
            "RequestTotalItemsCountEstimate",
        }
    ),
    MS_WSMAN: frozenset({"DataLocale", "SessionId", "OperationID", "SequenceId", "Version", "Freshness"}),
    SHELL: frozenset({"CompressionType"}),
}
#: Without them a request that wants a reply is none (WS-Addressing, 3).
_REQUIRED = ("To", "Action", "MessageID", "ReplyTo")
#: DSP0226 6.2: a service may refuse less.
_SMALLEST_ENVELOPE = 8192
_MUST_UNDERSTAND = f"{{{SOAP}}}mustUnderstand"
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_TRUE, _FALSE = frozenset({"true", "1"}), frozenset({"false", "0"})


@dataclass(frozen=True)
class _Body:
    """The elements that the body of an action may have, and those that it must have, by namespace and name."""

    name: str
    optional: frozenset[tuple[str, str]] = frozenset()
    required: frozenset[tuple[str, str]] = frozenset()
    #: Of those: whose text is a number above zero.
    numbers: frozenset[tuple[str, str]] = field(default=frozenset())


_BODIES = {
    f"{ENUMERATION}/Enumerate": _Body(
        "Enumerate",
        optional=frozenset(
            {
                (WSMAN, "OptimizeEnumeration"),
                (WSMAN, "MaxElements"),
                (WSMAN, "Filter"),
                (WSMAN, "EnumerationMode"),
                (ENUMERATION, "Filter"),
                (ENUMERATION, "EndTo"),
                (ENUMERATION, "Expires"),
                (_POLICY, "Policy"),
            }
        ),
        numbers=frozenset({(WSMAN, "MaxElements")}),
    ),
    f"{ENUMERATION}/Pull": _Body(
        "Pull",
        optional=frozenset({(ENUMERATION, "MaxElements"), (ENUMERATION, "MaxCharacters"), (ENUMERATION, "MaxTime")}),
        required=frozenset({(ENUMERATION, "EnumerationContext")}),
        numbers=frozenset({(ENUMERATION, "MaxElements"), (ENUMERATION, "MaxCharacters")}),
    ),
    f"{ENUMERATION}/Release": _Body("Release", required=frozenset({(ENUMERATION, "EnumerationContext")})),
}


def check(request: Request) -> None:
    """See that a request is one. Raises the ``WsmanFault`` that a server answers with."""
    if request.body is not None and request.body.tag == f"{{{IDENTITY}}}Identify":
        # DSP0226 11: it has no headers at all.
        return
    headers = list(request.header.iterchildren(tag=etree.Element))
    for header in headers:
        _check_understood(header)
    names = Counter((etree.QName(header).namespace or "", local_name(header)) for header in headers)
    for name in _REQUIRED:
        if not names[ADDRESSING, name]:
            raise WsmanFault(
                2150858769,  # ERROR_WSMAN_MESSAGE_INFORMATION_HEADER_REQUIRED
                "The WS-Management service cannot process the request. The request does not have all the expected SOAP headers. ",
                "a:MessageInformationHeaderRequired",
                sender=True,
            )
    if any(number > 1 and namespace in _KNOWN for (namespace, _), number in names.items()):
        raise _invalid_header()
    _check_addressing(request)
    _check_control(request)
    _check_selectors(request.header)
    if (body := _BODIES.get(request.action)) is not None:
        _check_body(request, body)


def _check_understood(header: etree._Element) -> None:
    mark = header.get(_MUST_UNDERSTAND, "false").strip()
    if mark not in _TRUE | _FALSE:
        raise schema_error()
    name = etree.QName(header)
    if mark in _TRUE and name.localname not in _KNOWN.get(name.namespace or "", ()):
        raise WsmanFault(
            2150858768,  # ERROR_WSMAN_SOAP_FAULT_MUST_UNDERSTAND
            "The WS-Management service cannot process a SOAP header in the request that is marked as mustUnderstand by the client. This "
            "could be caused by the use of a version of the protocol which is not supported, or may be an incompatibility between the "
            "client and server implementations. ",
            subcode=None,
            value="MustUnderstand",
        )


def _check_addressing(request: Request) -> None:
    header = request.header
    for name in ("To", "Action", "MessageID"):
        if not _URI.fullmatch(text_of(header.find(f"{{{ADDRESSING}}}{name}"))):
            raise _invalid_header()
    reply_to = text_of(header.find(f"{{{ADDRESSING}}}ReplyTo/{{{ADDRESSING}}}Address"))
    # DSP0226 5.4.2: over HTTP a reply goes where the request came from.
    if reply_to != ANONYMOUS:
        raise _invalid_header()


def _check_control(request: Request) -> None:
    timeout = request.header.find(f"{{{WSMAN}}}OperationTimeout")
    if timeout is not None and not request.operation_timeout:
        raise WsmanFault(
            2150858881,  # ERROR_WSMAN_INVALID_TIMEOUT_HEADER
            "The WS-Management service cannot process the request because the timeout header in the request is invalid. ",
            "w:SchemaValidationError",
            sender=True,
        )
    size = request.header.find(f"{{{WSMAN}}}MaxEnvelopeSize")
    if size is not None:
        if request.max_envelope_size is None:
            raise schema_error()
        if request.max_envelope_size < _SMALLEST_ENVELOPE:
            raise WsmanFault(
                2150858878,  # ERROR_WSMAN_MIN_ENVELOPE_SIZE
                "The WS-Management service cannot process the request because the envelope size in the request is too small. ",
                "w:EncodingLimit",
                sender=True,
                detail="MinimumEnvelopeLimit",
            )


def _check_selectors(header: etree._Element) -> None:
    for selectors in header.findall(f"{{{WSMAN}}}SelectorSet"):
        names = [item.get("Name") for item in selectors]
        if any(item.tag != f"{{{WSMAN}}}Selector" for item in selectors) or None in names:
            raise schema_error()
        # DSP0226 5.4.3: no two of one name.
        if len({str(name).lower() for name in names}) < len(names):
            raise schema_error()


def _check_body(request: Request, expected: _Body) -> None:
    body = request.body
    if body is None or body.tag != f"{{{ENUMERATION}}}{expected.name}" or body.getnext() is not None:
        raise schema_error()
    children = [
        (etree.QName(child).namespace or "", local_name(child)) for child in body.iterchildren(tag=etree.Element)
    ]
    if len(set(children)) < len(children) or not expected.required <= set(children):
        raise schema_error()
    if not set(children) <= expected.optional | expected.required:
        raise schema_error()
    for child, name in zip(body.iterchildren(tag=etree.Element), children, strict=True):
        if name in expected.numbers and not re.fullmatch("0*[1-9][0-9]*", text_of(child)):
            raise schema_error()


def _invalid_header() -> WsmanFault:
    return WsmanFault(
        2150858767,  # ERROR_WSMAN_INVALID_MESSAGE_INFORMATION_HEADER
        "The WS-Management service cannot process the request. The request contains one or more invalid SOAP headers. ",
        "a:InvalidMessageInformationHeader",
        sender=True,
    )


def schema_error() -> WsmanFault:
    """The fault for a message that is none of WS-Management."""
    return WsmanFault(
        2150858817,  # ERROR_WSMAN_SCHEMA_VALIDATION_ERROR
        "The SOAP XML in the message does not match the corresponding XML schema definition. Change the XML and retry. ",
        "w:SchemaValidationError",
        sender=True,
    )
