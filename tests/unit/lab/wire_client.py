# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""WS-Man requests for the tests of the wire, carried by the real clients, and what is in the answers."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from pypsrp.wsman import WSMan
from winrm.protocol import Protocol

from lab.soap import ADDRESSING, ANONYMOUS, CIM, ENUMERATION, SOAP, TRANSFER, WSMAN, XSI
from unit.lab.wire_model import ACCOUNT, WireLab

WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
ALL = WMI + "root/cimv2/*"
THING = WMI + "root/cimv2/Test_Thing"
DIALECT = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
#: Sends a request's envelope, returns the answer's; raises the client's own exceptions.
Send = Callable[[str], bytes]


def pywinrm(lab: WireLab, transport: str = "ntlm", machine: str = "WIRE01", **options: Any) -> Protocol:
    """A pywinrm client."""
    scheme = "https" if lab.machines[machine].listener.tls else "http"
    credentials = {"username": ACCOUNT.name, "password": ACCOUNT.password, "proxy": None}
    return Protocol(
        f"{scheme}://127.0.0.1:{lab.port(machine)}/wsman", transport=transport, **{**credentials, **options}
    )


def pypsrp(lab: WireLab, auth: str = "negotiate", machine: str = "WIRE01", **options: Any) -> WSMan:
    """A pypsrp client."""
    credentials = {"username": ACCOUNT.name, "password": ACCOUNT.password, "no_proxy": True}
    tls = lab.machines[machine].listener.tls
    return WSMan("127.0.0.1", port=lab.port(machine), ssl=tls, auth=auth, **{**credentials, **options})


def sender(client: Protocol | WSMan) -> Send:
    """What sends an envelope with this client."""
    if isinstance(client, WSMan):
        return lambda message: client.transport.send(message.encode())
    return client.send_message  # type: ignore[no-any-return]


def tls_files(directory: Path) -> tuple[str, str, str]:
    """Authority, client certificate and its key, as the lab wrote them."""
    return str(directory / "ca.pem"), str(directory / "client.pem"), str(directory / "client.key")


def request(action: str, uri: str, body: str = "", selectors: dict[str, str] | None = None, size: int = 153600) -> str:
    """An envelope."""
    chosen = "".join(
        f'<w:Selector Name="{name}">{escape(value)}</w:Selector>' for name, value in (selectors or {}).items()
    )
    return (
        f'<s:Envelope xmlns:s="{SOAP}" xmlns:a="{ADDRESSING}" xmlns:n="{ENUMERATION}" xmlns:w="{WSMAN}" '
        f'xmlns:xsi="{XSI}" xmlns:cim="{CIM}"><s:Header><a:To>http://localhost:5985/wsman</a:To><a:Action>{action}</a:Action>'
        f"<a:ReplyTo><a:Address>{ANONYMOUS}</a:Address></a:ReplyTo>"
        f"<a:MessageID>uuid:11111111-2222-4333-8444-555555555555</a:MessageID><w:ResourceURI>{uri}</w:ResourceURI>"
        f"<w:MaxEnvelopeSize>{size}</w:MaxEnvelopeSize><w:OperationTimeout>PT20S</w:OperationTimeout>"
        f"<w:SelectorSet>{chosen}</w:SelectorSet></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )


def enumerate_request(
    wql: str | None,
    uri: str = ALL,
    optimize: bool = True,
    most: int | None = 32000,
    dialect: str = DIALECT,
    **rest: Any,
) -> str:
    """An Enumerate."""
    parts = [
        "<w:OptimizeEnumeration/>" if optimize else "",
        f"<w:MaxElements>{most}</w:MaxElements>" if most else "",
        f'<w:Filter Dialect="{dialect}">{escape(wql)}</w:Filter>' if wql else "",
    ]
    return request(f"{ENUMERATION}/Enumerate", uri, f"<n:Enumerate>{''.join(parts)}</n:Enumerate>", **rest)


def pull_request(context: str, most: int | None = 32000, **rest: Any) -> str:
    """A Pull."""
    limit = f"<n:MaxElements>{most}</n:MaxElements>" if most else ""
    body = f"<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext>{limit}</n:Pull>"
    return request(f"{ENUMERATION}/Pull", ALL, body, **rest)


def release_request(context: str) -> str:
    """A Release."""
    body = f"<n:Release><n:EnumerationContext>{context}</n:EnumerationContext></n:Release>"
    return request(f"{ENUMERATION}/Release", ALL, body)


def get_request(selectors: dict[str, str]) -> str:
    """A Get of a thing."""
    return request(f"{TRANSFER}/Get", THING, selectors=selectors)


def invoke_request(method: str, parameters: str = "", selectors: dict[str, str] | None = None) -> str:
    """An Invoke on a thing; ``parameters`` is XML with the prefix ``p`` bound."""
    body = f'<p:{method}_INPUT xmlns:p="{THING}">{parameters}</p:{method}_INPUT>'
    return request(f"{THING}/{method}", THING, body, selectors)


def query(
    send: Send, wql: str, most: int | None = 32000, **options: Any
) -> tuple[list[dict[str, list[str | None]]], int]:
    """All rows of a query, each property as the list of its texts (None for nil), and how many requests it took."""
    answer = ET.fromstring(send(enumerate_request(wql, most=most, **options)))
    rows = _rows(answer)
    requests = 1
    while not finished(answer):
        answer = ET.fromstring(send(pull_request(context_of(answer), most)))
        requests += 1
        rows += _rows(answer)
    return rows, requests


def context_of(answer: ET.Element) -> str:
    """The enumeration context in an answer."""
    return answer.findtext(f".//{{{ENUMERATION}}}EnumerationContext", "")


def finished(answer: ET.Element) -> bool:
    """Whether an answer says that there is no more."""
    return any(answer.find(f".//{{{namespace}}}EndOfSequence") is not None for namespace in (WSMAN, ENUMERATION))


def _rows(answer: ET.Element) -> list[dict[str, list[str | None]]]:
    rows = []
    for namespace in (WSMAN, ENUMERATION):
        for item in answer.iterfind(f".//{{{namespace}}}Items/*"):
            element = item[0] if item.tag == f"{{{WSMAN}}}Item" else item
            row: dict[str, list[str | None]] = {}
            for child in element:
                text = None if child.get(f"{{{XSI}}}nil") == "true" else "".join(child.itertext())
                row.setdefault(child.tag.rpartition("}")[2], []).append(text)
            rows.append(row)
    return rows


def fault_of(data: bytes) -> tuple[str, str | None, int | None]:
    """Subcode (its local part), WSManFault code or error_Code, and the innermost code of a fault."""
    answer = ET.fromstring(data)
    subcode = answer.findtext(f".//{{{SOAP}}}Subcode/{{{SOAP}}}Value", "").rpartition(":")[2]
    outer = next((item.get("Code") for item in answer.iter() if item.tag.endswith("}WSManFault")), None)
    wmi = next((int(item.text or 0) for item in answer.iter() if item.tag.endswith("}error_Code")), None)
    return subcode, outer, wmi
